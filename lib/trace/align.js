'use strict';
// Where a trace's clock lies on the samples' clock. rspack opens a span around each call of a hook, and
// our taps note the time in such calls: each pair says that a moment of ours lies between two moments of
// the trace's. What all pairs allow together is the offset, and its width is how sure it is.

/** @typedef {import('./read-log').Span} Span */
/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {{low: number, high: number}} Range */

/** The phase that begins in a call of the hook (phases/taps.js). */
const HOOKS = new Map([
  ['make', 'hook:CompilerMake'],
  ['finish modules', 'hook:CompilerFinishMake'],
  ['seal', 'hook:CompilationSeal'],
  ['process assets', 'hook:CompilationProcessAssets'],
  ['after seal', 'hook:CompilationAfterSeal'],
  ['emit', 'hook:CompilerEmit'],
  // Not `done`: 2.2.7 calls that hook's JavaScript side when the span has closed.
]);
/** A log's lengths have three digits. */
const LENGTH_ERROR = 0.006;

/**
 * @param {Span[]} spans
 * @param {readonly Marker[]} markers of the profile
 * @param {Range} [range] what is known of the offset already, ns to be added to the trace's times
 * @returns {{offsetNs: number, uncertainNs: number, anchors: number} | null} null: nothing tells, or what
 *   does disagrees
 */
function alignClocks(spans, markers, range = { low: -Infinity, high: Infinity }) {
  let { low, high } = range;
  let anchors = 0;
  for (const [phase, hook] of HOOKS) {
    const starts = markers.filter(({ type, name }) => type === 'phase' && name === phase);
    const calls = spans.filter(({ name }) => name === hook);
    // A child compiler calls hooks of its own: which call is whose is not known then.
    if (starts.length === 0 || starts.length !== calls.length) continue;
    starts.sort((a, b) => a.startNs - b.startNs);
    calls.sort((a, b) => a.endNs - b.endNs);
    starts.forEach(({ startNs }, i) => {
      const slack = (calls[i].endNs - calls[i].startNs) * LENGTH_ERROR;
      low = Math.max(low, startNs - calls[i].endNs);
      high = Math.min(high, startNs - calls[i].startNs + slack);
      anchors++;
    });
  }
  if (!(low <= high) || !Number.isFinite(high - low)) return null;
  return { offsetNs: (low + high) / 2, uncertainNs: (high - low) / 2, anchors };
}

module.exports = { alignClocks };
