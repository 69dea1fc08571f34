'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  counterSide,
  growthInterval,
  limitSide,
  shareInterval,
  sideOf,
} = require('../../lib/assert/intervals.js');
const { DOUBT, counted } = require('./helpers/counted.js');
const { seeded } = require('./helpers/random.js');

/** @param {number} value @param {number} wanted @param {number} [digits] */
const near = (value, wanted, digits = 6) =>
  assert.ok(Math.abs(value - wanted) < 10 ** -digits, `${value} is not ${wanted}`);

test('the interval of one run is the exact binomial one', () => {
  // binom.test(30, 100)$conf.int of R
  const { value, low, high } = shareInterval(counted(30, 100), DOUBT);
  assert.equal(value, 0.3);
  near(low, 0.2124064);
  near(high, 0.3998147);
});

test('none and all of the samples are no certainty', () => {
  const none = shareInterval(counted(0, 3000), DOUBT);
  assert.equal(none.low, 0);
  near(none.high, 1 - 0.025 ** (1 / 3000), 9);
  const all = shareInterval(counted(50, 50), DOUBT);
  assert.equal(all.high, 1);
  near(all.low, 0.025 ** (1 / 50), 9);
});

test('no samples tell nothing', () => {
  const { low, high } = shareInterval(counted(0, 0, [0]), DOUBT);
  assert.deepEqual([low, high], [0, 1]);
});

test('runs that differ more than their samples do widen the interval, as Student says', () => {
  const shares = [0.25, 0.3, 0.35];
  const { low, high } = shareInterval(counted(9000, 30000, shares), DOUBT);
  // t(0.975, 2) = 4.302653, the deviation is 0.05
  near(high - 0.3, (4.302653 * 0.05) / Math.sqrt(3), 5);
  near(0.3 - low, (4.302653 * 0.05) / Math.sqrt(3), 5);
});

test('runs that agree by chance do not narrow what the samples can tell', () => {
  const one = shareInterval(counted(300, 1000), DOUBT);
  const { low, high } = shareInterval(counted(300, 1000, [0.3, 0.3, 0.3, 0.3]), DOUBT);
  near(low, one.low);
  near(high, one.high);
});

test('the true share is inside as often as promised, whether runs differ or not', () => {
  const random = seeded(7);
  const truth = 0.2;
  const samples = 400;
  for (const runs of [1, 2, 3, 5]) {
    // Of one run nobody knows how runs differ: there the truth is that run's.
    for (const swing of runs === 1 ? [0] : [0, 0.05]) {
      let inside = 0;
      const tries = 600;
      for (let i = 0; i < tries; i++) {
        const shares = Array.from({ length: runs }, () => {
          // A sum of twelve: normal enough.
          let normal = -6;
          for (let j = 0; j < 12; j++) normal += random();
          const own = truth + swing * normal;
          let matching = 0;
          for (let j = 0; j < samples; j++) if (random() < own) matching++;
          return matching / samples;
        });
        const matching = shares.reduce((sum, share) => sum + share * samples, 0);
        const { low, high } = shareInterval(counted(matching, runs * samples, shares), DOUBT);
        if (low <= truth && truth <= high) inside++;
      }
      assert.ok(inside / tries >= 0.93, `${runs} runs, swing ${swing}: ${inside} of ${tries}`);
    }
  }
});

test('a growth is judged by the samples of both sides', () => {
  const { value, low, high } = growthInterval(
    sideOf(counted(200, 2000)),
    sideOf(counted(300, 2000)),
    DOUBT,
  );
  near(value, 0.05);
  // Agresti and Caffo: 201/2002 and 301/2002, 1.959964 standard errors
  const half = 1.959964 * Math.sqrt((0.1004 * 0.8996 + 0.15035 * 0.84965) / 2002);
  near(high - value, half, 4);
  near(value - low, half, 4);
});

test('a growth is judged by the runs where these differ more', () => {
  const base = sideOf(counted(200, 2000, [0.05, 0.15]));
  const few = growthInterval(base, sideOf(counted(300, 2000, [0.1, 0.2])), DOUBT);
  // Welch with equal variances: two degrees of freedom, t = 4.302653
  near(few.high - few.value, 4.302653 * Math.sqrt(0.0025 + 0.0025), 4);
});

test('a counter against a baseline is Welch, against a number Student, of one run unknown', () => {
  const now = counterSide([100, 102, 104]);
  const { value, low } = growthInterval(counterSide([94.5, 96.6, 98.7]), now, DOUBT);
  near(value, 102 - 96.6);
  // Variances 4 / 3 and 4.41 / 3: 3.99 degrees of freedom, t = 2.777 or so.
  near(value - low, 2.778 * Math.sqrt(4 / 3 + 4.41 / 3), 2);
  const limit = growthInterval(limitSide(95), now, DOUBT);
  near(limit.value - limit.low, (4.302653 * 2) / Math.sqrt(3), 4);
  assert.equal(growthInterval(counterSide([90, 91]), counterSide([100]), DOUBT).low, -Infinity);
  assert.equal(growthInterval(counterSide([90]), counterSide([100, 101]), DOUBT).high, Infinity);
});
