'use strict';
// record: real processes below it, profiles made up in them (cli-fake-register.js).

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { once } = require('node:events');
const { nodeOptionsWord } = require('../../lib/node-options.js');
const { choose } = require('../../lib/recording.js');
const { buildProfile } = require('./cli-support.js');

const DRIVER = path.join(__dirname, 'cli-driver.js');
const BUILD = 'globalThis.fake = { samples: 600, binding: true };';

/** @param {import('node:test').TestContext} t */
function folder(t, name = 'cli-record-') {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), name));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/**
 * @param {string} cwd
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} [env]
 */
function record(cwd, argv, env = {}) {
  const options = {
    cwd,
    timeout: 30_000,
    encoding: /** @type {const} */ ('utf8'),
    env: { ...process.env, ...env },
  };
  return spawnSync(process.execPath, [DRIVER, 'record', ...argv], options);
}

/** @param {string} cwd */
function recordings(cwd) {
  const root = path.join(cwd, '.rspack-prof');
  return fs.existsSync(root) ? fs.readdirSync(root).filter((name) => name !== '.gitignore') : [];
}

test('the command keeps its streams and its exit code; profile and table come beside', (t) => {
  const cwd = folder(t);
  const script = `${BUILD} process.stdin.pipe(process.stdout); process.exitCode = 7;`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [DRIVER, 'record', '-F', '99', '--', process.execPath, '-e', script],
    { cwd, encoding: 'utf8', input: 'through and through' },
  );
  assert.equal(stdout, 'through and through');
  assert.equal(status, 7);
  assert.match(stderr, /^600 samples of cycles:uk at 99 Hz/m);
  const [name, ...more] = recordings(cwd);
  assert.deepEqual(more, [], 'nothing temporary is left');
  assert.match(name, /^\d{4}-\d\d-\d\dT[\d-]+Z-\d+$/);
  assert.match(
    stderr,
    new RegExp(`^rspack-prof: profile: .rspack-prof/${name}/profile.json.gz$`, 'm'),
  );
  const files = fs.readdirSync(path.join(cwd, '.rspack-prof', name)).sort();
  assert.deepEqual(files, ['flamegraph.html', 'hotspots.txt', 'profile.folded', 'profile.json.gz']);
});

test('the options reach start(), as perf would name them', (t) => {
  const cwd = folder(t);
  const flags = [
    '-e',
    'cpu-clock:u',
    '-F',
    '4000',
    '--call-graph',
    'dwarf',
    '--stack-bytes',
    '4096',
  ];
  const { stderr } = record(cwd, [...flags, '-o', 'p.json.gz', process.execPath, '-e', '0']);
  assert.match(stderr, /of cpu-clock:u at 4000 Hz/);
  const { meta } = require('../../lib/index.js').read(path.join(cwd, 'p.json.gz'));
  assert.equal(meta.callGraph, 'dwarf');
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
});

test('of several processes the one with a binding is kept, although another worked more', (t) => {
  const cwd = folder(t);
  const build = `${BUILD.replace('600', '501')}`;
  const script = `globalThis.fake = { samples: 5000 };
    require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(build)}]);`;
  const { stderr, status } = record(cwd, ['--', process.execPath, '-e', script]);
  assert.equal(status, 0);
  assert.match(stderr, /^501 samples/m);
  assert.doesNotMatch(stderr, /no process loaded/);
  assert.equal(recordings(cwd).length, 1);
});

test('--all-processes keeps every profile', (t) => {
  const cwd = folder(t);
  const script = `require('node:child_process').execFileSync(process.execPath, ['-e', '0']);`;
  const command = ['--', process.execPath, '-e', script];
  assert.equal(record(cwd, ['--all-processes', ...command]).status, 0);
  assert.equal(recordings(cwd).length, 2);
  assert.equal(record(cwd, ['--all-processes', '-o', 'x.json.gz', ...command]).status, 0);
  const files = fs.readdirSync(cwd).filter((name) => name.startsWith('x'));
  assert.equal(files.length, 2);
  for (const name of files) assert.match(name, /^x-\d+\.json\.gz$/);
});

test('without a binding the process with the most samples is kept, and that is said', (t) => {
  const cwd = folder(t);
  const { stderr } = record(cwd, ['--', process.execPath, '-e', '0']);
  assert.match(stderr, /no process loaded an rspack binding/);
});

test('the choice: a binding before samples, samples before nothing', () => {
  const written = (/** @type {string | null} */ binding, /** @type {number} */ count) => ({
    folder: `${binding}${count}`,
    profile: /** @type {any} */ (
      buildProfile({ samples: [{ stack: ['_start'], count }] }, { binding })
    ),
  });
  const some = [written(null, 900), written('/b.node', 3), written('/b.node', 40)];
  assert.equal(choose(some), some[2]);
  assert.equal(choose(some.slice(0, 1)), some[0]);
  assert.equal(choose([]), undefined);
});

test('NODE_OPTIONS of the user stay, and ours stands before them', (t) => {
  const cwd = folder(t);
  const script = 'console.log(process.env.NODE_OPTIONS, process.execArgv.length)';
  const { stdout } = record(cwd, ['--', process.execPath, '-e', script], {
    NODE_OPTIONS: '--max-old-space-size=512',
  });
  assert.match(stdout, /^--require=\S+cli-fake-register\.js --max-old-space-size=512 \d+$/m);
});

test('a path with blanks, quotes and backslashes reaches node whole', (t) => {
  const cwd = folder(t);
  const odd = path.join(cwd, 'my "build" \\ folder');
  fs.mkdirSync(odd);
  const register = path.join(odd, 'register.js');
  fs.writeFileSync(register, "process.stdout.write('loaded\\n');");
  const { stdout, stderr } = record(cwd, ['--', process.execPath, '-e', '0'], {
    FAKE_REGISTER: register,
  });
  assert.equal(stdout, 'loaded\n', stderr);
  assert.equal(nodeOptionsWord('/plain/path.js'), '/plain/path.js');
  assert.equal(nodeOptionsWord('/a b/c.js'), '"/a b/c.js"');
});

test('a command that is not there is 127, one that cannot be run 126', (t) => {
  const cwd = folder(t);
  const missing = record(cwd, ['--', 'no-such-command']);
  assert.equal(missing.status, 127);
  assert.match(missing.stderr, /^rspack-prof: no-such-command: command not found[^\n]*\n$/);
  fs.writeFileSync(path.join(cwd, 'plain'), 'no program', { mode: 0o644 });
  assert.equal(record(cwd, ['--', './plain']).status, 126);
  assert.deepEqual(recordings(cwd), []);
});

test('a command without a node process: its exit code, and a line that says so', (t) => {
  const cwd = folder(t);
  const { status, stderr } = record(cwd, ['--', 'sh', '-c', 'exit 5']);
  assert.equal(status, 5);
  assert.match(stderr, /^rspack-prof: no profile: the command ran no node process[^\n]*\n$/);
  assert.deepEqual(recordings(cwd), []);
});

test('what the profiler refuses inside the process is told once, by record', (t) => {
  const cwd = folder(t);
  const script = "console.log('built')";
  const command = ['-e', 'refused', '--', process.execPath, '-e', script];
  const { status, stdout, stderr } = record(cwd, command);
  assert.equal(status, 0);
  assert.equal(stdout, 'built\n');
  assert.equal(stderr, 'rspack-prof: not profiled: refused in the process (ERR_PROF_PERMISSION)\n');
});

test('a place that cannot be written is refused before the command runs', (t) => {
  const cwd = folder(t);
  fs.writeFileSync(path.join(cwd, 'file'), '');
  for (const output of ['missing/p.json.gz', 'file/p.json.gz', '.']) {
    const { status, stdout, stderr } = record(cwd, ['-o', output, '--', 'echo', 'ran']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^rspack-prof: cannot write [^\n]+ \(ERR_PROF_BAD_FILE\)\n$/);
  }
  assert.deepEqual(fs.readdirSync(cwd), ['file']);
  fs.writeFileSync(path.join(cwd, '.rspack-prof'), 'in the way');
  assert.equal(record(cwd, ['--', 'echo', 'ran']).status, 1);
});

test('.rspack-prof that is a symbolic link is refused, as start() refuses it', (t) => {
  const cwd = folder(t);
  const elsewhere = folder(t);
  fs.symlinkSync(elsewhere, path.join(cwd, '.rspack-prof'));
  const { status, stdout, stderr } = record(cwd, ['--', 'echo', 'ran']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^rspack-prof: cannot write \.rspack-prof\/: it is a symbolic link \(ELOOP\)[^\n]*\n$/,
  );
  assert.deepEqual(fs.readdirSync(elsewhere), []);
});

test('the signal that ends the command ends record', (t) => {
  const cwd = folder(t);
  for (const signal of ['SIGKILL', 'SIGTERM']) {
    const script = `process.kill(process.pid, '${signal}'); setTimeout(() => {}, 10_000)`;
    assert.equal(record(cwd, ['--', process.execPath, '-e', script]).signal, signal);
    assert.equal(
      recordings(cwd).length,
      signal === 'SIGTERM' ? 1 : 0,
      'of SIGKILL nothing is left',
    );
  }
});

test(
  'a signal to record reaches the command, whose profile is kept',
  { timeout: 15_000 },
  async (t) => {
    const cwd = folder(t);
    const script = `${BUILD} console.log('up'); setTimeout(() => {}, 20_000)`;
    const child = spawn(
      process.execPath,
      [DRIVER, 'record', '--', process.execPath, '-e', script],
      {
        cwd,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGTERM');
    assert.equal(recordings(cwd).length, 1);
  },
);

test('a profile that was half written does not take the others with it', (t) => {
  const cwd = folder(t);
  const script = `${BUILD}
    const { output } = JSON.parse(process.env.RSPACK_PROF_OPTIONS);
    const fs = require('node:fs');
    fs.mkdirSync(output + '/broken');
    fs.writeFileSync(output + '/broken/profile.json.gz', 'cut');`;
  const { stderr } = record(cwd, ['--', process.execPath, '-e', script]);
  assert.match(stderr, /^600 samples/m);
  assert.equal(recordings(cwd).length, 1);
});
