'use strict';
// The end of the process must be what it would be without the profiler: each ending is run in a
// child process with and without a recording, and compared.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { read } = require('../../lib/export/index.js');
const { handOver, writeExitOutput } = require('../../lib/output.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const CHILD = path.join(__dirname, 'helpers/exit-child.js');
const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const FILES = ['flamegraph.html', 'hotspots.txt', 'profile.folded', 'profile.json.gz'];

let serial = 0;
const newFolder = () => path.join(FOLDER, String(serial++));

/**
 * Runs the child, sending it a signal for each 'ready' line.
 * @param {string} code
 * @param {{output?: string, signals?: NodeJS.Signals[]}} [options]
 */
function run(code, { output = newFolder(), signals = [] } = {}) {
  const child = spawn(process.execPath, [CHILD, output, code], {
    env: { ...process.env, TMPDIR: FOLDER, NO_COLOR: '1' },
  });
  let stdout = '';
  let stderr = '';
  let sent = 0;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    while (sent < signals.length && stdout.split('ready').length - 1 > sent) {
      child.kill(signals[sent++]);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const folders = () =>
    fs.existsSync(output) ? fs.readdirSync(output).filter((name) => name !== '.gitignore') : [];
  return new Promise((resolve) => {
    // An ending that never comes is a failure to see, not to wait for.
    const patience = setTimeout(() => child.kill('SIGKILL'), 120_000);
    child.on('close', (exitCode, signal) => {
      clearTimeout(patience);
      resolve({ exitCode, signal, stdout, stderr, output, folders: folders() });
    });
  });
}

const START = 'start({ output });';
const READY = "console.log('ready');";
const WAIT = 'setInterval(() => {}, 1000);';

/** @param {any} result */
function assertWritten({ folders, output, stderr }) {
  assert.equal(folders.length, 1, `one folder, and no partial one: ${folders} ${stderr}`);
  assert.deepEqual(fs.readdirSync(path.join(output, folders[0])).sort(), FILES);
  assert.equal(read(path.join(output, folders[0], 'profile.json.gz')).quality.samples, 9);
  assert.equal(stderr.split('SELF%').length, 2, 'the table stands there once');
  assert.match(stderr, /profile written to /);
}

/** @type {[string, string, {signals?: NodeJS.Signals[]}?][]} */
const ENDINGS = [
  ['a normal end', ''],
  ['process.exit(3)', 'process.exit(3);'],
  ['process.exitCode', 'process.exitCode = 5;'],
  ['an exit listener that sets the code', "process.on('exit', () => { process.exitCode = 9; });"],
  [
    'process.execve(), where node has it',
    "process.execve?.(process.execPath, ['node', '-p', '6 * 7'], { ...process.env, HERE: '1' });",
  ],
  ['an uncaught exception', "setTimeout(() => { throw new Error('boom'); }, 1);"],
  ['an unhandled rejection', "Promise.reject(new Error('boom'));"],
  ['SIGINT', READY + WAIT, { signals: ['SIGINT'] }],
  ['SIGTERM', READY + WAIT, { signals: ['SIGTERM'] }],
  [
    'a SIGTERM listener that exits',
    `process.on('SIGTERM', () => process.exit(7)); ${READY} ${WAIT}`,
    { signals: ['SIGTERM'] },
  ],
  [
    'a SIGINT listener that takes its time',
    `const t = ${WAIT} process.once('SIGINT', () => setTimeout(() => clearInterval(t), 50)); ${READY}`,
    { signals: ['SIGINT'] },
  ],
  [
    'a second SIGINT after a `once` listener took the first',
    `process.once('SIGINT', () => setTimeout(() => { ${READY} }, 50)); ${READY} ${WAIT}`,
    { signals: ['SIGINT', 'SIGINT'] },
  ],
  ['a listener that was there before the recording', READY + WAIT, { signals: ['SIGTERM'] }],
];

/** A signal to itself while the profile is written: gzip runs in the middle of that. */
const raiseWhileWriting = (/** @type {string} */ signal) => `
  const zlib = require('node:zlib');
  const { gzipSync } = zlib;
  zlib.gzipSync = (...given) => { process.kill(process.pid, '${signal}'); return gzipSync(...given); };`;

for (const again of ['SIGINT', 'SIGTERM']) {
  test(`${again} while the profile is written after SIGINT: written all the same`, async () => {
    const code = `${raiseWhileWriting(again)} ${START} ${READY} ${WAIT}`;
    const result = await run(code, { signals: ['SIGINT'] });
    assert.equal(result.signal, 'SIGINT');
    assertWritten(result);
  });
}

test('SIGINT while the profile is written at a normal end: the end stays the normal one', async () => {
  const result = await run(`${raiseWhileWriting('SIGINT')} ${START} process.exitCode = 4;`);
  assert.deepEqual([result.exitCode, result.signal], [4, null]);
  assertWritten(result);
});

for (const [name, code, options] of ENDINGS) {
  test(`${name}: ends as without us, and the profile is written`, async () => {
    const before = name.startsWith('a listener that was')
      ? "process.once('SIGTERM', () => setTimeout(() => process.exit(8), 50));"
      : '';
    const plain = await run(before + code, options);
    const recorded = await run(before + START + code, options);
    assert.equal(recorded.exitCode, plain.exitCode);
    assert.equal(recorded.signal, plain.signal);
    assert.equal(recorded.stdout, plain.stdout);
    assert.deepEqual(plain.folders, []);
    assertWritten(recorded);
  });
}

// What signal-exit 3 and 4 do, in short: raise the signal when all listeners are their own.
const SIGNAL_EXIT = `
  const emitter = { count: 1 };
  if (VERSION === 4) globalThis[Symbol.for('signal-exit emitter')] = emitter;
  else process.__signal_exit_emitter__ = emitter;
  const listener = () => {
    if (process.listeners('SIGINT').length !== emitter.count) return;
    process.removeListener('SIGINT', listener);
    process.kill(process.pid, 'SIGINT');
  };
  process.on('SIGINT', listener);`;

for (const version of [3, 4]) {
  test(`signal-exit ${version} is not misled: the process dies of SIGINT, with a profile`, async () => {
    const code = `${START} ${SIGNAL_EXIT.replace('VERSION', String(version))} ${READY} ${WAIT}`;
    const result = await run(code, { signals: ['SIGINT'] });
    assert.equal(result.signal, 'SIGINT');
    assertWritten(result);
  });
}

test('a stopped or disposed session leaves nothing and no listener', async () => {
  const end =
    "console.log(['exit', 'SIGINT', 'SIGTERM'].map((name) => process.listenerCount(name)).join());";
  const before = "const was = process.listenerCount('exit');";
  for (const stop of ['s.stopSync();', 's[Symbol.dispose]();']) {
    const { stdout, stderr, folders } = await run(`const s = ${START} ${stop} ${end}`);
    assert.equal(stdout, '0,0,0\n', before);
    assert.equal(stderr, '');
    assert.deepEqual(folders, []);
  }
});

test('worker threads that end do not end the recording', async () => {
  const code =
    `${START} const { Worker } = require('worker_threads');` +
    "new Worker('process.exit(4)', { eval: true }).on('exit', (c) => console.log('worker', c));";
  const result = await run(code);
  assert.equal(result.stdout, 'worker 4\n');
  assertWritten(result);
});

test('folder and files are for the user alone', async () => {
  const { output, folders } = await run(START);
  const mode = (/** @type {string} */ file) => fs.statSync(file).mode & 0o777;
  assert.equal(mode(output), 0o700);
  assert.equal(mode(path.join(output, folders[0])), 0o700);
  for (const file of FILES) assert.equal(mode(path.join(output, folders[0], file)), 0o600, file);
});

test('a folder that cannot be written: the temporary folder, and where is said', async () => {
  const file = path.join(FOLDER, 'a-file');
  fs.writeFileSync(file, '');
  const link = path.join(FOLDER, 'a-link');
  fs.symlinkSync(FOLDER, link);
  const inside = fs.readdirSync(FOLDER).length;
  for (const [output, why] of /** @type {[string, RegExp][]} */ ([
    [path.join(file, 'x'), /could not write to .*a-file\/x: .*ENOTDIR/],
    [link, /could not write to .*a-link is a symbolic link/],
  ])) {
    const { stderr, exitCode } = await run(START, { output });
    assert.equal(exitCode, 0);
    assert.match(stderr, why);
    const where = /profile written to (.*)\/\n/.exec(stderr)?.[1] ?? '';
    assert.match(path.basename(path.dirname(where)), /^rspack-prof-/);
    assert.deepEqual(fs.readdirSync(where).sort(), FILES);
  }
  assert.equal(fs.readdirSync(FOLDER).length, inside + 2, 'nothing went through the link');
});

test('a file beside the profile that cannot be written costs one line, not the profile', async () => {
  const output = newFolder();
  const code = `
    const fs = require('node:fs');
    const { openSync } = fs;
    fs.openSync = (file, ...given) => {
      if (/profile\\.folded/.test(file)) throw Object.assign(new Error('EFBIG: file too large'), { code: 'EFBIG' });
      return openSync(file, ...given);
    };
    ${START}`;
  const { stderr, folders } = await run(code, { output });
  const [folder] = folders;
  const there = FILES.filter((file) => file !== 'profile.folded');
  assert.deepEqual(fs.readdirSync(path.join(output, folder)).sort(), there);
  assert.equal(read(path.join(output, folder, 'profile.json.gz')).quality.samples, 9);
  assert.equal(
    stderr.match(/^rspack-prof: .*$/gm)?.join(),
    'rspack-prof: profile.folded could not be written: EFBIG: file too large',
  );
  const listed = [...stderr.split('profile written to')[1].matchAll(/^ {2}(\S+)/gm)];
  assert.deepEqual(
    listed.map(([, file]) => file),
    ['profile.json.gz', 'hotspots.txt', 'flamegraph.html'],
  );
});

test('no place at all: one line, the same exit code', async () => {
  // Of the places that are tried, /tmp alone cannot be named away: it is made to refuse.
  const code = `process.env.TMPDIR = '/dev/null'; start({ output: '/dev/null/x' }); process.exitCode = 2;
    const fs = require('node:fs');
    const { mkdtempSync } = fs;
    fs.mkdtempSync = (prefix) => mkdtempSync(prefix.replace(/^.tmp./, '/dev/null/'));`;
  const { stderr, exitCode } = await run(code);
  assert.equal(exitCode, 2);
  assert.match(
    stderr,
    /the profile could not be written to .*; nor to \/dev\/null: .*; nor to \/tmp: .*\n$/,
  );
});

test('quiet: the files, and not a word', async () => {
  const { stderr, folders } = await run('start({ output, quiet: true });');
  assert.equal(stderr, '');
  assert.equal(folders.length, 1);
});

test('a closed standard error loses the table, not the profile', async () => {
  const { exitCode, folders } = await run(`${START} require('fs').closeSync(2);`);
  assert.equal(exitCode, 0);
  assert.equal(folders.length, 1);
});

test('two recordings of one second do not overwrite each other', () => {
  const output = newFolder();
  const profile = buildProfile(smallBuild().samples, smallBuild());
  const options = { output, quiet: true };
  const folders = [1, 2, 3].map(() => writeExitOutput(profile, options, assert.fail));
  assert.equal(new Set(folders).size, 3);
  assert.match(path.basename(String(folders[0])), /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-4242$/);
});

test('a profile that cannot be written for who waits for it leaves nothing in their folder', () => {
  const output = newFolder();
  const profile = buildProfile(smallBuild().samples, smallBuild());
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  profile.write = (file) => {
    fs.writeFileSync(file, 'half of it');
    throw full;
  };
  assert.throws(() => handOver(profile, output), full);
  assert.deepEqual(fs.readdirSync(output), []);
});

test('the table is said before the hints are looked for', () => {
  const profile = buildProfile(smallBuild().samples, smallBuild());
  /** @type {string[]} */
  const order = [];
  const { hints } = profile;
  profile.hints = (options) => {
    order.push('hints');
    return hints.call(profile, options);
  };
  const say = (/** @type {string} */ text) => void order.push(/SELF/.test(text) ? 'table' : 'text');
  writeExitOutput(profile, { output: newFolder(), quiet: false }, say);
  assert.deepEqual(order.slice(0, 2), ['table', 'hints']);
  // Twice laid out, for the terminal and the file, and once worked out.
  assert.equal(order.filter((one) => one === 'hints').length, 1);
});

test('the table is said before any file is written', () => {
  const output = newFolder();
  /** @type {boolean[]} */
  const there = [];
  const profile = buildProfile(smallBuild().samples, smallBuild());
  writeExitOutput(profile, { output, quiet: false }, () => void there.push(fs.existsSync(output)));
  assert.deepEqual(there, [false, true]);
});
