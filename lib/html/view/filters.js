'use strict';
// The selects and the legend, which is the filter by kind as well.

const { byId, make } = require('./dom.js');
const { percent } = require('./format.js');
const { COLORS, colorOf } = require('./palette.js');
const { forEachRow } = require('./tree.js');

/** @param {string} value @param {string} text */
function option(value, text) {
  const element = make('option', { text });
  element.value = value;
  return element;
}

/**
 * @param {import('./types').ProfileReport} report
 * @param {import('./profile-page').ProfilePage} page
 */
function filterControls(report, page) {
  const { threads, phases, rows, nodes, funcs } = report;
  const samples = new Float64Array(threads.length);
  const inPhase = new Float64Array(phases.length);
  for (let i = 0; i < rows.node.length; i++) {
    samples[rows.thread[i]]++;
    inPhase[rows.phase[i]]++;
  }
  const all = rows.node.length;
  const share = (/** @type {number} */ part) => percent(all > 0 ? part / all : 0);

  const thread = byId('thread');
  const pools = [...new Set(threads.map(({ pool }) => pool))];
  const poolGroup = make('optgroup');
  poolGroup.label = 'pools';
  for (const pool of pools) {
    const sum = threads.reduce((s, own, i) => (own.pool === pool ? s + samples[i] : s), 0);
    if (sum > 0) poolGroup.append(option(`pool:${pool}`, `${pool} (${share(sum)})`));
  }
  const threadGroup = make('optgroup');
  threadGroup.label = 'threads';
  const order = threads.map((_, i) => i).sort((a, b) => samples[b] - samples[a]);
  for (const i of order) {
    if (samples[i] === 0) continue;
    const { name, tid, pool } = threads[i];
    threadGroup.append(
      option(`${i}`, `${name || '(no name)'}/${tid} ${pool} (${share(samples[i])})`),
    );
  }
  thread.replaceChildren(option('', 'all threads'), poolGroup, threadGroup);
  thread.addEventListener('change', () => {
    const { value } = thread;
    const pool = value.startsWith('pool:') ? value.slice(5) : '';
    const chosen = pool || value === '' ? -1 : Number(value);
    page.setFilter({ pool, thread: chosen });
    if (page.graph.byTime && chosen < 0) page.setByTime(true);
  });

  const phase = byId('phase');
  const named = phases.map(({ name, compiler, build }) =>
    [name, ...(compiler ? [compiler] : []), ...(build > 1 ? [`build ${build}`] : [])].join(', '),
  );
  phase.replaceChildren(
    option('', 'all phases'),
    ...named.flatMap((name, i) =>
      inPhase[i] > 0 ? [option(`${i}`, `${name} (${share(inPhase[i])})`)] : [],
    ),
  );
  phase.disabled = phases.length < 2;
  phase.addEventListener('change', () =>
    page.setFilter({ phase: phase.value === '' ? -1 : Number(phase.value) }),
  );

  const kinds = COLORS.map((_, kind) => kind).filter((kind) => funcs.color.includes(kind));
  const chips = kinds.map((kind) => {
    const swatch = make('i', { class: 'swatch' });
    swatch.style.background = colorOf(kind);
    const value = make('span', { class: 'dim' });
    const chip = make('button', { class: 'chip' }, [swatch, COLORS[kind].label, ' ', value]);
    chip.type = 'button';
    chip.title = 'samples that end in it: click to leave them out, with shift to see no others';
    chip.addEventListener('click', ({ shiftKey }) => {
      const mask = page.filter.kinds;
      const isAlone = kinds.every((other) => (other === kind) === (mask[other] === 1));
      if (shiftKey) for (const other of kinds) mask[other] = Number(isAlone || other === kind);
      else mask[kind] = 1 - mask[kind];
      page.refilter();
    });
    return { kind, chip, value };
  });
  byId('legend').replaceChildren(...chips.map(({ chip }) => chip));

  return {
    /** Brings the controls in line with the page's filter. */
    show() {
      const { filter } = page;
      thread.value = filter.thread >= 0 ? `${filter.thread}` : filter.pool && `pool:${filter.pool}`;
      phase.value = filter.phase >= 0 ? `${filter.phase}` : '';
      const byKind = new Float64Array(COLORS.length);
      let sum = 0;
      forEachRow(report, { ...filter, kinds: new Uint8Array(COLORS.length).fill(1) }, (i) => {
        sum += rows.weight[i];
        if (rows.node[i] > 0) byKind[funcs.color[nodes.func[rows.node[i]]]] += rows.weight[i];
      });
      for (const { kind, chip, value } of chips) {
        chip.ariaPressed = String(filter.kinds[kind] === 1);
        value.textContent = percent(sum > 0 ? byKind[kind] / sum : 0);
      }
    },
  };
}

module.exports = { filterControls };
