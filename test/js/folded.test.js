'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const lines = (/** @type {string} */ text) => text.trimEnd().split('\n').sort();

test('one line a stack, root first, counted in samples', () => {
  const profile = buildProfile([
    { stack: 'main;a', weight: 7 },
    { stack: 'main;a', weight: 7 },
    { stack: 'main', weight: 3 },
  ]);
  assert.equal(profile.folded(), 'main 1\nmain;a 2\n');
  assert.equal(profile.folded({ count: 'weight' }), 'main 3\nmain;a 14\n');
});

test('what ends a frame or a line inside a name is replaced', () => {
  const raw = buildProfile([{ stack: 'main;x' }]);
  raw.raw.strings[raw.raw.funcs.name[1]] = 'eval;at\n<anonymous> 12';
  assert.equal(raw.folded(), 'main;eval:at <anonymous> 12 1\n');
  raw.raw.strings[raw.raw.funcs.name[1]] = '';
  assert.equal(raw.folded(), 'main;[unknown] 1\n');
});

test('every line reads back: frames, a blank, a count; counts add up to the samples', () => {
  const profile = buildProfile(smallBuild().samples, smallBuild());
  let sum = 0;
  for (const line of lines(profile.folded())) {
    const [, stack, count] = /^(.+) (\d+)$/.exec(line) ?? assert.fail(line);
    assert.ok(stack.split(';').every((frame) => frame !== ''));
    sum += Number(count);
  }
  assert.equal(sum, profile.quality.samples);
});

test('annotations tell kernel, JIT and inlined frames apart', () => {
  const text = buildProfile(smallBuild().samples, smallBuild()).folded({ annotate: true });
  assert.match(text, /i\.js:3:7_\[j\];do_syscall_64_\[k\] 1\n/);
  assert.match(text, /;swc_ecma::fold<T: U>_\[i\] 1\n/);
  // A builtin of the node binary is no JIT code.
  assert.match(text, /;Builtin:ArrayMap 1\n/);
});

test('by thread: the line starts with the thread’s name', () => {
  const text = buildProfile(smallBuild().samples, smallBuild()).folded({ byThread: true });
  assert.ok(lines(text).every((line) => /^(node|tokio);/.test(line)));
  assert.match(text, /^tokio;memcpy 1$/m);
});

test('functions of one name make one line', () => {
  const profile = buildProfile([{ stack: 'main;a' }, { stack: 'main;b' }]);
  profile.raw.funcs.name[2] = profile.raw.funcs.name[1];
  assert.equal(profile.folded(), 'main;a 2\n');
});

test('samples may be chosen, wrong options may not', () => {
  const profile = buildProfile(smallBuild().samples, smallBuild());
  assert.equal(profile.folded({ thread: 4300 }), 'swc_ecma::visit 1\n');
  assert.throws(() => profile.folded(/** @type {any} */ ({ counts: 'samples' })), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /did you mean 'count'/,
  });
  assert.throws(() => profile.folded(/** @type {any} */ ({ count: 'cycles' })), {
    code: 'ERR_PROF_BAD_OPTION',
  });
});
