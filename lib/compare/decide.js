'use strict';
// What a number of pairs says, and whether more of them would say more. Pure.

const { jStat } = require('jstat');
const { estimate } = require('./interval.js');

/**
 * From so many pairs on it may be called hopeless: fewer do not tell how noisy the machine is.
 */
const LEAST_FOR_HOPELESS = 24;
/** The interval must be so much too wide even at the last look. */
const HOPELESS_FACTOR = 1.5;
/** Standard errors that one normal value in ten is above. */
const ONE_IN_TEN = 1.2816;

/**
 * @typedef {'faster' | 'slower' | 'no-difference' | 'unclear'} Finding
 *
 * @typedef {object} Judgement
 * @property {Finding} finding
 * @property {number} ratio candidate by base
 * @property {[number, number] | null} interval of the ratio; null where nothing bounds it
 * @property {number} pairs
 * @property {number} confidence of this interval alone, 0 to 1
 */

/**
 * No difference is a finding as well: all that the interval leaves possible is too small to matter. It
 * goes before the others, so that a difference that is there for sure, and too small to matter for
 * sure, is none.
 * @param {number} low
 * @param {number} high
 * @param {number} margin
 * @returns {Finding}
 */
function findingOf(low, high, margin) {
  if (high < 1 + margin && low > 1 / (1 + margin)) return 'no-difference';
  if (low > 1) return 'slower';
  return high < 1 ? 'faster' : 'unclear';
}

/**
 * @param {number[]} logs of the pairs' ratios
 * @param {{ doubt: number, margin: number }} rule margin: 0.02 is two per cent
 * @returns {Judgement}
 */
function judge(logs, { doubt, margin }) {
  const { centre, low, high } = estimate(logs, doubt);
  const isBounded = Number.isFinite(low) && Number.isFinite(high);
  return {
    finding: findingOf(Math.exp(low), Math.exp(high), margin),
    ratio: Math.exp(centre),
    interval: isBounded ? [Math.exp(low), Math.exp(high)] : null,
    pairs: logs.length,
    confidence: 1 - doubt,
  };
}

/**
 * Whether the last look would hardly decide, as far as one can tell. Its interval will be as much narrower as
 * it has more pairs and may be less sure: too wide for "no difference", and only one time in ten will its centre
 * be so far from 0 that it is outside. (With the pairs' share f known by then, the centre at the last look
 * is normal about the one now, with (1 - f) of its variance.) Stopping early can only make fewer claims.
 * @param {Judgement} judgement
 * @param {{ margin: number, lastPairs: number, lastDoubt: number }} rule lastDoubt: at most, as looks in
 *   between take some of it
 */
function isHopeless({ ratio, interval, pairs, confidence }, { margin, lastPairs, lastDoubt }) {
  if (pairs < LEAST_FOR_HOPELESS || !interval) return false;
  const errors = (/** @type {number} */ doubt) => jStat.normal.inv(1 - doubt / 2, 0, 1);
  const error = Math.log(interval[1] / interval[0]) / 2 / errors(1 - confidence);
  const known = pairs / lastPairs;
  const atLast = error * Math.sqrt(known) * errors(lastDoubt);
  const couldBe = Math.abs(Math.log(ratio)) + error * Math.sqrt(1 - known) * ONE_IN_TEN;
  return atLast > HOPELESS_FACTOR * Math.log1p(margin) && couldBe < atLast;
}

module.exports = { isHopeless, judge };
