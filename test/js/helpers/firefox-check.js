'use strict';
// Whether a processed profile of version 62 is one: what the types of the Firefox Profiler's own source
// (src/types/profile.ts, markers.ts) demand, and that no index leads outside its table. There is no
// package on npm that validates it. Written apart from our reader, which knows more than the format.

const assert = require('node:assert/strict');

const COLORS =
  'transparent purple green orange yellow lightblue blue brown magenta red lightred darkgrey grey';
const WEIGHT_TYPES = ['samples', 'tracing-ms', 'bytes'];
const CPU_UNITS = ['ns', 'µs', 'variable CPU cycles'];
const GRAPH_COLORS = 'blue green grey ink magenta orange purple red teal yellow'.split(' ');

/** @typedef {Record<string, any>} Json */

/**
 * Every column as long as the table says.
 * @param {string} name @param {Json} table @param {string[]} columns
 */
function checkTable(name, table, columns) {
  assert.ok(Number.isInteger(table.length) && table.length >= 0, `${name}.length`);
  for (const column of columns) {
    assert.ok(Array.isArray(table[column]), `${name}.${column}`);
    assert.equal(table[column].length, table.length, `${name}.${column}`);
  }
}

/** @param {string} name @param {any[]} list @param {number} end @param {(null | -1)[]} [other] */
function checkIndices(name, list, end, other = []) {
  list.forEach((value, row) => {
    const good = other.includes(value) || (Number.isInteger(value) && value >= 0 && value < end);
    assert.ok(good, `${name}[${row}] is ${value}, of ${end}`);
  });
}

/** @param {string} name @param {any[]} list @param {boolean} [orNull] */
function checkNumbers(name, list, orNull = false) {
  list.forEach((value, row) => {
    const good = Number.isFinite(value) || (orNull && value === null);
    assert.ok(good, `${name}[${row}] is ${value}`);
  });
}

/** @param {Json} meta */
function checkMeta(meta) {
  for (const key of ['interval', 'startTime', 'processType', 'preprocessedProfileVersion']) {
    assert.ok(Number.isFinite(meta[key]), `meta.${key}`);
  }
  assert.equal(meta.preprocessedProfileVersion, 62);
  assert.ok(CPU_UNITS.includes(meta.sampleUnits.threadCPUDelta));
  assert.ok(meta.categories.some((/** @type {Json} */ one) => one.color === 'grey'));
  for (const { name, color, subcategories } of meta.categories) {
    assert.equal(typeof name, 'string');
    assert.ok(COLORS.split(' ').includes(color), color);
    assert.equal(subcategories[0], 'Other');
  }
  for (const { name, display, fields } of meta.markerSchema) {
    assert.equal(typeof name, 'string');
    assert.ok(Array.isArray(display) && Array.isArray(fields));
  }
}

/** @param {Json} profile @param {Json} shared */
function checkShared({ libs, meta }, shared) {
  const { stackTable, frameTable, funcTable, resourceTable, sources, stringArray } = shared;
  assert.ok(stringArray.every((/** @type {unknown} */ text) => typeof text === 'string'));
  const text = stringArray.length;
  checkTable('stackTable', stackTable, ['frame', 'prefix']);
  checkIndices('stackTable.frame', stackTable.frame, frameTable.length);
  stackTable.prefix.forEach((/** @type {number | null} */ prefix, /** @type {number} */ row) => {
    assert.ok(prefix === null || (prefix >= 0 && prefix < row), `stackTable.prefix[${row}]`);
  });
  checkTable('frameTable', frameTable, [
    ...['address', 'inlineDepth', 'category', 'subcategory', 'func', 'nativeSymbol'],
    ...['innerWindowID', 'line', 'column'],
  ]);
  checkIndices('frameTable.func', frameTable.func, funcTable.length);
  checkIndices('frameTable.category', frameTable.category, meta.categories.length, [null]);
  frameTable.category.forEach((/** @type {number} */ category, /** @type {number} */ row) => {
    const { subcategories } = meta.categories[category];
    checkIndices('subcategory', [frameTable.subcategory[row]], subcategories.length);
  });
  checkTable('funcTable', funcTable, [
    ...['name', 'isJS', 'relevantForJS', 'resource', 'source', 'lineNumber', 'columnNumber'],
  ]);
  checkIndices('funcTable.name', funcTable.name, text);
  checkIndices('funcTable.resource', funcTable.resource, resourceTable.length, [-1]);
  checkIndices('funcTable.source', funcTable.source, sources.length, [null]);
  checkTable('resourceTable', resourceTable, ['lib', 'name', 'host', 'type']);
  checkIndices('resourceTable.lib', resourceTable.lib, libs.length, [null]);
  checkIndices('resourceTable.name', resourceTable.name, text);
  checkTable('sources', sources, ['id', 'filename']);
  checkIndices('sources.filename', sources.filename, text);
}

/** @param {Json} profile @param {Json} thread */
function checkThread({ meta, shared }, thread) {
  assert.equal(typeof thread.pid, 'string');
  assert.ok(['string', 'number'].includes(typeof thread.tid));
  assert.equal(typeof thread.isMainThread, 'boolean');
  assert.equal(typeof thread.name, 'string');
  const { samples, markers } = thread;
  checkTable('samples', samples, ['stack']);
  checkIndices('samples.stack', samples.stack, shared.stackTable.length, [null]);
  const times = samples.time ?? samples.timeDeltas;
  assert.equal(times.length, samples.length);
  checkNumbers('samples.time', times);
  assert.ok(times.slice(1).every((/** @type {number} */ delta) => samples.time || delta >= 0));
  assert.ok(WEIGHT_TYPES.includes(samples.weightType));
  for (const key of ['weight', 'threadCPUDelta']) {
    if (samples[key]) {
      assert.equal(samples[key].length, samples.length);
      checkNumbers(`samples.${key}`, samples[key], true);
    }
  }
  checkTable('markers', markers, ['data', 'name', 'startTime', 'endTime', 'phase', 'category']);
  checkIndices('markers.name', markers.name, shared.stringArray.length);
  checkIndices('markers.category', markers.category, meta.categories.length);
  const types = meta.markerSchema.map((/** @type {Json} */ { name }) => name);
  for (let row = 0; row < markers.length; row++) {
    const [start, end] = [markers.startTime[row], markers.endTime[row]];
    assert.ok([0, 1, 2, 3].includes(markers.phase[row]));
    if (markers.phase[row] === 1) assert.ok(end >= start, `marker ${row}: ${start} to ${end}`);
    if (markers.phase[row] === 0) assert.equal(end, null);
    assert.ok(types.includes(markers.data[row].type), markers.data[row].type);
  }
}

/** @param {Json} profile as JSON.parse() gives it */
function checkFirefox(profile) {
  checkMeta(profile.meta);
  checkShared(profile, profile.shared);
  for (const lib of profile.libs) {
    for (const key of ['name', 'path', 'debugName', 'debugPath', 'breakpadId', 'arch']) {
      assert.equal(typeof lib[key], 'string', `libs.${key}`);
    }
  }
  assert.ok(profile.threads.length > 0);
  for (const thread of profile.threads) checkThread(profile, thread);
  for (const counter of profile.counters) {
    for (const key of ['name', 'category', 'description', 'pid']) {
      assert.equal(typeof counter[key], 'string', `counters.${key}`);
    }
    assert.ok(counter.color === undefined || GRAPH_COLORS.includes(counter.color));
    checkIndices('mainThreadIndex', [counter.mainThreadIndex], profile.threads.length);
    checkTable('counter.samples', counter.samples, ['count', 'time']);
    checkNumbers('counter.count', counter.samples.count);
  }
}

module.exports = { checkFirefox };
