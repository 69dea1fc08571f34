'use strict';
// What would decide where the samples cannot: how many more of them, or of runs. Who follows the advice measures anew,
// and what comes out differs from what was seen now; so the limit must be further away than the margin by as much as
// decides in four of five cases, should shares and spread be what they seem.

const { jStat } = require('jstat');
const { binomialInterval, halves, limitSide, quantile, spreadOf } = require('./intervals.js');

/** @typedef {import('./intervals').Counted} Counted */
/** @typedef {import('./intervals').Side} Side */

/**
 * @typedef {object} Need
 * @property {number} runs more of them
 * @property {number} samples as many more of these would do as well, by a higher frequency; 0: they would not
 * @property {number} baseline runs with which it is to be recorded again; 0: it may stay
 */

/** More runs, and samples, than anybody makes. */
const MOST_RUNS = 1000;
const MOST_SAMPLES = 1e8;
/** Standard errors that four of five normal values stay below. */
const FOUR_OF_FIVE = 0.8416;

/**
 * The least factor from 1 on, to a hundredth, that is enough.
 * @param {(factor: number) => boolean} isEnough and stays so from there on
 * @param {number} most
 * @returns {number | null} null: none up to `most`
 */
function leastFactor(isEnough, most) {
  let [few, enough] = [1, 1];
  while (!isEnough(enough)) {
    if (enough >= most) return null;
    [few, enough] = [enough, Math.min(most, enough * 2)];
  }
  while (enough - few > few / 100) {
    const middle = (few + enough) / 2;
    if (isEnough(middle)) enough = middle;
    else few = middle;
  }
  return enough;
}

/** @param {ReturnType<typeof spreadOf>} spread */
const largest = ({ bySamples, byRuns }) => Math.max(bySamples.variance, byRuns.variance);

/**
 * What would tell on which side of a limit the difference of two sides is.
 * @param {Side} base stays, unless it is what leaves it open
 * @param {Side} now
 * @param {number} distance of their difference to the limit
 * @param {{doubt: number, all?: number}} how all: samples of `now`
 * @returns {Need | null} null: nothing within reason
 */
function needForDifference(base, now, distance, { doubt, all = 0 }) {
  const count = Math.max(1, now.values.length);
  const at = (/** @type {number} */ factor, /** @type {number} */ baseFactor) => {
    const [a, b] = [spreadOf(base, baseFactor), spreadOf(now, factor)];
    const { bySamples, byRuns } = halves(a, b, doubt);
    const measuredAnew = largest(b) + (baseFactor > 1 ? largest(a) : 0);
    const margin = Math.max(bySamples, byRuns) + FOUR_OF_FIVE * Math.sqrt(measuredAnew);
    return { isEnough: margin < distance, isBySamples: bySamples >= byRuns };
  };
  const most = Math.max(1, MOST_RUNS / count);
  const baseCount = base.values.length;
  const asMany = (/** @type {number} */ factor) => Math.max(1, (factor * count) / baseCount);
  /** @type {((factor: number) => number)[]} */
  const ways = baseCount > 0 ? [() => 1, asMany] : [() => 1];
  for (const baseFactor of ways) {
    const factor = leastFactor((one) => at(one, baseFactor(one)).isEnough, most);
    if (factor === null) continue;
    const { isBySamples } = at(factor, baseFactor(factor));
    const runs = Math.ceil(count * factor);
    return {
      runs: Math.max(1, runs - count),
      samples: isBySamples ? Math.ceil(all * (factor - 1)) : 0,
      baseline: baseFactor === asMany ? runs : 0,
    };
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
  // None and all of the samples stay so: nothing moves.
  const isFixed = matching === 0 || matching >= all;
  const errors = quantile(doubt, Infinity) + FOUR_OF_FIVE;
  const own = isFixed ? doubt : 2 * (1 - jStat.normal.cdf(errors, 0, 1));
  const factor = leastFactor(
    (one) => {
      const [low, high] = binomialInterval(matching * one, all * one, own);
      return limit < low || limit > high;
    },
    Math.max(1, MOST_SAMPLES / all),
  );
  return factor === null ? null : Math.ceil(all * (factor - 1));
}

/**
 * What would tell on which side of a limit a share is.
 * @param {Counted} counted
 * @param {number} limit
 * @param {number} doubt
 * @returns {Need | null}
 */
function needForShare(counted, limit, doubt) {
  const { matching, all, shares } = counted;
  const distance = all > 0 ? Math.abs(matching / all - limit) : 0;
  if (!(distance > 0)) return null;
  const samples = moreSamples(counted, limit, doubt);
  if (samples === null) return null;
  const bySamples = Math.max(1, Math.ceil((samples * shares.length) / all));
  if (shares.length < 2) return { runs: bySamples, samples, baseline: 0 };
  const side = { value: matching / all, variance: 0, values: shares };
  const need = needForDifference(limitSide(limit), side, distance, { doubt });
  if (need === null) return null;
  const isBySamples = bySamples >= need.runs;
  return { ...need, runs: Math.max(bySamples, need.runs), samples: isBySamples ? samples : 0 };
}

/**
 * What answers several questions at once.
 * @param {(Need | null)[]} needs at least one
 * @returns {Need | null}
 */
function needForAll(needs) {
  if (needs.includes(null)) return null;
  const known = /** @type {Need[]} */ (needs);
  const most = known.reduce((a, b) => (b.runs > a.runs ? b : a));
  return { ...most, baseline: Math.max(...known.map(({ baseline }) => baseline)) };
}

module.exports = { needForAll, needForDifference, needForShare };
