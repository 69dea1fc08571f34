'use strict';
// Random numbers that are the same in each run of a test: those of the workloads.

const { Random } = require('../../../bench/workloads/random.js');

/** Integers from 0 to below what is asked for. @param {number} seed */
function randoms(seed) {
  const random = new Random(seed);
  return (/** @type {number} */ below) => random.below(below);
}

/** Numbers from 0 to below 1. @param {number} seed */
function seeded(seed) {
  const random = new Random(seed);
  return () => random.below(2 ** 32) / 2 ** 32;
}

module.exports = { randoms, seeded };
