'use strict';
// Files of the command line are there whole or not at all: also where a signal ends the writing, the disk is
// full between two files, or the folder is somebody else's.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const LIB = path.join(__dirname, '..', '..', 'lib');
const MAIN = path.join(LIB, 'cli', 'main.js');

/** @param {import('node:test').TestContext} t */
function folder(t) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-write-'));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  return cwd;
}

/** @param {string} cwd @param {string} source */
const script = (cwd, source) =>
  spawnSync(process.execPath, ['-e', source], { cwd, encoding: 'utf8' });

/** Writes two files, and is sent a signal in the middle of the second. @param {string} signal */
const interrupted = (signal) => `
  const { writeResult } = require(${JSON.stringify(path.join(LIB, 'cli', 'files.js'))});
  const fs = require('node:fs');
  function* pieces() {
    for (let i = 0; i < 1000; i++) {
      if (i === 3) {
        fs.writeSync(1, fs.readdirSync('.').sort().join(' ') + '\\n');
        process.kill(process.pid, '${signal}');
      }
      yield Buffer.alloc(1000, 'x');
    }
    fs.writeSync(1, 'all was written\\n');
  }
  const world = { cwd: process.cwd(), stdout: process.stdout };
  writeResult(['first'], 'out', world, { beside: pieces() }).then(() => fs.writeSync(1, 'went on\\n'));`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  test(`${signal} while a file is written: it ends the process, and nothing is left`, (t) => {
    const cwd = folder(t);
    fs.writeFileSync(path.join(cwd, 'out'), 'before');
    const ended = script(cwd, interrupted(signal));
    assert.match(ended.stdout, /^beside\.\d+\.tmp out out\.\d+\.tmp\n$/, ended.stderr);
    assert.deepEqual([ended.status, ended.signal], [null, signal]);
    assert.deepEqual(fs.readdirSync(cwd), ['out']);
    assert.equal(fs.readFileSync(path.join(cwd, 'out'), 'utf8'), 'before');
  });
}

test('a signal before a folder of tables is whole ends the process once it is', (t) => {
  const cwd = folder(t);
  const ended = script(
    cwd,
    `const { untilSignal } = require(${JSON.stringify(path.join(LIB, 'cli', 'files.js'))});
    const { writeFolder } = require(${JSON.stringify(path.join(LIB, 'export', 'files.js'))});
    function* pieces() {
      process.kill(process.pid, 'SIGINT');
      yield 'x';
    }
    untilSignal(async () => writeFolder('tables', { one: pieces(), two: ['y'] }));`,
  );
  assert.deepEqual([ended.status, ended.signal], [null, 'SIGINT']);
  assert.deepEqual(fs.readdirSync(cwd), ['tables']);
  assert.deepEqual(fs.readdirSync(path.join(cwd, 'tables')), ['one', 'two']);
});

test('perf.data and its perf-map: none where one of them fails', (t) => {
  const cwd = folder(t);
  const profile = buildProfile(smallBuild().samples, smallBuild());
  profile.write(path.join(cwd, 'p.json.gz'));
  // A file may have 512 bytes: room for the perf-map, not for the data.
  const command = `ulimit -f 1; exec "$0" "${MAIN}" export p.json.gz --to perf.data -o perf.data`;
  const made = spawnSync('sh', ['-c', command, process.execPath], { cwd, encoding: 'utf8' });
  assert.match(made.stderr, /^rspack-prof: cannot write [^\n]*\(EFBIG\) \(ERR_PROF_BAD_FILE\)\n$/);
  assert.equal(made.status, 1);
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);

  fs.mkdirSync(path.join(cwd, 'taken'));
  const write = () => profile.write(path.join(cwd, 'taken'), { format: 'perf.data' });
  assert.throws(write, { code: 'ERR_PROF_BAD_FILE', message: /taken: it is a folder \(EISDIR\)$/ });
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['p.json.gz', 'taken']);
});

test('a place that cannot be written is told by its own name', (t) => {
  const cwd = folder(t);
  const profile = buildProfile(smallBuild().samples, smallBuild());
  profile.write(path.join(cwd, 'p.json.gz'));
  const commands = [
    ['export', 'p.json.gz', '--to', 'folded', '-o'],
    ['export', 'p.json.gz', '--to', 'perf.data', '-o'],
    ['export', 'p.json.gz', '--to', 'parquet', '-o'],
    ['diff', 'p.json.gz', 'p.json.gz', '--html'],
  ];
  for (const command of commands) {
    for (const [out, reason] of [
      ['none/out', /none\/out: there is no folder \S+\/none \(ENOENT\)/],
      ['p.json.gz/out', /p\.json\.gz\/out: \S+\/p\.json\.gz is no folder \(ENOTDIR\)/],
    ]) {
      const made = spawnSync(process.execPath, [MAIN, ...command, String(out)], {
        cwd,
        encoding: 'utf8',
      });
      assert.equal(made.status, 1);
      assert.match(made.stderr, /^rspack-prof: cannot write [^\n]*\(ERR_PROF_BAD_FILE\)\n$/);
      assert.match(made.stderr, /** @type {RegExp} */ (reason));
      assert.doesNotMatch(made.stderr, /\.tmp| -o/);
    }
  }
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
});

test('what another user owns: one line, and nothing written', (t) => {
  const cwd = path.join(folder(t), 'foreign');
  fs.mkdirSync(cwd);
  const profile = buildProfile(smallBuild().samples, smallBuild());
  profile.write(path.join(cwd, 'p.json.gz'));
  fs.copyFileSync(path.join(cwd, 'p.json.gz'), path.join(cwd, 'hidden.json.gz'));
  fs.chmodSync(path.join(cwd, 'p.json.gz'), 0o644);
  fs.chmodSync(path.join(cwd, 'hidden.json.gz'), 0o000);
  fs.chmodSync(path.dirname(cwd), 0o755);
  fs.chmodSync(cwd, 0o555);
  // Root may write everywhere: it becomes somebody else, who may not be able to read this package.
  const nobody = `
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    try { require('node:fs').accessSync(${JSON.stringify(MAIN)}); }
    catch { process.stdout.write('unreadable'); process.exit(0); }
    const { main } = require(${JSON.stringify(MAIN)});
    const { stdout, stderr, env } = process;
    const world = { stdout, stderr, env, cwd: process.cwd(), loadNative: () => ({ probe: () => ({ ok: true }) }) };
    main(process.argv.slice(1), world).then((code) => { process.exitCode = code; });`;
  const before = fs.readdirSync(cwd);
  for (const [args, reason] of /** @type {[string[], RegExp][]} */ ([
    [['export', 'p.json.gz', '--to', 'folded', '-o', 'out'], /write \S+\/out: .*\(EACCES\)/],
    [['export', 'p.json.gz', '--to', 'perf.data', '-o', 'out'], /write \S+\/out: .*\(EACCES\)/],
    [['export', 'p.json.gz', '--to', 'firefox', '-o', 'out'], /write \S+\/out: .*\(EACCES\)/],
    [['diff', 'p.json.gz', 'p.json.gz', '--html', 'out'], /write \S+\/out: .*\(EACCES\)/],
    [['report', 'hidden.json.gz'], /hidden\.json\.gz: .*(EACCES|permission)/],
    [['open', 'hidden.json.gz', '--no-browser'], /hidden\.json\.gz: .*(EACCES|permission)/],
    [['record', '--', process.execPath, '-e', '0'], /write \.rspack-prof\/: .*\(EACCES\)/],
  ])) {
    const made = spawnSync(process.execPath, ['-e', nobody, '--', ...args], {
      cwd,
      encoding: 'utf8',
    });
    if (made.stdout === 'unreadable') {
      fs.chmodSync(cwd, 0o755);
      return t.skip('this package is readable for its owner alone');
    }
    assert.match(made.stderr, /^rspack-prof: [^\n]*\(ERR_PROF_\w+\)\n$/, args.join(' '));
    assert.match(made.stderr, reason);
    assert.equal(made.status, 1);
    assert.equal(made.stdout, '');
  }
  const after = fs.readdirSync(cwd);
  fs.chmodSync(cwd, 0o755);
  assert.deepEqual(after, before);
});
