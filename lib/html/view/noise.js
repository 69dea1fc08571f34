'use strict';
// Whether a difference between two profiles is more than chance: samples are counted events, so a share
// of n samples and a number of samples have errors that are known.

/** Standard errors from which on a change counts: by chance alone one in 370 functions goes beyond. */
const LEAST_ERRORS = 3;

/**
 * @typedef {object} Counted of one function or box in one profile
 * @property {number} samples
 * @property {number} all samples of the whole profile
 * @property {number} perSample weight of a sample, on the average
 */

/**
 * Shares of the samples: two proportions, with their common standard error.
 * @param {Counted} base
 * @param {Counted} candidate
 * @returns {boolean}
 */
function isShareChange(base, candidate) {
  const { samples: a, all: n } = base;
  const { samples: b, all: m } = candidate;
  if (n === 0 || m === 0) return false;
  const common = (a + b) / (n + m);
  const error = Math.sqrt(common * (1 - common) * (1 / n + 1 / m));
  return Math.abs(b / m - a / n) > LEAST_ERRORS * error;
}

/**
 * Weights: a count's variance is the count (Poisson).
 * @param {Counted} base
 * @param {Counted} candidate
 */
function isWeightChange(base, candidate) {
  const { samples: a, perSample: v } = base;
  const { samples: b, perSample: w } = candidate;
  return Math.abs(b * w - a * v) > LEAST_ERRORS * Math.sqrt(a * v * v + b * w * w);
}

module.exports = { LEAST_ERRORS, isShareChange, isWeightChange };
