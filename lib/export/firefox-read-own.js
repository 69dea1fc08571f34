'use strict';
// Reads what firefox.js put into `meta.rspackProf`, for which the format has no place: checked like the rest
// of a file that may come from anybody.

const { readNative } = require('../memory/read-native.js');
const { BadProfile, array, integers, numbers, object, text } = require('./checks.js');
const { OTHER_COLUMNS } = require('./firefox.js');

/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {Record<string, any>} Json */

/** @param {Json} own */
function readQuality(own) {
  const quality = object(own.quality, 'rspackProf.quality');
  const cost = object(quality.cost, 'rspackProf.quality.cost');
  const counters = ['samples', 'lost', 'throttled', 'complete', 'truncated', 'joined', 'broken'];
  for (const name of [...counters, 'unnamedLeaf']) {
    if (!Number.isFinite(quality[name])) throw new BadProfile(`quality.${name} is not a number`);
  }
  // Older files have no such counter.
  if (quality.guessed !== undefined && !Number.isFinite(quality.guessed)) {
    throw new BadProfile('quality.guessed is not a number');
  }
  for (const name of ['cpuMs', 'peakBytes', 'finishMs']) {
    if (!Number.isFinite(cost[name])) throw new BadProfile(`quality.cost.${name} is not a number`);
  }
  for (const row of array(quality.byObject, 'quality.byObject')) {
    text(object(row, 'quality.byObject row').object, 'quality.byObject.object');
  }
  for (const row of array(quality.warnings, 'quality.warnings')) {
    const { code, message, fix } = object(row, 'quality.warnings row');
    for (const part of [code, message, fix]) text(part, 'quality.warnings');
  }
  return quality;
}

/**
 * @param {Json} own
 * @returns {Pick<RawProfile, 'resident' | 'memory' | 'native'>}
 */
function readMemory(own) {
  if (own.memory === undefined) return {};
  const memory = object(own.memory, 'rspackProf.memory');
  const columns = (/** @type {string} */ part, /** @type {string[]} */ names) => {
    const table = object(memory[part], `rspackProf.memory.${part}`);
    const length = array(table.timeNs, `rspackProf.memory.${part}.timeNs`).length;
    return Object.fromEntries(
      names.map((name) => {
        const column = numbers(table[name], `rspackProf.memory.${part}.${name}`, length);
        return [name, Float64Array.from(column)];
      }),
    );
  };
  /** @type {any} */
  const read = {};
  if (memory.resident) read.resident = columns('resident', ['timeNs', 'bytes']);
  if (memory.native) read.native = readNative(memory.native);
  if (!memory.heap) return read;
  const rows = array(memory.allocations, 'rspackProf.memory.allocations').map((row) => {
    const { symbol, file, line, column, selfBytes, totalBytes } = object(row, 'allocations row');
    for (const part of [symbol, file]) text(part, 'an allocations row');
    for (const number of [line, column, selfBytes, totalBytes]) {
      if (!Number.isFinite(number)) throw new BadProfile('an allocations row has no number');
    }
    return { symbol, file, line, column, selfBytes, totalBytes };
  });
  read.memory = {
    heap: columns('heap', ['timeNs', 'used', 'total', 'external']),
    sampleBytes: Number(memory.sampleBytes) || 0,
    allocations: rows,
    ...(memory.heapProfile && { heapProfile: object(memory.heapProfile, 'heapProfile') }),
  };
  return read;
}

/** @param {Json} own */
function readMeta(own) {
  const meta = object(own.meta, 'rspackProf.meta');
  for (const name of ['command', 'node', 'event', 'unit', 'callGraph', 'kernel']) {
    text(meta[name], `meta.${name}`);
  }
  for (const name of ['frequency', 'startNs', 'endNs', 'startUnixMs', 'cpus', 'pid']) {
    if (!Number.isFinite(meta[name])) throw new BadProfile(`meta.${name} is not a number`);
  }
  if (meta.arch !== undefined) text(meta.arch, 'meta.arch');
  if (meta.budget !== undefined) {
    const budget = object(meta.budget, 'meta.budget');
    for (const name of ['percent', 'costPercent', 'finalFrequency']) {
      if (!Number.isFinite(budget[name])) throw new BadProfile(`meta.budget.${name} is no number`);
    }
  }
  return meta;
}

/** @type {Record<string, any>} */
const OTHER_TYPES = {
  ...{ thread: Uint32Array, node: Uint32Array, cpu: Uint16Array },
  ...{ weight: Float64Array, end: Uint8Array, flags: Uint8Array },
};

/**
 * The events beside the first one. Their indices are checked when a profile is made of one.
 * @param {Json} own
 * @param {number} startNs
 * @returns {import('../profile/events').OtherEvent[]}
 */
function readOthers(own, startNs) {
  if (own.events === undefined) return [];
  return array(own.events, 'rspackProf.events').map((row, i) => {
    const where = `rspackProf.events[${i}]`;
    const { about: said, samples: table } = object(row, where);
    const about = object(said, `${where}.about`);
    const columns = object(table, `${where}.samples`);
    const since = numbers(columns.sinceStartNs, `${where}.samples.sinceStartNs`);
    const read = (/** @type {string} */ name) =>
      integers(
        OTHER_TYPES[name],
        numbers(columns[name], `${where}.samples.${name}`, since.length),
        `${where}.samples.${name}`,
      );
    return {
      about: {
        event: text(about.event, `${where}.about.event`),
        requestedEvent: text(about.requestedEvent, `${where}.about.requestedEvent`),
        unit: text(about.unit, `${where}.about.unit`),
        scaledBy: Number(about.scaledBy ?? 1),
        samples: since.length,
      },
      samples: /** @type {RawProfile['samples']} */ (
        /** @type {unknown} */ ({
          timeNs: Float64Array.from(since, (time) => time + startNs),
          ...Object.fromEntries(OTHER_COLUMNS.map((name) => [name, read(name)])),
        })
      ),
    };
  });
}

module.exports = { readMemory, readMeta, readOthers, readQuality };
