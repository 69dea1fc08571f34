'use strict';
// How far the samples and the runs tell where the truth is. Two things make a measured value differ from the
// true one: few samples (known from their number), and runs that differ for reasons of their own (known from
// several runs only). Of the two margins the wider counts, so one run never says more than its samples do, and
// many samples never more than the runs agree.

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
 */

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
 * Where the true share is.
 * @param {Counted} counted
 * @param {number} doubt 0.05: it is outside in at most 5 of 100 cases
 * @returns {Interval}
 */
function shareInterval({ matching, all, shares }, doubt) {
  const value = all > 0 ? matching / all : 0;
  const [low, high] = binomialInterval(matching, all, doubt);
  if (shares.length < 2) return { value, low, high };
  const { byRuns } = spreadOf({ variance: 0, values: shares });
  const half = quantile(doubt, byRuns.freedom) * Math.sqrt(byRuns.variance);
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
 * @typedef {object} Side of a difference
 * @property {number} value
 * @property {number} variance as far as the number of samples goes; Infinity: nothing is known
 * @property {number[]} values of each run; none: it is no measurement
 *
 * @typedef {{variance: number, freedom: number}} Spread of a side's value
 */

/**
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
 * A counter has no samples: of a single run nothing is known.
 * @param {number[]} values of each run
 * @returns {Side}
 */
const counterSide = (values) => ({
  value: mean(values),
  variance: values.length < 2 ? Infinity : 0,
  values,
});

/** @param {number} value that nobody measured @returns {Side} */
const limitSide = (value) => ({ value, variance: 0, values: [] });

/**
 * How uncertain a side is, by its samples and by its runs; of a single run the samples alone tell.
 * @param {Pick<Side, 'variance' | 'values'>} side
 * @param {number} [factor] with so many times as many runs, which differ as these do
 * @returns {{bySamples: Spread, byRuns: Spread}}
 */
function spreadOf({ variance, values }, factor = 1) {
  const bySamples = { variance: variance / factor, freedom: Infinity };
  if (values.length < 2) return { bySamples, byRuns: bySamples };
  const count = values.length * factor;
  return { bySamples, byRuns: { variance: sampleVariance(values) / count, freedom: count - 1 } };
}

/**
 * Degrees of freedom of the sum of two variances (Welch, Biometrika 34, 1947; Satterthwaite).
 * @param {Spread} a
 * @param {Spread} b
 */
function commonFreedom(a, b) {
  const parts = a.variance ** 2 / a.freedom + b.variance ** 2 / b.freedom;
  return parts > 0 ? (a.variance + b.variance) ** 2 / parts : Infinity;
}

/**
 * @param {ReturnType<typeof spreadOf>} a
 * @param {ReturnType<typeof spreadOf>} b
 * @param {number} doubt
 * @returns {{bySamples: number, byRuns: number}} half the width of the difference's interval
 */
function halves(a, b, doubt) {
  const half = (/** @type {'bySamples' | 'byRuns'} */ by) =>
    quantile(doubt, commonFreedom(a[by], b[by])) * Math.sqrt(a[by].variance + b[by].variance);
  return { bySamples: half('bySamples'), byRuns: half('byRuns') };
}

/**
 * How far apart two sides truly are, b less a: Welch's interval. Of a single run the samples' variance counts.
 * @param {Side} a
 * @param {Side} b
 * @param {number} doubt
 * @returns {Interval}
 */
function growthInterval(a, b, doubt) {
  const value = b.value - a.value;
  if (!Number.isFinite(a.variance + b.variance)) return { value, low: -Infinity, high: Infinity };
  const { bySamples, byRuns } = halves(spreadOf(a), spreadOf(b), doubt);
  const half = Math.max(bySamples, byRuns);
  return { value, low: value - half, high: value + half };
}

module.exports = {
  binomialInterval,
  counterSide,
  growthInterval,
  halves,
  limitSide,
  quantile,
  shareInterval,
  sideOf,
  spreadOf,
};
