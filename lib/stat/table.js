'use strict';
// Counts for people: a row per event with what it means, then the times, the phases, the warnings.

const { pad, printable, terminalOf, warningLines, wrap } = require('../terminal.js');
const { middle } = require('../shorten.js');

/** @typedef {import('../index').StatResult} StatResult */
/** @typedef {import('../index').StatEvent} StatEvent */
/** @typedef {import('../index').StatPhase} StatPhase */
/** @typedef {{value: string, unit: string, name: string, note: string, spread: string}} Row */

const GAP = '  ';
const NS_PER_MS = 1e6;

/** @param {number | null} spread */
const plusMinus = (spread) => (spread === null ? '' : `±${(spread * 100).toFixed(2)} %`);

/** 12,345.6 @param {number} value @param {number} digits */
const decimal = (value, digits) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Shorter phases are only counted. */
const LEAST_MS = 1;

/** Three or four digits and a unit: 1.23 K. @param {number} value */
function short(value) {
  if (value < 1000 && Number.isInteger(value)) return String(value);
  const units = ['', ' K', ' M', ' G', ' T'];
  let at = 0;
  let left = value;
  while (left >= 999.95 && at < units.length - 1) {
    left /= 1000;
    at++;
  }
  return `${left.toFixed(left < 10 ? 2 : 1)}${units[at]}`;
}

/** @type {Record<string, (value: number) => string>} */
const SAID = {
  cpusUsed: (value) => `${value.toFixed(2)} CPUs used`,
  ghz: (value) => `${value.toFixed(3)} GHz`,
  ipc: (value) => `${value.toFixed(2)} per cycle`,
  branchMissRate: (value) => `${(value * 100).toFixed(2)} % of the branches`,
  cacheMissRate: (value) => `${(value * 100).toFixed(2)} % of the references`,
  l1dMissRate: (value) => `${(value * 100).toFixed(2)} % of the L1 loads`,
  llcMissRate: (value) => `${(value * 100).toFixed(2)} % of the last-level loads`,
  dtlbMissRate: (value) => `${(value * 100).toFixed(2)} % of the data TLB loads`,
  itlbMissRate: (value) => `${(value * 100).toFixed(2)} % of the instruction TLB loads`,
  stalledFrontend: (value) => `${(value * 100).toFixed(2)} % of the cycles`,
  stalledBackend: (value) => `${(value * 100).toFixed(2)} % of the cycles`,
};

/**
 * What is said beside an event: its derived figure, or how often it came per second of CPU time.
 * @param {string} name
 * @param {StatEvent} event
 * @param {StatResult} result
 */
function noteOf(name, event, { derived, events }) {
  for (const [key, { value, of }] of Object.entries(derived)) {
    if (of[0] === name && SAID[key]) return SAID[key](value);
  }
  const clock = events['task-clock']?.value;
  if (event.unit === 'ns' || !clock || event.value === null) return '';
  return `${short(event.value / (clock / 1e9))}/s of CPU time`;
}

/**
 * @param {string} name
 * @param {StatEvent} event
 * @param {StatResult} result
 * @returns {Row}
 */
function rowOf(name, event, result) {
  const isTime = event.unit === 'ns';
  const value = event.value ?? 0;
  return {
    value: isTime ? decimal(value / NS_PER_MS, 2) : decimal(value, 0),
    unit: isTime ? 'ms' : '',
    name,
    note: noteOf(name, event, result),
    spread: plusMinus(event.spread),
  };
}

/**
 * The events that were scaled, and those without a count, by why there is none.
 * @param {StatResult} result
 * @param {ReturnType<typeof terminalOf>} terminal
 */
function noteLines({ events }, { width, paint }) {
  /** @type {Map<string, string[]>} */
  const byReason = new Map();
  for (const [name, { value, reason }] of Object.entries(events)) {
    if (value === null) byReason.set(reason, [...(byReason.get(reason) ?? []), printable(name)]);
  }
  const scaled = Object.entries(events)
    .filter(([, { value, scaledBy }]) => value !== null && scaledBy > 1.001)
    .map(([name, { scaledBy }]) => `${printable(name)} (${(100 / scaledBy).toFixed(0)} %)`);
  const notes = [...byReason].map(
    ([reason, names]) => `not counted: ${names.join(', ')} (${reason})`,
  );
  if (scaled.length > 0) {
    notes.unshift(
      `scaled, as they shared counters and had them for a part of the time: ${scaled.join(', ')}`,
    );
  }
  return notes.flatMap((note) =>
    wrap(note, Math.min(width, 100) - 2).map((line, i) => paint('dim', i > 0 ? `  ${line}` : line)),
  );
}

/**
 * @param {Row[]} rows
 * @param {ReturnType<typeof terminalOf>} terminal
 */
function eventLines(rows, { width }) {
  if (rows.length === 0) return [];
  const widest = (/** @type {keyof Row} */ key) => Math.max(...rows.map((row) => row[key].length));
  const [value, unit] = [widest('value'), widest('unit')];
  const name = Math.min(widest('name'), width === Infinity ? 80 : Math.floor(width / 2.5));
  const spread = widest('spread');
  const used = value + (unit ? unit + 1 : 0) + name + GAP.length * 2;
  const note = Math.max(
    12,
    Math.min(widest('note'), width - used - (spread ? spread + GAP.length : 0)),
  );
  return rows.map((row) => {
    const cells = [
      pad(row.value, value, true) + (unit ? ` ${pad(row.unit, unit)}` : ''),
      pad(middle(printable(row.name), name), name),
      pad(middle(row.note, note), note),
      pad(row.spread, spread, true),
    ];
    return cells.join(GAP).trimEnd();
  });
}

/** @param {StatResult} result */
function timeLine({ wallMs, userMs, systemMs }) {
  const seconds = (/** @type {number} */ ms) => `${decimal(ms / 1000, 3)} s`;
  const spread = plusMinus(wallMs.spread);
  const parts = [`${seconds(wallMs.value)} wall${spread ? ` ${spread}` : ''}`];
  if (userMs) parts.push(`${seconds(userMs.value)} user`);
  if (systemMs) parts.push(`${seconds(systemMs.value)} system`);
  return parts.join(', ');
}

/**
 * A row per phase, a column per event, as many as fit.
 * @param {StatResult} result
 * @param {ReturnType<typeof terminalOf>} terminal
 */
function phaseLines({ phases: all, events }, { width, paint }) {
  const phases = all.filter(({ wallMs }) => wallMs.value >= LEAST_MS);
  if (phases.length === 0) return [];
  const named = phases.some(({ compiler }) => compiler !== '');
  const built = phases.some(({ build }) => build > 1);
  const counted = Object.entries(events).filter(([, { value }]) => value !== null);
  const columns = [
    { head: 'WALL ms', cell: (/** @type {StatPhase} */ { wallMs }) => decimal(wallMs.value, 1) },
    ...counted.map(([name, { unit }]) => ({
      head: unit === 'ns' ? `${name} ms` : name,
      cell: (/** @type {StatPhase} */ phase) => {
        const value = phase.events[name]?.value ?? null;
        if (value === null) return '-';
        return unit === 'ns' ? decimal(value / NS_PER_MS, 1) : short(value);
      },
    })),
  ];
  const label = (/** @type {StatPhase} */ { name, compiler, build }) =>
    [name, ...(named ? [compiler] : []), ...(built && build > 0 ? [`build ${build}`] : [])]
      .filter(Boolean)
      .join(', ');
  const labels = phases.map((phase) => printable(label(phase)));
  const first = Math.max(5, ...labels.map((text) => text.length));
  let used = first;
  const fitting = columns.filter(({ head, cell }) => {
    used += GAP.length + Math.max(head.length, ...phases.map((phase) => cell(phase).length));
    return used <= width;
  });
  const widths = fitting.map(({ head, cell }) =>
    Math.max(head.length, ...phases.map((phase) => cell(phase).length)),
  );
  const line = (/** @type {string} */ start, /** @type {string[]} */ cells) =>
    [pad(start, first), ...cells.map((text, i) => pad(text, widths[i], true))].join(GAP).trimEnd();
  const left = columns.length - fitting.length;
  return [
    '',
    paint(
      'bold',
      line(
        'PHASE',
        fitting.map(({ head }) => head),
      ),
    ),
    ...phases.map((phase, i) =>
      line(
        labels[i],
        fitting.map(({ cell }) => cell(phase)),
      ),
    ),
    ...(phases.length < all.length
      ? [paint('dim', `and ${all.length - phases.length} shorter than ${LEAST_MS} ms`)]
      : []),
    ...(left > 0 ? [`columns left out: ${left} (a wider terminal, --json or --csv has them)`] : []),
  ];
}

/**
 * @param {StatResult} result
 * @param {import('../terminal').TerminalOptions} [options]
 * @returns {string} ends in a newline
 */
function renderStat(result, options = {}) {
  const terminal = terminalOf(options);
  const { command, runs, scope } = result;
  const what = command === undefined ? scope : printable(command);
  const head = `${what}${runs > 1 ? `, mean of ${runs} runs` : ''}`;
  const rows = Object.entries(result.events)
    .filter(([, { value }]) => value !== null)
    .map(([name, event]) => rowOf(name, event, result));
  const lines = [
    ...wrap(head, Math.min(terminal.width, 120)),
    '',
    ...eventLines(rows, terminal),
    ...noteLines(result, terminal),
    '',
    timeLine(result),
    ...phaseLines(result, terminal),
  ];
  if (result.warnings.length > 0) lines.push('', ...warningLines(result.warnings, terminal));
  return `${lines.join('\n')}\n`;
}

module.exports = { renderStat };
