'use strict';
// An addon that forks without an exec while a recording runs. The child is a copy of the profiler's state without
// its threads (and without V8's heap, which V8 keeps out of forks): it ends as it would without a profiler, and the
// parent records on.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { loadNative } = require('../../lib/native.js');
const { temporaryFolder } = require('./support.js');

const { ok, message } = loadNative().probe('');
const ROOT = path.resolve(__dirname, '..', '..');
const INCLUDE = path.join(ROOT, 'node_modules', 'node-api-headers', 'include');
const SOURCE = path.join(ROOT, 'test', 'fixtures', 'forked', 'addon.c');
const compiles = spawnSync('cc', ['--version']).status === 0;
const skip = !ok ? `nothing can be recorded here: ${message}` : !compiles && 'no C compiler';

const PROGRAM = `
  const prof = require(process.argv[1]);
  const { fork } = require(process.argv[2]);
  for (const options of [{}, { allocations: true }, { callGraph: 'dwarf' }]) {
    const session = prof.start({ output: 'out', quiet: true, ...options });
    const before = fork(60);
    for (const end = Date.now() + 100; Date.now() < end;);
    const { quality, raw } = session.stopSync();
    const threads = raw.threads.tid.filter((tid) => tid > 0).length;
    console.log(before, quality.samples > 0, threads > 0, fork(0));
  }
`;

test('a fork without an exec ends as it would, and the parent records on', { skip }, (t) => {
  const folder = temporaryFolder(t);
  const addon = path.join(folder, 'addon.node');
  const args = ['-shared', '-fPIC', '-O1', '-I', INCLUDE, '-o', addon, SOURCE];
  const made = spawnSync('cc', args, { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const run = (/** @type {string[]} */ ...program) =>
    spawnSync(process.execPath, ['-e', ...program], {
      encoding: 'utf8',
      cwd: folder,
      timeout: 180_000,
    });
  const plain = run('console.log(require(process.argv[1]).fork(0))', addon).stdout.trim();
  // Node 26 stands still in exit(3), or crashes there.
  if (plain !== '7') return t.skip(`such a child ends with ${plain} without the profiler too`);
  const ended = run(PROGRAM, path.join(ROOT, 'lib'), addon);
  assert.deepEqual([ended.status, ended.signal, ended.stderr], [0, null, '']);
  assert.equal(ended.stdout, '7 true true 7\n'.repeat(3));
});
