'use strict';
// What tests of intervals and of what would decide share.

/** The usual one: an interval holds the truth in 95 of 100 cases. */
const DOUBT = 0.05;

/**
 * Samples of runs, of which some match.
 * @param {number} matching
 * @param {number} all
 * @param {number[]} [shares] by run; one run unless given
 * @returns {import('../../../lib/assert/intervals').Counted}
 */
const counted = (matching, all, shares = [matching / all]) => ({ matching, all, shares });

module.exports = { DOUBT, counted };
