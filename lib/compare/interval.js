'use strict';
// The difference of two sides from runs that were made in pairs: one number and an interval that holds
// the truth unless the runs were unluckier than `doubt` allows. Pure.
//
// A pair is two runs side by side in time, base and candidate in an order that a coin decided; its
// value is the logarithm of candidate by base. Whatever noise both runs share by being neighbours
// cancels, and what is left is as likely positive as negative: values lie symmetrically around the true
// difference, however heavy the tails of a busy machine. That is all that the interval below asks for.
//
// From 10 pairs on: the median of the means of all two values (Hodges and Lehmann, Annals of Mathematical
// Statistics 34, 1963) with the interval of Wilcoxon's signed rank test, exact for symmetric noise
// (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.1 to 3.3). A tenth of the runs may be
// arbitrarily slow and it hardly widens. Below 10 pairs that interval cannot be had at the doubts
// that plan.js asks for: Student's t on the mean, which heavy tails make wider, not wrong.

const { jStat } = require('jstat');
const { mean, median, sampleStandardDeviation } = require('simple-statistics');

const LEAST_PAIRS_FOR_RANKS = 10;

/** @typedef {{ centre: number, low: number, high: number }} Estimate low and high are logarithms too */

/**
 * How many of the n (n + 1) / 2 ordered means to leave out at either end: the rank sum of n pairs, of
 * which each sign is a coin's, is below that with a chance of at most `chance`.
 * @param {number} n
 * @param {number} chance
 */
function ranksOutside(n, chance) {
  const most = (n * (n + 1)) / 2;
  // Chance of each sum: rank i is in it or not.
  const chances = new Float64Array(most + 1);
  chances[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = most; sum >= 0; sum--) {
      chances[sum] = (chances[sum] + (sum >= rank ? chances[sum - rank] : 0)) / 2;
    }
  }
  let outside = 0;
  for (let sum = 0, below = 0; (below += chances[sum]) <= chance; sum++) outside = sum + 1;
  return outside;
}

/** @type {Map<string, number>} */
const known = new Map();

/**
 * @param {number[]} values
 * @param {number} doubt
 * @returns {Estimate}
 */
function byRanks(values, doubt) {
  const means = values.flatMap((a, i) => values.slice(i).map((b) => (a + b) / 2));
  const sorted = Float64Array.from(means).sort();
  const key = `${values.length} ${doubt}`;
  const outside = known.get(key) ?? ranksOutside(values.length, doubt / 2);
  known.set(key, outside);
  return {
    centre: median([...sorted]),
    low: outside > 0 ? sorted[outside - 1] : -Infinity,
    high: outside > 0 ? sorted[sorted.length - outside] : Infinity,
  };
}

/**
 * @param {number[]} values
 * @param {number} doubt
 * @returns {Estimate}
 */
function byStudent(values, doubt) {
  const centre = mean(values);
  if (values.length < 2) return { centre, low: -Infinity, high: Infinity };
  const errors = jStat.studentt.inv(1 - doubt / 2, values.length - 1);
  const half = (errors * sampleStandardDeviation(values)) / Math.sqrt(values.length);
  return { centre, low: centre - half, high: centre + half };
}

/**
 * @param {number[]} values of the pairs, logarithms; at least one
 * @param {number} doubt chance that the interval misses the truth
 * @returns {Estimate}
 */
function estimate(values, doubt) {
  return values.length < LEAST_PAIRS_FOR_RANKS ? byStudent(values, doubt) : byRanks(values, doubt);
}

module.exports = { estimate, ranksOutside };
