'use strict';
// Folded stacks that fit a number of bytes: nothing is lost, nobody is blamed for another's samples.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { foldedMost } = require('../../lib/export/folded-most.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

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
 * The size of the text at a threshold, worked out the long way round, each count as long as all
 * samples' (that is how the size is reckoned).
 * @param {Map<string, number>} full
 * @param {number} least
 */
function bytesAt(full, least) {
  /** @type {Map<string, number>} */
  const totals = new Map();
  for (const [path, count] of full) {
    const frames = path.split(';');
    for (let depth = 1; depth <= frames.length; depth++) {
      const prefix = frames.slice(0, depth).join(';');
      totals.set(prefix, (totals.get(prefix) ?? 0) + count);
    }
  }
  const shown = (/** @type {string} */ path) => (totals.get(path) ?? 0) >= least;
  /** @type {Set<string>} */
  const lines = new Set([...full.keys()].filter(shown));
  for (const path of totals.keys()) {
    const up = path.includes(';') ? path.slice(0, path.lastIndexOf(';')) : '';
    if (!shown(path) && (up === '' || shown(up)))
      lines.add(up === '' ? '[other]' : `${up};[other]`);
  }
  const countBytes = String(sum(full)).length + 2;
  return [...lines].reduce((all, line) => all + Buffer.byteLength(line) + countBytes, 0);
}

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

test('paths that few samples took end in [other] under their caller', () => {
  const long = (/** @type {string} */ name) => name.padEnd(40, '-');
  const profile = buildProfile([
    ...samples('main;hot', 50),
    ...samples('main;warm;a', 30),
    ...samples(`main;warm;${long('b')}`, 2),
    ...samples('main;warm', 1),
    ...samples(`main;rare;${long('x')}`, 1),
    ...samples(long('elsewhere'), 1),
  ]);
  const { lines, whole, share, hidden } = foldedMost(profile, 110);
  assert.deepEqual(Object.fromEntries(parsed([...lines].join(''))), {
    'main;hot': 50,
    'main;warm;a': 30,
    'main;warm;[other]': 2,
    'main;warm': 1,
    'main;[other]': 1,
    '[other]': 1,
  });
  assert.equal(whole, false);
  assert.equal(hidden, 4);
  assert.equal(share, 3 / 85);
});

test('any size: it fits, counts every sample, and gives no function more than its own', () => {
  const random = (() => {
    let state = 7;
    return (/** @type {number} */ below) => (state = (state * 48271) % 2147483647) % below;
  })();
  const stacks = Array.from({ length: 400 }, () =>
    Array.from({ length: 1 + random(8) }, () => `f${random(4)}${'é'.repeat(random(30))}`).join(';'),
  );
  const profile = buildProfile(stacks.map((stack) => ({ stack })));
  const full = parsed(profile.folded());
  const wholeBytes = Buffer.byteLength(profile.folded());
  let before = Infinity;
  for (const bytes of [0, 20, 100, 500, 1000, 3000, wholeBytes, wholeBytes + 1000]) {
    const { lines, share } = foldedMost(profile, bytes);
    const least = Math.round(share * 400);
    assert.ok(least === 1 || bytesAt(full, least - 1) > bytes, `${least} is the lowest`);
    const text = [...lines].join('');
    if (bytes >= 20) assert.ok(Buffer.byteLength(text) <= bytes, `${bytes}: ${text.length}`);
    const kept = parsed(text);
    assert.equal(sum(kept), 400);
    for (const [path, count] of kept) {
      if (!path.endsWith('[other]')) assert.equal(count, full.get(path), path);
    }
    assert.ok(share <= before);
    before = share;
  }
});

test('samples without a stack are not [other]', () => {
  const profile = buildProfile([
    ...samples('', 3),
    ...samples('a'.repeat(40), 1),
    ...samples('b', 9),
  ]);
  const { lines } = foldedMost(profile, 50);
  assert.deepEqual([...lines].sort(), ['[no stack] 3\n', '[other] 1\n', 'b 9\n']);
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
    assert.ok(name.length <= 125 && name.includes('visit_children_with'), name);
  }
});

test('no samples, no text', () => {
  assert.deepEqual([...foldedMost(buildProfile([]), 100).lines], []);
});
