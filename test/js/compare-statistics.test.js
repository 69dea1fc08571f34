'use strict';
// What compare concludes, on machines whose noise is known: thousands of comparisons in seconds, each
// with the loop, the looks and the intervals of the real one. Seeded: the same in every run.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { estimate, ranksOutside } = require('../../lib/compare/interval.js');
const { isHopeless, judge } = require('../../lib/compare/decide.js');
const { timeRuns } = require('../../lib/compare/measure.js');
const {
  DOUBT,
  LOOKS,
  doubtLeft,
  looksFor,
  orderOfRuns,
  reachablePairs,
} = require('../../lib/compare/plan.js');
const { driftOf, outliersOf } = require('../../lib/compare/summary.js');
const { MACHINES, fakeRuns, normal } = require('./compare-support.js');
const { seeded } = require('./helpers/random.js');

const TRIES = process.env.PROF_LONG ? 2000 : 150;
const MARGIN = 0.02;

/**
 * @param {string} machine
 * @param {number} ratio
 * @param {{ runs?: number | 'auto', tries?: number, runMs?: number }} [options] runMs: what a run takes
 */
async function compareOften(machine, ratio, options = {}) {
  const { runs = 'auto', tries = TRIES, runMs = 3000 } = options;
  const random = seeded(1 + machine.length * 1000 + Math.round(ratio * 100));
  /** @type {Record<string, number>} */
  const findings = { faster: 0, slower: 0, 'no-difference': 0, unclear: 0 };
  let [covered, pairs] = [0, 0];
  for (let i = 0; i < tries; i++) {
    const run = fakeRuns(MACHINES[machine](random), ratio);
    let now = 0;
    const { judgements } = await timeRuns(
      { looks: looksFor(runs), warmup: 0, margin: MARGIN, metric: 'wall' },
      {
        run: (side) => {
          now += runMs;
          return run(side);
        },
        random,
        now: () => now,
      },
    );
    const last = judgements[judgements.length - 1];
    findings[last.finding]++;
    pairs += last.pairs;
    const [low, high] = last.interval ?? [0, Infinity];
    if (low <= ratio && ratio <= high) covered++;
  }
  if (process.env.PROF_LONG) {
    const share = (/** @type {number} */ n) => (n / tries).toFixed(3);
    const told = Object.entries(findings).map(([finding, n]) => `${finding} ${share(n)}`);
    console.log(
      `${machine} x ${ratio}, ${runMs} ms: ${told.join(', ')}, covered ${share(covered)}, ${(pairs / tries).toFixed(1)} pairs`,
    );
  }
  return { findings, covered: covered / tries, pairs: pairs / tries, tries };
}

test('the rank interval leaves out as many means as the table of the signed rank test says', () => {
  // Hollander, Wolfe and Chicken, table A.4: largest rank sums with a chance of at most 0.025.
  for (const [pairs, sum] of [
    [10, 8],
    [12, 13],
    [15, 25],
    [20, 52],
  ]) {
    assert.equal(ranksOutside(pairs, 0.025), sum + 1, `${pairs} pairs`);
  }
  assert.equal(ranksOutside(10, 1 / 2 ** 10), 1);
  assert.equal(ranksOutside(10, 0.9 / 2 ** 10), 0, 'no interval is that sure with 10 pairs');
});

test('below ten pairs it is the interval of Student', () => {
  const { centre, low, high } = estimate([1, 2, 3, 4], 0.05);
  assert.equal(centre, 2.5);
  // t(0.975, 3) = 3.1824, s = 1.2910: half the width is 2.0543.
  assert.ok(Math.abs(high - centre - 2.0543) < 1e-3, `${high}`);
  assert.ok(Math.abs(centre - low - 2.0543) < 1e-3, `${low}`);
  const one = estimate([0.5], 0.05);
  assert.deepEqual([one.centre, one.low, one.high], [0.5, -Infinity, Infinity]);
});

test('a run that took ten times as long hardly moves the interval', () => {
  const random = seeded(7);
  const values = Array.from({ length: 20 }, () => 0.03 + 0.01 * normal(random));
  const calm = estimate(values, 0.05);
  const shaken = estimate([...values.slice(1), Math.log(10)], 0.05);
  assert.ok(Math.abs(shaken.centre - calm.centre) < 0.004);
  assert.ok(shaken.high - shaken.low < 1.5 * (calm.high - calm.low));
});

test('doubts of all looks together are the promised one', () => {
  const sum = LOOKS.reduce((all, { doubt }) => all + doubt, 0);
  assert.ok(Math.abs(sum - DOUBT) < 1e-12, `${sum}`);
  assert.deepEqual(looksFor(7), [{ pairs: 7, doubt: DOUBT }]);
});

test('runs come in blocks ABBA and BAAB, each about half of the time', () => {
  const order = orderOfRuns(seeded(3));
  const blocks = Array.from({ length: 200 }, () =>
    Array.from({ length: 4 }, () => (order.next().value === 'base' ? 'A' : 'B')).join(''),
  );
  const first = blocks.filter((block) => block === 'ABBA').length;
  assert.equal(first + blocks.filter((block) => block === 'BAAB').length, 200);
  assert.ok(first > 70 && first < 130, `${first}`);
});

for (const machine of ['quiet', 'usual', 'drifting']) {
  test(`two equal sides are no difference on a ${machine} machine`, async () => {
    const { findings, covered, tries } = await compareOften(machine, 1);
    assert.ok(findings['no-difference'] >= 0.93 * tries, JSON.stringify(findings));
    assert.ok(covered >= 0.93, `${covered}`);
  });

  test(`3 % slower is found on a ${machine} machine, with an interval that holds it`, async () => {
    const { findings, covered, tries } = await compareOften(machine, 1.03);
    assert.ok(findings.slower >= 0.95 * tries, JSON.stringify(findings));
    assert.ok(covered >= 0.95, `${covered}`);
  });
}

for (const machine of ['noisy', 'disturbed', 'bursts']) {
  test(`nobody is accused on a ${machine} machine: equal sides are hardly ever told apart`, async () => {
    const { findings, covered, tries } = await compareOften(machine, 1);
    assert.ok(findings.faster + findings.slower <= 0.07 * tries, JSON.stringify(findings));
    assert.ok(covered >= 0.93, `${covered}`);
  });

  test(`3 % is never taken for the other sign on a ${machine} machine`, async () => {
    const { findings, covered, tries } = await compareOften(machine, 1.03);
    assert.ok(
      findings.faster + findings['no-difference'] <= 0.03 * tries,
      JSON.stringify(findings),
    );
    assert.ok(covered >= 0.94, `${covered}`);
  });
}

test('short builds on a noisy machine are repeated until it is decided', async () => {
  const often = { runMs: 300, tries: TRIES / 5 };
  const equal = await compareOften('noisy', 1, often);
  const slower = await compareOften('noisy', 1.03, often);
  assert.ok(equal.findings['no-difference'] >= 0.85 * equal.tries, JSON.stringify(equal));
  assert.ok(slower.findings.slower >= 0.95 * slower.tries, JSON.stringify(slower));
  assert.ok(equal.covered >= 0.9 && slower.covered >= 0.9, `${equal.covered} ${slower.covered}`);
});

test('how many pairs there can be follows from the time that they take', () => {
  const looks = looksFor('auto');
  const at = (/** @type {number} */ pairMs, /** @type {number | undefined} */ mostMs = undefined) =>
    reachablePairs(looks, { pairs: 24, elapsedMs: 24 * pairMs, mostMs });
  assert.equal(at(6000), 54, 'a build of any length');
  assert.equal(at(1000), 300);
  assert.equal(at(100), 400);
  assert.equal(at(6000, 600_000), 100, 'a limit of the user holds instead');
  assert.equal(at(6000, 60_000), 24);
  assert.equal(reachablePairs(looksFor(7), { pairs: 7, elapsedMs: 1 }), 7);
});

test('a fixed number of runs: the interval of 95 % holds the truth as often as it says', async () => {
  for (const runs of [4, 12]) {
    for (const machine of ['usual', 'disturbed']) {
      const { covered } = await compareOften(machine, 1.1, { runs, tries: 4 * TRIES });
      assert.ok(covered >= 0.92, `${runs} runs, ${machine}: ${covered}`);
    }
  }
});

test('what is obvious is decided at once, what is small takes longer', async () => {
  const often = { tries: 40 };
  const [large, small] = [
    await compareOften('quiet', 1.5, often),
    await compareOften('quiet', 1.03, often),
  ];
  assert.equal(large.findings.slower, 40);
  assert.ok(large.pairs < 5, `${large.pairs}`);
  assert.ok(small.pairs > large.pairs);
});

test('a machine on which no number of runs would decide is given up early', async () => {
  const random = seeded(11);
  /** @type {string[]} */
  const stops = [];
  for (let i = 0; i < 40; i++) {
    let now = 0;
    const { stopped, runs } = await timeRuns(
      { looks: looksFor('auto'), warmup: 0, margin: MARGIN, metric: 'wall' },
      { run: fakeRuns(() => 0.5 * normal(random), 1), random, now: () => (now += 3000) },
    );
    stops.push(stopped);
    if (stopped === 'hopeless') assert.ok(runs.length < 2 * 54, `${runs.length}`);
  }
  assert.ok(stops.filter((stop) => stop === 'hopeless').length >= 20, stops.join());
  const rule = { margin: MARGIN, lastPairs: 54, lastDoubt: 0.03 };
  const judged = judge(
    Array.from({ length: 30 }, () => 0.4 + 0.1 * normal(random)),
    {
      doubt: 0.01,
      margin: MARGIN,
    },
  );
  assert.equal(isHopeless(judged, rule), false, 'a large difference is worth more runs');
});

test('when the time is up it says what it knows, with the doubt that is left', async () => {
  let now = 0;
  const random = seeded(5);
  const { stopped, runs, judgements } = await timeRuns(
    { looks: looksFor('auto'), warmup: 0, margin: MARGIN, metric: 'wall', mostMs: 8000 },
    {
      run: async (side) => {
        now += 1000;
        return fakeRuns(MACHINES.noisy(random), 1)(side);
      },
      random,
      now: () => now,
    },
  );
  assert.equal(stopped, 'time');
  assert.equal(runs.length, 8);
  assert.equal(judgements.at(-1)?.pairs, 4);
  const [first, last] = judgements;
  assert.equal(first.confidence, 1 - LOOKS[0].doubt);
  assert.ok(Math.abs(last.confidence - (1 - DOUBT + LOOKS[0].doubt)) < 1e-9, `${last.confidence}`);
  assert.ok(Math.abs(doubtLeft(judgements)) < 1e-9);
});

test('a run that fails or is stopped ends the loop, and what was measured stays', async () => {
  const plan = {
    looks: looksFor('auto'),
    warmup: 1,
    margin: MARGIN,
    metric: /** @type {const} */ ('wall'),
  };
  for (const failure of [null, new Error('exit code 1')]) {
    let made = 0;
    const { stopped, runs, ...rest } = await timeRuns(plan, {
      run: async (side) => {
        if (++made <= 5) return fakeRuns(() => 0, 1)(side);
        if (failure) throw failure;
        return null;
      },
      random: seeded(1),
    });
    assert.equal(stopped, failure ? 'failed' : 'aborted');
    assert.equal(runs.length, 3, 'two of five were for warming up');
    assert.equal(rest.failure, failure ?? undefined);
  }
});

test('outliers and drift are seen, and not where there are none', async () => {
  const random = seeded(9);
  const runsOf = async (/** @type {() => number} */ noise) =>
    (
      await timeRuns(
        { looks: looksFor(30), warmup: 0, margin: MARGIN, metric: 'wall' },
        { run: fakeRuns(noise, 1.2), random, now: () => 0 },
      )
    ).runs;
  const calm = await runsOf(() => 0.01 * normal(random));
  assert.equal(driftOf(calm), null);
  assert.ok(outliersOf(calm).length <= 1);
  const drift = driftOf(await runsOf(MACHINES.drifting(random)));
  assert.ok(drift !== null && drift > 0.2 && drift < 0.5, `${drift}`);
  let made = 0;
  const shaken = await runsOf(() => (made++ === 17 ? Math.log(3) : 0.01 * normal(random)));
  const outlier = outliersOf(shaken).find(({ order }) => order === 17);
  assert.ok(outlier && outlier.ratio > 2.7 && outlier.ratio < 3.3, JSON.stringify(outlier));
});
