'use strict';
// register.js in other people's processes: it starts, names workers' code, and never disturbs.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');

const FAKE = path.join(__dirname, 'cli-fake-register.js');

/**
 * @param {import('node:test').TestContext} t
 * @param {string} script
 * @param {object | string} [options] of RSPACK_PROF_OPTIONS
 * @param {string} [register]
 */
function run(t, script, options, register = FAKE) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'register-'));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  const text = typeof options === 'string' ? options : JSON.stringify(options);
  const env = { ...process.env, ...(text ? { RSPACK_PROF_OPTIONS: text } : {}) };
  const args = ['--require', register, '-e', script];
  return { cwd, ...spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' }) };
}

test('by hand: it starts with the defaults and prints the table at the end', (t) => {
  const { cwd, stdout, stderr, status } = run(t, "console.log('built')");
  assert.equal(status, 0);
  assert.equal(stdout, 'built\n');
  assert.match(stderr, /10 samples of cycles:uk at 1000 Hz/);
  assert.equal(fs.readdirSync(path.join(cwd, '.rspack-prof')).length, 2, 'and a .gitignore');
});

test('a worker thread starts no second session and has its isolate named', (t) => {
  const script = `const { Worker } = require('node:worker_threads');
    new Worker('console.log("worker done")', { eval: true });`;
  const { stdout, stderr, status } = run(t, script, { quiet: true });
  assert.equal(status, 0);
  assert.equal(stdout, 'worker done\n');
  assert.equal(stderr, 'isolate attached\n');
});

test('a process that cannot be profiled goes on, with one line', (t) => {
  const { stdout, stderr, status } = run(t, "console.log('built')", { event: 'refused' });
  assert.equal(status, 0);
  assert.equal(stdout, 'built\n');
  assert.equal(
    stderr,
    'rspack-prof: this process is not profiled: refused in the process (ERR_PROF_PERMISSION)\n',
  );
});

test('options that are no JSON do not stop the process either', (t) => {
  const { stdout, stderr, status } = run(t, "console.log('built')", '{');
  assert.equal(status, 0);
  assert.equal(stdout, 'built\n');
  assert.match(stderr, /^rspack-prof: this process is not profiled: [^\n]+\n$/);
});

test('below record a failure is a note for record, not a line on the process’s stderr', (t) => {
  const failures = fs.mkdtempSync(path.join(os.tmpdir(), 'register-failures-'));
  t.after(() => fs.rmSync(failures, { recursive: true, force: true }));
  const { stderr } = run(t, '0', { event: 'refused', failures });
  assert.equal(stderr, '');
  const [name] = fs.readdirSync(failures);
  const note = JSON.parse(fs.readFileSync(path.join(failures, name), 'utf8'));
  assert.equal(note.code, 'ERR_PROF_PERMISSION');
  assert.equal(note.message, 'refused in the process');
});

test('notes that cannot be written are dropped: the process goes on', (t) => {
  const { stdout, stderr, status } = run(t, "console.log('built')", {
    event: 'refused',
    failures: '/no/such/folder',
  });
  assert.deepEqual([status, stdout, stderr], [0, 'built\n', '']);
});
