'use strict';
// prof.compare(): the command line's comparison for programs. Its statistics are tested elsewhere.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const prof = require('../../lib/index.js');
const { folder } = require('./compare-support.js');

const QUICK = { runs: 2, warmup: 0, profiles: 0 };

test('two sides are run in turn and the result is what --json prints', async (t) => {
  const cwd = folder(t);
  const env = { ...process.env, WHO: 'env' };
  /** @type {string[]} */
  const stages = [];
  const { result, profiles } = await prof.compare({
    ...{ ...QUICK, cwd, env },
    base: 'echo base-$WHO >> log',
    candidate: 'echo candidate-$WHO >> log',
    onProgress: ({ stage }) => stages.push(stage),
  });
  assert.equal(profiles, null);
  assert.deepEqual([result.schema, result.runs.pairs, result.runs.stopped], [1, 2, 'planned']);
  assert.equal(result.sides.base.title, 'echo base-$WHO >> log');
  assert.ok(stages.length >= 4 && stages.every((stage) => stage === 'timed'), stages.join());
  const lines = fs.readFileSync(path.join(cwd, 'log'), 'utf8').trim().split('\n');
  const order = lines.map((line) => (line === 'base-env' ? 'A' : 'B')).join('');
  assert.equal(order, result.runs.order);
  assert.ok(['ABBA', 'BAAB'].includes(order));
});

test('a command for both, and a side of its own beside it', async (t) => {
  const cwd = folder(t);
  const { result } = await prof.compare({
    ...{ ...QUICK, runs: 1, cwd },
    command: ['sh', '-c', 'echo a >> log'],
    candidate: 'echo b >> log',
  });
  const lines = fs.readFileSync(path.join(cwd, 'log'), 'utf8').trim().split('\n');
  assert.deepEqual(lines.sort(), ['a', 'b']);
  assert.equal(result.sides.base.title, "sh -c 'echo a >> log'");
});

test('what cannot be compared is refused before anything runs, in the words of the options', async (t) => {
  const cwd = folder(t);
  const touch = 'touch ran';
  /** @type {[any, RegExp][]} */
  const cases = [
    [undefined, /nothing to compare: give option 'candidateBinding' FILE/],
    [{ base: touch }, /the candidate has no command: give option 'candidate' CMD.*'command'/],
    [{ base: touch, candidate: touch, runs: 0 }, /option 'runs'/],
    [{ base: touch, candidate: touch, command: 'rspack build' }, /must be a list of strings/],
    [{ base: touch, candidate: touch, command: ['true'] }, /would run nowhere/],
    [{ base: touch, candidate: touch, signal: {} }, /must be an AbortSignal/],
    [{ base: touch, candidate: touch, env: null }, /'env' must be an object/],
    [{ base: touch, candidate: touch, onProgress: 1 }, /'onProgress' must be a function/],
    [{ base: touch, candidate: touch, margins: 1 }, /did you mean 'margin'/],
    [{ base: touch, candidate: touch, metric: 'memory' }, /must be one of 'wall', 'cpu'/],
    [{ base: touch, candidate: touch, cacheFolder: 'x' }, /is for cache: 'cold'/],
    [{ base: touch, candidate: touch, cache: 'cold', cacheFolder: '..' }, /not below this folder/],
    [{ command: ['true'], candidateBinding: 'no.node' }, /candidateBinding.*no such file/],
  ];
  for (const [options, message] of cases) {
    const given = options && { ...QUICK, cwd, ...options };
    await assert.rejects(prof.compare(given), { code: 'ERR_PROF_BAD_OPTION', message });
  }
  assert.deepEqual(fs.readdirSync(cwd), []);
});

test('a run that fails rejects, and the error has what was measured until then', async (t) => {
  const cwd = folder(t);
  const failing = 'echo x >> log; [ $(wc -l < log) -lt 3 ] || { echo broken; exit 7; }';
  const error = await prof
    .compare({ ...QUICK, runs: 3, cwd, base: 'true', candidate: failing })
    .then(
      () => assert.fail(),
      (reason) => reason,
    );
  assert.equal(error.code, 'ERR_PROF_SYSTEM');
  assert.match(error.message, /candidate's timed run 3 .*failed with exit code 7/);
  assert.match(error.tail, /broken/);
  assert.equal(error.result.runs.stopped, 'failed');
  assert.ok(error.result.runs.pairs >= 2);
});

test('a signal ends the run under way and the result says so', async (t) => {
  const cwd = folder(t);
  const controller = new AbortController();
  const sleep = 'echo $$ >> pids; sleep 60';
  const watch = setInterval(() => {
    if (fs.existsSync(path.join(cwd, 'pids'))) controller.abort();
  }, 20);
  t.after(() => clearInterval(watch));
  const { result } = await prof.compare({
    ...{ ...QUICK, cwd, signal: controller.signal },
    ...{ base: sleep, candidate: sleep },
  });
  assert.equal(result.runs.stopped, 'aborted');
  assert.equal(result.verdict.decision, 'inconclusive');
  const [pid] = fs.readFileSync(path.join(cwd, 'pids'), 'utf8').trim().split('\n').map(Number);
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
