'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { diff } = require('../../lib/profile/diff.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const small = () => buildProfile(smallBuild().samples, smallBuild());

/** @param {{key: string}[]} rows @param {string} key */
function rowOf(rows, key) {
  const found = rows.filter((row) => row.key === key);
  assert.equal(found.length, 1, `one row '${key}' among ${rows.map((row) => row.key)}`);
  return /** @type {import('../../lib/index').HotspotRow} */ (found[0]);
}

test('self goes to the leaf, total to every frame of the stack once', () => {
  const rows = buildProfile([
    { stack: 'a;b', weight: 10 },
    { stack: 'a;b;c', weight: 5 },
    { stack: 'a', weight: 1 },
  ]).hotspots();
  assert.deepEqual(
    rows.map(({ key, samples, self, total }) => [key, samples, self, total]),
    [
      ['b', 1, 10, 15],
      ['c', 1, 5, 5],
      ['a', 1, 1, 16],
    ],
  );
  assert.equal(rows[0].selfShare, 10 / 16);
  assert.equal(rows[2].totalShare, 1);
});

test('what was inlined has a total; its self is of the function that it was inlined into', () => {
  const profile = buildProfile([
    { stack: 'main;outer;middle+;inner+', weight: 6 },
    { stack: 'main;outer;middle+', weight: 3 },
    { stack: 'main;outer', weight: 1 },
  ]);
  const rows = profile.hotspots();
  assert.deepEqual(
    ['outer', 'middle', 'inner'].map((key) => [rowOf(rows, key).self, rowOf(rows, key).total]),
    [
      [10, 10],
      [0, 9],
      [0, 6],
    ],
  );
  assert.equal(profile.share(/^outer$/), 1);
  assert.equal(profile.share(/^inner$/, { total: true }), 0.6);
});

test('recursion, direct and through others, counts once per stack', () => {
  const rows = buildProfile([
    { stack: 'main;f;f;f;g', weight: 8 },
    { stack: 'main;f;g;f;g;f', weight: 4 },
    { stack: 'main;g;f', weight: 2 },
    { stack: 'main', weight: 1 },
  ]).hotspots();
  assert.equal(rowOf(rows, 'f').total, 14);
  assert.equal(rowOf(rows, 'g').total, 14);
  assert.equal(rowOf(rows, 'f').self, 6);
  assert.equal(rowOf(rows, 'main').total, 15);
});

test('a crate counts once however many of its functions a stack has', () => {
  const rows = small().hotspots({ by: 'crate' });
  const swc = rowOf(rows, 'swc_ecma');
  assert.equal(swc.self, 4e6 + 1e6); // what was inlined into rspack_core ran in its code
  assert.equal(swc.total, 4e6 + 5e6 + 1e6 + 1e6);
  assert.equal(swc.crate, 'swc_ecma');
  assert.equal(swc.kind, 'rust');
  assert.equal('symbol' in swc, false);
  assert.equal('crate' in rowOf(rows, '[js]'), false);
});

test('self shares of every key add up to one', () => {
  for (const by of ['symbol', 'crate', 'object', 'kind', 'package', 'thread', 'comm', 'phase']) {
    const sum = small()
      .hotspots({ by })
      .reduce((total, row) => total + row.selfShare, 0);
    assert.ok(Math.abs(sum - 1) < 1e-9, `${by}: ${sum}`);
  }
});

test('objects, packages and kinds are named in perf’s words', () => {
  const profile = small();
  const keys = (/** @type {string} */ by) =>
    profile
      .hotspots({ by })
      .map(({ key }) => key)
      .sort();
  assert.deepEqual(keys('object'), [
    '[jit]',
    '[kernel]',
    '[no stack]',
    'libc.so.6',
    'node',
    'rspack.linux-x64-gnu.node',
  ]);
  assert.ok(keys('package').includes('@x/ldr'));
  assert.deepEqual(keys('thread'), ['node/4242', 'tokio/4243', 'tokio/4300']);
  assert.deepEqual(keys('comm'), ['node', 'tokio']);
});

test('pairs join a sample’s key and a function’s key', () => {
  const rows = small().hotspots({ by: 'comm,crate' });
  assert.equal(rowOf(rows, 'tokio,swc_ecma').total, 10e6);
  assert.equal(rowOf(rows, 'node,swc_ecma').total, 1e6);
  assert.equal(rowOf(rows, 'node,swc_ecma').totalShare, 1e6 / 20e6);
  const other = small().hotspots({ by: 'crate,comm' });
  assert.equal(rowOf(other, 'swc_ecma,tokio').total, 10e6);
});

test('limits: rows, percent of self, percent of total', () => {
  const profile = small();
  assert.equal(profile.hotspots({ limit: 2 }).length, 2);
  assert.equal(profile.hotspots({ limit: 0 }).length, 0);
  assert.ok(profile.hotspots({ percentLimit: 10 }).every((row) => row.selfShare >= 0.1));
  const byTotal = profile.hotspots({ sort: 'total', percentLimit: 51 });
  assert.deepEqual(
    byTotal.map(({ key }) => key),
    ['_start', 'rspack_core::compile'],
  );
});

test('filters: rows by name, samples by frame, thread and phase', () => {
  const profile = buildProfile(smallBuild().samples, smallBuild(), [
    { type: 'span', name: 'make', startNs: 5e12, endNs: 5e12 + 3.5e6, data: undefined },
  ]);
  assert.deepEqual(
    profile.hotspots({ filter: /^swc/g }).map(({ key }) => key.slice(0, 8)),
    ['swc_ecma', 'swc_ecma'],
  );
  const through = profile.hotspots({ through: 'rspack_core' });
  assert.equal(rowOf(through, 'rspack_core::compile').totalShare, 1);
  assert.equal(rowOf(profile.hotspots({ thread: 'tokio/4300' }), 'swc_ecma::visit').selfShare, 1);
  assert.equal(profile.hotspots({ thread: 4300 }).length, 1);
  const make = profile.hotspots({ phase: 'make' });
  assert.equal(
    make.reduce((sum, row) => sum + row.samples, 0),
    3,
  );
});

test('a regular expression with a memory (g, y) still asks every row afresh', () => {
  const profile = buildProfile([{ stack: 'a1' }, { stack: 'a2' }, { stack: 'a3' }]);
  assert.equal(profile.hotspots({ filter: /a/g }).length, 3);
  assert.equal(profile.share(/a/y), 1);
});

test('wrong questions are refused with the right word', () => {
  const profile = small();
  /** @type {[object, RegExp][]} */
  const wrong = [
    [{ by: 'crates' }, /did you mean 'crate'/],
    [{ by: 7 }, /'by' must be a string/],
    [{ percentlimit: 1 }, /did you mean 'percentLimit'/],
    [{ limit: -1 }, /'limit' must be/],
    [{ sort: 'samples' }, /'sort' must be/],
    [{ filter: '(' }, /no regular expression/],
    [{ phase: 'make' }, /no phase 'make'.*\(no phase\)/],
    [{ thread: 'gpu' }, /no thread 'gpu'.*tokio/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => profile.hotspots(options), { code: 'ERR_PROF_BAD_OPTION', message });
  }
});

test('a phase is the innermost span; overlapping and open spans too', () => {
  const at = (/** @type {number} */ ms) => 5e12 + ms * 1e6;
  const span = (
    /** @type {string} */ name,
    /** @type {number} */ from,
    /** @type {number | null} */ to,
  ) => ({
    type: /** @type {const} */ ('span'),
    name,
    startNs: at(from),
    endNs: to === null ? null : at(to),
    data: undefined,
  });
  const times = [5, 15, 25, 35, 45, 55, 65];
  const profile = buildProfile(
    times.map((ms) => ({ stack: 'f', timeNs: at(ms), weight: ms })),
    {},
    // outer 10..60; inner 20..30; crossing 32..62 outlives outer; open from 64 on
    [
      span('outer', 10, 60),
      span('inner', 20, 30),
      span('crossing', 32, 50),
      span('open', 64, null),
    ],
  );
  const { names, phaseOfSample } = profile.phaseColumn;
  assert.deepEqual(
    Array.from(phaseOfSample, (phase) => names[phase]),
    ['(no phase)', 'outer', 'inner', 'crossing', 'crossing', 'outer', 'open'],
  );
  assert.equal(rowOf(profile.hotspots({ by: 'phase' }), 'outer').self, 70);
});

test('share of the leaf and of the whole stack', () => {
  const profile = small();
  assert.equal(profile.share(/memcpy/), 7 / 20);
  assert.equal(profile.share(/swc_ecma/, { total: true }), 11 / 20);
  assert.equal(profile.share('swc_ecma', { total: true, thread: 'node' }), 1 / 8);
  assert.equal(profile.share(/nothing/), 0);
});

test('no samples: no rows, no NaN', () => {
  const profile = buildProfile([]);
  assert.deepEqual(profile.hotspots(), []);
  assert.equal(profile.share(/x/), 0);
  assert.equal(profile.quality.completeShare, 0);
  assert.equal(profile.folded(), '');
});

test('weights of zero keep their rows', () => {
  const [row] = buildProfile([{ stack: 'a', weight: 0 }]).hotspots();
  assert.deepEqual([row.key, row.samples, row.self, row.selfShare], ['a', 1, 0, 0]);
});

test('diff compares shares, not sizes', () => {
  const base = buildProfile([
    { stack: 'a', weight: 50 },
    { stack: 'b', weight: 50 },
  ]);
  const candidate = buildProfile([
    { stack: 'a', weight: 5 },
    { stack: 'a;c', weight: 15 },
  ]);
  const { rows, candidate: side } = diff(base, candidate);
  assert.deepEqual(
    rows.map(({ key, selfDelta, totalDelta }) => [key, selfDelta, totalDelta]),
    [
      ['c', 0.75, 0.75],
      ['b', -0.5, -0.5],
      ['a', -0.25, 0.5],
    ],
  );
  assert.equal(side.totalWeight, 20);
  assert.deepEqual(
    diff(base, base).rows.map(({ selfDelta }) => selfDelta),
    [0, 0],
  );
  assert.equal(diff(base, candidate, { percentLimit: 60 }).rows.length, 1);
});

test('deep stacks neither overflow nor slow down', () => {
  const deep = Array.from({ length: 4096 }, (_, i) => `f${i % 7}`).join(';');
  const profile = buildProfile([{ stack: deep, weight: 2 }]);
  assert.equal(rowOf(profile.hotspots(), 'f3').total, 2);
  assert.equal(profile.folded().split(';').length, 4096);
  assert.equal(profile.callTree().total, 2);
});

test('places without a symbol: apart as data, one row for each object for people', () => {
  const object = 'rspack.linux-x64-gnu.node';
  const place = (/** @type {number} */ at) => `[${object}+0x${at.toString(16)}]`;
  const unnamed = { kind: 'unknown', named: false };
  const profile = buildProfile(
    [
      { stack: `main;${place(16)};${place(32)}`, weight: 5 },
      { stack: `main;${place(16)};${place(48)}`, weight: 4 },
      { stack: 'main;[0x7f001234]', weight: 2 },
      { stack: 'main;[frames skipped]', weight: 1 },
      { stack: 'main;odd name [0x10]', weight: 0.5 },
    ],
    {
      funcs: {
        [place(16)]: { ...unnamed, object },
        [place(32)]: { ...unnamed, object },
        [place(48)]: { ...unnamed, object },
        '[0x7f001234]': unnamed,
        '[frames skipped]': unnamed,
        'odd name [0x10]': { kind: 'js' },
        main: { kind: 'native', object: 'node' },
      },
    },
  );
  assert.equal(profile.hotspots().length, 7);
  const rows = profile.hotspots({ unnamed: 'together' });
  assert.deepEqual(
    rows.map(({ key, object: from, self, total }) => [key, from, self, total]),
    [
      [`[${object}]`, object, 9, 9],
      ['[unknown]', '[unknown]', 2, 2],
      ['[frames skipped]', '[unknown]', 1, 1],
      ['odd name [0x10]', '[jit]', 0.5, 0.5],
      ['main', 'node', 0, 12.5],
    ],
  );
  assert.equal(
    profile.folded({ unnamed: 'together' }),
    `main;[${object}];[${object}] 2\nmain;[unknown] 1\nmain;[frames skipped] 1\nmain;odd name [0x10] 1\n`,
  );
  assert.equal(profile.callTree({ unnamed: 'together' }).children[0].children.length, 4);
  assert.throws(() => profile.hotspots(/** @type {any} */ ({ unnamed: true })), {
    code: 'ERR_PROF_BAD_OPTION',
  });
});

test('frames that stand for a gap keep their names when places are put together', () => {
  const names = [
    '[broken stack]',
    '[truncated stack]',
    '[frames not known]',
    '[1832 bytes of rspack.linux-x64-gnu.node]',
    '[64 bytes of code without an object]',
    '[rspack-prof]',
  ];
  const profile = buildProfile(names.map((name) => ({ stack: `main;${name}` })));
  const keys = profile.hotspots({ unnamed: 'together' }).map(({ key }) => key);
  assert.deepEqual(keys.sort(), [...names, 'main'].sort());
});

test('kind 5 of older files is native: no row of --json has another kind than the contract', () => {
  const profile = buildProfile([{ stack: 'main;[x.so+0x10]' }], {
    funcs: { '[x.so+0x10]': { kind: 'unknown', object: 'x.so', named: false } },
  });
  const kinds = (/** @type {string} */ by) => profile.hotspots({ by }).map(({ kind }) => kind);
  assert.deepEqual(new Set(kinds('symbol')), new Set(['native']));
  assert.deepEqual(
    profile.hotspots({ by: 'kind' }).map(({ key }) => key),
    ['native'],
  );
  assert.equal(profile.callTree().kind, 'native');
  assert.equal(profile.report().rows[0].kind, 'native');
});

test('every row has an object: builtins are node’s, code made at run time is [jit]', () => {
  const profile = buildProfile(
    [{ stack: 'Builtins_LoadIC' }, { stack: 'f' }, { stack: 'regexp' }],
    {
      funcs: {
        Builtins_LoadIC: { kind: 'v8', tier: 5 },
        f: { kind: 'js', tier: 4 },
        regexp: { kind: 'v8', tier: 7 },
      },
    },
  );
  const objects = Object.fromEntries(profile.hotspots().map((row) => [row.key, row.object]));
  assert.deepEqual(objects, { Builtins_LoadIC: 'node', f: '[jit]', regexp: '[jit]' });
});
