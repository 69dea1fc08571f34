'use strict';
// Burns CPU time on the calling thread and adds up by name how much it was, at least and at most:
// between two looks at the clock lie microseconds; where it was much longer, somebody else had the core
// (which no sample counts) or the machine under us (which cpu-clock does count) or the profiler.

const { performance } = require('node:perf_hooks');

const MOST_GAP_MS = 0.2;
/** @type {Record<string, {least: number, most: number}>} ms by name */
const burned = {};

/**
 * @param {string} name
 * @param {number} ms
 */
function burn(name, ms) {
  const start = performance.now();
  let spent = 0;
  let last = start;
  while (spent < ms) {
    const now = performance.now();
    if (now - last < MOST_GAP_MS) spent += now - last;
    last = now;
  }
  const sum = (burned[name] ??= { least: 0, most: 0 });
  sum.least += spent;
  sum.most += last - start;
}

module.exports = { burn, burned };
