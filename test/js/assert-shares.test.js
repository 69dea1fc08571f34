'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const vm = require('node:vm');
const { check } = require('../../lib/assert/checks.js');
const { buildProfile, profile, unwrapped } = require('./helpers/perf-profile.js');

/** @param {string} name @param {unknown} received @param {unknown[]} args */
const tell = (name, received, ...args) => {
  const caller = { isNot: false, testFile: __filename, env: {}, argv: [], say: () => {} };
  const yes = check(name, received, args, caller);
  const not = check(name, received, args, { ...caller, isNot: true });
  if (yes.isInconclusive) {
    assert.deepEqual([yes.passes, not.passes, not.isInconclusive], [false, false, true]);
    return { ...yes, message: unwrapped(yes.message), is: 'inconclusive', not };
  }
  assert.equal(not.passes, !yes.passes, '.not is the opposite of what was decided');
  const message = unwrapped(yes.message);
  return { ...yes, message, is: yes.passes ? 'passes' : 'fails', not };
};

test('a share that the samples put below the limit passes, above fails, at it neither', () => {
  const some = profile({ visit: 200, rest: 800 });
  assert.equal(tell('toSpendAtMost', some, 0.3, /visit/).is, 'passes');
  assert.equal(tell('toSpendAtMost', some, 0.1, /visit/).is, 'fails');
  assert.equal(tell('toSpendAtMost', some, 0.19, /visit/).is, 'inconclusive');
  assert.equal(tell('toSpendAtMost', some, 0.21, /visit/).is, 'inconclusive');
});

test('the same share of more samples decides', () => {
  const many = profile({ visit: 20_000, rest: 80_000 });
  assert.equal(tell('toSpendAtMost', many, 0.19, /visit/).is, 'fails');
  assert.equal(tell('toSpendAtMost', many, 0.21, /visit/).is, 'passes');
});

test('more confidence wants more samples', () => {
  const some = profile({ visit: 200, rest: 800 });
  assert.equal(tell('toSpendAtMost', some, 0.23, /visit/).is, 'passes');
  assert.equal(tell('toSpendAtMost', some, 0.23, /visit/, { confidence: 0.99 }).is, 'inconclusive');
});

test('runs that differ make inconclusive what their samples together would decide', () => {
  const even = buildProfile([1, 2, 3].map(() => ({ visit: 200, rest: 800 })));
  const uneven = buildProfile([100, 200, 300].map((visit) => ({ visit, rest: 1000 - visit })));
  assert.equal(tell('toSpendAtMost', even, 0.3, /visit/).is, 'passes');
  assert.equal(tell('toSpendAtMost', uneven, 0.3, /visit/).is, 'inconclusive');
  assert.match(
    tell('toSpendAtMost', uneven, 0.3, /visit/).message,
    /3 runs: 10\.00, 20\.00, 30\.00 %/,
  );
});

test('an inconclusive answer has the code and says how many samples would decide', () => {
  const { message } = tell('toSpendAtMost', profile({ visit: 200, rest: 800 }), 0.21, /visit/);
  assert.match(message, /^expect\(profile\)\.toSpendAtMost\(0\.21, \/visit\/\)\n/);
  assert.match(message, /ERR_PROF_INCONCLUSIVE: .* about 1[12],\d{3} more samples would decide/);
  const one = tell('toSpendAtMost', profile({ visit: 200, rest: 800 }), 0.2, /visit/);
  assert.match(one.message, /move the limit/);
});

test('the message has what was expected, what was found, and the table that decided', () => {
  const { message, not } = tell('toSpendAtMost', profile({ parse: 300, rest: 700 }), 0.1, /visit/);
  assert.match(message, /Expected: at most 10\.00 % of the samples in or below \/visit\/\n/);
  assert.match(message, /Found: 30\.00 % \(95 % interval 27\.17 to 32\.95 %\), 300 samples\n/);
  assert.match(message, /SELF% +TOTAL% +SAMPLES .*\n +0\.00 +30\.00 .*swc_core.* visit$/m);
  assert.doesNotMatch(message, /rest/);
  assert.match(not.message, /^expect\(profile\)\.not\.toSpendAtMost.*\n\nExpected: not at most/);
});

test('where nothing matches the table is that of the whole profile', () => {
  const { message, is } = tell('toSpendAtMost', profile({ rest: 9000 }), 0.1, /nothing_of_it/);
  assert.equal(is, 'passes');
  assert.match(message, /100\.00 +100\.00 +9,000 .*rest/);
});

test('total counts a stack once, self only its leaf', () => {
  const some = profile({ parse: 5000, visit: 1000, rest: 4000 });
  assert.equal(tell('toSpendAtMost', some, 0.65, /swc_core/).is, 'passes');
  assert.equal(tell('toSpendAtMost', some, 0.55, /swc_core/).is, 'fails');
  assert.equal(tell('toSpendAtMost', some, 0.15, /visit/, { self: true }).is, 'passes');
  assert.equal(tell('toSpendAtMost', some, 0.15, /visit/).is, 'fails');
});

test('by: crates, kinds, files and threads, and a part of the samples', () => {
  const some = profile({ parse: 5000, transform: 1000, rest: 4000 });
  assert.equal(tell('toSpendAtMost', some, 0.55, /^swc_core$/, { by: 'crate' }).is, 'passes');
  assert.equal(tell('toSpendAtMost', some, 0.45, /^swc_core$/, { by: 'crate' }).is, 'fails');
  assert.equal(tell('toSpendAtMost', some, 0.15, /^js$/, { by: 'kind' }).is, 'passes');
  assert.equal(tell('toSpendAtMost', some, 0.9, 'node', { by: 'comm' }).is, 'fails');
  assert.equal(tell('toSpendAtMost', some, 0.9, /parse/, { through: /visit/ }).is, 'fails');
  assert.equal(
    tell('toSpendAtMost', some, 0.05, /./, { by: 'category', thread: 'node' }).is,
    'fails',
  );
});

test('functions without a name may be what the pattern means: absent is then not known', () => {
  const stripped = profile({ unnamed: 6000, transform: 2000, rest: 2000 });
  const missing = tell('toSpendAtMost', stripped, 0.3, /swc_ecma_minifier/);
  assert.equal(missing.is, 'inconclusive');
  assert.match(missing.message, /another 60\.00 % have functions without a name/);
  // What is found in JavaScript is not in a binding.
  assert.equal(tell('toSpendAtMost', stripped, 0.3, /transform/).is, 'passes');
  assert.equal(tell('toSpendAtMost', stripped, 0.7, /swc_ecma_minifier/).is, 'passes');
  assert.equal(tell('toSpendAtMost', stripped, 0.5, /rspack\.linux.*0x10/).is, 'fails');
  assert.equal(tell('toHaveHotspot', stripped, /swc_ecma_minifier/).is, 'inconclusive');
  assert.equal(
    tell('toSpendAtMost', stripped, 0.3, /^swc_core$/, { by: 'crate' }).is,
    'inconclusive',
  );
});

test('no samples decide nothing', () => {
  const { is, message } = tell('toSpendAtMost', profile({}), 0.5, /x/);
  assert.equal(is, 'inconclusive');
  assert.match(message, /there are no samples to look at/);
});

test('a hotspot is one row: two halves do not make one', () => {
  const halves = profile({ visit: 3000, parse: 3000, rest: 4000 });
  assert.equal(tell('toHaveHotspot', halves, /swc_core/, { atLeast: 0.25 }).is, 'passes');
  assert.equal(tell('toHaveHotspot', halves, /swc_core/, { atLeast: 0.5 }).is, 'fails');
  assert.equal(tell('toHaveHotspot', halves, /swc_core/, { atLeast: 0.3 }).is, 'inconclusive');
  assert.equal(
    tell('toHaveHotspot', halves, /swc_core/, { atLeast: 0.5, by: 'crate' }).is,
    'passes',
  );
  const total = { atLeast: 0.5, self: false };
  assert.equal(tell('toHaveHotspot', halves, /visit/, total).is, 'passes');
  assert.equal(tell('toHaveHotspot', halves, /nothing/).is, 'fails');
});

test('one of many rows must stand out more than a single one', () => {
  const { is } = tell('toHaveHotspot', profile({ visit: 240, rest: 760 }), /visit/, {
    atLeast: 0.21,
  });
  const both = profile({ visit: 240, parse: 240, rest: 520 });
  assert.equal(is, 'passes');
  assert.equal(tell('toHaveHotspot', both, /swc_core/, { atLeast: 0.212 }).is, 'inconclusive');
});

test('one sample proves a call; that there is none takes many', () => {
  const called = profile({ napi: 1, rest: 100 });
  assert.equal(tell('toCallNative', called, /^napi_/).is, 'passes');
  const few = tell('toCallNative', profile({ transform: 100 }), /^napi_/);
  assert.equal(few.is, 'inconclusive');
  assert.match(few.message, /about 3,5\d\d more samples|about 3,[56]\d\d more samples/);
  assert.equal(tell('toCallNative', profile({ transform: 5000 }), /^napi_/).is, 'fails');
  assert.equal(
    tell('toCallNative', profile({ transform: 300 }), /^napi_/, { atLeast: 0.02 }).is,
    'fails',
  );
});

test('native code that JavaScript does not call is not called', () => {
  const apart = profile({ visit: 3000, parse: 3000, transform: 3000 });
  assert.equal(tell('toCallNative', apart, /swc_core/).is, 'fails');
});

test('a pattern of a sandbox, with the flags that remember where they were', () => {
  const foreign = vm.runInNewContext('/visit/g');
  const some = profile({ visit: 5000, parse: 5000 });
  assert.equal(tell('toSpendAtMost', some, 0.9, foreign).is, 'fails');
});

test('what cannot be asked is refused in one line that says what can', () => {
  const some = profile({ rest: 10 });
  const refuses = (
    /** @type {string} */ name,
    /** @type {unknown[]} */ args,
    /** @type {RegExp} */ say,
  ) =>
    assert.throws(
      () => tell(name, some, ...args),
      (/** @type {any} */ error) => {
        assert.equal(error.code, 'ERR_PROF_BAD_OPTION');
        assert.match(error.message, say);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  refuses('toSpendAtMost', [30, /x/], /write 0\.3 for 30 %/);
  refuses('toSpendAtMost', ['0.3', /x/], /must be a share/);
  refuses('toSpendAtMost', [0.3], /a pattern is missing/);
  refuses('toSpendAtMost', [0.3, '('], /no regular expression/);
  refuses('toSpendAtMost', [0.3, /x/, { bye: 'crate' }], /did you mean 'by'/);
  refuses('toSpendAtMost', [0.3, /x/, { by: 'crates' }], /did you mean 'crate'/);
  refuses('toSpendAtMost', [0.3, /x/, { by: 'phase,crate' }], /one key/);
  refuses('toSpendAtMost', [0.3, /x/, { confidence: 95 }], /0\.95/);
  refuses('toSpendAtMost', [0.3, /x/, { self: 'yes' }], /true or false/);
  refuses('toSpendAtMost', [0.3, /x/, { phase: 'making' }], /no phase 'making'/);
  refuses('toHaveHotspot', [/x/, { atLeast: 5 }], /write 0\.05 for 5 %/);
  assert.throws(() => tell('toSpendAtMost', Promise.resolve(), 0.3, /x/), /await profileBuild/);
  assert.throws(() => tell('toSpendAtMost', {}, 0.3, /x/), /not a profile/);
});
