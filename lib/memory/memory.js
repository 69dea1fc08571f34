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
function memoryOf({ resident, memory, native, meta }) {
  if (!resident && !memory && !native) return null;
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
    native: native ? nativeOf(native, inMs) : null,
  };
}

/**
 * @param {import('../profile/raw').RawNative} raw
 * @param {(times: ArrayLike<number>) => number[]} inMs
 * @returns {import('../index').NativeAllocations}
 */
function nativeOf(raw, inMs) {
  return {
    sampleBytes: raw.meanBytes,
    all: raw.all,
    peak: { ...raw.peak, atMs: inMs([raw.peakNs])[0] },
    live: raw.live,
    curve: { timeMs: inMs(raw.curve.timeNs), bytes: Array.from(raw.curve.bytes) },
    calls: raw.calls,
    detached: raw.detached,
    endMs: inMs([raw.endNs])[0],
    dropped: raw.dropped,
    notFollowed: raw.unknown,
    missedFrees: raw.missedFrees,
    refusedSlots: raw.refusedSlots,
    slots: raw.slots,
    modules: raw.modules,
    callNs: raw.callNs,
    walkMs: raw.walkMs,
    costPercent: raw.costPercent,
    bindingShare: raw.bindingShare,
  };
}

module.exports = { memoryOf };
