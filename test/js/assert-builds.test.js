'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { profileBuild } = require('../../lib/assert/build.js');
const { buildOf } = require('../../lib/assert/builds.js');
const { openCounters } = require('../../lib/assert/counters.js');
const { localize } = require('../../lib/assert/localize.js');
const { ProfError } = require('../../lib/errors.js');
const { Profile } = require('../../lib/profile/profile.js');
const { rawProfile } = require('./cli-support.js');

const ROOT = path.join(__dirname, '..', '..');

/** A profiler whose recording has a sample for each of ten milliseconds, on a clock of the test's. */
function fakeProfiler() {
  const log = /** @type {string[]} */ ([]);
  let clockMs = 1000;
  const profiler = {
    start(/** @type {object} */ options) {
      log.push(`start ${JSON.stringify(options)}`);
      return {
        async stop() {
          log.push('stop');
          const funcs = [{ name: 'work', kind: 'js' }];
          const count = clockMs - 1000;
          const raw = rawProfile({
            funcs,
            samples: [{ stack: ['work'], count }],
            meta: { startNs: 1e9, endNs: clockMs * 1e6 },
          });
          const context = { command: '', node: '', rspack: null, binding: null };
          return new Profile(raw, { context });
        },
        [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: () => log.push('dispose'),
      };
    },
    async stat() {
      throw new ProfError('ERR_PROF_NO_PMU', 'no counter here');
    },
  };
  /** @param {number} ms */
  const work = (ms) => () => {
    log.push('work');
    clockMs += ms;
  };
  return { log, profiler, work, now: () => clockMs * 1e6 };
}

test('warm-ups are recorded and left out, runs are the profile and each one of it', async () => {
  const { log, profiler, work, now } = fakeProfiler();
  const options = { runs: 3, warmup: 2, frequency: 500 };
  const profile = await profileBuild(work(50), options, { profiler, now });
  assert.deepEqual(log, [
    'start {"frequency":500,"quiet":true}',
    ...['work', 'work', 'work', 'work', 'work', 'stop', 'dispose'],
  ]);
  assert.equal(profile.quality.samples, 150);
  assert.deepEqual(
    profile.runs.map(({ quality }) => quality.samples),
    [50, 50, 50],
  );
  assert.equal(profile.counters.values.wallMs.length, 3);
  assert.equal(profile.counters.values.pageFaults.length, 3);
  assert.deepEqual(Object.keys(profile.counters.missing), ['instructions', 'cycles']);
  assert.equal(profile.counters.counted, 'profiled');
});

test('counted runs come after the recording, and only their counters are kept', async () => {
  const { log, profiler, work, now } = fakeProfiler();
  const options = { runs: 1, warmup: 0, countRuns: 4 };
  const profile = await profileBuild(work(10), options, { profiler, now });
  assert.deepEqual(log.slice(1), ['work', 'stop', 'work', 'work', 'work', 'work', 'dispose']);
  assert.equal(profile.counters.counted, 'apart');
  assert.equal(profile.counters.values.wallMs.length, 4);
  assert.equal(profile.quality.samples, 10);
});

test('a build that throws ends the recording, and the next one begins', async () => {
  const { log, profiler, work, now } = fakeProfiler();
  const broken = () => Promise.reject(new Error('of the build'));
  await assert.rejects(profileBuild(broken, {}, { profiler, now }), /of the build/);
  assert.equal(log.at(-1), 'dispose');
  const profile = await profileBuild(work(10), { warmup: 0 }, { profiler, now });
  assert.equal(profile.runs.length, 3);
});

test('two at once are refused with what to do, and the first goes on', async () => {
  const { profiler, work, now } = fakeProfiler();
  await profileBuild(work(10), {}, { profiler, now });
  /** @type {() => void} */
  let begun = () => {};
  /** @type {(value?: unknown) => void} */
  let finish = () => {};
  const beginning = new Promise((resolve) => (begun = () => resolve(undefined)));
  const slow = () => {
    begun();
    return new Promise((resolve) => (finish = resolve));
  };
  const first = profileBuild(slow, { runs: 1, warmup: 0 }, { profiler, now });
  await beginning;
  const second = profileBuild(work(10), {}, { profiler, now });
  await assert.rejects(second, { code: 'ERR_PROF_BUSY' });
  finish();
  await first;
  await profileBuild(work(10), {}, { profiler, now });
});

test('options that do not exist or cannot be are refused before anything runs', async () => {
  const { log, profiler, work, now } = fakeProfiler();
  const refuses = (/** @type {object} */ options, /** @type {RegExp} */ say) =>
    assert.rejects(
      profileBuild(work(1), { ...options }, { profiler, now }),
      (/** @type {any} */ error) => {
        assert.equal(error.code, 'ERR_PROF_BAD_OPTION');
        assert.match(error.message, say);
        return true;
      },
    );
  await refuses({ run: 3 }, /did you mean 'runs'/);
  await refuses({ runs: 0 }, /from 1 to 1000/);
  await refuses({ warmup: 1.5 }, /whole number/);
  await assert.rejects(profileBuild(42, {}, { profiler, now }), /takes a config file/);
  await assert.rejects(profileBuild(undefined, {}, { profiler, now }), /takes a config file/);
  assert.deepEqual(log, []);
});

test('in a worker thread it says how to run in a process', async () => {
  const file = JSON.stringify(path.join(ROOT, 'lib', 'assert', 'build.js'));
  const code = `require(${file}).profileBuild(() => {}).catch((error) =>
    require('node:worker_threads').parentPort.postMessage([error.code, error.message]))`;
  const worker = new Worker(code, { eval: true });
  const [errorCode, message] = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  await worker.terminate();
  assert.equal(errorCode, 'ERR_PROF_BAD_OPTION');
  assert.match(message, /pool: 'forks'/);
});

/** @param {import('node:test').TestContext} t @param {Record<string, string>} files */
function folderWith(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-builds-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** An @rspack/core that says what it was given. */
const CORE = {
  'node_modules/@rspack/core/package.json': '{"name":"@rspack/core","main":"index.js"}',
  'node_modules/@rspack/core/index.js': `
    const seen = (globalThis.seenByRspack ??= []);
    exports.rspack = (config) => {
      if (config.plugins === 'throw') throw new Error('Invalid configuration\\nplugins: wrong');
      return {
        hooks: {},
        run(done) {
          seen.push(['run', config.name]);
          if (config.name === 'fatal') return done(new Error('no memory'));
          const errors = config.name === 'errors' ? [{ message: '\\n  a.js missing\\n  in b.js' }, { message: 'x' }] : [];
          done(null, { hasErrors: () => errors.length > 0, toJson: () => ({ errors }) });
        },
        close(done) { seen.push(['close', config.name]); done(); },
      };
    };`,
};

/** @returns {string[][]} */
const seen = () => /** @type {any} */ (globalThis).seenByRspack.splice(0);

test('configs as files, objects, lists, functions; the rspack of the folder builds them, closed each time', async (t) => {
  const cwd = folderWith(t, {
    ...CORE,
    'a.config.js': "module.exports = { name: 'file', entry: './a.js' };",
    'b.config.mjs': "export default async (env, { mode }) => ({ name: mode, entry: './a.js' });",
    'esm/package.json': '{"type":"module"}',
    'esm/c.config.js':
      "export default await Promise.resolve({ name: 'awaited', entry: './a.js' });",
    'd.config.ts': "const name: string = 'typed'; export default { name, entry: './a.js' };",
  });
  const names = async (/** @type {unknown} */ what) => {
    const build = buildOf(what, { cwd, mode: 'production' });
    await build();
    await build();
    return seen().join(' ');
  };
  const twice = (/** @type {string} */ name) =>
    `run,${name} close,${name} run,${name} close,${name}`;
  assert.equal(await names('a.config.js'), twice('file'));
  assert.equal(await names('./b.config.mjs'), twice('production'));
  assert.equal(await names('esm/c.config.js'), twice('awaited'));
  if (/** @type {any} */ (process.features).typescript) {
    assert.equal(await names('d.config.ts'), twice('typed'));
  }
  assert.equal(await names({ name: 'object', entry: './a.js' }), twice('object'));
  assert.equal(await names(() => ({ name: 'made', entry: './a.js' })), twice('made'));
  const made = (/** @type {any} */ { rspack }) => rspack({ name: 'compiler' });
  assert.equal(await names(made), twice('compiler'));
  const compiler = {
    hooks: {},
    run: (/** @type {any} */ done) => done(null, {}),
    close: assert.fail,
  };
  await buildOf(compiler, { cwd })();
  const result = { stats: 'of its own' };
  assert.equal(await buildOf(async () => result, { cwd })(), result);
});

test('a build that fails, a config that is none: one line, and the compiler is closed', async (t) => {
  const cwd = folderWith(t, {
    ...CORE,
    'bad.js': 'module.exports = {',
    'x.ts': 'export default {',
  });
  const fails = async (
    /** @type {unknown} */ what,
    /** @type {string} */ code,
    /** @type {RegExp} */ say,
  ) => {
    await assert.rejects(
      async () => buildOf(what, { cwd })(),
      (/** @type {any} */ error) => {
        assert.equal(error.code, code);
        assert.match(error.message, say);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  };
  const entry = './a.js';
  await fails({ name: 'errors', entry }, 'ERR_PROF_SYSTEM', /errors: a\.js missing \(and 1 more/);
  await fails({ name: 'fatal', entry }, 'ERR_PROF_SYSTEM', /the build failed: no memory/);
  assert.deepEqual(
    seen().map(([what]) => what),
    ['run', 'close', 'run', 'close'],
  );
  await fails({ plugins: 'throw' }, 'ERR_PROF_BAD_OPTION', /does not take this config: Invalid/);
  await fails('none.js', 'ERR_PROF_BAD_OPTION', /there is no config/);
  await fails('bad.js', 'ERR_PROF_BAD_OPTION', /cannot be loaded/);
  const { typescript } = /** @type {any} */ (process.features);
  await fails('x.ts', 'ERR_PROF_BAD_OPTION', typescript ? /cannot be loaded/ : /no TypeScript/);
  const nowhere = folderWith(t, {});
  await assert.rejects(
    async () => buildOf({ entry }, { cwd: nowhere })(),
    /there is no @rspack\/core/,
  );
});

test('a config of another realm: regular expressions are ours, plugins are untouched, cycles end', () => {
  const foreign = vm.runInNewContext(`
    class Plugin { apply() {} }
    const config = { entry: './a.js', plugins: [new Plugin()], extensions: ['.js'],
      module: { rules: [{ test: /\\.jsx?$/gi, use: () => 1 }] } };
    config.self = config;
    config`);
  const local = localize(foreign);
  const [{ test: pattern, use }] = local.module.rules;
  assert.ok(pattern instanceof RegExp);
  assert.equal(String(pattern), '/\\.jsx?$/gi');
  assert.ok(Array.isArray(local.module.rules) && local.extensions instanceof Array);
  assert.equal(use, foreign.module.rules[0].use);
  assert.equal(local.plugins[0], foreign.plugins[0]);
  assert.equal(local.self, local);
  assert.equal(localize('text'), 'text');
});

test('counters: time and faults always, events where they count, the reason where not', async () => {
  const asked = /** @type {unknown[]} */ ([]);
  const stat = /** @type {any} */ (
    async (
      /** @type {() => any} */ work,
      /** @type {{events: string | string[]}} */ { events },
    ) => {
      asked.push(events);
      if (events === 'cycles:u') throw new ProfError('ERR_PROF_NO_PMU', 'no cycles here');
      return { value: await work(), events: { 'instructions:u': { value: 1234 } } };
    }
  );
  const counters = await openCounters({ stat });
  assert.deepEqual(counters.missing, { cycles: 'no cycles here' });
  const { result, values } = await counters.measure(async () => 'built');
  assert.equal(result, 'built');
  assert.equal(values.instructions, 1234);
  assert.ok(values.wallMs >= 0 && values.pageFaults >= 0);
  assert.deepEqual(asked, ['instructions:u', 'cycles:u', ['instructions:u']]);
});

test('coverage is seen by the flag, also in a worker process, which has none', () => {
  const file = JSON.stringify(path.join(ROOT, 'lib', 'assert', 'measured-on.js'));
  const worker = `console.log(require(${file}).isCovered({}))`;
  const runner = `const { execFileSync } = require('node:child_process');
    console.log(execFileSync(process.execPath, ['-e', ${JSON.stringify(worker)}], { encoding: 'utf8' }))`;
  const env = { ...process.env };
  delete env.NODE_V8_COVERAGE;
  const said = (/** @type {string} */ script, /** @type {string[]} */ ...flags) =>
    execFileSync(process.execPath, ['-e', script, '--', ...flags], {
      env,
      encoding: 'utf8',
    }).trim();
  for (const flag of ['--coverage', '--collectCoverage=true']) {
    assert.deepEqual([said(worker, flag), said(runner, flag)], ['true', 'true'], flag);
  }
  assert.equal(said(runner, '--coverageReporters=text'), 'false');
});
