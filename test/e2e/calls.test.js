'use strict';
// rspack-prof trace on a program whose calls are known to the last one, with real probes.
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const prof = require('../../lib/index.js');
const { CLI, LIVE, build, cliIn, noProbes, parsed } = require('./calls-support.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-calls-'));
const PROGRAM = path.join(FOLDER, 'traced');
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));

const flags = ['-O1', '-foptimize-sibling-calls', '-pthread', '-o', PROGRAM];
const skip = build('c++', [...flags, path.join(LIVE, 'traced.cpp')]) || noProbes();
const cli = cliIn(FOLDER);

/** @param {import('../../lib/index').TraceSummary} summary @param {string} name */
function row(summary, name) {
  const found = summary.functions.find(({ symbol }) => symbol === name);
  assert.ok(found, `${name} is not among the traced`);
  return found;
}

test(
  'every call is there: recursion, tail calls, exceptions, longjmp, ended threads',
  { skip },
  () => {
    const args = ['trace', '--functions', '^traced_', '--object', PROGRAM, '--json', '-o', 'calls'];
    const plain = spawnSync(PROGRAM, ['calls'], { encoding: 'utf8' });
    const { status, stdout, stderr } = cli([...args, '--', PROGRAM, 'calls']);
    assert.equal(status, 7, 'the exit code is the command’s');
    assert.ok(stderr.startsWith(plain.stdout), 'its output is what it is without the trace');
    const summary = parsed(stdout);
    /** @type {Record<string, [number, number]>} calls, and those left unseen */
    const expected = {
      traced_fib: [177, 0],
      traced_tail: [100, 0],
      traced_leaf: [101, 0],
      traced_catcher: [10, 0],
      traced_passed: [10, 5],
      traced_thrower: [10, 5],
      traced_lander: [1, 0],
      traced_jumper: [4, 4],
      traced_thread: [1, 1],
      traced_last: [1, 1],
    };
    for (const [name, [calls, unseen]] of Object.entries(expected)) {
      assert.deepEqual(
        [row(summary, name).calls, row(summary, name).unseen],
        [calls, unseen],
        name,
      );
    }
    assert.equal(summary.functions.length, 10);
    const { lost, unmatched, missedEvents } = summary.quality;
    assert.deepEqual([lost, unmatched, missedEvents], [0, 0, 0]);
    // A tail call's caller is who called the function that jumped.
    assert.deepEqual(
      row(summary, 'traced_leaf').callers.map(({ symbol, calls }) => [symbol, calls]),
      [
        [null, 100],
        ['traced_thread', 1],
      ],
    );
    assert.equal(row(summary, 'traced_fib').totalNs, row(summary, 'traced_fib').maxNs);
    assert.equal(summary.threads.length, 2);
  },
);

test('the events on disk hold the same calls as the summary', { skip }, () => {
  const { summaryFromEvents } = require('../../lib/calls/from-events.js');
  const { readSummary } = require('../../lib/calls/store.js');
  const folder = path.join(FOLDER, 'calls');
  const from = (/** @type {any} */ summary) =>
    summary.functions
      .map(
        (/** @type {any} */ { symbol, calls, unseen, open, selfNs, totalNs, p50Ns, histogram }) =>
          JSON.stringify([symbol, calls, unseen, open, selfNs, totalNs, p50Ns, histogram]),
      )
      .sort();
  assert.deepEqual(from(summaryFromEvents(folder)), from(readSummary(folder)));
});

test(
  'a function that is called too often is dropped, and its calls until then are told',
  { skip },
  () => {
    const args = ['trace', '--functions', '^(traced_leaf|main)$', '--object', PROGRAM, '--json'];
    const limits = ['--budget', '100000', '--limit', '500', '-o', 'drop'];
    const { status, stdout } = cli([...args, ...limits, '--', PROGRAM, 'loop', '4000000']);
    assert.equal(status, 0);
    const summary = parsed(stdout);
    const [dropped] = summary.dropped;
    assert.deepEqual([dropped.symbol, dropped.reason], ['traced_leaf', 'limit']);
    assert.ok(dropped.calls > 500);
    assert.ok(row(summary, 'traced_leaf').calls >= dropped.calls);
    assert.ok(row(summary, 'traced_leaf').calls < 4_000_000, 'its probes are gone');
    assert.equal(row(summary, 'main').unseen + row(summary, 'main').open, 0, 'others go on');
  },
);

test('eight threads are each balanced', { skip }, () => {
  const args = ['trace', '--functions', 'traced_leaf', '--object', PROGRAM, '--json'];
  const more = ['-o', 'eight', '--budget', '100000', '--', PROGRAM, 'threads', '500'];
  const { stdout } = cli([...args, ...more]);
  const summary = parsed(stdout);
  const { calls, unseen, open } = row(summary, 'traced_leaf');
  assert.deepEqual([calls, unseen, open], [4000, 0, 0]);
  assert.equal(summary.threads.length, 9);
});

test('a tracer that is killed leaves the calls until then', { skip, timeout: 60_000 }, async () => {
  const args = ['trace', '--functions', 'traced_leaf', '--object', PROGRAM, '--budget', '100000'];
  const folder = path.join(FOLDER, 'killed');
  const child = spawn(process.execPath, [CLI, ...args, '-o', folder, '--', PROGRAM, 'spin'], {
    stdio: 'ignore',
  });
  const events = path.join(folder, 'events.bin');
  const until = Date.now() + 30_000;
  while (Date.now() < until && !(fs.existsSync(events) && fs.statSync(events).size > 100)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const { status, stdout } = cli(['trace', '--read', folder, '--json']);
  assert.equal(status, 0);
  const summary = parsed(stdout);
  assert.ok(row(summary, 'traced_leaf').calls > 10);
  assert.equal(summary.warnings[0].code, 'trace-cut');
});

test('without root: what it takes, and the command is not run', { skip }, (t) => {
  const marker = path.join(FOLDER, 'ran');
  const args = ['trace', '--functions', 'main', '--object', PROGRAM, '--', 'touch', marker];
  fs.chmodSync(FOLDER, 0o777);
  const { status, stderr } = cli(args, { uid: 65534 });
  if (/EACCES|Cannot find module|permission denied/.test(stderr)) {
    t.skip('this checkout cannot be read by another user');
    return;
  }
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^rspack-prof: .*root.*sudo.*\(ERR_PROF_PERMISSION\)\n$/);
  assert.equal(fs.existsSync(marker), false);
});

test('prof.trace() follows this very process', { skip }, () => {
  const trace = prof.trace({ functions: /^uv_fs_(stat|open)$/, objects: [process.execPath] });
  assert.throws(() => prof.trace({ functions: /^uv_/ }), { code: 'ERR_PROF_BUSY' });
  for (let i = 0; i < 50; i++) fs.statSync(FOLDER);
  const summary = trace.stop();
  const stat = row(summary, 'uv_fs_stat');
  assert.ok(stat.calls >= 50);
  assert.ok(/** @type {number} */ (stat.p50Ns) > 0);
  assert.throws(() => trace.stop(), { code: 'ERR_PROF_NOT_RUNNING' });
});

test('what cannot be traced is one line, and nothing is left behind', { skip }, () => {
  const cases = [
    [['--functions', 'traced_nothing'], 2, /no function of .* matches.*ERR_PROF_BAD_OPTION/],
    [['--functions', '('], 2, /no regular expression/],
    [['--functions', 'x', '--budget', '-1'], 2, /--budget takes/],
    [['--functions', 'x', '--to', 'pdf'], 2, /parquet, perfetto/],
    [[], 2, /say which functions/],
    [['--list', '/nowhere'], 1, /cannot read \/nowhere \(ENOENT\)/],
  ];
  for (const [args, code, message] of /** @type {[string[], number, RegExp][]} */ (cases)) {
    const got = cli(['trace', '--object', PROGRAM, '-o', 'never', ...args, '--', PROGRAM, 'calls']);
    assert.equal(got.status, code, got.stderr);
    assert.match(got.stderr, message);
    assert.equal(got.stderr.trimEnd().split('\n').length, 1);
    assert.equal(fs.existsSync(path.join(FOLDER, 'never')), false);
  }
  const args = ['trace', '--functions', 'main', '--object', PROGRAM, '-o', 'never', '--'];
  const gone = cli([...args, 'nosuchcommand']);
  assert.equal(gone.status, 127);
  assert.equal(fs.existsSync(path.join(FOLDER, 'never')), false);
});
