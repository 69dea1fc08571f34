'use strict';
// Spans of JavaScript beside the traced calls, on the clock of their events (CLOCK_MONOTONIC).
// Refuses to grow for ever: what comes after MOST is counted.

const MOST = 200_000;

/**
 * @typedef {'phase' | 'build' | 'child' | 'tap' | 'loader' | 'measure' | 'rspack'} SpanKind
 * @typedef {object} Span
 * @property {SpanKind} kind
 * @property {string} name
 * @property {number} startNs
 * @property {number} endNs
 * @property {boolean} apart it overlaps with others of its thread: from a call to the end of its promise or
 *   callback, or on threads of rspack's own
 * @property {string} [detail]
 */

class SpanLog {
  /** @type {Span[]} */
  spans = [];
  dropped = 0;
  /** Why something could not be wrapped, '' where nothing failed. */
  problem = '';

  /** @param {() => number} [now] */
  constructor(now = () => Number(process.hrtime.bigint())) {
    this.now = now;
  }

  /** @param {Span} span */
  add(span) {
    if (this.spans.length >= MOST) this.dropped++;
    else this.spans.push(span);
  }
}

module.exports = { MOST, SpanLog };
