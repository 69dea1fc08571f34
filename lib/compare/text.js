'use strict';
// The report of a comparison as text for a terminal. Pure.

const { grouped, plural } = require('../grouped.js');
const { columnsOf, fit, pad, printable, warningLines, wrap } = require('../terminal.js');
const { changeText, intervalText, timeText, valueText } = require('./words.js');

/** @typedef {import('./compare').Comparison['result']} Result */
/** @typedef {{ width: number, paint: (style: any, text: string) => string }} Terminal */

const GAP = '  ';
const PIPE_COLUMNS = 160;
const LEAST_NAME_COLUMNS = 16;
/** Hotspots and phases that a reader looks at. */
const MOST_ROWS = 15;

/** @type {[name: 'wall' | 'cpu' | 'user' | 'sys' | 'instructions' | 'memory', label: string][]} */
const METRICS = [
  ['wall', 'wall time'],
  ['cpu', 'CPU time'],
  ['user', '  user'],
  ['sys', '  system'],
  ['instructions', 'instructions'],
  ['memory', 'peak memory'],
];

/** @type {Record<Result['verdict']['decision'], string>} */
const WORDS = {
  faster: 'FASTER',
  slower: 'SLOWER',
  'no-difference': 'NO DIFFERENCE',
  inconclusive: 'INCONCLUSIVE',
};

/** @param {boolean | null} keep */
const keepText = (keep) => (keep === null ? 'not decided by speed' : keep ? 'yes' : 'no');

const FINDINGS = { faster: 'less', slower: 'more', 'no-difference': 'same', unclear: '?' };

/**
 * Rows of cells in columns; the last one takes what is left.
 * @param {string[]} heads
 * @param {string[][]} rows
 * @param {boolean[]} right
 */
function columns(heads, rows, right) {
  const widths = heads.map((head, i) =>
    Math.max(columnsOf(head), ...rows.map((row) => columnsOf(row[i]))),
  );
  return [heads, ...rows].map((row) =>
    row
      .map((cell, i) => pad(cell, widths[i], right[i]))
      .join(GAP)
      .trimEnd(),
  );
}

/** @param {Result} result */
function metricCells({ metrics, runs }) {
  if (runs.pairs === 0) return [];
  return METRICS.flatMap(([name, label]) => {
    const one = metrics[name];
    if (!one) return [];
    const { base, candidate, ratio, interval, unit, finding } = one;
    return [
      [
        label,
        valueText(base, unit),
        valueText(candidate, unit),
        ratio === null ? '' : changeText(ratio),
        ratio === null ? '' : intervalText(interval),
        ratio === null ? '' : FINDINGS[finding],
      ],
    ];
  });
}

/**
 * @param {{ delta: number, interval: [number, number], baseMs: number, candidateMs: number }} row
 */
function hotCells({ delta, interval, baseMs, candidateMs }) {
  const signed = `${delta > 0 ? '+' : ''}${delta.toFixed(1)}`;
  return [
    signed,
    `±${((interval[1] - interval[0]) / 2).toFixed(1)}`,
    baseMs.toFixed(1),
    candidateMs.toFixed(1),
  ];
}

/**
 * @param {{ delta: number, interval: [number, number], baseMs: number, candidateMs: number,
 *   kind?: string, isSignificant: boolean }[]} rows
 * @param {(row: any) => string} nameOf
 * @param {string} title
 * @param {Terminal} terminal
 */
function hotTable(rows, nameOf, title, { width, paint }) {
  const shown = rows.filter(({ isSignificant }) => isSignificant).slice(0, MOST_ROWS);
  if (shown.length === 0) return [];
  const cells = shown.map(hotCells);
  const heads = ['CHANGE', '±', 'BASE', 'CANDIDATE'];
  const lines = columns(heads, cells, [true, true, true, true]);
  const used = columnsOf(lines[0]) + GAP.length;
  const left =
    width === Infinity ? PIPE_COLUMNS - used : Math.max(LEAST_NAME_COLUMNS, width - used);
  const names = [title, ...shown.map((row) => fit(nameOf(row), left, row.kind ?? ''))];
  return lines.map((line, i) => {
    const whole = `${pad(line, used - GAP.length)}${GAP}${names[i]}`;
    if (i === 0) return paint('bold', whole);
    return shown[i - 1].delta > 0 ? paint('red', whole) : whole;
  });
}

/** @param {Result} result @param {number} measure */
function headLines({ runs, sides, environment }, measure) {
  const { pairs, warmup, cache } = runs;
  const rspack = environment.rspack ? `, rspack ${printable(environment.rspack)}` : '';
  return [
    `base       ${printable(sides.base.title)}`,
    `candidate  ${printable(sides.candidate.title)}`,
    ...wrap(
      `${plural(pairs, 'run')} of each in ABBA blocks after ${plural(warmup, 'warm-up')}, ${cache} cache, ` +
        `${environment.cpus} CPUs${rspack}, node ${printable(environment.node.slice(1))}`,
      measure,
    ),
  ];
}

/** @param {Result} result @param {Terminal} terminal */
function hotspotLines(result, terminal) {
  const { hotspots, phases, crates, objects, profiled } = result;
  if (profiled.runs === 0) return [];
  const { samples, event, significant, withinNoise } = profiled;
  const lines = wrap(
    `where, in ms of CPU time (self; ${plural(profiled.runs, 'profiled run')} of each, ` +
      `${grouped(samples.base)} and ${grouped(samples.candidate)} samples of ${printable(event ?? '')})`,
    Math.min(terminal.width, 100),
  );
  const byPhase = hotTable(phases, (row) => row.phase, 'PHASE', terminal);
  const bySymbol = hotTable(hotspots, (row) => row.symbol, 'SYMBOL', terminal);
  const bySum =
    crates.length > 0
      ? hotTable(crates, (row) => row.crate, 'CRATE', terminal)
      : hotTable(objects, (row) => row.object, 'OBJECT', terminal);
  for (const table of [byPhase, bySum, bySymbol]) {
    if (table.length > 0) lines.push('', ...table);
  }
  const more = Math.max(0, significant - MOST_ROWS);
  if (more > 0) lines.push(`${plural(more, 'more function')} (--json has them)`);
  const noise = plural(withinNoise, 'function');
  lines.push(
    significant === 0 ? `no function changed by more than noise` : `${noise} within noise`,
  );
  return lines;
}

/**
 * @param {Result} result
 * @param {Terminal} terminal
 * @returns {string} ends in a newline
 */
function renderText(result, terminal) {
  const { width, paint } = terminal;
  const { verdict, warnings, machine } = result;
  const measure = Math.min(width, 100);
  const lines = [...headLines(result, measure), ''];
  const cells = metricCells(result);
  if (cells.length > 0) {
    const heads = ['', 'BASE', 'CANDIDATE', 'CHANGE', '95 % INTERVAL', ''];
    const [head, ...rows] = columns(heads, cells, [false, true, true, true, true, false]);
    lines.push(paint('bold', head), ...rows, '');
  }
  const where = hotspotLines(result, terminal);
  if (where.length > 0) lines.push(...where, '');
  const notes = [];
  const { outliers } = machine;
  if (outliers.length > 0) {
    const list = outliers
      .slice(0, 4)
      .map(({ side, order, wallMs }) => `${side} run ${order + 1} ${timeText(wallMs)}`);
    const rest = outliers.length > 4 ? ' ..' : '';
    notes.push(`outliers (kept): ${list.join(', ')}${rest}`);
  }
  lines.push(...notes.flatMap((note) => wrap(note, measure)));
  if (warnings.length > 0) lines.push(...warningLines(warnings, { width, paint }));
  if (notes.length + warnings.length > 0) lines.push('');
  const style = { faster: 'bold', slower: 'red', 'no-difference': 'bold', inconclusive: 'bold' };
  const [first, ...rest] = wrap(
    `${WORDS[verdict.decision]}  ${printable(verdict.reason)}`,
    measure,
  );
  lines.push(paint(style[verdict.decision], first), ...rest);
  lines.push(`keep: ${keepText(verdict.keep)}`);
  return `${lines.join('\n')}\n`;
}

module.exports = { METRICS, MOST_ROWS, WORDS, keepText, renderText };
