'use strict';
// Folded stacks that fit a number of bytes: nothing is lost, nobody is blamed for another's samples.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { foldedMost: writeMost } = require('../../lib/export/folded-most.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

/**
 * @param {import('../../lib/profile/profile').Profile} profile
 * @param {number} bytes
 */
function foldedMost(profile, bytes) {
  /** @type {string[]} */
  const lines = [];
  // A chunk is the writer's again afterwards.
  const about = writeMost(profile, bytes, (chunk) => {
    lines.push(
      ...Buffer.from(chunk)
        .toString()
        .split(/(?<=\n)/),
    );
  });
  return { ...about, lines };
}

/** @param {string} text */
function parsed(text) {
  const rows = text.split('\n').filter((line) => line !== '');
  return new Map(
    rows.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}

/** @param {Map<string, number>} lines */
const sum = (lines) => [...lines.values()].reduce((all, count) => all + count, 0);

/**
 * @param {string} stack
 * @param {number} times
 */
const samples = (stack, times) => Array.from({ length: times }, () => ({ stack }));

test('what fits is the whole text, name by name', () => {
  const profile = buildProfile(smallBuild().samples, smallBuild());
  const { lines, whole, hidden } = foldedMost(profile, 1e6);
  assert.deepEqual(parsed([...lines].join('')), parsed(profile.folded()));
  assert.equal(whole, true);
  assert.equal(hidden, 0);
});

/** Too long to be written as it is, with an owner for each function. */
const owned = () => {
  const long = (/** @type {string} */ name) => name.padEnd(40, '-');
  const funcs = {
    start: { object: 'libc.so.6', kind: 'native' },
    [long('run')]: { object: 'rspack.node', crate: 'tokio' },
    [long('poll')]: { object: 'rspack.node', crate: 'tokio' },
    [long('parse')]: { object: 'rspack.node', crate: 'swc' },
    '[rspack.node+0x12]': { object: 'rspack.node', named: false },
    load: { kind: 'js', file: '/app/node_modules/@a/b/node_modules/c/index.js' },
    own: { kind: 'js', file: '/app/loader.js' },
    read: { kind: 'kernel' },
  };
  const [run, poll, parse] = ['run', 'poll', 'parse'].map(long);
  const profile = buildProfile(
    [
      ...samples(`start;${run};${poll};${parse}`, 50),
      ...samples(`start;${run};${poll};${run};${parse}`, 4),
      ...samples(`start;${run};${poll}`, 3),
      ...samples(`start;${run};${parse};${poll}`, 2),
      ...samples('start;load;own;load;read', 1),
      ...samples('start;load;own', 1),
      ...samples('start;[rspack.node+0x12]', 1),
      ...samples('start', 1),
    ],
    { funcs },
  );
  return { profile, poll, parse };
};

test('what does not fit has each function below the owners of its callers', () => {
  const { profile, poll, parse } = owned();
  const { lines, whole, hidden, share } = foldedMost(profile, 450);
  assert.deepEqual(Object.fromEntries(parsed([...lines].join(''))), {
    [`[libc.so.6];[tokio];[swc];${parse}`]: 54,
    [`[libc.so.6];[tokio];${poll}`]: 3,
    [`[libc.so.6];[tokio];[swc];[tokio];${poll}`]: 2,
    '[libc.so.6];[c];[app];[c];[kernel];read': 1,
    '[libc.so.6];[c];[app];own': 1,
    '[libc.so.6];[rspack.node];[rspack.node]': 1,
    '[libc.so.6];start': 1,
  });
  assert.deepEqual({ whole, hidden, share }, { whole: false, hidden: 0, share: 0 });
});

test('paths that few samples took end in [other] under their caller', () => {
  const { profile, poll, parse } = owned();
  const { lines, whole, share, hidden } = foldedMost(profile, 250);
  assert.deepEqual(Object.fromEntries(parsed([...lines].join(''))), {
    [`[libc.so.6];[tokio];[swc];${parse}`]: 54,
    [`[libc.so.6];[tokio];${poll}`]: 3,
    '[libc.so.6];[tokio];[swc];[other]': 2,
    '[libc.so.6];[other]': 4,
  });
  assert.equal(whole, false);
  assert.equal(hidden, 6);
  assert.equal(share, 3 / 63);
});

test('any size: it fits, counts every sample, and gives no function more than its own', () => {
  const random = (() => {
    let state = 7;
    return (/** @type {number} */ below) => (state = (state * 48271) % 2147483647) % below;
  })();
  const stacks = Array.from({ length: 400 }, () =>
    Array.from({ length: 1 + random(8) }, () => `f${random(4)}${'é'.repeat(random(30))}`).join(';'),
  );
  const names = new Set(stacks.flatMap((stack) => stack.split(';')));
  const crates = [...names].map((name, i) => [name, { object: 'a.node', crate: `c${i % 5}` }]);
  const profile = buildProfile(
    stacks.map((stack) => ({ stack })),
    { funcs: Object.fromEntries(crates) },
  );
  const leafOf = (/** @type {string} */ path) => path.slice(path.lastIndexOf(';') + 1);
  /** @param {Map<string, number>} lines */
  const byLeaf = (lines) => {
    /** @type {Map<string, number>} */
    const sums = new Map();
    for (const [path, count] of lines) {
      sums.set(leafOf(path), (sums.get(leafOf(path)) ?? 0) + count);
    }
    return sums;
  };
  const full = byLeaf(parsed(profile.folded()));
  const wholeBytes = Buffer.byteLength(profile.folded());
  let before = Infinity;
  let isOwned = 0;
  for (const bytes of [0, 20, 100, 500, 1000, 3000, 10000, 17000, wholeBytes, wholeBytes + 1000]) {
    const { lines, share, hidden, whole } = foldedMost(profile, bytes);
    const text = [...lines].join('');
    if (bytes >= 20) assert.ok(Buffer.byteLength(text) <= bytes, `${bytes}: ${text.length}`);
    const kept = byLeaf(parsed(text));
    assert.equal(sum(kept), 400);
    assert.equal(kept.get('[other]') ?? 0, hidden);
    for (const [leaf, count] of kept) {
      if (leaf === '[other]') continue;
      assert.ok(count <= (full.get(leaf) ?? 0), leaf);
      if (hidden === 0) assert.equal(count, full.get(leaf), leaf);
    }
    isOwned += !whole && hidden === 0 ? 1 : 0;
    assert.ok(share <= before);
    before = share;
  }
  assert.ok(isOwned > 0, 'one of the sizes is between the forms');
});

test('samples without a stack are not [other]', () => {
  const profile = buildProfile([
    ...samples('', 3),
    ...samples('a'.repeat(40), 1),
    ...samples('b', 9),
  ]);
  const { lines } = foldedMost(profile, 55);
  assert.deepEqual([...lines].sort(), [
    '[no stack] 3\n',
    '[unknown];[other] 1\n',
    '[unknown];b 9\n',
  ]);
});

test('long names are shortened where the whole does not fit, and stay apart', () => {
  const long = (/** @type {string} */ type) =>
    `<a::B<${'x'.repeat(200)}> as c::D<${type}>>::visit_children_with`;
  const profile = buildProfile([...samples(long('P'), 5), ...samples(long('Q'), 3)]);
  const whole = [...foldedMost(profile, 1000).lines].join('');
  assert.ok(whole.includes(long('P')));
  const short = parsed([...foldedMost(profile, 300).lines].join(''));
  assert.deepEqual([...short.values()].sort(), [3, 5]);
  for (const name of short.keys()) {
    assert.ok(name.length <= 135 && name.includes('visit_children_with'), name);
  }
});

test('no samples, no text', () => {
  assert.deepEqual([...foldedMost(buildProfile([]), 100).lines], []);
});
