'use strict';
// Of start()'s options: native allocations.

const { checkOptions, shown } = require('./check-options.js');
const { ProfError } = require('./errors.js');

/** Below that nearly each call is a walk. */
const LEAST_BYTES = 1024;
const MOST_BYTES = 2 ** 40;

/** @type {Record<string, import('./check-options').Rule>} */
const RULES = {
  // Between two samples of a thread, in the mean.
  bytes: { type: 'number', default: 128 << 10, min: LEAST_BYTES, max: MOST_BYTES, integer: true },
  // Per cent of the CPU time.
  cap: { type: 'number', default: 10, min: 0, max: 100 },
};

/**
 * @param {unknown} given
 * @returns {Record<string, unknown>} for the addon; with them comes resident memory over time
 */
function checkAllocations(given) {
  if (given === undefined || given === false) return {};
  const isNumber = typeof given === 'number';
  if (given !== true && !isNumber && (typeof given !== 'object' || given === null)) {
    const problem = `option 'allocations' must be true, a number of bytes, or { bytes, cap }, not ${shown(given)}`;
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  const options = given === true ? {} : isNumber ? { bytes: given } : given;
  const { bytes, cap } = checkOptions(options, RULES, "option 'allocations'");
  return { allocationBytes: bytes, allocationCap: cap, memory: true };
}

/** For the flags that give them. */
const ALLOCATION_RANGE = { least: LEAST_BYTES, most: MOST_BYTES, whole: true };
const CAP_RANGE = { least: 0, most: 100 };

module.exports = { checkAllocations, ALLOCATION_RANGE, CAP_RANGE };
