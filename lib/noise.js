'use strict';
// Whether a difference between two profiles is more than chance: samples are counted events, so a share
// of n samples and a number of samples have errors that are known. The one rule of the table of
// `rspack-prof diff` and of the page of a difference: used in both, so it needs nothing of node.

/** Standard errors from which on a change may count: by chance alone one in 370 goes beyond. */
const LEAST_ERRORS = 3;
/** Standard errors either side of an interval that holds the true change in 19 of 20 cases. */
const INTERVAL_ERRORS = 1.96;

/**
 * @typedef {object} Counted of one function, box or group in one profile
 * @property {number} samples
 * @property {number} all samples of the whole profile
 * @property {number} perSample weight of a sample, on the average
 */

/**
 * Shares of the samples: two proportions, with their common standard error (the two-proportion z test,
 * NIST/SEMATECH e-Handbook of Statistical Methods, 7.3.3).
 * @param {Counted} base
 * @param {Counted} candidate
 * @param {number} [leastErrors]
 * @returns {boolean}
 */
function isShareChange(base, candidate, leastErrors = LEAST_ERRORS) {
  const { samples: a, all: n } = base;
  const { samples: b, all: m } = candidate;
  if (!(n > 0 && m > 0)) return false;
  const common = Math.min(1, (a + b) / (n + m));
  const error = Math.sqrt(common * (1 - common) * (1 / n + 1 / m));
  const change = Math.abs(b / m - a / n);
  // Sums of floats: what everything has is 1 in both but for the last digits.
  return change > 1e-9 && change > leastErrors * error;
}

/**
 * Weights: a count's variance is the count (Poisson).
 * @param {Counted} base
 * @param {Counted} candidate
 * @param {number} [leastErrors]
 */
function isWeightChange(base, candidate, leastErrors = LEAST_ERRORS) {
  const { samples: a, perSample: v } = base;
  const { samples: b, perSample: w } = candidate;
  return Math.abs(b * w - a * v) > leastErrors * Math.sqrt(a * v * v + b * w * w);
}

/**
 * Half the width of the 95 % interval of a change of share: one sample with and one without is added to
 * each side, so that 0 of n is no certainty (Agresti and Caffo, The American Statistician 54, 2000).
 * @param {Counted} base
 * @param {Counted} candidate
 */
function shareMargin(base, candidate) {
  const variances = [base, candidate].map(({ samples, all }) => {
    const p = (samples + 1) / (all + 2);
    return Math.max(0, p * (1 - p)) / (all + 2);
  });
  return INTERVAL_ERRORS * Math.sqrt(variances[0] + variances[1]);
}

/**
 * The same of a change of weight.
 * @param {Counted} base
 * @param {Counted} candidate
 */
function weightMargin(base, candidate) {
  const variances = [base, candidate].map(({ samples, perSample }) => samples * perSample ** 2);
  return INTERVAL_ERRORS * Math.sqrt(variances[0] + variances[1]);
}

module.exports = { LEAST_ERRORS, isShareChange, isWeightChange, shareMargin, weightMargin };
