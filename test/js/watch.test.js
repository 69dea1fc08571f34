'use strict';
// The builds of a watch: each a profile of its own, as many kept as asked for, the rest dropped and said.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { buildRaw, buildProfile, fakeNative } = require('./helpers/raw-profile.js');
const { checkStartOptions } = require('../../lib/options.js');
const { problemWithColumns } = require('../../lib/profile/columns.js');
const { sliceRaw } = require('../../lib/profile/slice.js');
const { createProfiler } = require('../../lib/create-profiler.js');
const { renderBuilds } = require('../../lib/span-table.js');
const { WatchKeeper } = require('../../lib/watch/keeper.js');
const { diff, read } = require('../../lib/index.js');

/** @typedef {import('../../lib/profile/raw').Marker} Marker */

const START = 5_000_000_000_000;
const at = (/** @type {number} */ ms) => START + ms * 1e6;

/**
 * @param {number} build
 * @param {[number, number]} ms
 * @param {{compiler?: string, changed?: string[], watching?: boolean}} [more]
 * @returns {Marker}
 */
const built = (build, [from, to], { compiler = '', changed = [], watching = true } = {}) => ({
  type: 'build',
  name: `build ${build}`,
  startNs: at(from),
  endNs: at(to),
  data: { compiler, build, watching, changedCount: changed.length, changed },
});

const SAMPLES = [
  { timeNs: at(5), stack: 'main;first' },
  { timeNs: at(15), stack: 'main;second;leaf', flags: 1 },
  { timeNs: at(16), stack: 'main;second', end: 2 },
  { timeNs: at(19), stack: 'main;second', end: 1 },
  { timeNs: at(20), stack: 'main;third' },
];

describe('a stretch of a recording', () => {
  test('has its samples, what they need, and counts of its own', () => {
    const raw = buildRaw(SAMPLES, { funcs: { leaf: { object: 'a.so', named: false } } });
    const part = sliceRaw(raw, at(15), at(20));
    assert.equal(problemWithColumns(part), '');
    assert.deepEqual([...part.samples.timeNs], [at(15), at(16), at(19)]);
    const names = Array.from(part.funcs.name, (name) => part.strings[name]);
    assert.deepEqual(names, ['main', 'second', 'leaf']);
    assert.ok(!part.strings.includes('first') && part.strings[0] === '');
    const { samples, complete, truncated, broken, joined, unnamedLeaf } = part.quality;
    assert.deepEqual(
      [samples, complete, truncated, broken, joined, unnamedLeaf],
      [3, 1, 1, 1, 1, 1],
    );
    assert.deepEqual(
      [part.meta.startNs, part.meta.endNs, part.meta.startUnixMs - raw.meta.startUnixMs],
      [at(15), at(20), 15],
    );
    assert.equal(sliceRaw(raw, at(100), at(200)).samples.node.length, 0);
  });
});

describe('builds of a profile', () => {
  /** @type {Marker[]} */
  const markers = [
    built(1, [0, 10]),
    {
      type: 'phase',
      name: 'make',
      startNs: at(12),
      endNs: at(30),
      data: { compiler: '', build: 2 },
    },
    built(2, [14, 20], { changed: ['/src/a.js'] }),
    built(3, [20, 22], { changed: ['/src/a.js', '/src/b.js', '/src/c.js', '/src/d.js'] }),
    { ...built(4, [25, 30]), endNs: null },
  ];
  const profile = buildProfile(SAMPLES, {}, markers);

  test('by number, the last, the slowest that is no first one', () => {
    assert.deepEqual(
      profile.rebuilds().map(({ build, startMs, ms }) => [build, startMs, ms]),
      [
        [1, 0, 10],
        [2, 14, 6],
        [3, 20, 2],
      ],
    );
    assert.deepEqual(profile.rebuild('slowest').rebuilds()[0].changed, ['/src/a.js']);
    assert.equal(profile.rebuild('last').quality.samples, 1);
    assert.equal(profile.rebuild(1).hotspots()[0].symbol, 'first');
    const part = profile.rebuild(2);
    assert.deepEqual(
      part.phases().map(({ name, wallMs }) => [name, wallMs]),
      [['make', 6]],
    );
    assert.match(part.quality.warnings[0].message, /^build 2 of a recording of 2\.0 s/);
    const rows = diff(profile.rebuild(1), part).rows.map(({ key }) => key);
    assert.ok(rows.includes('first') && rows.includes('second'));
  });

  test('what is not there is refused with what is', () => {
    assert.throws(() => profile.rebuild(4), /no build 4 .* a number from 1 to 3/);
    assert.throws(() => profile.rebuild(/** @type {any} */ ('first')), {
      code: 'ERR_PROF_BAD_OPTION',
    });
    assert.throws(() => buildProfile(SAMPLES).rebuild('last'), /no finished build/);
    const two = buildProfile(SAMPLES, {}, [
      built(1, [0, 10], { compiler: 'a' }),
      built(1, [10, 20], { compiler: 'b' }),
    ]);
    assert.throws(() => two.rebuild(1), /say which with 'compiler': 'a', 'b'/);
    assert.equal(two.rebuild(1, { compiler: 'b' }).quality.samples, 3);
    assert.throws(() => two.rebuild(1, { compiler: 'c' }), /no compiler 'c'/);
  });

  test('a file keeps them, and the table names their files', (t) => {
    const file = path.join(os.tmpdir(), `rspack-prof-watch-${process.pid}.json.gz`);
    t.after(() => fs.rmSync(file, { force: true }));
    profile.write(file);
    assert.deepEqual(read(file).rebuilds(), profile.rebuilds());
    const table = renderBuilds(profile);
    assert.match(table, /2 {2}0\.01 +6\.0 {2}\/src\/a\.js\n/);
    assert.match(table, /\/src\/c\.js and 1 more\n/);
    assert.match(renderBuilds(buildProfile(SAMPLES)), /^no build/);
  });
});

describe('a watch of hours', () => {
  /** @param {object} [options] */
  const watch = (options) => {
    /** @type {number[]} */
    const forgot = [];
    /** @type {string[]} */
    const said = [];
    /** @type {string[]} */
    const files = [];
    const keeper = new WatchKeeper(checkStartOptions({ watch: options }).watch, {
      forget: (beforeNs) => forgot.push(beforeNs),
      dump: async () =>
        /** @type {any} */ ({
          rebuild: (/** @type {number} */ build) => ({
            write: (/** @type {string} */ file) => {
              if (build === 5) throw new Error('no room');
              files.push(`+${path.basename(file)}`);
            },
          }),
        }),
      say: (line) => said.push(line),
      folder: '/nowhere',
      files: { make: () => {}, remove: (file) => files.push(`-${path.basename(file)}`) },
    });
    return { keeper, forgot, said, files };
  };

  test('keeps the last ten, drops what lies before them, says nothing meanwhile', () => {
    const { keeper, forgot, said } = watch();
    for (let build = 1; build <= 10; build++)
      keeper.ended(built(build, [build * 10, build * 10 + 5]));
    assert.deepEqual([forgot, keeper.warnings()], [[], []]);
    keeper.ended(built(11, [110, 115]));
    keeper.ended(built(12, [120, 125]));
    assert.deepEqual(forgot, [at(20), at(30)]);
    assert.deepEqual(said, []);
    assert.match(
      keeper.warnings()[0].message,
      /samples of 2 builds were dropped: a watch keeps the last 10/,
    );
  });

  test('calls of run() are no watch, and several compilers each have their own', () => {
    const { keeper, forgot } = watch({ keep: 1 });
    for (let build = 1; build <= 5; build++)
      keeper.ended(built(build, [build, build], { watching: false }));
    keeper.ended(built(1, [10, 20], { compiler: 'a' }));
    keeper.ended(built(1, [12, 18], { compiler: 'b' }));
    assert.deepEqual(forgot, []);
    keeper.ended(built(2, [30, 40], { compiler: 'b' }));
    assert.deepEqual(forgot, [at(10)], "a's build is still there");
    keeper.ended(built(2, [32, 50], { compiler: 'a' }));
    assert.deepEqual(forgot, [at(10), at(30)]);
  });

  test('a line for each build where asked for', () => {
    const { keeper, said } = watch({ print: true, keep: 2 });
    keeper.ended(built(1, [0, 2500]));
    keeper.ended(built(2, [3000, 3020], { changed: ['/src/a.js'], compiler: '' }));
    keeper.ended(built(3, [4000, 4010], { changed: ['/src/a.js', '/src/b.js'] }));
    assert.deepEqual(said, [
      'rspack-prof: build 1: 2.50 s\n',
      'rspack-prof: build 2: 20 ms (a.js); slowest of the last 2: build 1, 2.50 s\n',
      'rspack-prof: build 3: 10 ms (a.js and 1 more); slowest of the last 2: build 2, 20 ms\n',
    ]);
  });

  test('a file for each build where asked for, as many as are kept; a failure is said once', async () => {
    const { keeper, said, files } = watch({ write: true, keep: 2 });
    for (let build = 1; build <= 5; build++) {
      keeper.ended(built(build, [build * 10, build * 10 + 5]));
      await keeper.writing;
    }
    keeper.ended(built(1, [90, 95], { compiler: 'my app/x' }));
    await keeper.writing;
    assert.deepEqual(files, [
      ...['+build-1.json.gz', '+build-2.json.gz', '+build-3.json.gz', '-build-1.json.gz'],
      ...['+build-4.json.gz', '-build-2.json.gz', '-build-3.json.gz', '+my_app_x-build-1.json.gz'],
    ]);
    assert.deepEqual(said, ['rspack-prof: build 5 was not written: no room\n']);
  });

  test('builds that end faster than they are written: those that are kept have files, nothing is said', async () => {
    const { keeper, said, files } = watch({ write: true, keep: 2 });
    keeper.ended(built(1, [10, 15]));
    await keeper.writing;
    for (const build of [2, 3, 4]) keeper.ended(built(build, [build * 10, build * 10 + 5]));
    await keeper.writing;
    assert.deepEqual(files, [
      ...['+build-1.json.gz', '-build-1.json.gz', '+build-3.json.gz', '+build-4.json.gz'],
    ]);
    assert.deepEqual([said, keeper.problem], [[], '']);
  });

  test('options are checked', () => {
    assert.deepEqual(checkStartOptions({ watch: { keep: 3 } }).watch, {
      ...{ keep: 3, write: false, print: false },
    });
    for (const wrong of [{ keep: 0 }, { keep: 1.5 }, { kep: 1 }, { write: 1 }, 5]) {
      assert.throws(() => checkStartOptions({ watch: wrong }), { code: 'ERR_PROF_BAD_OPTION' });
    }
  });

  test('what was not written when the recording ends is written of its last profile', async () => {
    /** @type {string[]} */
    const said = [];
    /** @type {string[]} */
    const files = [];
    const keeper = new WatchKeeper(checkStartOptions({ watch: { keep: 2, write: true } }).watch, {
      forget: () => {},
      dump: async () => {
        throw Object.assign(new Error('ended'), { code: 'ERR_PROF_NOT_RUNNING' });
      },
      say: (line) => said.push(line),
      folder: '/nowhere',
      files: { make: () => {}, remove: (file) => files.push(`-${path.basename(file)}`) },
    });
    for (let build = 1; build <= 3; build++) keeper.ended(built(build, [build, build + 1]));
    await keeper.writing;
    const profile = /** @type {any} */ ({
      rebuild: (/** @type {number} */ build) => ({ write: () => files.push(`+${build}`) }),
    });
    keeper.finish(profile);
    keeper.finish(profile);
    assert.deepEqual([files, said], [['+2', '+3'], []]);
  });

  test('a session forgets in its recording, and its profile begins where that does', async () => {
    /** @type {[unknown, number][]} */
    const forgot = [];
    const { native } = fakeNative({
      raw: () => buildRaw(SAMPLES),
      forget: (handle, beforeNs) => void forgot.push([handle, beforeNs]),
    });
    /** @type {(marker: Marker) => void} */
    let ended = () => {};
    const markers = [built(1, [0, 10]), built(2, [14, 19.5])];
    const { start } = createProfiler({
      native: () => native,
      now: () => START,
      hooks: () => () => {},
      phases: () => ({
        stop: () => {},
        markers: (startNs) => markers.filter(({ endNs }) => Number(endNs) > startNs),
        warnings: () => [],
        notes: () => ({ root: '', taps: [], loaders: [] }),
        onBuild: (listener) => {
          ended = listener;
          return () => {};
        },
      }),
    });
    const session = start({ watch: { keep: 1 } });
    for (const marker of markers) ended(marker);
    assert.deepEqual(
      forgot.map(([, beforeNs]) => beforeNs),
      [at(14)],
    );
    assert.deepEqual(
      session.rebuilds().map(({ build }) => build),
      [2],
    );
    assert.equal((await session.rebuild('last')).quality.samples, 3);
    const profile = await session.stop();
    assert.equal(profile.quality.samples, 4, 'those from before are gone, of a fake recorder too');
    assert.equal(profile.meta.startNs, at(14));
    assert.ok(profile.quality.warnings.some(({ code }) => code === 'builds-dropped'));
  });
});
