'use strict';
// Memory for people: how much there was at the most, and which JavaScript functions allocate.

const { lay } = require('../lay.js');
const { PIPE_COLUMNS, fit, percent, printable, terminalOf, wrap } = require('../terminal.js');
const { allocatedBytes } = require('./allocations.js');
const { mb, nativeLines } = require('./native-table.js');

/** @typedef {import('../index').Memory} Memory */

const MOST_ROWS = 20;
/** As the table of hotspots: what is below is summed up. */
const LEAST_SHARE = 0.005;

/** @param {Memory['allocations'][number]} row */
const placeOf = ({ symbol, file, line }) => (file === '' ? symbol : `${symbol} ${file}:${line}`);

/**
 * @param {Memory['allocations']} allocations
 * @param {number} all bytes
 * @param {import('../terminal').Terminal & {every?: boolean}} options every: row
 * @returns {string[]} lines
 */
function scriptLines(allocations, all, { width, paint, every }) {
  const enough = allocations.filter(({ selfBytes }) => selfBytes >= all * LEAST_SHARE);
  const shown = every ? allocations : enough.slice(0, MOST_ROWS);
  const name = (/** @type {string} */ text) =>
    width === Infinity ? fit(text, PIPE_COLUMNS, 'js') : printable(text);
  const table = lay(
    [
      { head: 'SELF%', right: true, cells: shown.map((row) => percent(row.selfBytes / all)) },
      { head: 'TOTAL%', right: true, cells: shown.map((row) => percent(row.totalBytes / all)) },
      { head: 'MB', right: true, cells: shown.map((row) => mb(row.selfBytes)) },
      {
        head: 'FUNCTION',
        cells: shown.map((row) => name(placeOf(row))),
        kinds: shown.map(() => 'js'),
      },
    ],
    width,
  );
  const lines = [
    `JavaScript allocated ${mb(all)} MB, garbage included:`,
    ...[paint('bold', table.head), ...table.lines],
  ];
  const rest = allocations.length - shown.length;
  if (rest > 0) lines.push(`${rest} more: ${mb(all - allocatedBytes(shown))} MB together`);
  return lines;
}

/**
 * @param {import('./native-table').Profile} profile
 * @param {import('../terminal').TerminalOptions & {all?: boolean}} [options] all: every row
 * @returns {string} lines
 */
function renderMemory(profile, options = {}) {
  const { memory } = profile;
  if (!memory) return 'no memory in this profile: record it with --memory, --allocations or both\n';
  const terminal = terminalOf(options);
  const { resident, heap, allocations } = memory;
  const about = [
    `resident memory: ${mb(resident.peakBytes)} MB at the most, ${mb(resident.bytes.at(-1) ?? 0)} MB at the end`,
  ];
  if (heap.usedBytes.length > 0) {
    about.push(
      `V8's heap:       ${mb(heap.peakBytes)} MB in use at the most, ${mb(heap.usedBytes.at(-1) ?? 0)} MB at the end`,
    );
  }
  const lines = about.flatMap((text) => wrap(text, terminal.width));
  const native = nativeLines(profile, { ...terminal, every: options.all });
  if (native.length > 0) lines.push('', ...native);
  const all = allocatedBytes(allocations);
  if (all > 0) {
    lines.push('', ...scriptLines(allocations, all, { ...terminal, every: options.all }));
  }
  return `${lines.join('\n')}\n`;
}

/**
 * What stands below a table of hotspots: nothing where memory was not recorded.
 * @param {import('./native-table').Profile} profile
 * @param {import('../terminal').TerminalOptions} options
 */
const memoryBelow = (profile, options) =>
  profile.memory ? `\n${renderMemory(profile, options)}` : '';

module.exports = { memoryBelow, renderMemory };
