'use strict';
// The sums behind the page of a difference: what each box and each function has in both profiles, and
// whether the change is more than noise.

const { isShareChange, isWeightChange } = require('../../noise.js');
const { groupSums, totalsOf } = require('./tree.js');

/** @typedef {{norm: 'share' | 'time', by: 'self' | 'total'}} How */
/** @typedef {{self: Float64Array, total: Float64Array, selfCount: Float64Array,
 *    totalCount: Float64Array, whole: number, samples: number, leastErrors: number}} SideSums */
/** @typedef {{base: number, candidate: number, change: number, isNoise: boolean}} Change */

/**
 * @param {import('./types').DiffReport} report
 * @returns {SideSums[]} base and candidate, by node
 */
function nodeSums({ nodes, sides, leastErrors, effective }) {
  return sides.map(({ weight, count }, i) => {
    const total = totalsOf(nodes, weight);
    const totalCount = totalsOf(nodes, count);
    const sums = { self: weight, total, selfCount: count, totalCount };
    return { ...sums, whole: total[0], samples: effective[i], leastErrors };
  });
}

/**
 * @param {import('./types').DiffReport} report
 * @param {SideSums[]} sums of nodeSums()
 * @param {ArrayLike<number>} groupOf by node
 * @param {number} groups
 * @returns {SideSums[]} by group
 */
function sumsByGroup({ nodes }, sums, groupOf, groups) {
  return sums.map(({ self, total, selfCount, totalCount, whole, samples, leastErrors }) => {
    const weights = groupSums(nodes, groupOf, groups, { self, total, count: selfCount });
    const counts = groupSums(nodes, groupOf, groups, {
      self: selfCount,
      total: totalCount,
      count: selfCount,
    });
    return {
      ...{ self: weights.self, total: weights.total, whole, samples, leastErrors },
      ...{ selfCount: counts.self, totalCount: counts.total },
    };
  });
}

/**
 * @param {SideSums[]} sums base and candidate
 * @param {number} row a node or a group
 * @param {How} how
 * @returns {Change} shares, or weights
 */
function changeOf([base, candidate], row, { norm, by }) {
  const value = (/** @type {SideSums} */ side) => {
    const weight = side[by][row];
    if (norm === 'time') return weight;
    return side.whole > 0 ? weight / side.whole : 0;
  };
  const counted = (/** @type {SideSums} */ side) => ({
    // As in lib/profile/diff.js: a heavy sample is more of the share, and no more certain.
    samples: side.whole > 0 ? (side[by][row] / side.whole) * side.samples : 0,
    all: side.samples,
    perSample: side.samples > 0 ? side.whole / side.samples : 0,
  });
  const test = norm === 'time' ? isWeightChange : isShareChange;
  const [was, is] = [value(base), value(candidate)];
  const isNoise = !test(counted(base), counted(candidate), base.leastErrors);
  return { base: was, candidate: is, change: is - was, isNoise };
}

/**
 * The largest change that is none of noise: the full colour.
 * @param {SideSums[]} sums
 * @param {number} rows
 * @param {How} how
 */
function largestChange(sums, rows, how) {
  let most = 0;
  // Node 0 is everything: as a share it cannot change, as time it would drown all others.
  for (let row = 1; row < rows; row++) {
    const { change, isNoise } = changeOf(sums, row, how);
    if (!isNoise && Math.abs(change) > most) most = Math.abs(change);
  }
  return most;
}

module.exports = { changeOf, largestChange, nodeSums, sumsByGroup };
