'use strict';
// Builds that end without a word: what they had recorded comes back from their journal.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { loadNative } = require('../../lib/native.js');
const prof = require('../../lib/index.js');
const { profileIn, run, temporaryFolder } = require('./support.js');

// Timers do as well as perf events.
const { ok, message } = loadNative().probe('');
const skip = ok ? false : `nothing can be recorded here: ${message}`;
const [major] = process.versions.node.split('.').map(Number);
const noRspack = major < 20 && '@rspack/core 2 needs node 20';
const LIB = JSON.stringify(path.resolve(__dirname, '..', '..', 'lib', 'index.js'));
const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');

/** Works for a while, by its CPU time, then until its journal has been written to: what it did before
 *  that is in it, however little of a CPU it has. */
const WORK = `
  const fs = require('node:fs'), path = require('node:path');
  function journals(root) {
    try { return fs.readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => path.basename(file) === 'journal').map((file) => path.join(root, file)); }
    catch { return []; }
  }
  function buildSomething(root, writes) {
    let size = 0, n = 0;
    const began = process.cpuUsage().user;
    const worked = () => process.cpuUsage().user - began > 500_000;
    for (const end = Date.now() + 60_000; writes > 0 && Date.now() < end;) {
      for (let i = 0; i < 1e6; i++) n += Math.sqrt(n + 1);
      const [file] = worked() ? journals(root) : [];
      const now = file ? fs.statSync(file).size : 0;
      if (now > size) { size = now; writes -= 1; }
    }
    return n;
  }`;

/** How a build may end. */
const ENDS = {
  SIGKILL: "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1e6);",
  SIGSEGV: "process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1e6);",
  SIGABRT: 'process.abort();',
  memory: "const all = []; for (;;) all.push(new Array(1e4).fill('x').map((x, i) => x + i));",
};

/** @param {string} cwd @param {string} end @param {object} [options] */
async function crash(cwd, end, options = {}) {
  const given = JSON.stringify({ frequency: 500, ...options });
  const script = `require(${LIB}).start(${given}); ${WORK} buildSomething('.rspack-prof', 2); ${end}`;
  const flags = ['--max-old-space-size=60'];
  return run(process.execPath, [...flags, '-e', script], { cwd });
}

/** @param {string} cwd @param {string[]} args */
const cli = (cwd, ...args) => run(process.execPath, [CLI, ...args], { cwd });

/** @param {string} root @returns {string[]} */
const journalsIn = (root) =>
  fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'journal');

/** @param {any} profile @param {number} [share] of its work; the rest is its end's (garbage collection) */
function isOfTheBuild(profile, share = 0.5) {
  assert.ok(profile.quality.samples > 20, `${profile.quality.samples} samples`);
  assert.ok(profile.share(/buildSomething/, { total: true }) > share);
  assert.equal(profile.meta.node, process.version);
  assert.match(profile.meta.command, /^node/);
  const { complete, truncated, broken, samples, warnings } = profile.quality;
  assert.equal(complete + truncated + broken, samples);
  assert.ok(warnings.some((/** @type {any} */ { code }) => code === 'recovered'));
}

describe('a build that ends without a word', { skip, concurrency: 3 }, () => {
  for (const [how, end] of Object.entries(ENDS)) {
    test(`by ${how} leaves a journal, and recover makes the profile of it`, async (t) => {
      const cwd = temporaryFolder(t);
      const ended = await crash(cwd, end);
      assert.equal(ended.signal, how === 'memory' ? 'SIGABRT' : how, ended.stderr);
      assert.equal(journalsIn(cwd).length, 1);
      const { code, stdout, stderr } = await cli(cwd, 'recover');
      assert.equal(code, 0, stderr);
      assert.match(stdout, /buildSomething/);
      assert.match(stdout, /recovered from the journal of a process that ended/);
      assert.match(stderr, /recovered to \.rspack-prof\/.+\/$/m);
      assert.deepEqual(journalsIn(cwd), []);
      const { folder, profile } = profileIn(path.join(cwd, '.rspack-prof'));
      isOfTheBuild(profile, how === 'memory' ? 0.05 : 0.5);
      const names = ['flamegraph.html', 'hotspots.txt', 'profile.folded', 'profile.json.gz'];
      assert.deepEqual(fs.readdirSync(folder).sort(), names);
      assert.equal(fs.statSync(path.join(folder, 'profile.json.gz')).mode & 0o777, 0o600);
    });
  }

  test('has the phases, marks and spans that had begun', { skip: noRspack }, async (t) => {
    const cwd = temporaryFolder(t);
    fs.writeFileSync(path.join(cwd, 'index.js'), 'console.log(1);\n');
    const script = `const session = require(${LIB}).start({ frequency: 500, quiet: true }); ${WORK}
      session.mark('cache read', { files: 3 });
      const before = session.span('before rspack');
      const { rspack } = require(${JSON.stringify(require.resolve('@rspack/core'))});
      const compiler = rspack({ mode: 'development', devtool: false, context: process.cwd(), entry: './index.js' });
      compiler.hooks.make.tap('killer', () => {
        before.end();
        session.span('the last thing');
        buildSomething('.rspack-prof', 2);
        ${ENDS.SIGKILL}
      });
      compiler.run(() => {});`;
    const ended = await run(process.execPath, ['-e', script], { cwd });
    assert.equal(ended.signal, 'SIGKILL', ended.stderr);
    const { code, stdout, stderr } = await cli(cwd, 'recover');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^WALL ms.* PHASE$[^]* the last thing$[^]*^SELF%/m); // above the hotspots
    const { folder, profile } = profileIn(path.join(cwd, '.rspack-prof'));
    const named = (/** @type {string} */ name) => profile.markers.find((one) => one.name === name);
    assert.deepEqual(named('cache read')?.data, { files: 3 });
    assert.ok(Number(named('before rspack')?.endNs) > Number(named('before rspack')?.startNs));
    assert.equal(named('make')?.type, 'phase');
    // It was never ended: it goes on to the end of what was recorded.
    const worked = profile.phases().find(({ name }) => name === 'the last thing');
    assert.ok(Number(worked?.samples) > 20, JSON.stringify(profile.phases()));
    assert.match(fs.readFileSync(path.join(folder, 'hotspots.txt'), 'utf8'), / the last thing$/m);
  });

  test('has the time and the counts of plugins and loaders', { skip: noRspack }, async (t) => {
    const cwd = temporaryFolder(t);
    const burn =
      'for (const end = process.cpuUsage().user + MS * 1e3; process.cpuUsage().user < end;);';
    const write = (/** @type {string} */ name, /** @type {string} */ text) =>
      fs.writeFileSync(path.join(cwd, name), text);
    for (const name of ['a', 'b', 'c']) write(`${name}.js`, 'export default 1;\n');
    write('index.js', ['a', 'b', 'c'].map((name) => `import './${name}.js';\n`).join(''));
    write(
      'own-loader.js',
      `module.exports = function own(text) { ${burn.replace('MS', '60')} return text; };\n`,
    );
    const script = `require(${LIB}).start({ event: 'cpu-clock', frequency: 500, quiet: true }); ${WORK}
      const { rspack } = require(${JSON.stringify(require.resolve('@rspack/core'))});
      class Slow { apply(compiler) { compiler.hooks.thisCompilation.tap('Slow', ({ hooks }) =>
        hooks.processAssets.tap('Slow', function slow() { ${burn.replace('MS', '200')} })); } }
      class Killer { apply(compiler) { compiler.hooks.emit.tap('Killer', () => {
        buildSomething('.rspack-prof', 2);
        ${ENDS.SIGKILL} }); } }
      rspack({ mode: 'development', devtool: false, context: process.cwd(), entry: './index.js',
        module: { rules: [{ test: /[abc].js$/, use: './own-loader.js' }] },
        plugins: [new Slow(), new Killer()] }).run(() => {});`;
    const ended = await run(process.execPath, ['-e', script], { cwd });
    assert.equal(ended.signal, 'SIGKILL', ended.stderr);
    const { code, stderr } = await cli(cwd, 'recover');
    assert.equal(code, 0, stderr);
    const { profile } = profileIn(path.join(cwd, '.rspack-prof'));
    const ms = (/** @type {any} */ by, /** @type {string} */ key) =>
      Number(profile.hotspots({ by }).find((row) => row.key === key)?.self) / 1e6;
    // Burned in user time; a sample has the kernel's too. What is missing is neither's.
    const total = profile.totalWeight / 1e6;
    for (const [found, burned] of [
      [ms('plugin', 'Slow'), 200],
      [ms('loader', './own-loader.js'), 180],
    ]) {
      assert.ok(found > 0.6 * burned && found < 0.9 * total, `${found} of ${burned} ms`);
    }
    const { hooks, loaders } = profile.border();
    assert.equal(loaders.find(({ loader }) => loader === './own-loader.js')?.runs, 3);
    assert.equal(hooks.find(({ plugin }) => plugin === 'Slow')?.calls, 1);
    assert.ok(profile.build.taps.some(({ plugin }) => plugin === 'Killer'));
    const reported = await cli(cwd, 'report', '--sort', 'plugin', '--no-children');
    assert.match(reported.stdout, / Slow$/m);
  });

  test('is told of at the next start and by the doctor, and to a file of its own', async (t) => {
    const cwd = temporaryFolder(t);
    await crash(cwd, ENDS.SIGKILL, { quiet: true });
    const next = await run(process.execPath, ['-e', `require(${LIB}).start().stopSync()`], { cwd });
    assert.match(
      next.stderr,
      /^rspack-prof: a build ended without its profile and left \.rspack-prof\/.+\/journal: run `npx rspack-prof recover`/m,
    );
    const doctor = await cli(cwd, 'doctor');
    assert.match(doctor.stdout, /left its journal/);
    const { code, stderr } = await cli(cwd, 'recover', '-o', 'p.json.gz');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /p\.json\.gz is written, .*journal is kept/);
    isOfTheBuild(prof.read(path.join(cwd, 'p.json.gz')));
    assert.equal(journalsIn(cwd).length, 1);
    const none = await cli(temporaryFolder(t), 'recover');
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^rspack-prof: no journal .* nothing to recover \(ERR_PROF_BAD_FILE\)$/m,
    );
  });

  test('under record: record itself recovers it, and says so', async (t) => {
    const cwd = temporaryFolder(t);
    const script = `${WORK} buildSomething('.', 2); process.abort();`;
    const output = ['-F', '500', '-o', 'p.json.gz'];
    const ended = await cli(cwd, 'record', ...output, '--', process.execPath, '-e', script);
    assert.equal(ended.signal, 'SIGABRT', ended.stderr);
    assert.match(
      ended.stderr,
      /process \d+ was killed or crashed: its profile comes from its journal/,
    );
    isOfTheBuild(prof.read(path.join(cwd, 'p.json.gz')));
    assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
  });

  test('with record: what both leave is recovered into .rspack-prof', async (t) => {
    const cwd = temporaryFolder(t);
    const script = `${WORK} buildSomething('.', 2); process.kill(process.ppid, 'SIGKILL'); ${ENDS.SIGKILL}`;
    const ended = await cli(cwd, 'record', '-F', '500', '--', process.execPath, '-e', script);
    assert.equal(ended.signal, 'SIGKILL', ended.stderr);
    // The command may outlive record by a moment; while it lives its journal is its own.
    let recovered = await cli(cwd, 'recover');
    for (let tries = 0; recovered.code !== 0 && tries < 50; tries += 1) {
      recovered = await cli(cwd, 'recover');
    }
    assert.equal(recovered.code, 0, recovered.stderr);
    isOfTheBuild(profileIn(path.join(cwd, '.rspack-prof')).profile);
  });
});

describe('a journal', { skip, concurrency: 3 }, () => {
  test('is gone when the profile is there, and leaves no folder behind stop()', async (t) => {
    const cwd = temporaryFolder(t);
    const stopped = `const s = require(${LIB}).start(); ${WORK} buildSomething('.rspack-prof', 1);
      console.log(journals('.rspack-prof').length); s.stopSync(); console.log(fs.existsSync('.rspack-prof'));`;
    const first = await run(process.execPath, ['-e', stopped], { cwd });
    assert.equal(first.stdout, '1\nfalse\n', first.stderr);
    const disposed = stopped.replace(
      's.stopSync()',
      "s[Symbol.dispose ?? Symbol.for('dispose')]?.()",
    );
    if (Symbol.dispose) {
      const second = await run(process.execPath, ['-e', disposed], { cwd });
      assert.match(second.stdout, /^1\n/, second.stderr);
      assert.deepEqual(journalsIn(cwd), []);
    }
    const exited = `require(${LIB}).start({ quiet: true }); ${WORK} buildSomething('.rspack-prof', 1);`;
    const third = await run(process.execPath, ['-e', exited], { cwd });
    assert.equal(third.code, 0, third.stderr);
    assert.deepEqual(journalsIn(cwd), []);
    isOfAnExit(cwd);
  });

  test('of a build that runs is left alone; journal: false makes none', async (t) => {
    const cwd = temporaryFolder(t);
    const script = `require(${LIB}).start({ quiet: true }); ${WORK} buildSomething('.rspack-prof', 1);
      const { spawnSync } = require('node:child_process');
      const done = spawnSync(process.execPath, [${JSON.stringify(CLI)}, 'recover', journals('.rspack-prof')[0]],
        { encoding: 'utf8' });
      console.log(done.status, done.stderr);`;
    const { stdout } = await run(process.execPath, ['-e', script], { cwd });
    assert.match(stdout, /^1 rspack-prof: .* is of a process that still runs/);
    const without = temporaryFolder(t);
    const off = `const s = require(${LIB}).start({ journal: false });
      for (const end = Date.now() + 1500; Date.now() < end;); s.stopSync();`;
    await run(process.execPath, ['-e', off], { cwd: without });
    assert.deepEqual(fs.readdirSync(without), []);
  });

  test('that cannot be written costs a warning, and nothing else', async (t) => {
    if (process.getuid?.() === 0 && spawnSync('mountpoint', ['/proc']).status !== 0)
      t.skip('no /proc');
    const script = `const s = require(${LIB}).start({ output: '/proc/nowhere', quiet: true });
      for (const end = Date.now() + 1500; Date.now() < end;);
      console.log(JSON.stringify(s.stopSync().quality.warnings.find(({ code }) => code === 'no-journal')));`;
    const { stdout, stderr } = await run(process.execPath, ['-e', script]);
    assert.match(
      JSON.parse(stdout || 'null')?.message ?? stderr,
      /no journal in \/proc\/nowhere: No such file/,
    );
  });
});

/** @param {string} cwd */
function isOfAnExit(cwd) {
  const { profile } = profileIn(path.join(cwd, '.rspack-prof'));
  assert.ok(profile.quality.samples > 20);
  assert.ok(!('journal' in profile.meta) && !('journal' in profile.raw.meta));
}
