'use strict';
// Finds a place for spans that stand alone. A span opened on a thread of a pool has no parent in the
// log, and in a perfetto trace no span has one outside of its track. Such a span is put into the
// innermost of those that come once per build and hold it in time: it began and ended while that was
// open, which is all that is claimed.

/** @typedef {import('./read-log').Span} Span */

/** @param {Span} span */
const keyOf = ({ path, name }) => [...path, name].join('\0');
/** @param {Span} span */
const lengthOf = ({ startNs, endNs }) => endNs - startNs;

/**
 * @param {Span[]} spans whose paths are changed
 * @param {boolean} loose whether what is put into a span leaves it the innermost one for those samples
 *   that are not seen to be in the other: threads of a pool work beside it
 */
function nestAlone(spans, loose) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const span of spans) counts.set(keyOf(span), (counts.get(keyOf(span)) ?? 0) + 1);
  const builds = Math.max(1, counts.get('Compiler:build') ?? 0);
  const once = spans.filter((span) => Number(counts.get(keyOf(span))) <= builds);
  once.sort((a, b) => lengthOf(a) - lengthOf(b));
  const alone = spans.filter(({ path }) => path.length === 0);
  // The longest first: what holds a span has its own place by then.
  for (const span of alone.sort((a, b) => lengthOf(b) - lengthOf(a))) {
    const around = once.find((one) => {
      const holds = one.startNs <= span.startNs && one.endNs >= span.endNs;
      return holds && one !== span && lengthOf(one) > lengthOf(span);
    });
    if (!around) continue;
    span.path = [...around.path, around.name];
    span.loose = loose;
  }
}

module.exports = { nestAlone };
