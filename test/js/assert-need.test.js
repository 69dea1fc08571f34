'use strict';
// What would decide where the samples cannot: whether whoever follows the advice gets an answer.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  counterSide,
  growthInterval,
  limitSide,
  shareInterval,
  sideOf,
} = require('../../lib/assert/intervals.js');
const { needForAll, needForDifference, needForShare } = require('../../lib/assert/need.js');
const { normal } = require('./compare-support.js');
const { DOUBT, counted } = require('./helpers/counted.js');
const { seeded } = require('./helpers/random.js');

/** @typedef {import('../../lib/assert/intervals').Counted} Counted */

const TRIES = process.env.PROF_LONG ? 2000 : 150;

test('more samples of one run: as many as decide in four of five cases', () => {
  const { samples, runs, baseline } = needForShare(counted(320, 1000), 0.3, DOUBT) ?? {};
  // (1.96 + 0.84)^2 0.32 0.68 / 0.02^2 = 4269
  assert.ok(Number(samples) > 3200 && Number(samples) < 3500, `${samples}`);
  assert.equal(runs, Math.ceil(Number(samples) / 1000));
  assert.equal(baseline, 0);
});

test('none of the samples stays none: then there is no luck in it', () => {
  const { samples } = needForShare(counted(0, 100), 0.001, DOUBT) ?? {};
  // 1 - 0.025^(1/n) = 0.001
  assert.ok(Number(samples) >= 3586 && Number(samples) < 3640, `${samples}`);
});

test('what lies on the limit is decided by nothing', () => {
  assert.equal(needForShare(counted(300, 1000), 0.3, DOUBT), null);
  assert.equal(needForShare(counted(300_000_001, 1e9), 0.3, DOUBT), null);
  const side = counterSide([99, 100, 101]);
  assert.equal(needForDifference(limitSide(100), side, 0, { doubt: DOUBT }), null);
  assert.equal(needForDifference(limitSide(100.001), side, 0.001, { doubt: DOUBT }), null);
});

test('runs that differ: how many more, and that a higher frequency would not do', () => {
  const shares = [0.25, 0.3, 0.35];
  const { runs, samples } = needForShare(counted(9000, 30_000, shares), 0.34, DOUBT) ?? {};
  // t(0.975, 15) + 0.84 = 2.97 of 0.05 / sqrt(16) = 0.0125 is 0.037; with 13 runs 0.042
  assert.ok(Number(runs) >= 10 && Number(runs) <= 13, `${runs}`);
  assert.equal(samples, 0);
});

test('a baseline that is too uncertain itself must be recorded again', () => {
  const need = (/** @type {number[]} */ base) =>
    needForDifference(counterSide(base), counterSide([100, 104, 96]), 3, { doubt: DOUBT });
  assert.equal(need([95, 96, 97, 98, 99])?.baseline, 0);
  const both = need([85, 97, 109]);
  assert.ok(both && both.baseline > 100, JSON.stringify(both));
});

test('of several questions the one that asks for most is told', () => {
  const [few, many] = [5, 40].map((runs) => ({ runs, samples: 0, baseline: 0 }));
  assert.deepEqual(needForAll([few, many]), many);
  assert.deepEqual(needForAll([many, { ...few, baseline: 60 }]), { ...many, baseline: 60 });
  assert.equal(needForAll([few, null]), null);
});

/**
 * How often an answer came after the advice was followed, of those that got any.
 * @template T
 * @param {string} what
 * @param {object} play
 * @param {(runs: number) => T} play.measure
 * @param {(base: T, now: T) => {isDecided: boolean, need: import('../../lib/assert/need').Need | null}} play.ask
 * @param {[base: number, now: number]} play.runs
 */
function followed(what, { measure, ask, runs: [baseRuns, ownRuns] }) {
  let [advised, decided, hopeless] = [0, 0, 0];
  for (let i = 0; i < TRIES; i++) {
    const base = measure(baseRuns);
    const { isDecided, need } = ask(base, measure(ownRuns));
    if (isDecided) continue;
    if (need === null) {
      hopeless++;
      continue;
    }
    advised++;
    const again = need.baseline > 0 ? measure(need.baseline) : base;
    if (ask(again, measure(Math.max(need.baseline, ownRuns + need.runs))).isDecided) decided++;
  }
  const share = decided / advised;
  if (process.env.PROF_LONG) {
    console.log(
      `${what}: ${decided} of ${advised} decided (${share.toFixed(2)}), ${hopeless} hopeless`,
    );
  }
  assert.ok(advised >= TRIES / 10, `${what}: ${advised}`);
  return share;
}

/** @param {number} low @param {number} high @param {number} limit */
const isOutside = (low, high, limit) => low > limit || high < limit;

for (const ownRuns of [1, 3, 5]) {
  test(`a share of ${ownRuns} runs: whoever follows the advice mostly gets an answer`, () => {
    const random = seeded(ownRuns);
    const [samples, truth, limit] = [1000, 0.3, 0.32];
    // Of one run nobody knows how runs differ: there they do not.
    const swing = ownRuns === 1 ? 0 : 0.02;
    const measure = (/** @type {number} */ runs) => {
      const shares = Array.from({ length: runs }, () => {
        const own = truth + swing * normal(random);
        return own + Math.sqrt((own * (1 - own)) / samples) * normal(random);
      });
      const sum = shares.reduce((all, share) => all + share, 0);
      return counted(sum * samples, runs * samples, shares);
    };
    const ask = (/** @type {Counted} */ _, /** @type {Counted} */ now) => {
      const { low, high } = shareInterval(now, DOUBT);
      return { isDecided: isOutside(low, high, limit), need: needForShare(now, limit, DOUBT) };
    };
    const share = followed(`share, ${ownRuns} runs`, { measure, ask, runs: [1, ownRuns] });
    assert.ok(share >= 0.6, `${share}`);
  });

  if (ownRuns === 1) continue;
  for (const baseRuns of [3, 10]) {
    test(`${ownRuns} runs against a baseline of ${baseRuns}: the same`, () => {
      const random = seeded(100 * ownRuns + baseRuns);
      const measure = (/** @type {number} */ runs) =>
        Array.from({ length: runs }, () => 5 * normal(random));
      const ask = (/** @type {number[]} */ base, /** @type {number[]} */ own) => {
        const most = counterSide(base.map((value) => (100 + value) * 1.1));
        const now = counterSide(own.map((value) => 105 + value));
        const { value, low, high } = growthInterval(most, now, DOUBT);
        const need = needForDifference(most, now, Math.abs(value), { doubt: DOUBT });
        return { isDecided: isOutside(low, high, 0), need };
      };
      const runs = /** @type {[number, number]} */ ([baseRuns, ownRuns]);
      const share = followed(`counter, ${ownRuns} against ${baseRuns}`, { measure, ask, runs });
      assert.ok(share >= 0.6, `${share}`);
    });
  }
}

test('growth of one run against one: the same', () => {
  const random = seeded(9);
  const measure = (/** @type {number} */ runs) => runs;
  const draw = (/** @type {number} */ runs, /** @type {number} */ truth) => {
    const all = 1000 * runs;
    const share = truth + Math.sqrt((truth * (1 - truth)) / all) * normal(random);
    // Runs that do not differ: as one of so many samples.
    return sideOf(counted(share * all, all));
  };
  const ask = (/** @type {number} */ base, /** @type {number} */ own) => {
    const [a, b] = [draw(base, 0.2), draw(own, 0.22)];
    const { value, low, high } = growthInterval(a, b, DOUBT);
    const need = needForDifference(a, b, Math.abs(value - 0.05), { doubt: DOUBT, all: 1000 });
    return { isDecided: isOutside(low, high, 0.05), need };
  };
  const share = followed('growth', { measure, ask, runs: [1, 1] });
  assert.ok(share >= 0.6, `${share}`);
});
