'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const Module = require('node:module');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { read } = require('../../lib/export/index.js');
const { Finder } = require('../../lib/phases/find.js');
const { PhaseRecorder } = require('../../lib/phases/recorder.js');
const { followCompiler } = require('../../lib/phases/taps.js');
const { renderPhases } = require('../../lib/phase-table.js');
const { RspackProfPlugin } = require('../../lib/plugin.js');
const { buildProfile } = require('./helpers/raw-profile.js');

const START = 5e12;
const at = (/** @type {number} */ ms) => START + ms * 1e6;

/** @typedef {import('../../lib/profile/raw').Marker} Marker */

/**
 * @param {string} name
 * @param {number} startMs
 * @param {number | null} endMs
 * @param {object} [data]
 * @returns {Marker}
 */
const phase = (name, startMs, endMs, data = { compiler: '', build: 1 }) => ({
  type: 'phase',
  name,
  startNs: at(startMs),
  endNs: endMs === null ? null : at(endMs),
  data,
});

/**
 * One sample each ms, of 1 ms.
 * @param {Marker[]} markers
 * @param {(ms: number) => string[]} threads which run in that ms
 */
function profileOf(markers, threads = () => ['node'], ms = 100) {
  const samples = Array.from({ length: ms }, (_, i) =>
    threads(i).map((thread) => ({ stack: 'f', timeNs: at(i + 0.5), weight: 1e6, thread })),
  ).flat();
  const meta = { unit: 'ns', endNs: at(ms) };
  return buildProfile(samples, { meta }, markers);
}

/** @param {ReturnType<typeof profileOf>} profile */
const keysOf = (profile, by = 'phase') =>
  Object.fromEntries(profile.hotspots({ by }).map(({ key, samples }) => [key, samples]));

/** A hook as rspack's are, as far as we use them. */
class Hook {
  /** @type {{stage: number, fn: (...args: unknown[]) => unknown}[]} */
  taps = [];
  /** @param {{stage: number}} options @param {(...args: unknown[]) => unknown} fn */
  tap({ stage }, fn) {
    this.taps.push({ stage, fn });
    this.taps.sort((a, b) => a.stage - b.stage);
  }
  /** @param {unknown[]} args */
  call(...args) {
    return this.taps.map(({ fn }) => fn(...args));
  }
}

/** @param {string[]} names @returns {any} hooks that throw for others, as rspack's */
const hooksOf = (...names) =>
  new Proxy(Object.fromEntries(names.map((name) => [name, new Hook()])), {
    get(target, name) {
      if (!(name in target)) throw new Error(`no hook ${String(name)}`);
      return target[/** @type {string} */ (name)];
    },
  });

function world() {
  const clock = { ms: 0 };
  const recorder = new PhaseRecorder(() => at(clock.ms));
  const told = () =>
    recorder
      .markers(at(0), at(1000))
      .filter(({ type }) => type !== 'build')
      .map(({ name, startNs, endNs }) => [
        name,
        (startNs - START) / 1e6,
        endNs && (endNs - START) / 1e6,
      ]);
  return { clock, recorder, told };
}

test('each sample and each moment is in one phase; gaps have names', () => {
  const profile = profileOf([
    phase('make', 10, 30),
    phase('seal', 30, 40),
    phase('make', 60, 80, { compiler: '', build: 2 }),
  ]);
  assert.deepEqual(keysOf(profile), { before: 10, make: 40, seal: 10, between: 20, after: 20 });
  assert.deepEqual(keysOf(profile, 'build,phase')['2,make'], 20);
  assert.equal(profile.share(/f/, { phase: 'make' }), 1);
  assert.equal(profile.hotspots({ phase: 'make' })[0].samples, 40);
  assert.deepEqual(
    profile.phases().map(({ name, build, startMs, endMs, wallMs, samples }) => {
      return [name, build, startMs, endMs, wallMs, samples];
    }),
    [
      ['before', 0, 0, 10, 10, 10],
      ['make', 1, 10, 30, 20, 20],
      ['seal', 1, 30, 40, 10, 10],
      ['between', 0, 40, 60, 20, 20],
      ['make', 2, 60, 80, 20, 20],
      ['after', 0, 80, 100, 20, 20],
    ],
  );
  assert.throws(
    () => profile.hotspots({ phase: 'maek' }),
    /it has before, make, seal, between, after/,
  );
});

test('of phases that overlap the one that began last has the moment; a span takes from its phase', () => {
  const a = { compiler: 'a', build: 1 };
  const b = { compiler: 'b', build: 1 };
  const profile = profileOf([
    phase('make', 0, 50, a),
    phase('make', 10, 20, b),
    phase('seal', 20, 60, b),
    { ...phase('mine', 70, 75), type: 'span' },
    phase('emit', 60, 100, b),
    { ...phase('child compiler x', 5, 95), type: 'child' },
  ]);
  assert.deepEqual(keysOf(profile, 'compiler,phase'), {
    'a,make': 10,
    'b,make': 10,
    'b,seal': 40,
    'b,emit': 35,
    '(no compiler),mine': 5,
  });
  const [first] = profile.phases();
  assert.deepEqual([first.compiler, first.endMs, first.wallMs], ['a', 10, 10]);
});

test('cores, the main thread’s part, and how long it ran alone', () => {
  const profile = profileOf([phase('make', 0, 50), phase('seal', 50, null)], (ms) => {
    if (ms < 50) return ['node', 'tokio-1', 'tokio-2'];
    return ms < 70 ? ['node'] : ms < 90 ? ['tokio-1'] : [];
  });
  const [make, seal] = profile.phases();
  assert.deepEqual([make.cpuMs, make.busyCores, make.mainMs, make.mainAloneMs], [150, 3, 50, 0]);
  assert.deepEqual(
    [seal.cpuMs, seal.busyCores, seal.mainMs, seal.mainShare, seal.mainAloneMs],
    [40, 0.8, 20, 0.5, 20],
  );
  assert.deepEqual(keysOf(profile, 'pool'), { main: 70, tokio: 120 });
  assert.match(
    renderPhases(profile),
    /^ +50\.0 +150\.0 +3\.00 +50\.0 +0\.0 +150 +78\.95 {2}make$/m,
  );
});

test('an event that tells no time has no CPU time', () => {
  const profile = buildProfile([{ stack: 'f' }], { meta: { unit: 'events' } }, [
    phase('make', 0, null),
  ]);
  const [make] = profile.phases();
  assert.deepEqual([make.cpuMs, make.busyCores, make.mainAloneMs], [null, null, null]);
  assert.equal(make.samples, 1);
  assert.match(renderPhases(profile), / - +- +- /);
});

test('node’s unnamed workers are told by their outermost frames', () => {
  const v8 = 'start_thread;node::(anonymous namespace)::PlatformWorkerThread(void*);gc';
  const profile = buildProfile([
    { stack: 'main', thread: 'node/4242' },
    { stack: v8, thread: 'node/5001' },
    { stack: 'start_thread;uv__thread_start;worker;read', thread: 'node/5002' },
    { stack: 'start_thread;what', thread: 'else/5003' },
    { stack: '', thread: 'V8Worker/5004' },
  ]);
  assert.deepEqual(profile.threadPools, ['main', 'v8', 'libuv', 'other', 'v8']);
});

test('phases travel in the file, and come back', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const profile = profileOf([
    phase('make', 10, 30, { compiler: 'a', build: 3 }),
    { ...phase('child compiler x', 11, 12), type: 'child' },
  ]);
  const file = path.join(folder, 'p.json.gz');
  profile.write(file);
  const again = /** @type {typeof profile} */ (read(file));
  assert.deepEqual(again.markers, profile.markers);
  assert.deepEqual(again.phases(), profile.phases());
});

test('a compiler is in one phase at a time; what comes before the first one is told', () => {
  const { clock, recorder, told } = world();
  clock.ms = 20;
  recorder.bindingLoaded({ startNs: at(5), endNs: at(15) });
  const one = recorder.compiler('');
  one.enter('setup');
  clock.ms = 25;
  one.begin();
  one.enter('setup');
  clock.ms = 30;
  one.enter('make');
  clock.ms = 40;
  one.leave();
  one.begin();
  one.enter('make');
  assert.deepEqual(told(), [
    ['node start', 0, 5],
    ['binding load', 5, 15],
    ['config load', 15, 20],
    ['setup', 20, 30],
    ['make', 30, 40],
    ['make', 40, null],
  ]);
  const phasesIn = (/** @type {number} */ from, /** @type {number} */ to) =>
    recorder.markers(at(from), at(to)).filter(({ type }) => type !== 'build');
  const [first] = phasesIn(32, 35);
  assert.deepEqual(
    [first.startNs, first.endNs, first.data],
    [at(32), at(40), { compiler: '', build: 1 }],
  );
  assert.equal(phasesIn(32, 35).length, 1);
  assert.equal(phasesIn(45, 50)[0].name, 'make', 'open for ever');
});

test('exit: from the last compiler that was closed to the end, where the process ends', () => {
  const { clock, recorder, told } = world();
  const [one, two] = [recorder.compiler('one'), recorder.compiler('two')];
  one.enter('make');
  clock.ms = 10;
  one.closed();
  recorder.exiting();
  assert.deepEqual(told(), [['make', 0, 10]], 'the other one is not closed');
  two.enter('make');
  clock.ms = 30;
  two.closed();
  assert.equal(told().length, 2, 'the process goes on');
  clock.ms = 50;
  recorder.exiting();
  assert.deepEqual(told().at(-1), ['exit', 30, 1000]);
  assert.deepEqual(
    recorder.markers(at(0), at(30)).map(({ name }) => name),
    ['make', 'make'],
  );
});

test('rspack’s own spans take code generation apart', () => {
  const span = (
    /** @type {string} */ name,
    /** @type {number} */ from,
    /** @type {number} */ to,
  ) => ({
    ...phase(name, from, to),
    type: /** @type {const} */ ('rspack'),
    data: {},
  });
  const profile = profileOf([
    phase('seal', 0, 20),
    phase('code generation', 20, 80),
    span('Compilation:create_hash', 5, 10), // of a child compiler, elsewhere
    span('Compilation:create_module_hashes', 21, 30),
    span('Compilation:code_generation', 30, 50),
    span('Compilation:process_chunks_runtime_requirements', 50, 55),
    span('Compilation:create_hash', 60, 70),
    span('Compilation::create_chunk_assets', 70, 78),
    phase('process assets', 80, 100),
  ]);
  assert.deepEqual(keysOf(profile), {
    seal: 20,
    'code generation': 28,
    hash: 19,
    'runtime requirements': 5,
    'create assets': 8,
    'process assets': 20,
  });
  const rows = profile.phases().filter(({ name }) => name === 'hash');
  assert.deepEqual(
    rows.map(({ build, wallMs }) => [build, wallMs]),
    [[1, 19]],
  );
});

test('compilers of one name, or of none, are told apart where there are several', () => {
  const { recorder } = world();
  for (const name of ['web', '', 'web']) recorder.compiler(name).enter('make');
  const names = recorder
    .markers(at(0), at(1))
    .map(({ data }) => /** @type {any} */ (data).compiler);
  assert.deepEqual(names, ['web #1', 'compiler #2', 'web #3']);
});

test('a watch of days keeps its last phases, and counts the others', () => {
  const { clock, recorder } = world();
  const one = recorder.compiler('');
  for (let i = 0; i < 70_000; i++) {
    clock.ms = i;
    one.enter(i % 2 ? 'make' : 'seal');
  }
  const { length } = recorder.markers(at(0), at(1e6)).filter(({ name }) => name !== 'config load');
  assert.equal(recorder.dropped + length, 70_000);
  assert.ok(recorder.dropped > 0);
});

test('a compiler is followed once, through the hooks that it has; a child’s calls are not its own', () => {
  const { clock, recorder, told } = world();
  const hooks = hooksOf('beforeRun', 'make', 'finishMake', 'thisCompilation', 'emit', 'afterDone');
  /** @type {any} */
  const compiler = { hooks, name: 'web' };
  followCompiler(compiler, recorder);
  followCompiler(compiler, recorder);
  assert.equal(hooks.make.taps.length, 1);
  const own = { compiler, hooks: hooksOf('seal', 'processAssets') };
  const step = (/** @type {() => unknown} */ call) => {
    clock.ms += 10;
    return call();
  };
  step(() => hooks.beforeRun.call(compiler));
  assert.deepEqual(
    step(() => hooks.make.call(own)),
    [undefined],
  );
  step(() => hooks.finishMake.call({ compiler: {} }));
  step(() => hooks.finishMake.call(own));
  hooks.thisCompilation.call(own);
  step(() => own.hooks.seal.call());
  step(() => hooks.emit.call(own));
  step(() => hooks.afterDone.call());
  assert.deepEqual(told().slice(-5), [
    ['setup', 0, 20],
    ['make', 20, 40],
    ['finish modules', 40, 50],
    ['seal', 50, 60],
    ['emit', 60, 70],
  ]);
});

// rspack 1.3 and later, and what its compiler was called before.
for (const compiler of ['JsCompiler', 'Rspack'])
  test(`the finder leaves node’s table and a binding with ${compiler} as they were`, () => {
    const { _extensions: extensions } = /** @type {any} */ (Module);
    const before = extensions['.node'];
    class JsResolverFactory {}
    const binding = { JsResolverFactory, [compiler]: class {} };
    const file = '/nowhere/rspack.test.node';
    /** @type {unknown[]} */
    const problems = [];
    require.cache[file] = /** @type {any} */ ({ filename: file, exports: binding });
    try {
      const finder = new Finder({
        onCompiler: () => {},
        onBinding: () => {},
        onProblem: (error) => problems.push(error),
        now: () => 0,
      });
      finder.start();
      assert.equal(finder.loadedBefore, true);
      assert.notEqual(extensions['.node'], before);
      // This file is no @rspack/core: said, and the class is there all the same.
      assert.equal(binding.JsResolverFactory, JsResolverFactory);
      assert.equal(problems.length, 1);
      finder.stop();
    } finally {
      delete require.cache[file];
    }
    assert.equal(extensions['.node'], before);
    assert.ok('value' in (Object.getOwnPropertyDescriptor(binding, 'JsResolverFactory') ?? {}));
  });

test('the plugin takes the options of start(), checked where it is made', () => {
  assert.throws(() => new RspackProfPlugin(/** @type {any} */ ({ frequencyy: 1 })), {
    code: 'ERR_PROF_BAD_OPTION',
  });
  assert.equal(require('../../lib/index.js').RspackProfPlugin, RspackProfPlugin);
  // A child compiler's is its parent's matter.
  const hooks = hooksOf('make');
  new RspackProfPlugin().apply({ hooks, root: {} });
  assert.equal(hooks.make.taps.length, 0);
});

test('the plugin on a machine that cannot record: one line, and the build goes on', () => {
  const script = `
    const profiler = require('./lib/profiler.js');
    profiler.start = () => {
      throw Object.assign(new Error('events are refused: run this'), { code: process.argv[1] });
    };
    const { RspackProfPlugin } = require('./lib/plugin.js');
    const hook = { tap() {}, tapPromise() {}, tapAsync() {}, intercept() {}, taps: [] };
    const hooks = new Proxy({}, { get: () => hook });
    new RspackProfPlugin().apply({ hooks, options: {} });
    console.log('built');`;
  const root = path.resolve(__dirname, '..', '..');
  const run = (/** @type {string} */ code) =>
    spawnSync(process.execPath, ['-e', script, code], { cwd: root, encoding: 'utf8' });
  const refused = run('ERR_PROF_PERMISSION');
  assert.equal(refused.stderr, 'rspack-prof: not recorded: events are refused: run this\n');
  assert.equal(refused.stdout, 'built\n');
  assert.equal(run('ERR_PROF_BAD_EVENT').status, 1);
});
