'use strict';
// Numbers and names as people read them.

const { shorten } = require('../../shorten.js');

/** A name is first cut to this, once: shortening a short one further is cheap. */
const FIRST_CUT = 64;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** @param {number} value */
const count = (value) => whole.format(value);

/** @param {number} share 0 to 1 */
function percent(share) {
  if (!Number.isFinite(share)) return '0 %';
  if (share > 0 && share < 0.00005) return '<0.01 %';
  // Never "100.0 %" for what is not all.
  if (share > 0.999 && share < 1) return `${(Math.floor(share * 1e4) / 100).toFixed(2)} %`;
  return `${(share * 100).toFixed(share !== 0 && Math.abs(share) < 0.0995 ? 2 : 1)} %`;
}

/** @param {number} ms */
function time(ms) {
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (Math.abs(ms) >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(Math.abs(ms) >= 100 ? 0 : Math.abs(ms) >= 1 ? 1 : 2)} ms`;
}

/**
 * @param {number} value
 * @param {string} unit of the profile: ns, cycles, events
 */
function weight(value, unit) {
  if (unit === 'ns') return time(value / 1e6);
  const size = Math.abs(value);
  const [scale, letter] =
    size >= 1e9 ? [1e9, ' G'] : size >= 1e6 ? [1e6, ' M'] : size >= 1e4 ? [1e3, ' k'] : [1, ' '];
  return `${(value / scale).toFixed(scale === 1 ? 0 : 2)}${letter}${unit}`;
}

/**
 * Names fitted to boxes, each cut once to a middle length.
 * @param {import('./types').Funcs} funcs
 * @returns {(func: number, chars: number) => string}
 */
function labeller({ name, color }) {
  /** @type {string[]} */
  const cut = [];
  return (func, chars) => {
    const full = name[func];
    if (full.length <= chars) return full;
    const kind = color[func] >= 4 ? 'js' : '';
    if (chars >= FIRST_CUT) return shorten(full, chars, kind);
    const short = (cut[func] ??= shorten(full, FIRST_CUT, kind));
    return shorten(short, chars, kind);
  };
}

module.exports = { count, labeller, percent, time, weight };
