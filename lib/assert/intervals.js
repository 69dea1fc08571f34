'use strict';
// How far the samples and the runs tell where the truth is, and how many more would tell. Two things
// make a measured value differ from the true one: few samples (known from their number), and runs that
// differ for reasons of their own (known from several runs only). Of the two margins the wider counts,
// so one run never says more than its samples do, and many samples never more than the runs agree.

const { mean, sampleVariance } = require('simple-statistics');
const { jStat } = require('jstat');

/**
 * @typedef {object} Counted how often something was seen
 * @property {number} matching of `all`, in samples of equal weight (see counts.js)
 * @property {number} all
 * @property {number[]} shares of each run, 0 to 1
 *
 * @typedef {object} Interval
 * @property {number} value
 * @property {number} low
 * @property {number} high
 *
 * @typedef {object} Need what would decide, should it go on as it did; null: nothing within reason
 * @property {number | null} samples more of them; 0: there are enough
 * @property {number | null} runs more of them
 */

/** More runs than anybody makes. */
const MOST_RUNS = 1000;
const MOST_SAMPLES = 1e8;

/**
 * Clopper and Pearson's interval (Biometrika 26, 1934): never narrower than asked for, also for 0 of n.
 * @param {number} matching
 * @param {number} all
 * @param {number} doubt
 * @returns {[number, number]}
 */
function binomialInterval(matching, all, doubt) {
  if (!(all > 0)) return [0, 1];
  const x = Math.min(matching, all);
  // The sums of floats behind `all` of the samples end a hair below it.
  const rest = all - x < 1e-9 * all ? 0 : all - x;
  return [
    x > 0 ? jStat.beta.inv(doubt / 2, x, rest + 1) : 0,
    rest > 0 ? jStat.beta.inv(1 - doubt / 2, x + 1, rest) : 1,
  ];
}

/** @param {number} doubt @param {number} freedom Infinity: the normal distribution's */
const quantile = (doubt, freedom) =>
  freedom === Infinity
    ? jStat.normal.inv(1 - doubt / 2, 0, 1)
    : jStat.studentt.inv(1 - doubt / 2, freedom);

/**
 * Variance of the mean of some runs' values, and its degrees of freedom; none from one run.
 * @param {number[]} values
 */
function meanVariance(values) {
  const count = values.length;
  return count < 2
    ? { variance: 0, freedom: Infinity }
    : { variance: sampleVariance(values) / count, freedom: count - 1 };
}

/**
 * Where the true share is.
 * @param {Counted} counted
 * @param {number} doubt 0.05: it is outside in at most 5 of 100 cases
 * @returns {Interval}
 */
function shareInterval({ matching, all, shares }, doubt) {
  const value = all > 0 ? matching / all : 0;
  const [low, high] = binomialInterval(matching, all, doubt);
  if (shares.length < 2) return { value, low, high };
  const { variance, freedom } = meanVariance(shares);
  const half = quantile(doubt, freedom) * Math.sqrt(variance);
  return {
    value,
    low: Math.max(0, Math.min(low, value - half)),
    high: Math.min(1, Math.max(high, value + half)),
  };
}

/**
 * Variance of a share for a difference: one sample with and one without added, so that 0 of n is no
 * certainty (Agresti and Caffo, The American Statistician 54, 2000).
 * @param {Counted} counted
 */
function shareVariance({ matching, all }) {
  const p = (Math.min(matching, all) + 1) / (all + 2);
  return (p * (1 - p)) / (all + 2);
}

/**
 * Degrees of freedom of the sum of two variances (Welch, Biometrika 34, 1947; Satterthwaite).
 * @param {{variance: number, freedom: number}} a
 * @param {{variance: number, freedom: number}} b
 */
function commonFreedom(a, b) {
  const parts = a.variance ** 2 / a.freedom + b.variance ** 2 / b.freedom;
  return parts > 0 ? (a.variance + b.variance) ** 2 / parts : Infinity;
}

/**
 * @typedef {object} Side of a difference
 * @property {number} value
 * @property {number} variance as far as the number of samples goes; Infinity: there are none
 * @property {number[]} values of each run
 *
 * @param {Counted} counted
 * @param {number} [scale] the whole, for a value that is no share: one run's, or the mean
 * @param {number[]} [scales] the whole of each run
 * @returns {Side}
 */
function sideOf(counted, scale = 1, scales = counted.shares.map(() => scale)) {
  const { matching, all, shares } = counted;
  if (!(all > 0)) return { value: 0, variance: Infinity, values: [] };
  const value = (matching / all) * scale;
  const values = shares.map((share, run) => share * scales[run]);
  return { value, variance: shareVariance(counted) * scale ** 2, values };
}

/**
 * How far apart two sides truly are, b less a. One of a single run counts with its samples' variance.
 * @param {Side} a
 * @param {Side} b
 * @param {number} doubt
 * @returns {Interval}
 */
function growthInterval(a, b, doubt) {
  const value = b.value - a.value;
  if (!Number.isFinite(a.variance + b.variance)) return { value, low: -Infinity, high: Infinity };
  const bySamples = quantile(doubt, Infinity) * Math.sqrt(a.variance + b.variance);
  const runs = [a, b].map(({ values, variance }) =>
    values.length > 1 ? meanVariance(values) : { variance, freedom: Infinity },
  );
  const freedom = commonFreedom(runs[0], runs[1]);
  const byRuns = quantile(doubt, freedom) * Math.sqrt(runs[0].variance + runs[1].variance);
  const half = Math.max(bySamples, byRuns);
  return { value, low: value - half, high: value + half };
}

/**
 * Where the mean of a counter truly is, less `times` the mean of what it is held against (Welch). From
 * one run nothing is known: the interval has no ends.
 * @param {number[]} values of each run
 * @param {number[]} base of each run; one value that is no measurement: a limit
 * @param {number} times
 * @param {number} doubt
 * @param {{isLimit?: boolean}} [more]
 * @returns {Interval}
 */
function excessInterval(values, base, times, doubt, { isLimit = false } = {}) {
  const scaled = base.map((value) => value * times);
  const value = mean(values) - mean(scaled);
  if (values.length < 2 || (!isLimit && base.length < 2)) {
    return { value, low: -Infinity, high: Infinity };
  }
  const a = meanVariance(values);
  const b = isLimit ? { variance: 0, freedom: Infinity } : meanVariance(scaled);
  const half = quantile(doubt, commonFreedom(a, b)) * Math.sqrt(a.variance + b.variance);
  return { value, low: value - half, high: value + half };
}

/**
 * How many more runs would bring a margin below a distance, if they differ as those did.
 * @param {number[]} values of each run, two at least
 * @param {number} distance
 * @param {number} doubt
 * @returns {number | null}
 */
function moreRuns(values, distance, doubt) {
  const deviation = Math.sqrt(sampleVariance(values));
  for (let runs = values.length; runs <= MOST_RUNS; runs++) {
    if (quantile(doubt, runs - 1) * (deviation / Math.sqrt(runs)) < distance) {
      return runs - values.length;
    }
  }
  return null;
}

/**
 * How many more samples would put a limit outside of the interval, were the share the same.
 * @param {Counted} counted
 * @param {number} limit
 * @param {number} doubt
 * @returns {number | null}
 */
function moreSamples({ matching, all }, limit, doubt) {
  const share = matching / all;
  const isDecided = (/** @type {number} */ samples) => {
    const [low, high] = binomialInterval(share * samples, samples, doubt);
    return limit < low || limit > high;
  };
  let enough = all;
  while (!isDecided(enough)) {
    enough *= 2;
    if (enough > MOST_SAMPLES) return null;
  }
  if (enough === all) return 0;
  let few = enough / 2;
  while (enough - few > Math.max(1, enough / 100)) {
    const middle = (few + enough) / 2;
    if (isDecided(middle)) enough = middle;
    else few = middle;
  }
  return Math.ceil(enough - all);
}

/**
 * What would decide on which side of a limit a share is.
 * @param {Counted} counted
 * @param {number} limit
 * @param {number} doubt
 * @returns {Need}
 */
function needForShare(counted, limit, doubt) {
  const { matching, all, shares } = counted;
  const distance = all > 0 ? Math.abs(matching / all - limit) : 0;
  if (!(distance > 0)) return { samples: null, runs: null };
  const samples = moreSamples(counted, limit, doubt);
  const runs = shares.length > 1 ? moreRuns(shares, distance, doubt) : 0;
  if (samples === null || runs === null) return { samples: null, runs: null };
  const perRun = all / Math.max(1, shares.length);
  return { samples, runs: Math.max(1, runs, Math.ceil(samples / perRun)) };
}

module.exports = {
  excessInterval,
  growthInterval,
  moreRuns,
  needForShare,
  quantile,
  shareInterval,
  sideOf,
};
