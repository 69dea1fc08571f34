'use strict';
// What a few paired runs on a noisy machine can say. Pure.

const { binomialDistribution, max, median, min } = require('simple-statistics');

/** How often the interval may miss the true median. */
const DOUBT = 0.05;

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} low the lowest
 * @property {number} high the highest
 * @property {number} count
 * @property {[number, number] | null} interval in which the true median lies with 95 % confidence;
 *   null for fewer than six values
 */

/**
 * By the sign test: of n values the k-th lowest and the k-th highest enclose the median unless fewer
 * than k of n fall on one side of it, so nothing is assumed of how they are spread. With six to
 * eight values k is 1: all of them.
 * @param {number[]} sorted
 * @returns {[number, number] | null}
 */
function medianInterval(sorted) {
  const count = sorted.length;
  if (count === 0) return null;
  const chances = binomialDistribution(count, 0.5) ?? [];
  let rank = 0;
  let doubt = 0;
  while (doubt + 2 * chances[rank] <= DOUBT) {
    doubt += 2 * chances[rank];
    rank += 1;
  }
  return rank > 0 ? [sorted[rank - 1], sorted[count - rank]] : null;
}

/**
 * @param {number[]} values
 * @returns {Spread | null} null where there are none
 */
function spreadOf(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: median(sorted),
    low: min(sorted),
    high: max(sorted),
    count: sorted.length,
    interval: medianInterval(sorted),
  };
}

/**
 * Whether a value is at most what it should be, as far as the runs can tell.
 * @param {Spread | null} spread
 * @param {number} most
 * @returns {'met' | 'missed' | 'undecided' | 'not measured'}
 */
function verdictOf(spread, most) {
  if (!spread) return 'not measured';
  if (!spread.interval) return 'undecided';
  const [from, to] = spread.interval;
  if (to <= most) return 'met';
  return from > most ? 'missed' : 'undecided';
}

/**
 * @param {number[]} ratios
 * @returns {string} "1.002 (0.951 to 1.043)": the median, the lowest and the highest
 */
function shownRatios(ratios) {
  return `${median(ratios).toFixed(3)} (${min(ratios).toFixed(3)} to ${max(ratios).toFixed(3)})`;
}

module.exports = { medianInterval, shownRatios, spreadOf, verdictOf };
