'use strict';
// rspack's spans as markers of a profile: one of type 'rspack' for each, and one of type 'trace' that
// says what was asked for and what came of it.

/** @typedef {import('./read-log').Span} Span */
/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {import('../index').TraceInfo} TraceInfo */

/** The longest stay: of OVERVIEW on 10,000 modules 400,000 are shorter than a sampling period. */
const MOST_SPANS = 20_000;

/**
 * @param {Span[]} spans on the clock of the samples
 * @param {{startNs: number, endNs: number}} time of the recording
 * @param {Pick<TraceInfo, 'filter' | 'layer' | 'bytes' | 'malformed' | 'uncertainUs'>} about
 * @returns {Marker[]}
 */
function traceMarkers(spans, { startNs, endNs }, about) {
  const own = spans.filter((span) => span.endNs > startNs && span.startNs < endNs);
  const longest =
    own.length > MOST_SPANS
      ? own.sort((a, b) => b.endNs - b.startNs - (a.endNs - a.startNs)).slice(0, MOST_SPANS)
      : own;
  const dropped = own.slice(longest.length);
  /** @type {TraceInfo} */
  const info = {
    ...about,
    spans: own.length,
    dropped: dropped.length,
    droppedLongestMs: dropped.length > 0 ? (dropped[0].endNs - dropped[0].startNs) / 1e6 : 0,
  };
  /** @type {Marker} */
  const whole = { type: 'trace', name: 'rspack trace', startNs, endNs, data: info };
  const markers = longest.map((span) => ({
    type: /** @type {const} */ ('rspack'),
    name: span.name,
    startNs: Math.max(startNs, Math.round(span.startNs)),
    endNs: Math.round(span.endNs),
    data: {
      target: span.target,
      path: span.path,
      busyMs: span.busyNs / 1e6,
      ...(span.resource && { resource: span.resource }),
      ...(span.loose && { loose: true }),
    },
  }));
  return [whole, ...markers.sort((a, b) => a.startNs - b.startNs)];
}

module.exports = { MOST_SPANS, traceMarkers };
