'use strict';
// The page of one profile: what is chosen (filters, view, function), and who has to be told of it.

const { ByTimeView } = require('./by-time.js');
const { Choice } = require('./choice.js');
const { byId, measured } = require('./dom.js');
const { count, labeller, percent, time, weight } = require('./format.js');
const { Graph } = require('./graph.js');
const { groupRows, groupingsOf } = require('./groups.js');
const { filterControls } = require('./filters.js');
const { hotspotTable } = require('./hotspots.js');
const { COLORS, colorOf, funcColors } = require('./palette.js');
const { themeColors } = require('./theme.js');
const { Timeline } = require('./timeline.js');
const { forEachRow, placesOf, sumRows, totalsOf, weightThrough } = require('./tree.js');

/** @typedef {import('./types').Filter} Filter */

class ProfilePage {
  /** @type {Filter} */
  filter = {
    thread: -1,
    pool: '',
    phase: -1,
    kinds: new Uint8Array(COLORS.length).fill(1),
    range: null,
  };
  groupBy = 'function';

  /** @param {import('./types').ProfileReport} report */
  constructor(report) {
    this.report = report;
    const { nodes, funcs } = report;
    this.label = labeller(funcs);
    this.groupings = groupingsOf(report);
    this.grouping = this.groupings.function;
    const size = nodes.depth.length;
    /** @type {import('./types').Sums} */
    this.sums = {
      self: new Float64Array(size),
      count: new Float64Array(size),
      weight: 0,
      samples: 0,
    };
    this.colors = funcColors(funcs, themeColors().back);
    /** @type {import('./heavy').Model} */
    this.model = {
      nodes,
      total: this.sums.self,
      place: this.sums.self,
      matches: null,
      color: (/** @type {number} */ node, /** @type {boolean} */ isFaded) =>
        this.#colorOf(node, isFaded),
      label: (/** @type {number} */ node, /** @type {number} */ chars) =>
        node === 0 ? 'all' : this.label(nodes.func[node], chars),
    };
    this.graph = new Graph(this.model, {
      lines: (node) => this.#linesOf(node),
      picked: (node) => this.choice.choose(node > 0 ? nodes.func[node] : -1, false),
      ranged: (from, to) => this.setRange([from, to]),
    });
    this.choice = new Choice(report, this.graph, {
      sums: () => ({ self: this.sums.self, total: this.model.total }),
      shareOf: (mask) => percent(weightThrough(nodes, mask, this.model.total) / this.sums.weight),
      partOf: (total) => `${percent(total / this.sums.weight)}, ${weight(total, report.meta.unit)}`,
      colorOf: (func) => colorOf(funcs.color[func]),
      labelOf: this.label,
      showTable: () => this.#showTable(),
    });
    this.byTime = new ByTimeView(report, this.model);
    this.timeline = new Timeline(byId('timeline'), report, {
      ranged: (range) => this.setRange(range),
      phased: (phase) => this.setFilter({ phase }),
      tell: (event, lines) => this.graph.tooltip.show(event, lines),
      colors: themeColors,
    });
    this.table = hotspotTable(report, this.label, (row) => this.#pickRow(row));
    this.controls = filterControls(report, this);
    addEventListener('resize', () => this.#drawTimeline());
  }

  /** @param {number} node @param {boolean} isFaded */
  #colorOf(node, isFaded) {
    const { full, faded } = this.colors;
    if (node === 0) return isFaded ? 'rgb(150 150 150 / 0.35)' : 'rgb(190 190 190)';
    return (isFaded ? faded : full)[this.report.nodes.func[node]];
  }

  /** @param {number} node */
  #linesOf(node) {
    const { funcs, nodes, meta, categories } = this.report;
    const { self } = this.sums;
    const total = this.model.total[node];
    const part = (/** @type {number} */ value) =>
      `${percent(value / this.sums.weight)}, ${weight(value, meta.unit)}`;
    const sums = [`total ${part(total)}`, `self ${part(self[node])}`];
    if (node === 0) return ['all', ...sums, `${count(this.sums.samples)} samples`];
    const func = nodes.func[node];
    const crate = funcs.crates[funcs.crate[func]];
    const file =
      funcs.file[func] >= 0 ? [`${funcs.files[funcs.file[func]]}:${funcs.line[func]}`] : [];
    return [
      funcs.name[func],
      ...sums,
      ...(crate.startsWith('[') ? [] : [`crate ${crate}`]),
      `object ${funcs.objects[funcs.object[func]]}`,
      COLORS[funcs.color[func]].label +
        (nodes.owner && nodes.owner[node] !== node ? ', inlined' : ''),
      ...(categories && nodes.category ? [categories[nodes.category[node]]] : []),
      ...file,
    ];
  }

  /** After a change of a filter: all sums anew. */
  refilter() {
    measured('filter', () => {
      const { report, model } = this;
      this.sums = sumRows(report, this.filter);
      model.total = totalsOf(report.nodes, this.sums.self);
      model.place = placesOf(report.nodes, model.total);
      this.#setByTime();
      this.graph.update();
      this.#showTable();
    });
    this.choice.show();
    this.#drawTimeline();
    this.controls.show();
    const { samples, weight: whole } = this.sums;
    const { unit } = this.report.meta;
    const all = this.report.quality.samples;
    const share = samples === all ? 'all' : `${percent(samples / all)} of them`;
    byId('chosen').textContent =
      samples === 0
        ? 'No samples in what is chosen: widen the range or the filters.'
        : `${count(samples)} samples (${share}), ${weight(whole, unit)}${unit === 'ns' ? ' of CPU time' : ''}`;
    byId('empty').hidden = samples > 0;
  }

  #drawTimeline() {
    const { report, filter, timeline } = this;
    timeline.range = filter.range;
    timeline.phase = filter.phase;
    timeline.setRows((visit) => forEachRow(report, { ...filter, range: null, phase: -1 }, visit));
  }

  #setByTime() {
    if (this.graph.byTime === null) return;
    /** @type {number[]} */
    const rows = [];
    forEachRow(this.report, this.filter, (row) => rows.push(row));
    this.byTime.setRows(rows, this.filter.range ?? [0, this.report.meta.durationMs]);
  }

  #showTable() {
    const { nodes } = this.report;
    const sums = { ...this.sums, total: this.model.total };
    const rows = groupRows(nodes, this.grouping, sums);
    const { pattern } = this.choice;
    const shown = pattern ? rows.filter(({ label }) => pattern.test(label)) : rows;
    this.table.setRows(shown, this.sums.weight, this.groupBy);
  }

  /** @param {Partial<Filter>} change */
  setFilter(change) {
    Object.assign(this.filter, change);
    this.refilter();
  }

  /** @param {[number, number] | null} range */
  setRange(range) {
    const { durationMs } = this.report.meta;
    // A box of one sample: no less than can be told apart.
    const least = Math.min(durationMs, 2 * this.byTime.periodMs);
    const whole = range && range[0] <= 0 && range[1] >= durationMs;
    if (range && range[1] - range[0] < least) range = [range[0], range[0] + least];
    this.setFilter({ range: whole ? null : range });
  }

  /** @param {string} group */
  setGroup(group) {
    this.groupBy = group;
    this.grouping = this.groupings[group];
    this.#showTable();
  }

  /** @param {boolean} isByTime */
  setByTime(isByTime) {
    this.graph.byTime = isByTime ? this.byTime : null;
    // One thread has one stack at a time: with more of them there would be nothing to draw.
    if (isByTime && this.filter.thread < 0) this.filter.thread = this.#busiestThread();
    this.refilter();
    this.graph.surface.toRoot();
  }

  #busiestThread() {
    const { threads, rows } = this.report;
    const seen = new Float64Array(threads.length);
    forEachRow(this.report, this.filter, (row) => seen[rows.thread[row]]++);
    return seen.indexOf(Math.max(0, ...seen));
  }

  /** @param {import('./groups').GroupRow} row */
  #pickRow({ id }) {
    const { grouping } = this;
    if (id < 0 || grouping.funcs === null) return;
    if (this.groupBy === 'function') this.choice.choose(id, true);
    else this.choice.mark(grouping.funcs(id));
  }

  /** What Escape takes back, one thing at a time. @returns {boolean} */
  back() {
    if (this.choice.back()) return true;
    if (this.graph.heavy.zoom > 0 && !this.graph.byTime) this.graph.zoomTo(0);
    else if (this.filter.range) this.setRange(null);
    else return false;
    return true;
  }

  themeChanged() {
    this.colors = funcColors(this.report.funcs, themeColors().back);
    this.graph.themeChanged();
    this.timeline.redraw();
  }

  get summary() {
    const { meta, quality } = this.report;
    const versions = [`node ${meta.node}`, ...(meta.rspack ? [`rspack ${meta.rspack}`] : [])];
    const rate = meta.frequency > 0 ? ` at ${count(meta.frequency)} Hz` : '';
    return (
      `${count(quality.samples)} samples of ${meta.event}${rate} in ${time(meta.durationMs)} on ` +
      `${meta.cpus} CPUs, ${versions.join(', ')}, ${new Date(meta.startUnixMs).toLocaleString()}`
    );
  }
}

module.exports = { ProfilePage };
