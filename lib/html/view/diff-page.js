'use strict';
// The page of a difference: the candidate's graph (or the base's), red where more is spent than before,
// blue where less, grey where chance explains it.

const { Choice } = require('./choice.js');
const { changeOf, largestChange, nodeSums, sumsByGroup } = require('./diff-model.js');
const { diffTable } = require('./diff-table.js');
const { bindChoice, byId, make, measured } = require('./dom.js');
const { count, labeller, percent, time, weight } = require('./format.js');
const { Graph } = require('./graph.js');
const { changeColor } = require('./palette.js');
const { factsOf } = require('./quality.js');
const { themeColors } = require('./theme.js');
const { placesOf, weightThrough } = require('./tree.js');

class DiffPage {
  /** @type {import('./diff-model').How} */
  how = { norm: 'share', by: 'total' };
  /** Which profile's widths: 0 base, 1 candidate. */
  side = 1;

  /** @param {import('./types').DiffReport} report */
  constructor(report) {
    this.report = report;
    const { nodes, funcs } = report;
    this.label = labeller(funcs);
    this.sums = nodeSums(report);
    this.byFunc = sumsByGroup(report, this.sums, nodes.func, funcs.name.length);
    this.backRgb = themeColors().back;
    this.most = 0;
    /** @type {import('./heavy').Model} */
    this.model = {
      nodes,
      total: this.sums[1].total,
      place: this.sums[1].total,
      matches: null,
      color: (/** @type {number} */ node, /** @type {boolean} */ isFaded) =>
        this.#colorOf(node, isFaded),
      label: (/** @type {number} */ node, /** @type {number} */ chars) =>
        node === 0 ? 'all' : this.label(nodes.func[node], chars),
    };
    this.graph = new Graph(this.model, {
      lines: (node) => this.#linesOf(node),
      picked: (node) => this.choice.choose(node > 0 ? nodes.func[node] : -1, false),
    });
    this.choice = new Choice(report, this.graph, {
      sums: () => this.sums[this.side],
      shareOf: (mask) => [0, 1].map((side) => this.#shareOf(mask, side)).join(' → '),
      partOf: (total) => this.#partOf(total),
      colorOf: (func) => this.#funcColor(func),
      labelOf: this.label,
      showTable: () => this.#showTable(),
    });
    this.table = diffTable(report, this.label, (func) => this.choice.choose(func, true));
    this.#bind('by', (value) => (this.how.by = value === 'total' ? 'total' : 'self'));
    this.#bind('norm', (value) => (this.how.norm = value === 'time' ? 'time' : 'share'));
    this.#bind('width', (value) => (this.side = value === 'base' ? 0 : 1));
    this.#showHeader();
  }

  /** @param {string} id @param {(value: string) => void} set */
  #bind(id, set) {
    bindChoice(id, (value) => {
      set(value);
      this.refilter();
    });
  }

  #showHeader() {
    const { qualities } = this.report;
    const rows = ['base', 'candidate'].map((name, i) => {
      const facts = factsOf(qualities[i]);
      const { warnings, samples } = qualities[i];
      const all = samples === 0 ? [{ text: 'no samples', isBad: true }] : facts;
      const chips = all.map(({ text, isBad }) => make('span', { class: isBad ? 'bad' : '', text }));
      if (warnings.length > 0) {
        const title = warnings.map(({ message }) => message).join('\n');
        chips.push(make('span', { class: 'bad', text: `${warnings.length} warnings`, title }));
      }
      return make('p', { class: 'facts' }, [make('b', { text: name }), ...chips]);
    });
    const units = this.report.metas.map(({ unit }) => unit);
    if (units[0] !== units[1]) {
      const text = `${units[0]} are compared with ${units[1]}: only shares can be compared`;
      rows.push(make('p', { class: 'facts' }, [make('span', { class: 'bad', text })]));
    }
    byId('quality').replaceChildren(...rows);
    byId('help-text').textContent =
      'A box is as wide as in the candidate (or the base). Red: more than in the base, blue: less; grey: less ' +
      `than ${this.report.leastErrors.toFixed(1)} standard errors of the sample counts, which chance explains. One run of each is no proof.`;
    const key = (/** @type {number} */ change, /** @type {string} */ text) => {
      const swatch = make('i', { class: 'swatch' });
      swatch.style.background = changeColor(change, this.backRgb, false);
      return make('span', { class: 'chip' }, [swatch, text]);
    };
    byId('legend').replaceChildren(
      key(1, 'more than in the base'),
      key(0.1, 'a little more'),
      key(0, 'within noise'),
      key(-0.1, 'a little less'),
      key(-1, 'less'),
    );
  }

  /** @param {number} node @param {boolean} isFaded */
  #colorOf(node, isFaded) {
    const { change, isNoise } = changeOf(this.sums, node, this.how);
    const part = isNoise || this.most === 0 || node === 0 ? 0 : change / this.most;
    return changeColor(Math.max(-1, Math.min(1, part)), this.backRgb, isFaded);
  }

  /** @param {number} value @param {number} side */
  #value(value, side) {
    if (this.how.norm === 'share') return percent(value);
    return weight(value, this.report.metas[side].unit);
  }

  /** @param {number} change */
  #changeText(change) {
    const sign = change > 0 ? '+' : '';
    if (this.how.norm === 'time') return sign + weight(change, this.report.metas[1].unit);
    return `${sign}${(change * 100).toFixed(2)} points`;
  }

  /** @param {number} node */
  #linesOf(node) {
    const { funcs, nodes } = this.report;
    const lines = /** @type {('self' | 'total')[]} */ (['total', 'self']).map((by) => {
      const { base, candidate, isNoise } = changeOf(this.sums, node, { ...this.how, by });
      const noise = isNoise ? ' (within noise)' : '';
      return `${by} ${this.#value(base, 0)} → ${this.#value(candidate, 1)}${noise}`;
    });
    if (node === 0) return ['all', ...lines];
    const func = nodes.func[node];
    return [
      funcs.name[func],
      ...lines,
      `crate ${funcs.crates[funcs.crate[func]]}`,
      `object ${funcs.objects[funcs.object[func]]}`,
    ];
  }

  /** After a change of how it is compared. */
  refilter() {
    measured('filter', () => {
      const { model, sums, report } = this;
      model.total = sums[this.side].total;
      model.place = placesOf(report.nodes, model.total);
      this.most = largestChange(sums, model.total.length, this.how);
      this.graph.update();
      this.#showTable();
    });
    this.choice.show();
    const [base, candidate] = this.sums;
    const isEmpty = base.samples === 0 || candidate.samples === 0;
    byId('chosen').textContent = isEmpty
      ? `The ${base.samples === 0 ? 'base' : 'candidate'} has no samples: there is nothing to compare.`
      : '';
    byId('empty').hidden = this.model.total[0] > 0;
  }

  #showTable() {
    const { pattern } = this.choice;
    const rows = this.report.funcs.name.map((label, func) => ({
      label,
      func,
      ...changeOf(this.byFunc, func, this.how),
    }));
    this.table.setRows(
      rows.filter(({ label, base, candidate }) => {
        if (base === 0 && candidate === 0) return false;
        return !pattern || pattern.test(label);
      }),
      (value, side) => this.#value(value, side),
      (change) => this.#changeText(change),
    );
  }

  /** What passes through functions. @param {Uint8Array} mask @param {number} side */
  #shareOf(mask, side) {
    const { total, whole } = this.sums[side];
    return percent(whole > 0 ? weightThrough(this.report.nodes, mask, total) / whole : 0);
  }

  /** @param {number} total of a function, in the profile whose widths are shown */
  #partOf(total) {
    const { unit } = this.report.metas[this.side];
    const part = `${percent(total / this.sums[this.side].whole)}, ${weight(total, unit)}`;
    return `${part} of the ${['base', 'candidate'][this.side]}`;
  }

  /** @param {number} func */
  #funcColor(func) {
    const { change, isNoise } = changeOf(this.byFunc, func, { ...this.how, by: 'total' });
    return changeColor(isNoise ? 0 : Math.sign(change), this.backRgb, false);
  }

  /** What Escape takes back. @returns {boolean} */
  back() {
    if (this.choice.back()) return true;
    if (this.graph.heavy.zoom === 0) return false;
    this.graph.zoomTo(0);
    return true;
  }

  themeChanged() {
    this.backRgb = themeColors().back;
    this.graph.themeChanged();
  }

  get summary() {
    const { metas, qualities } = this.report;
    const about = (/** @type {number} */ i) => {
      const { event, durationMs, startUnixMs } = metas[i];
      const when = new Date(startUnixMs).toLocaleString();
      return `${count(qualities[i].samples)} samples of ${event} in ${time(durationMs)}, ${when}`;
    };
    return `base: ${about(0)}; candidate: ${about(1)}`;
  }
}

module.exports = { DiffPage };
