'use strict';
// Counting: scaling, means and spread, derived figures, phases, CSV and table, from made-up readings.

const assert = require('node:assert/strict');
const test = require('node:test');
const { createStat } = require('../../lib/stat/index.js');
const { countsOf, scale } = require('../../lib/stat/counters.js');
const { renderCsv } = require('../../lib/stat/csv.js');
const { derive } = require('../../lib/stat/derived.js');
const { numberAgain, share } = require('../../lib/stat/phases.js');
const { combine, spreadOf } = require('../../lib/stat/result.js');
const { renderStat } = require('../../lib/stat/table.js');
const { counted, fakeCounters } = require('./helpers/counters.js');
const { cli } = require('./cli-support.js');

const MS = 1e6;

/**
 * @param {ReturnType<typeof counted>[]} events
 * @param {number[][]} values a row for each run, in the order of the events
 * @param {object} [more] of the runs
 */
function resultOf(events, values, more = {}) {
  const runs = values.map((row) => ({
    wallNs: 1000 * MS,
    userMs: 600,
    systemMs: 100,
    counts: row.map((value, i) => ({ name: events[i].name, value, scaledBy: 1 })),
    phases: [],
    ...more,
  }));
  return combine({ events, runs, warnings: [], scope: 'command', command: 'rspack build' });
}

test('an event that shared its counter is scaled to the time that it was wanted', () => {
  assert.deepEqual(scale(90, 120, 30), { value: 360, scaledBy: 4 });
  assert.deepEqual(scale(90, 120, 120), { value: 90, scaledBy: 1 });
  // The kernel's two times are read one after the other.
  assert.deepEqual(scale(90, 120, 121), { value: 90, scaledBy: 1 });
  assert.deepEqual(scale(0, 120, 0), { value: null, scaledBy: 1 }, 'never had a turn');
  assert.deepEqual(scale(0, 0, 0), { value: 0, scaledBy: 1 }, 'nothing ran');
});

test('events without a counter have no count', () => {
  const events = [counted('cycles', { reason: 'no PMU' }), counted('page-faults')];
  assert.deepEqual(countsOf(events, [0, 0, 0, 7, 5, 5]), [
    { name: 'page-faults', value: 7, scaledBy: 1 },
  ]);
});

test('the spread is the standard error of the mean, as a share', () => {
  assert.equal(spreadOf([5]), null);
  // mean 10, standard deviation 2, of 4 runs: 2 / sqrt(4) / 10
  const spread = spreadOf([8, 12, 10 + Math.SQRT2, 10 - Math.SQRT2]);
  assert.ok(Math.abs(Number(spread) - 0.1) < 1e-12);
  assert.equal(spreadOf([0, 0, 0]), 0);
});

test('derived figures come from pairs of one mode', () => {
  const value = { cycles: 2e9, 'cycles:u': 1e9, instructions: 3e9, 'instructions:u': 2e9 };
  const more = { 'task-clock': 1e9, 'branch-misses': 1, branches: 50 };
  const values = /** @type {Record<string, number>} */ ({ ...value, ...more });
  /** @param {string[]} names */
  const figures = (...names) =>
    derive(
      names.map((name) => counted(name)),
      (name) => values[name],
      0.5e9,
    );
  assert.deepEqual(figures('cycles', 'instructions', 'task-clock', 'branch-misses', 'branches'), {
    cpusUsed: { value: 2, unit: 'CPUs', of: ['task-clock'] },
    ghz: { value: 2, unit: 'GHz', of: ['cycles', 'task-clock'] },
    ipc: { value: 1.5, unit: 'instructions per cycle', of: ['instructions', 'cycles'] },
    branchMissRate: { value: 0.02, unit: 'share', of: ['branch-misses', 'branches'] },
  });
  assert.equal(figures('cycles:u', 'instructions:u').ipc.value, 2);
  // User-mode cycles by the time in both modes are not the clock's rate; nor is a mixed IPC one.
  assert.deepEqual(Object.keys(figures('cycles:u', 'instructions', 'task-clock')), ['cpusUsed']);
  assert.deepEqual(figures('cycles'), {});
});

test('a figure per nothing is left out', () => {
  const events = [counted('instructions'), counted('cycles')];
  assert.deepEqual(
    derive(events, (name) => (name === 'cycles' ? 0 : 5), 1),
    {},
  );
  assert.deepEqual(
    derive(events, (name) => (name === 'cycles' ? null : 5), 1),
    {},
  );
});

test('several runs give means, spreads, and derived figures of each run', () => {
  const events = [counted('instructions'), counted('cycles')];
  const result = resultOf(events, [
    [10, 10],
    [40, 20],
  ]);
  assert.equal(result.runs, 2);
  assert.equal(result.events.instructions.value, 25);
  assert.deepEqual(result.events.instructions.runs, [10, 40]);
  assert.equal(result.derived.ipc.value, 1.5, 'the mean of 1 and 2, not 25/15');
  assert.ok(Number(result.derived.ipc.spread) > 0);
  assert.deepEqual(result.wallMs, { value: 1000, unit: 'ms', spread: 0 });
  assert.deepEqual(Object.keys(result), [
    ...['schema', 'scope', 'command', 'runs', 'wallMs', 'userMs', 'systemMs'],
    ...['events', 'derived', 'phases', 'warnings'],
  ]);
});

test('what never was on a counter has no value, and says so', () => {
  const runs = [
    {
      ...{ wallNs: MS, userMs: null, systemMs: null, phases: [] },
      counts: [{ name: 'cycles', value: null, scaledBy: 1 }],
    },
  ];
  const result = combine({ events: [counted('cycles')], runs, warnings: [], scope: 'cpus' });
  assert.equal(result.events.cycles.value, null);
  assert.match(result.events.cycles.reason, /never had a turn/);
  assert.equal(result.userMs, null);
  assert.match(renderStat(result), /not counted: cycles \(never had a turn/);
});

/** @param {string} name @param {number} startNs @param {number | null} endNs @param {string} [compiler] */
const phase = (name, startNs, endNs, compiler = '') => ({
  ...{ type: /** @type {const} */ ('phase'), name, startNs, endNs },
  data: { compiler, build: 1 },
});

test('what lies between two readings belongs to the phase of that time, and all of it to one', () => {
  const events = [counted('page-faults')];
  const readings = [
    [100, 0],
    [110, 5],
    [120, 25],
    [130, 26],
    [150, 36],
  ].map(([atNs, faults]) => ({ atNs, words: Float64Array.of(faults, atNs, atNs) }));
  const counters = {
    between: (/** @type {any} */ from, /** @type {any} */ to) =>
      countsOf(
        events,
        to.words.map((/** @type {number} */ word, /** @type {number} */ i) => word - from.words[i]),
      ),
  };
  const markers = [phase('make', 110, 120), phase('seal', 130, 150)];
  const rows = share(readings, markers, counters);
  assert.deepEqual(
    rows.map(({ name, startNs, wallNs, counts }) => [name, startNs, wallNs, counts[0].value]),
    [
      ['before', 0, 10, 5],
      ['make', 10, 10, 20],
      ['between', 20, 10, 1],
      ['seal', 30, 20, 10],
    ],
  );
});

test('compilers are numbered again in each run, so that runs compare', () => {
  const names = (/** @type {string[]} */ ...compilers) =>
    numberAgain(compilers.map((compiler) => phase('make', 0, 1, compiler))).map(
      ({ data }) => /** @type {any} */ (data).compiler,
    );
  assert.deepEqual(names('compiler #7', 'compiler #7'), ['', '']);
  assert.deepEqual(names('compiler #12', 'compiler #9'), ['compiler #2', 'compiler #1']);
  assert.deepEqual(names('web #3', 'node'), ['web', 'node']);
});

test('phases of several runs are averaged, in the order of their beginning', () => {
  const events = [counted('page-faults')];
  const run = (/** @type {[string, number, number][]} */ ...phases) => ({
    ...{ wallNs: MS, userMs: 1, systemMs: 1, counts: [] },
    phases: phases.map(([name, startNs, value]) => ({
      ...{ name, compiler: '', build: 1, startNs, wallNs: MS },
      counts: [{ name: 'page-faults', value, scaledBy: 1 }],
    })),
  });
  const runs = [
    run(['make', 10, 100], ['seal', 20, 7]),
    run(['setup', 1, 3], ['make', 10, 200], ['seal', 20, 9]),
  ];
  const result = combine({ events, runs, warnings: [], scope: 'command' });
  assert.deepEqual(
    result.phases.map(({ name, runs: seen, events: own }) => [
      name,
      seen,
      own['page-faults'].value,
    ]),
    [
      ['setup', 1, 3],
      ['make', 2, 150],
      ['seal', 2, 8],
    ],
  );
});

test('CSV has one row for each figure, and quotes what must be', () => {
  const name = 'cpu/event=0x3c,umask=0/';
  const csv = renderCsv(
    resultOf([counted(name, { event: `${name}:uk` }), counted('cycles')], [[5, 7]]),
  );
  const [head, first, second, ...rest] = csv.trimEnd().split('\n');
  assert.equal(head, 'phase,compiler,build,figure,value,unit,spread,scaledBy,event,reason');
  assert.equal(first, `,,,"${name}",5,events,,1,"${name}:uk",`);
  assert.equal(second, ',,,cycles,7,cycles,,1,cycles:uk,');
  assert.deepEqual(
    rest.map((line) => line.split(',')[3]),
    ['wall', 'user', 'system'],
  );
});

test('the table fits a terminal of 80 columns and says what was scaled', () => {
  const events = [
    counted('task-clock'),
    counted('instructions:u'),
    counted('cycles:u'),
    counted('cpu/event=0x3c,umask=0,a-very-long-term-of-an-event=1/', {
      reason: 'no hardware PMU',
    }),
  ];
  const result = resultOf(events, [
    [2e9, 3e9, 2e9],
    [2e9, 3.2e9, 2e9],
  ]);
  result.events['cycles:u'].scaledBy = 2;
  const text = renderStat(result, { width: 80, color: false });
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(text, /^rspack build, mean of 2 runs$/m);
  assert.match(text, /^ +2,000\.00 ms {2}task-clock +2\.00 CPUs used +±0\.00 %$/m);
  assert.match(text, /^3,100,000,000 {5}instructions:u +1\.55 per cycle +±3\.23 %$/m);
  assert.match(text, /^scaled, as they shared counters .*: cycles:u\n {2}\(50 %\)$/m);
  assert.match(text, /^not counted: cpu\/event=[^\n]* \(no\n {2}hardware PMU\)$/m);
  assert.match(text, /^1\.000 s wall ±0\.00 %, 0\.600 s user, 0\.100 s system$/m);
});

test('stat() counts each call of the function and gives what it returned last', async () => {
  const words = (/** @type {number} */ n) => [n, n, n];
  const { addon, calls, opened } = fakeCounters(
    [counted('page-faults')],
    [0, 10, 10, 40].map(words),
  );
  let calledTimes = 0;
  const stat = createStat({ native: () => /** @type {any} */ (addon) });
  const result = await stat(async () => ++calledTimes, {
    events: ['page-faults', '{a,b}'],
    repeat: 2,
  });
  assert.equal(result.value, 2);
  assert.deepEqual(result.events['page-faults'].runs, [10, 30]);
  assert.deepEqual(calls, ['open', 'enable', 'read', 'read', 'read', 'read', 'close']);
  assert.deepEqual(opened, [{ events: 'page-faults,{a,b}', optional: false, scope: 'self' }]);
  assert.ok(!JSON.stringify(result).includes('"value":2,'), 'the value is not for JSON');
});

test('a function that throws takes its error along, and the counters are closed', async () => {
  const { addon, calls } = fakeCounters([counted('page-faults')], [[0, 0, 0]]);
  const stat = createStat({ native: () => /** @type {any} */ (addon) });
  await assert.rejects(
    stat(() => {
      throw new TypeError('mine');
    }),
    { message: 'mine' },
  );
  assert.equal(calls.at(-1), 'close');
});

test('wrong options of stat() are refused before anything is opened', async () => {
  const stat = createStat({ native: () => assert.fail('opened') });
  const work = () => assert.fail('called');
  /** @param {any} options @param {string} code @param {RegExp} message */
  const refuses = (options, code, message) =>
    assert.rejects(stat(work, options), { code, message });
  await refuses({ events: [] }, 'ERR_PROF_BAD_EVENT', /'events' must be/);
  await refuses({ events: 5 }, 'ERR_PROF_BAD_EVENT', /'events' must be/);
  await refuses({ events: ['a', ' '] }, 'ERR_PROF_BAD_EVENT', /'events' must be/);
  await refuses({ repeat: 0 }, 'ERR_PROF_BAD_OPTION', /from 1 to 1000/);
  await refuses({ event: 'a' }, 'ERR_PROF_BAD_OPTION', /did you mean 'events'/);
  await refuses('a', 'ERR_PROF_BAD_OPTION', /takes an object/);
  const noFunction = /** @type {any} */ ('rspack build');
  await assert.rejects(stat(noFunction), { code: 'ERR_PROF_BAD_OPTION', message: /the function/ });
});

test('wrong command lines of stat: one line, exit code 2', async () => {
  for (const [argv, message] of /** @type {[string[], RegExp][]} */ ([
    [[], /no command given: rspack-prof stat/],
    [['-a'], /it says how long to count/],
    [['-r', '0', '--', 'true'], /--repeat takes a whole number from 1 to 1000/],
    [['-p', '-1', '--', 'true'], /--pid takes a whole number/],
    [['-p', '5', '-a', '--', 'true'], /--pid counts one process/],
    [['-C', 'x', '--', 'true'], /--cpu takes a list of CPUs like 0-2,5/],
    [['--phases', '-a', '--', 'true'], /--phases are those of the command/],
    [['--json', '--csv', '--', 'true'], /two forms of one result/],
    [['-e', '', '--', 'true'], /'events' must be a text/],
  ])) {
    const { exitCode, stdout, stderr } = await cli(['stat', ...argv]);
    assert.deepEqual([exitCode, stdout], [2, ''], stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^rspack-prof: [^\n]+\n$/);
  }
});
