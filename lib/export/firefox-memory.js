'use strict';
// A recording's memory in a Firefox profile: curves as counters for the web page, and as they were read for us.

const { Column } = require('./json.js');

/** @typedef {import('../profile/profile').Profile} Profile */

const list = (/** @type {ArrayLike<number>} */ values) => new Column(values);

/**
 * The curves as they were read; the counters have them as differences.
 * @param {import('../profile/raw').RawProfile} raw
 */
function memoryData({ resident, memory, native }) {
  if (!resident && !memory && !native) return {};
  const { heap, sampleBytes = 0, allocations = [], heapProfile } = memory ?? {};
  const columns = (/** @type {Record<string, Float64Array>} */ table) =>
    Object.fromEntries(Object.entries(table).map(([name, column]) => [name, list(column)]));
  return {
    memory: {
      ...(resident && { resident: columns(resident) }),
      ...(native && { native: { ...native, curve: columns(native.curve) } }),
      ...(heap && { heap: columns(heap), sampleBytes, allocations }),
      ...(heapProfile && { heapProfile: { head: heapProfile.head } }),
    },
  };
}

/**
 * Bytes over time, as the format has it: each point is what came since the one before.
 * @param {Profile} profile
 * @param {number} mainThreadIndex
 */
function memoryCounters({ raw, meta }, mainThreadIndex) {
  const { resident, memory, native } = raw;
  const curves = [
    { name: 'resident', what: 'resident memory', timeNs: resident?.timeNs, bytes: resident?.bytes },
    { name: 'heap', what: "V8's heap", timeNs: memory?.heap.timeNs, bytes: memory?.heap.used },
    {
      name: 'native',
      what: 'live native allocations',
      timeNs: native?.curve.timeNs,
      bytes: native?.curve.bytes,
    },
  ];
  return curves.flatMap(({ name, what, timeNs, bytes }) => {
    if (!timeNs || !bytes || timeNs.length === 0) return [];
    return [
      {
        name,
        category: 'Memory',
        description: `Bytes of ${what}`,
        pid: String(meta.pid),
        mainThreadIndex,
        samples: {
          length: timeNs.length,
          time: Array.from(timeNs, (ns) => (ns - meta.startNs) / 1e6),
          count: Array.from(bytes, (value, i) => value - (i > 0 ? bytes[i - 1] : 0)),
        },
      },
    ];
  });
}

module.exports = { memoryCounters, memoryData };
