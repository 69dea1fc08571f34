'use strict';
// Counting for real: against perf stat on the same run, per phase of a build, with what a function
// starts, and of another process.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { prepareBuild } = require('../../bench/build.js');
const prof = require('../../lib/index.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const support = require('./support.js');

const MAIN = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const LOAD = path.join(__dirname, 'stat-load.js');
/** MiB of fresh memory, waits, millions of additions: a good second of CPU time. */
const AMOUNT = ['384', '4000', '200'];
const TRIES = 4;

/** @param {string} event @returns {Promise<string>} why it does not count here, or '' */
async function whyNot(event) {
  try {
    const { events } = await prof.stat(() => {}, { events: event });
    return events[event].reason === 'never had a turn on a counter' ? '' : events[event].reason;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** @param {string} event */
const perfCounts = (event) => {
  const { error, stdout, status } = spawnSync('perf', ['stat', '-x,', '-e', event, 'true'], {
    encoding: 'utf8',
  });
  return !error && status === 0 && !stdout.includes('<not');
};

/**
 * The same run counted by both: our counters hold perf's own process too.
 * @param {string[]} events
 * @param {string[]} command
 * @param {string} file for perf's result
 */
function countTwice(events, command, file) {
  const list = events.join(',');
  const perf = ['perf', 'stat', '-x,', '-o', file, '-e', list, '--', ...command];
  const args = [MAIN, 'stat', '--json', '-e', list, '--', ...perf];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const ours = /** @type {import('../../lib/index').StatResult} */ (JSON.parse(stdout)).events;
  const rows = fs.readFileSync(file, 'utf8').split('\n');
  return events.map((event) => {
    const row = rows.find((line) => line.split(',')[2] === event)?.split(',') ?? [];
    const theirs = Number(row[0]) * (row[1] === 'msec' ? 1e6 : 1);
    return { event, ours: Number(ours[event].value), theirs };
  });
}

for (const events of [['task-clock', 'page-faults', 'context-switches'], ['instructions:u']]) {
  const name = `stat and perf stat count the same ${events.join(', ')} in one run, within 1 %`;
  test(name, async (t) => {
    for (const event of events) {
      const reason = await whyNot(event);
      if (reason) return t.skip(`not counted here: ${reason}`);
      if (!perfCounts(event)) return t.skip('perf is not installed, or does not count it here');
    }
    const file = path.join(support.temporaryFolder(t), 'perf.csv');
    /** @type {string[]} */
    let told = [];
    for (let i = 0; i < TRIES; i++) {
      // perf's own part, which depends on what else the machine does: hence the tries.
      const idle = countTwice(events, ['true'], file);
      const busy = countTwice(events, [process.execPath, LOAD, ...AMOUNT], file);
      told = busy.flatMap(({ event, ours, theirs }, at) => {
        const own = idle[at].ours - idle[at].theirs;
        const apart = (ours - own) / theirs - 1;
        t.diagnostic(`${event}: ${(apart * 100).toFixed(3)} % apart`);
        return Math.abs(apart) < 0.01
          ? []
          : [`${event}: ${ours} less perf's own ${own}, perf ${theirs}`];
      });
      if (told.length === 0) return undefined;
    }
    return assert.fail(told.join('; '));
  });
}

const refused = support.whyNoEvents();

test(
  'a function is counted with the processes and threads that it starts',
  { skip: refused },
  async () => {
    const events = 'page-faults:u';
    const { events: counts } = await prof.stat(
      async () => {
        spawnSync(process.execPath, [LOAD, '128', '0', '0']);
        const { Worker } = require('node:worker_threads');
        const worker = new Worker(LOAD, { argv: ['64', '0', '0'] });
        await new Promise((resolve) => worker.once('exit', resolve));
      },
      { events },
    );
    // 192 MiB are 49,152 faults; node itself has some thousands, and a large page may save some.
    const faults = Number(counts[events].value);
    assert.ok(faults > 192 * 200 && faults < 192 * 256 + 40_000, String(faults));
  },
);

test('the phases of a build add up to it', { skip: refused || whyNoRspack }, async (t) => {
  const folder = support.temporaryFolder(t);
  const plan = prepareBuild('react-100', { binding: 'release' });
  const out = path.join(folder, 'stat.json');
  const stat = [
    'stat',
    '--phases',
    '-r',
    '2',
    '-e',
    'task-clock,page-faults:u',
    '--json',
    '-o',
    out,
  ];
  const { code, stderr } = await support.run(
    process.execPath,
    [MAIN, ...stat, '--', plan.command, ...plan.args],
    { cwd: plan.folder, env: plan.env },
  );
  assert.equal(code, 0, stderr);
  /** @type {import('../../lib/index').StatResult} */
  const result = JSON.parse(fs.readFileSync(out, 'utf8'));
  assert.deepEqual(result.warnings, []);
  assert.equal(result.runs, 2);
  const names = result.phases.map(({ name }) => name);
  for (const name of ['setup', 'make', 'code generation', 'process assets', 'emit']) {
    assert.ok(names.includes(name), `${name} is not in ${names.join(', ')}`);
  }
  assert.ok(names.indexOf('make') < names.indexOf('emit'));
  for (const event of ['task-clock', 'page-faults:u']) {
    const whole = Number(result.events[event].value);
    const sum = result.phases.reduce(
      (all, phase) => all + (Number(phase.events[event].value) * phase.runs) / result.runs,
      0,
    );
    // node's own start and end are outside of the phases, our part in the process too.
    assert.ok(sum < whole && sum > whole / 4, `${event}: ${sum} of ${whole}`);
  }
});

test('the exit code is the command’s, also without --phases in a build that has none', () => {
  const args = (/** @type {string[]} */ ...more) => [MAIN, 'stat', '-e', 'task-clock', ...more];
  for (const more of [[], ['--phases']]) {
    const command = ['--', process.execPath, '-e', 'process.exit(7)'];
    const ended = spawnSync(process.execPath, args(...more, ...command), { encoding: 'utf8' });
    if (refused) return;
    assert.equal(ended.status, 7, ended.stderr);
    assert.equal(/no phases: no process/.test(ended.stderr), more.length > 0, ended.stderr);
  }
});

test('another process is counted while a command runs', { skip: refused }, async (t) => {
  const spin = spawn(process.execPath, [
    '-e',
    'const end = Date.now() + 20000; while (Date.now() < end);',
  ]);
  t.after(() => spin.kill());
  const args = ['stat', '-p', String(spin.pid), '-e', 'task-clock', '--json', '--', 'sleep', '0.5'];
  const { stdout, stderr } = await support.run(process.execPath, [MAIN, ...args]);
  const result = /** @type {import('../../lib/index').StatResult} */ (JSON.parse(stdout || '{}'));
  assert.equal(result.scope, 'process', stderr);
  assert.equal(result.userMs, null);
  // It spins: it had some of the time, however busy the machine is.
  assert.ok(Number(result.events['task-clock'].value) > 1e6);
});
