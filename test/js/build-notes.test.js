'use strict';
// What is noted of a build: taps by their place, calls, loaders' runs; and where functions stand.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { CompilerNotes } = require('../../lib/phases/follow.js');
const { BuildRecord, notesBetween } = require('../../lib/phases/notes.js');
const { placeReader } = require('../../lib/phases/places.js');
const { Profile } = require('../../lib/profile/profile.js');
const prof = require('../../lib/index.js');
const { buildRaw } = require('./helpers/raw-profile.js');

/** As tapable's: what follow.js relies on. */
class Hook {
  /** @type {any[]} */
  taps = [];
  /** @type {any[]} */
  interceptors = [];

  /** @param {any} options @param {(...args: any[]) => void} fn */
  tap(options, fn) {
    this.taps.push({
      type: 'sync',
      fn,
      ...(typeof options === 'string' ? { name: options } : options),
    });
  }

  /** @param {any} interceptor */
  intercept(interceptor) {
    this.interceptors.push(interceptor);
  }

  /** @param {any[]} args */
  call(...args) {
    for (const tap of this.taps) {
      for (const { tap: told } of this.interceptors) told?.(tap);
      tap.fn(...args);
    }
  }
}

/** @param {unknown} fn */
const fakePlace = (fn) => ({ file: '/f.js', line: String(fn).length, column: 1 });

function fakeBuild() {
  const record = new BuildRecord(() => fakePlace);
  const loader = new Hook();
  const loaderHooks = { loader };
  const compiler = {
    context: '/app',
    options: { plugins: [{ apply() {} }, function inline() {}, null, false] },
    hooks: { emit: new Hook(), done: new Hook(), initialize: new Hook() },
    rspack: { NormalModule: { getCompilationHooks: () => loaderHooks } },
  };
  const compilation = {
    hooks: {
      seal: new Hook(),
      untapped: new Hook(),
      map: { _map: new Map([['key', new Hook()]]) },
      get deprecated() {
        throw new Error('asked');
      },
    },
  };
  return { record, loader, compiler, compilation, notes: new CompilerNotes(compiler, record) };
}

/** @param {BuildRecord} record @param {string} plugin */
const callsOf = (record, plugin) =>
  record
    .read()
    .taps.filter((tap) => tap.plugin === plugin)
    .map(({ hook, calls }) => [hook, calls]);

describe('the notes of a build', () => {
  test('calls are counted by hook and plugin; a hook that nobody tapped stays unused', () => {
    const { record, compiler, compilation, notes } = fakeBuild();
    compiler.hooks.emit.tap('A', () => 1);
    compilation.hooks.seal.tap('A', () => 12);
    compilation.hooks.map._map.get('key')?.tap('B', () => 123);
    notes.ready();
    notes.compilation(compilation, {});
    compiler.hooks.emit.call();
    compilation.hooks.seal.call();
    compilation.hooks.seal.call();
    assert.deepEqual(callsOf(record, 'A'), [
      ['emit', 1],
      ['seal', 2],
    ]);
    assert.deepEqual(callsOf(record, 'B'), [['map[key]', 0]]);
    assert.equal(compilation.hooks.untapped.interceptors.length, 0);
    assert.equal(compiler.hooks.emit.interceptors.length, 1, 'asked twice, counted once');
    assert.deepEqual(Object.keys(compiler.hooks.emit.interceptors[0]), ['name', 'tap']);
    assert.equal(record.root, '/app');
  });

  test('a tap that came too late for counting has null, not 0', () => {
    const { record, compiler, compilation, notes } = fakeBuild();
    notes.ready();
    notes.compilation(compilation, {});
    compiler.hooks.done.tap('Late', () => 1);
    assert.deepEqual(callsOf(record, 'Late'), [['done', null]]);
  });

  test('hooks that are called before the compiler is ready are not counted, only named', () => {
    const { record, compiler, notes } = fakeBuild();
    compiler.hooks.initialize.tap('Early', () => 1);
    notes.ready();
    compiler.hooks.initialize.call();
    assert.deepEqual(callsOf(record, 'Early'), [['initialize', null]]);
  });

  test('hooks of a compilation that are not in its list are read as long as it lives', async () => {
    const { record, loader, compiler, compilation, notes } = fakeBuild();
    notes.compilation(compilation, {});
    require('node:v8').setFlagsFromString('--expose_gc');
    await new Promise(setImmediate); // what a job has seen lives as long as the job
    require('node:vm').runInNewContext('gc')();
    loader.tap('Late', () => 1);
    assert.deepEqual(callsOf(record, 'Late'), [['loader', null]]);
    assert.ok(compiler);
  });

  test('loaders: entries by the one that is entered, runs up to the next of Rust’s', () => {
    const { record, loader, compilation, notes } = fakeBuild();
    notes.compilation(compilation, {});
    const loaders = ['/a.js', '/b.js', 'builtin:swc-loader', '/c.js'].map((file) => ({
      path: file,
      request: `${file}?x`,
      pitchExecuted: false,
    }));
    loader.call({ loaders, loaderIndex: 0 });
    for (const one of loaders) one.pitchExecuted = true;
    loader.call({ loaders, loaderIndex: 3 });
    loader.call({ loaders, loaderIndex: 2 });
    loader.call({ loaders, loaderIndex: 1 });
    loader.call({ loaders: [], loaderIndex: 0 });
    assert.deepEqual(record.read().loaders, [
      { path: '/a.js', runs: 1, entries: 1 },
      { path: '/c.js', runs: 1, entries: 1 },
      { path: '/b.js', runs: 1, entries: 1 },
    ]);
  });

  test('a session has what came since its start', () => {
    const { record, compiler, notes } = fakeBuild();
    compiler.hooks.emit.tap('A', () => 1);
    notes.ready();
    compiler.hooks.emit.call();
    record.loader('/a.js').runs = 3;
    const before = record.read();
    compiler.hooks.emit.call();
    record.loader('/a.js').runs = 5;
    const { taps, loaders } = notesBetween(before, record.read());
    assert.equal(taps.find(({ plugin }) => plugin === 'A')?.calls, 1);
    assert.equal(loaders[0].runs, 2);
  });
});

describe('where functions stand', () => {
  const read = placeReader();

  test('as V8 names their code', { skip: read === null && 'the addon is not built' }, async () => {
    const here = new Error().stack?.split('\n')[1] ?? '';
    const line = Number(/:(\d+):\d+\)?$/.exec(here)?.[1]);
    function named() {}
    const arrow = async () => {};
    const own = { file: __filename };
    assert.deepEqual(read?.(named), { ...own, line: line + 2, column: 19 });
    assert.deepEqual(read?.(arrow), { ...own, line: line + 3, column: 19 });
    assert.deepEqual(read?.(named.bind(null).bind(1)), read?.(named));
    assert.equal(read?.(fs.existsSync)?.file, 'node:fs');
    for (const none of [Math.max, undefined, 'text', {}, new Proxy(named, {})]) {
      assert.equal(read?.(none), null);
    }
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-place-'));
    const file = path.join(folder, 'a b.mjs');
    fs.writeFileSync(file, '\nexport default function () {}\n');
    const { default: exported } = await import(`file://${encodeURI(file)}`);
    fs.rmSync(folder, { recursive: true });
    assert.deepEqual(read?.(exported), { file, line: 2, column: 25 });
  });

  test('a node that tells something else is not believed', () => {
    const reader = (/** @type {any} */ functionPlace) =>
      placeReader(() => /** @type {any} */ ({ functionPlace }));
    assert.equal(reader(undefined), null);
    assert.equal(
      reader(() => undefined),
      null,
    );
    assert.equal(
      reader(() => ['/other.js', 1, 1]),
      null,
    );
  });
});

test('a written profile has the notes, and one with wrong ones is refused', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-notes-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const build = {
    root: '/app',
    taps: [{ plugin: 'P', hook: 'emit', file: '/p.js', line: 2, column: 3, calls: null }],
    loaders: [{ path: '/l.js', runs: 1, entries: 2 }],
  };
  const context = { command: 'node b.js', node: 'v20.20.0', rspack: null, binding: null };
  const profile = new Profile(buildRaw([{ stack: 'main' }]), { context, build });
  const file = path.join(folder, 'p.json');
  profile.write(file, { format: 'firefox' });
  assert.deepEqual(/** @type {any} */ (prof.read(file)).build, build);
  const zlib = require('node:zlib');
  const bytes = fs.readFileSync(file);
  const json = JSON.parse(String(bytes[0] === 0x1f ? zlib.gunzipSync(bytes) : bytes));
  json.meta.rspackProf.build.taps[0].line = 'x';
  fs.writeFileSync(file, JSON.stringify(json));
  assert.throws(() => prof.read(file), { code: 'ERR_PROF_BAD_FILE', message: /build\.taps\.line/ });
});
