'use strict';
// Memory for people: how much there was at the most, and which JavaScript functions allocate.

const { fit, pad, terminalOf } = require('../table.js');
const { allocatedBytes } = require('./allocations.js');
const { nativeLines } = require('./native-table.js');

/** @typedef {import('../index').Memory} Memory */

const MOST_ROWS = 20;
/** As the table of hotspots: what is below is summed up. */
const LEAST_SHARE = 0.005;
const GAP = '  ';
/** A pipe has no width. */
const PIPE_COLUMNS = 160;

/** @param {number} bytes */
const mb = (bytes) => (bytes / 2 ** 20).toFixed(1);

/** @param {number} share */
const percent = (share) => (share * 100).toFixed(2);

/** @param {Memory['allocations'][number]} row */
const placeOf = ({ symbol, file, line }) => (file === '' ? symbol : `${symbol} ${file}:${line}`);

/**
 * @param {import('./native-table').Profile} profile
 * @param {import('../table').TableOptions & {all?: boolean}} [options] all: every row
 * @returns {string} lines
 */
function renderMemory(profile, options = {}) {
  const { memory } = profile;
  if (!memory) return 'no memory in this profile: record it with --memory, --allocations or both\n';
  const { width, paint } = terminalOf(options);
  const { resident, heap, allocations } = memory;
  const lines = [
    `resident memory: ${mb(resident.peakBytes)} MB at the most, ${mb(resident.bytes.at(-1) ?? 0)} MB at the end`,
  ];
  if (heap.usedBytes.length > 0)
    lines.push(
      `V8's heap:       ${mb(heap.peakBytes)} MB in use at the most, ${mb(heap.usedBytes.at(-1) ?? 0)} MB at the end`,
    );
  const native = nativeLines(profile, options);
  if (native.length > 0) lines.push('', ...native);
  const all = allocatedBytes(allocations);
  if (all === 0) return `${lines.join('\n')}\n`;
  const enough = allocations.filter(({ selfBytes }) => selfBytes >= all * LEAST_SHARE);
  const shown = options.all ? allocations : enough.slice(0, MOST_ROWS);
  const cells = shown.map((row) => [
    percent(row.selfBytes / all),
    percent(row.totalBytes / all),
    mb(row.selfBytes),
  ]);
  const heads = ['SELF%', 'TOTAL%', 'MB'];
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...cells.map((row) => row[i].length)),
  );
  const used = widths.reduce((sum, columns) => sum + columns + GAP.length, 0);
  const left = width === Infinity ? PIPE_COLUMNS : Math.max(16, width - used);
  const line = (/** @type {string[]} */ texts, /** @type {string} */ last) =>
    [...texts.map((text, i) => pad(text, widths[i], true)), last].join(GAP);
  lines.push('', `JavaScript allocated ${mb(all)} MB, garbage included:`);
  lines.push(paint('bold', line(heads, 'FUNCTION')));
  shown.forEach((row, i) => lines.push(line(cells[i], fit(placeOf(row), left, 'js'))));
  const rest = allocations.length - shown.length;
  if (rest > 0) lines.push(`${rest} more: ${mb(all - allocatedBytes(shown))} MB together`);
  return `${lines.join('\n')}\n`;
}

/**
 * What stands below a table of hotspots: nothing where memory was not recorded.
 * @param {import('./native-table').Profile} profile
 * @param {import('../table').TableOptions} options
 */
const memoryBelow = (profile, options) =>
  profile.memory ? `\n${renderMemory(profile, options)}` : '';

module.exports = { memoryBelow, renderMemory };
