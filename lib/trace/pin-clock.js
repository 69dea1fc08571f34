'use strict';
// Where UTC lies on the samples' clock. Date.now() has whole milliseconds: a reading between two of the
// monotonic clock's says that UTC was somewhere in that millisecond somewhere in between. Readings on both
// sides of a millisecond's begin leave microseconds, and one that the scheduler interrupts only says less.

/** @typedef {{unixUs: number, ns: number, uncertainUs: number}} PinnedClock one moment on both clocks */

const SURE_NS = 5_000;
const MOST_NS = 20e6;

/**
 * @param {() => number} [unixMs] whole milliseconds since 1970
 * @param {() => number} [monotonicNs]
 * @returns {PinnedClock}
 */
function pinClock(unixMs = Date.now, monotonicNs = () => Number(process.hrtime.bigint())) {
  const ms = unixMs();
  const ns = monotonicNs();
  // What UTC was at `ns`, in ns past `ms`.
  let low = -Infinity;
  let high = Infinity;
  let after = ns;
  do {
    const before = after;
    const past = (unixMs() - ms) * 1e6;
    after = monotonicNs();
    const lowest = past - (after - ns);
    const highest = past + 1e6 - (before - ns);
    // UTC was set in between: what was known before is of another clock.
    if (lowest > high || highest < low) [low, high] = [lowest, highest];
    else [low, high] = [Math.max(low, lowest), Math.min(high, highest)];
  } while (high - low > SURE_NS && after - ns < MOST_NS);
  return {
    unixUs: ms * 1e3 + (low + high) / 2e3,
    ns,
    uncertainUs: Math.ceil((high - low) / 2e3),
  };
}

module.exports = { pinClock };
