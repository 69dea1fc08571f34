'use strict';
// A profile's memory: its curves with their peaks, and who allocates in JavaScript.

/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {import('../index').Memory} Memory */

/** @param {ArrayLike<number>} values */
const peakOf = (values) => Array.from(values).reduce((peak, value) => Math.max(peak, value), 0);

/**
 * @param {RawProfile} raw
 * @returns {Memory | null} null: it was not recorded
 */
function memoryOf({ resident, memory, meta }) {
  if (!resident && !memory) return null;
  const inMs = (/** @type {ArrayLike<number>} */ times) =>
    Array.from(times, (ns) => (ns - meta.startNs) / 1e6);
  const heap = memory?.heap;
  return {
    resident: {
      timeMs: inMs(resident?.timeNs ?? []),
      bytes: Array.from(resident?.bytes ?? []),
      peakBytes: peakOf(resident?.bytes ?? []),
    },
    heap: {
      timeMs: inMs(heap?.timeNs ?? []),
      usedBytes: Array.from(heap?.used ?? []),
      totalBytes: Array.from(heap?.total ?? []),
      externalBytes: Array.from(heap?.external ?? []),
      peakBytes: peakOf(heap?.used ?? []),
    },
    allocations: memory?.allocations ?? [],
    sampleBytes: memory?.sampleBytes ?? 0,
  };
}

module.exports = { memoryOf };
