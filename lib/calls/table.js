'use strict';
// The table of a trace for people. Widths as in the hotspot table (lib/terminal.js).

const { shownPath } = require('../folder.js');
const { grouped, inPercent } = require('../grouped.js');
const { columnsOf, fit, pad, terminalOf, warningLines, wrap } = require('../terminal.js');

/** @typedef {import('./summary').Summary} Summary */
/** @typedef {import('./summary').FunctionRow} FunctionRow */

const GAP = '  ';
const PIPE_SYMBOL_COLUMNS = 160;
const UNITS = /** @type {[number, string][]} */ ([
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
]);

/** @param {number | null} ns three digits and a unit */
function time(ns) {
  if (ns === null) return '-';
  for (const [size, unit] of UNITS) {
    if (ns < size * 0.9995) continue;
    const value = ns / size;
    return `${value >= 100 ? Math.round(value) : value.toPrecision(3)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

/** @param {number} share */
const percent = (share) => (share * 100).toFixed(share < 0.001 && share > 0 ? 2 : 1);

/**
 * @param {Summary} summary
 * @returns {{ head: string, cell: (row: FunctionRow) => string }[]}
 */
function columnsFor({ functions, sampling }) {
  const self = functions.reduce((sum, row) => sum + row.selfNs, 0);
  const inside = sampling.samples - sampling.outside;
  const columns = [
    { head: 'CALLS', cell: (/** @type {FunctionRow} */ row) => grouped(row.calls) },
    { head: 'SELF', cell: (/** @type {FunctionRow} */ row) => time(row.selfNs) },
    {
      head: 'SELF%',
      cell: (/** @type {FunctionRow} */ row) => percent(self > 0 ? row.selfNs / self : 0),
    },
    { head: 'TOTAL', cell: (/** @type {FunctionRow} */ row) => time(row.totalNs) },
    { head: 'MEAN', cell: (/** @type {FunctionRow} */ row) => time(row.meanNs) },
    { head: 'P50', cell: (/** @type {FunctionRow} */ row) => time(row.p50Ns) },
    { head: 'P99', cell: (/** @type {FunctionRow} */ row) => time(row.p99Ns) },
    { head: 'MAX', cell: (/** @type {FunctionRow} */ row) => time(row.maxNs) },
  ];
  if (functions.some(({ spawned }) => spawned > 0)) {
    columns.splice(4, 0, {
      head: 'ELSEWHERE',
      cell: (row) => (row.spawned > 0 ? time(row.spawnedNs) : '-'),
    });
  }
  if (inside > 0) {
    columns.splice(3, 0, { head: 'CPU%', cell: (row) => percent(row.samples / inside) });
  }
  return columns;
}

/** What a narrow terminal has no room for, first to go first. */
const SPARE = ['MEAN', 'MAX', 'CPU%', 'P50', 'TOTAL'];
const LEAST_SYMBOL_COLUMNS = 24;

/**
 * @param {Summary} summary
 * @param {FunctionRow[]} rows
 * @param {number} width
 */
function rowLines(summary, rows, width) {
  let columns = columnsFor(summary);
  const measure = () => {
    const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
    const widths = columns.map(({ head }, i) =>
      Math.max(head.length, ...cells.map((row) => columnsOf(row[i]))),
    );
    return { cells, widths, used: widths.reduce((sum, one) => sum + one + GAP.length, 0) };
  };
  let measured = measure();
  for (const spare of SPARE) {
    if (width - measured.used >= LEAST_SYMBOL_COLUMNS) break;
    columns = columns.filter(({ head }) => head !== spare);
    measured = measure();
  }
  const { cells, widths, used } = measured;
  const room = width === Infinity ? PIPE_SYMBOL_COLUMNS : Math.max(16, width - used);
  const line = (/** @type {string[]} */ texts, /** @type {string} */ last) =>
    [...texts.map((text, i) => pad(text, widths[i], true)), last].join(GAP);
  return [
    line(
      columns.map(({ head }) => head),
      'SYMBOL',
    ),
    ...rows.map((row, r) => line(cells[r], marked(row, room))),
  ];
}

/** @param {FunctionRow} row @param {number} room */
function marked(row, room) {
  const notes = [];
  if (row.callsOnly) notes.push('ends not seen');
  else if (row.unseen > 0) notes.push(`${grouped(row.unseen)} left unseen`);
  if (row.open > 0) notes.push(`${grouped(row.open)} never returned`);
  const note = notes.length > 0 ? ` (${notes.join(', ')})` : '';
  return fit(row.symbol, Math.max(8, room - note.length)) + note;
}

/** @param {Summary} summary */
function headline({ meta, quality, functions: all, cost, sampling }) {
  const functions = all.filter(({ runs }) => !runs);
  const calls = functions.reduce((sum, row) => sum + row.calls, 0);
  const parts = [
    `${grouped(calls)} calls of ${grouped(functions.length)} functions in ${(meta.durationMs / 1000).toFixed(2)} s`,
  ];
  if (quality.functions > functions.length) {
    parts.push(`${grouped(quality.functions - functions.length)} others never called`);
  }
  if (cost.hits > 0) {
    parts.push(
      `${grouped(cost.hits)} hits of ${time(cost.emulatedNs)} or ${time(cost.steppedNs)} each: the probes ` +
        `took ${time(cost.ns)} of its ${time(cost.cpuNs)} of CPU time`,
    );
  }
  if (sampling.samples > 0) {
    parts.push(
      `${grouped(sampling.samples)} samples beside it, ${grouped(sampling.outside)} outside of all of them`,
    );
  }
  return parts.join('; ');
}

/**
 * @param {Summary} summary
 * @param {{ stream?: import('../cli/main').Output, width?: number, limit?: number, by?: 'self' | 'calls' | 'total', callers?: boolean }} [options]
 * @returns {string} ends in a newline
 */
function renderTrace(summary, { stream, width, limit = 40, by = 'self', callers = false } = {}) {
  const terminal = terminalOf({ stream, width });
  const key = /** @type {const} */ ({ self: 'selfNs', calls: 'calls', total: 'totalNs' })[by];
  const rows = summary.functions.filter(({ runs }) => !runs).sort((a, b) => b[key] - a[key]);
  const shown = rows.slice(0, limit);
  const lines = [...wrap(headline(summary), Math.min(terminal.width, 120)), ''];
  if (rows.length === 0) lines.push('no traced function was called');
  else if (callers) lines.push(...callerLines(summary, shown, terminal.width));
  else lines.push(...rowLines(summary, shown, terminal.width));
  if (rows.length > shown.length) lines.push(`${grouped(rows.length - shown.length)} more`);
  if (summary.flows)
    lines.push('', ...wrap(flowLine(summary.flows), Math.min(terminal.width, 120)));
  if (summary.spans && summary.spans.length > 0) {
    lines.push('', ...spanLines(summary.spans, terminal.width));
  }
  if (summary.stacks) lines.push('', ...wrap(stackLine(summary.stacks), terminal.width));
  if (summary.dropped.length > 0) lines.push('', ...dropLines(summary, terminal.width));
  if (summary.warnings.length > 0) lines.push('', ...warningLines(summary.warnings, terminal));
  return `${lines.join('\n')}\n`;
}

/**
 * Each function with who called it below.
 * @param {Summary} summary
 * @param {FunctionRow[]} rows
 * @param {number} width
 */
function callerLines(summary, rows, width) {
  const [head, ...lines] = rowLines(summary, rows, width);
  const runs = new Map(summary.functions.map((row) => [row.symbol, row.runs]));
  return [
    head,
    ...rows.flatMap((row, r) => [
      lines[r],
      ...callersOf(row, runs).map(({ from, calls, selfNs }) => {
        const count = `${pad(grouped(calls), 10, true)} ${calls === 1 ? 'call, ' : 'calls,'}`;
        const line = `    ${count} ${pad(time(selfNs), 8, true)} self, `;
        return line + fit(from, width === Infinity ? PIPE_SYMBOL_COLUMNS : width - line.length);
      }),
    ]),
  ];
}

const MOST_CALLERS = 10;

/**
 * Jobs whose spawner is not known are one row: their functions' names say nothing.
 * @param {FunctionRow} row
 * @param {Map<string, FunctionRow['runs']>} runs
 */
function callersOf({ callers }, runs) {
  /** @type {Map<string, { from: string, calls: number, selfNs: number }>} */
  const found = new Map();
  for (const { symbol, crossed, calls, selfNs } of callers) {
    const job = symbol !== null && !crossed ? runs.get(symbol) : null;
    const name = job ? `a job of ${job}'s` : (symbol ?? '(no traced function)');
    const from = `${crossed ? 'by a job of' : 'from'} ${name}`;
    const row = found.get(from) ?? { from, calls: 0, selfNs: 0 };
    row.calls += calls;
    row.selfNs += selfNs;
    found.set(from, row);
  }
  return [...found.values()].sort((a, b) => b.calls - a.calls).slice(0, MOST_CALLERS);
}

const MOST_SPAN_ROWS = 15;

/** @param {NonNullable<Summary['spans']>} spans @param {number} width */
function spanLines(spans, width) {
  const shown = spans.slice(0, MOST_SPAN_ROWS);
  const cells = [
    ['CALLS', 'OWN', 'TOTAL', 'MAX', 'KIND'],
    ...shown.map(({ calls, ownNs, totalNs, maxNs, kind }) => [
      grouped(calls),
      ownNs > 0 ? time(ownNs) : '-',
      time(totalNs),
      time(maxNs),
      kind,
    ]),
  ];
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const used = widths.reduce((sum, one) => sum + one + GAP.length, 0);
  const room = width === Infinity ? PIPE_SYMBOL_COLUMNS : Math.max(16, width - used);
  const lines = cells.map((row, r) =>
    [
      ...row.map((text, i) => pad(text, widths[i], i < 4)),
      r === 0 ? 'JAVASCRIPT BESIDE THEM' : fit(shown[r - 1].name, room),
    ].join(GAP),
  );
  const rest = spans.length - shown.length;
  return [...lines, ...(rest > 0 ? [`${grouped(rest)} more (--json has all)`] : [])];
}

/** @param {NonNullable<Summary['stacks']>} stacks */
function stackLine({ file, period, samples, completeShare }) {
  const each = period === 1 ? 'one at each entry' : `one in ${grouped(period)} entries`;
  return (
    `${grouped(samples)} stacks, ${each}, ${inPercent(completeShare)} complete: ` +
    `rspack-prof report ${shownPath(file)} -g caller`
  );
}

/** @param {NonNullable<Summary['flows']>} flows */
function flowLine({ jobs, matched, inside, outside, unknown }) {
  const parts = [
    `${grouped(matched)} handed over by a traced call and run elsewhere (ELSEWHERE is their time)`,
    ...(inside > 0 ? [`${grouped(inside)} run inside of the call that handed them over`] : []),
    ...(outside > 0 ? [`${grouped(outside)} handed over outside of all traced calls`] : []),
    ...(unknown > 0 ? [`${grouped(unknown)} handed over by nobody that was seen`] : []),
  ];
  return `${grouped(jobs)} jobs of rayon and tokio ran: ${parts.join(', ')}`;
}

/** @param {Summary} summary @param {number} width */
function dropLines({ dropped }, width) {
  const why = { limit: 'called more often than --limit', budget: 'too dear for the budget' };
  const room = width === Infinity ? PIPE_SYMBOL_COLUMNS : Math.max(24, width - 40);
  return [
    `${dropped.length} ${dropped.length === 1 ? 'function was' : 'functions were'} dropped; their calls until then:`,
    ...dropped
      .slice(0, 20)
      .map(
        ({ symbol, calls, reason, atMs }) =>
          `${pad(grouped(calls), 12, true)}  ${fit(symbol, room)}  (after ${time(atMs * 1e6)}: ${why[reason]})`,
      ),
    ...(dropped.length > 20 ? [`${dropped.length - 20} more (--json has all)`] : []),
  ];
}

module.exports = { renderTrace, time };
