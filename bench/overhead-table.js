'use strict';
// The benchmark's result as a table for people. Pure.

/** @typedef {import('./overhead.js').Spread} Spread */

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

/** @param {any} result of bench() */
function formatTable(result) {
  const head = [
    '',
    'wall s',
    'wall x',
    'CPU s',
    'CPU x',
    'peak MB',
    'written MB',
    'samples',
    'lost',
    'complete',
    'table after s',
  ];
  const rows = result.variants.map((/** @type {any} */ variant) => [
    variant.label,
    middle(variant.wallMs, seconds),
    ratio(variant.wallRatio),
    middle(variant.cpuMs, seconds),
    ratio(variant.cpuRatio),
    middle(variant.peakBytes, megabytes),
    middle(variant.bytes, megabytes),
    middle(variant.samples, String),
    middle(variant.lost, String),
    middle(variant.completeShare, percent),
    middle(variant.tableMs, seconds),
  ]);
  const { case: name, binding, event, rounds, node, kernel, cpus, perf } = result;
  return [
    `${name}, ${binding} binding, ${event}, ${rounds} rounds; node ${node}, Linux ${kernel}, ${cpus} CPUs`,
    ...(perf === 'used' ? [] : [`without perf: ${perf}`]),
    align([head, ...rows]),
    'x: to the build without a profiler of the same round; median (lowest to highest)',
  ].join('\n');
}

module.exports = { formatTable };
