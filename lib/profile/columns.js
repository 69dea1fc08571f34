'use strict';
// Checks a raw profile before anything indexes with it. The addon is ours, but a file is anybody's:
// after this check no index below leads outside its table, and no loop over parents can hang.
// Refuses to mend: a wrong column is named, and nothing is read.

/** @typedef {import('./raw').RawProfile} RawProfile */

/**
 * @param {string} name
 * @param {ArrayLike<number>} column
 * @param {number} low smallest value allowed
 * @param {number} end first value not allowed
 */
function checkRange(name, column, low, end) {
  for (let i = 0; i < column.length; i++) {
    if (!(column[i] >= low && column[i] < end)) {
      return `${name}[${i}] is ${column[i]}, outside of ${low}..${end - 1}`;
    }
  }
  return '';
}

/**
 * @param {string} table
 * @param {Record<string, ArrayLike<number>>} columns
 */
function checkLengths(table, columns) {
  const [first, ...others] = Object.keys(columns);
  const wrong = others.find((name) => columns[name].length !== columns[first].length);
  if (wrong === undefined) return '';
  return (
    `${table}.${wrong} has ${columns[wrong].length} rows ` +
    `and ${table}.${first} has ${columns[first].length}`
  );
}

/** @param {RawProfile['nodes']} nodes */
function checkTree(nodes) {
  if (nodes.parent.length === 0 || nodes.parent[0] !== -1) return 'nodes has no root';
  for (let i = 1; i < nodes.parent.length; i++) {
    // A parent stands before its children, so each chain of parents gets shorter and ends.
    if (!(nodes.parent[i] >= 0 && nodes.parent[i] < i)) {
      return `nodes.parent[${i}] is ${nodes.parent[i]}, which does not stand before it`;
    }
  }
  return '';
}

/**
 * @param {string} name
 * @param {Float64Array} column
 * @param {(value: number) => boolean} good
 */
function checkNumbers(name, column, good) {
  const wrong = column.findIndex((value) => !good(value));
  return wrong < 0 ? '' : `${name}[${wrong}] is ${column[wrong]}`;
}

/** @param {Float64Array} timeNs */
function checkOrder(timeNs) {
  for (let i = 1; i < timeNs.length; i++) {
    if (timeNs[i] < timeNs[i - 1])
      return `samples.timeNs[${i}] is before the sample in front of it`;
  }
  return '';
}

const TABLES = /** @type {const} */ (['strings', 'threads', 'modules', 'funcs', 'nodes']);

/**
 * @param {RawProfile} raw
 * @param {RawProfile} [good] found good before: what is the same in both is not looked at again, as in
 *   the events and the filtered parts of a recording
 * @returns {string} what is wrong with it in one line, '' where nothing is
 */
function problemWithColumns(raw, good) {
  const isShared = good !== undefined && TABLES.every((name) => good[name] === raw[name]);
  return (isShared ? '' : problemWithTables(raw)) || problemWithSamples(raw);
}

/** @param {RawProfile} raw */
function problemWithTables({ strings, threads, modules, funcs, nodes }) {
  const text = strings.length;
  return (
    checkLengths('threads', threads) ||
    checkLengths('modules', modules) ||
    checkLengths('funcs', funcs) ||
    checkLengths('nodes', nodes) ||
    checkRange('threads.name', threads.name, 0, text) ||
    checkRange('modules.path', modules.path, 0, text) ||
    checkRange('modules.name', modules.name, 0, text) ||
    checkRange('modules.buildId', modules.buildId, 0, text) ||
    checkRange('funcs.name', funcs.name, 0, text) ||
    checkRange('funcs.symbol', funcs.symbol, 0, text) ||
    checkRange('funcs.module', funcs.module, -1, modules.path.length) ||
    checkRange('funcs.crate', funcs.crate, -1, text) ||
    checkRange('funcs.file', funcs.file, -1, text) ||
    checkRange('funcs.kind', funcs.kind, 0, 6) ||
    checkTree(nodes) ||
    checkRange('nodes.func', nodes.func.subarray(1), 0, funcs.name.length)
  );
}

/** @param {RawProfile} raw */
function problemWithSamples({ threads, nodes, samples }) {
  return (
    checkLengths('samples', samples) ||
    checkRange('samples.thread', samples.thread, 0, threads.tid.length) ||
    checkRange('samples.node', samples.node, 0, nodes.parent.length) ||
    checkRange('samples.end', samples.end, 0, 3) ||
    checkRange('samples.state', samples.state ?? [], 0, 3) ||
    checkNumbers('samples.weight', samples.weight, (value) => value >= 0 && value < Infinity) ||
    checkNumbers('samples.timeNs', samples.timeNs, Number.isFinite) ||
    checkOrder(samples.timeNs)
  );
}

module.exports = { problemWithColumns };
