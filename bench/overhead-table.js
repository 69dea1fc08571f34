'use strict';
// The benchmark's result as a table for people. Pure.

/** @typedef {import('./statistics.js').Spread} Spread */

/**
 * @param {Spread | null} spread
 * @param {(value: number) => string} show
 */
function middle(spread, show) {
  return spread ? show(spread.median) : '-';
}

/** @param {Spread | null} spread */
function ratio(spread) {
  if (!spread) return '-';
  const [mid, low, high] = [spread.median, spread.low, spread.high].map((v) => v.toFixed(2));
  return `${mid} (${low} to ${high})`;
}

/** @param {number} ms */
const seconds = (ms) => (ms / 1000).toFixed(2);
/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(2)} %`;
/** @param {number} count */
const whole = (count) => count.toFixed(0);

/**
 * @param {string[][]} rows the first is the head
 * @returns {string} the first column to the left, the others to the right
 */
function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @type {[string, (variant: any) => string][]} */
const COLUMNS = [
  ['', ({ label }) => label],
  ['wall s', ({ wallMs }) => middle(wallMs, seconds)],
  ['wall x', ({ wallRatio }) => ratio(wallRatio)],
  ['CPU s', ({ cpuMs }) => middle(cpuMs, seconds)],
  ['CPU x', ({ cpuRatio }) => ratio(cpuRatio)],
  ['walks s', ({ handlerMs }) => middle(handlerMs, seconds)],
  ['thread s', ({ threadMs }) => middle(threadMs, seconds)],
  ['peak MB', ({ peakBytes }) => middle(peakBytes, megabytes)],
  ['extra MB', ({ extraBytes }) => middle(extraBytes, megabytes)],
  ['written MB', ({ bytes }) => middle(bytes, megabytes)],
  ['samples', ({ samples }) => middle(samples, whole)],
  ['lost', ({ lost }) => middle(lost, whole)],
  ['complete', ({ completeShare }) => middle(completeShare, percent)],
  ['end s', ({ endMs }) => middle(endMs, seconds)],
  ['table after s', ({ tableMs }) => middle(tableMs, seconds)],
];

/** @param {any} result of bench() */
function formatTable(result) {
  const { case: name, binding, event, rounds, node, kernel, cpus, notes, minutes } = result;
  const rows = result.variants.map((/** @type {any} */ variant) =>
    COLUMNS.map(([, show]) => show(variant)),
  );
  /** @type {ReturnType<typeof import('./targets.js').judge>} */
  const targets = result.targets;
  const width = Math.max(0, ...targets.map(({ about }) => about.length));
  return [
    `${name}, ${binding} binding, ${event}, ${rounds} rounds in ${minutes.toFixed(1)} min; ` +
      `node ${node}, Linux ${kernel}, ${cpus} CPUs`,
    ...notes,
    align([COLUMNS.map(([head]) => head), ...rows]),
    'x: to the build without a profiler of the same round; median (lowest to highest)',
    'end: from rspack’s summary to the end of the process',
    '',
    ...targets.map(({ about, text }) => `${about.padEnd(width)}  ${text}`),
    'met or missed: with 95 % confidence in the median (sign test, from 6 rounds on)',
  ].join('\n');
}

module.exports = { align, formatTable };
