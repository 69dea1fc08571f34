'use strict';
// diff: what is a change and what is chance, and whose names are the same in another build.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { encodeDiff } = require('../../lib/html/encode-diff.js');
const { inflate, readReport } = require('../../lib/html/view/unpack.js');
const { diff } = require('../../lib/profile/diff.js');
const { symbolKey } = require('../../lib/profile/matching.js');
const { buildProfile } = require('./helpers/raw-profile.js');

/** @param {number} seed @returns {() => number} 0 to 1, Park and Miller's generator */
function random(seed) {
  let state = (seed * 7919 + 12345) % 2147483647;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  for (let i = 0; i < 10; i++) next();
  return next;
}

/** Few large functions and many small ones, as builds have. */
const SHARES = Array.from({ length: 60 }, (_, i) => 1 / (i + 1));

/** @param {number} seed @param {number} samples @param {number[]} [shares] */
function sampled(seed, samples, shares = SHARES) {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const next = random(seed);
  return buildProfile(
    Array.from({ length: samples }, () => {
      let left = next() * whole;
      const at = shares.findIndex((share) => (left -= share) < 0);
      return { stack: `main;f${Math.max(0, at)}` };
    }),
  );
}

/** @param {Record<string, number>} counts @param {Parameters<typeof buildProfile>[1]} [more] */
const counted = (counts, more) =>
  buildProfile(
    Object.entries(counts).flatMap(([stack, count]) =>
      Array.from({ length: count }, () => ({ stack })),
    ),
    more,
  );

test('a known change is found, ranked first, and its interval holds it', () => {
  const shares = SHARES.map((share, i) => (i === 7 ? share * 2 : share));
  const { rows, significant } = diff(sampled(1, 6000), sampled(2, 6000, shares));
  assert.equal(rows[0].key, 'f7');
  assert.equal(rows[0].isSignificant, true);
  assert.equal(rows[0].status, 'both');
  assert.ok(significant >= 1 && significant <= 2, String(significant));
  const sum = (/** @type {number[]} */ all) => all.reduce((a, b) => a + b, 0);
  const truth = shares[7] / sum(shares) - SHARES[7] / sum(SHARES);
  const [low, high] = rows[0].selfInterval;
  assert.ok(low < truth && truth < high, `${low} ${truth} ${high}`);
  assert.ok(low < rows[0].selfDelta && rows[0].selfDelta < high);
});

test('two recordings of the same: in 19 of 20 tries nothing is more than noise', (t) => {
  const tries = process.env.PROF_LONG === '1' ? 1000 : 100;
  for (const normalize of /** @type {const} */ (['share', 'time'])) {
    let [alarms, tried] = [0, 0];
    for (let i = 0; i < tries; i++) {
      // As time only runs of the same length are the same.
      const samples = normalize === 'share' && i % 2 === 0 ? 2000 : 1500;
      const [a, b] = [sampled(2 * i + 10, 1500), sampled(2 * i + 11, samples)];
      tried++;
      if (diff(a, b, { normalize }).significant > 0) alarms++;
    }
    if (process.env.PROF_LONG === '1') t.diagnostic(`${normalize}: ${alarms} of ${tried}`);
    assert.ok(alarms <= tried / 20, `${alarms} of ${tried}, ${normalize}`);
  }
});

test('heavier samples are more of the share and no more certain', () => {
  const build = (/** @type {number} */ heavy) =>
    buildProfile([
      ...Array.from({ length: 2000 }, () => ({ stack: 'a', weight: 1 })),
      ...Array.from({ length: heavy }, () => ({ stack: 'b', weight: 1000 })),
    ]);
  const found = diff(build(4), build(8));
  assert.ok(found.rows[0].selfDelta > 0.1);
  assert.equal(found.significant, 0);
});

test('what has no sample on one side is new or vanished', () => {
  const { rows } = diff(counted({ a: 500, old: 100 }), counted({ a: 500, fresh: 120 }));
  assert.deepEqual(
    rows.map(({ key, status, isSignificant }) => [key, status, isSignificant]),
    [
      ['fresh', 'new', true],
      ['old', 'vanished', true],
      ['a', 'both', false],
    ],
  );
});

test('a small change that counts comes before a large one that does not', () => {
  const { rows } = diff(counted({ a: 1000, b: 1000 }), counted({ a: 1040, b: 960, c: 25 }));
  assert.deepEqual(
    rows.map(({ key, isSignificant }) => [key, isSignificant]),
    [
      ['c', true],
      ['b', false],
      ['a', false],
    ],
  );
});

test('names of another build are matched; the newer one shows', () => {
  const pairs = [
    ['a::run::{closure#3}::h0123456789abcdef', 'a::run::{closure#5}::hfedcba9876543210'],
    ['b::{{closure}}::h0123456789abcdef', 'b::{{closure}}::h1123456789abcdef'],
    ['c.llvm.123456789', 'c.llvm.987654321'],
    ['d.part.0', 'd.part.1'],
    ['e /app/x.js:10:3', 'e /app/x.js:14:3'],
  ];
  const side = (/** @type {number} */ at) =>
    counted(Object.fromEntries(pairs.map((pair) => [pair[at], 100])));
  const { rows } = diff(side(0), side(1));
  assert.equal(rows.length, pairs.length);
  assert.ok(rows.every(({ status, selfDelta }) => status === 'both' && selfDelta === 0));
  assert.deepEqual(rows.map(({ symbol }) => symbol).sort(), pairs.map(([, name]) => name).sort());
  assert.equal(symbolKey('b::{{closure}}'), symbolKey('b::{closure#1}'));
  assert.equal(symbolKey('x.cold.llvm.12'), 'x');
  assert.equal(symbolKey('Vec<u8>::h'), 'Vec<u8>::h');
});

test('of one build each closure stays itself, and so does a line that both have', () => {
  const names = ['a::{closure#0}', 'a::{closure#1}', 'f /x.js:1:1', 'f /x.js:9:1'];
  const object = 'rspack.linux-x64-gnu.node';
  const funcs = { [names[0]]: { object }, [names[1]]: { object } };
  const build = (/** @type {number[]} */ counts) =>
    counted(Object.fromEntries(names.map((name, i) => [name, counts[i]])), { funcs });
  const base = build([100, 300, 100, 300]);
  const found = diff(base, build([300, 100, 300, 100]));
  assert.deepEqual(found.rows.map(({ key }) => key).sort(), names);
  assert.equal(found.significant, 4);
  // Another build id: numbers say nothing, the closures are one.
  const other = build([300, 100, 300, 100]);
  other.raw.strings[other.raw.modules.buildId[0]] = 'another';
  const [closure] = diff(base, other).rows.filter(({ key }) => key.startsWith('a::'));
  assert.deepEqual([closure.key, closure.selfDelta], ['a::{closure}', 0]);
});

test('a poor pair is told by what is other', () => {
  const few = counted({ a: 50 }, { quality: { lost: 10 } });
  const meta = { event: 'cpu-clock:u', unit: 'ns', frequency: 99, hasKernel: false };
  const other = counted({ a: 2000 }, { meta: { ...meta, callGraph: 'none' } });
  other.meta.binding = '/x/@rspack-debug/binding-linux-x64-gnu/rspack.linux-x64-gnu.node';
  assert.deepEqual(
    diff(few, other).warnings.map(({ code }) => code.slice(5)),
    ['unit', 'event', 'frequency', 'binding', 'call-graph', 'kernel', 'few-base', 'lost-base'],
  );
  assert.deepEqual(diff(other, other).warnings, []);
});

test('what cannot be compared is refused in one line', () => {
  const full = counted({ a: 50 });
  const ns = counted({ a: 50 }, { meta: { unit: 'ns', pid: 1 } });
  assert.throws(() => diff(full, buildProfile([])), /the candidate has no samples/);
  assert.throws(() => diff(buildProfile([]), full), /the base has no samples/);
  assert.throws(() => diff(full, ns, { normalize: 'time' }), /cycles and ns cannot be/);
  assert.throws(() => diff(full, ns, { by: 'thread' }), /take 'comm' or 'pool'/);
  assert.throws(() => diff(full, ns, /** @type {any} */ ({ normalize: 'x' })), /'share' or 'time'/);
});

test('as time a longer run is a change, as share it is none; every key has rows', () => {
  const [base, longer] = [counted({ a: 1000, b: 1000 }), counted({ a: 2000, b: 2000 })];
  assert.equal(diff(base, longer).significant, 0);
  const time = diff(base, longer, { normalize: 'time' });
  assert.equal(time.significant, 2);
  assert.equal(time.rows[0].selfDelta, 1000e6);
  const [low, high] = time.rows[0].selfInterval;
  assert.ok(Math.abs((high - low) / 2 / (1.96 * Math.sqrt(3000) * 1e6) - 1) < 1e-9);
  for (const by of ['crate', 'phase', 'object', 'category', 'kind', 'pool', 'phase,crate']) {
    assert.ok(diff(base, longer, { by }).rows.length > 0, by);
  }
});

test('the page of the difference tells noise by the same rule', async () => {
  const [base, candidate] = [sampled(3, 3000), sampled(4, 3000)];
  const packed = encodeDiff(/** @type {any} */ (base), /** @type {any} */ (candidate));
  const report = /** @type {any} */ (readReport(await inflate(packed)));
  assert.equal(report.leastErrors, diff(base, candidate, { sort: 'total' }).leastErrors);
  assert.ok(report.leastErrors > 3);
  assert.deepEqual(report.effective, [3000, 3000]);
});
