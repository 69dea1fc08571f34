'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { compile } = require('../../bench/compile.js');
const growth = require('../../bench/growth.js');
const { bytesBelow, measure } = require('../../bench/measure.js');
const { formatTable } = require('../../bench/overhead-table.js');
const bench = require('../../bench/overhead.js');
const profile = require('../../bench/profile.js');
const { medianInterval, spreadOf, verdictOf } = require('../../bench/statistics.js');
const { judge } = require('../../bench/targets.js');
const { loadNative } = require('../../lib/native.js');

test('peak memory is that of the last moment too', async () => {
  const script = "process.on('exit', () => Buffer.alloc(150e6, 1))";
  const { peakBytes } = await measure(process.execPath, ['-e', script], { cwd: os.tmpdir() });
  assert.ok(peakBytes > 150e6 && peakBytes < 400e6, `${peakBytes} bytes`);
});

test('the CPU time is what the command itself counted, and none for one that sleeps', async () => {
  const cwd = os.tmpdir();
  const busy = `
    const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
    for (let i = 0; spent() < 500; i += 1) Math.sqrt(i);
    console.log(spent());`;
  const worked = await measure(process.execPath, ['-e', busy], { cwd });
  const slept = await measure('sleep', ['0.5'], { cwd });
  const said = Number(worked.output);
  // The command ends a little after it counted.
  assert.ok(worked.cpuMs > said - 20 && worked.cpuMs < said + 200, `${worked.cpuMs}, not ${said}`);
  assert.ok(slept.cpuMs < 100, `${slept.cpuMs} ms`);
  assert.ok(slept.wallMs >= 500);
  assert.ok(worked.peakBytes > 10e6);
});

test('CPU time of grandchildren counts', async () => {
  const busy = 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done';
  const { cpuMs } = await measure('sh', ['-c', `sh -c '${busy}'; true`], { cwd: os.tmpdir() });
  assert.ok(cpuMs >= 50, `${cpuMs} ms`);
});

test('the table’s time is from the last of standard output to the first of standard error', async () => {
  const script =
    "console.error('early'); setTimeout(() => console.log('built'), 50); setTimeout(() => console.error('table'), 350)";
  const run = await measure(process.execPath, ['-e', script], { cwd: os.tmpdir() });
  assert.ok(run.errorAfterMs !== null && run.errorAfterMs > 200 && run.errorAfterMs < 1500);
  const quiet = await measure('true', [], { cwd: os.tmpdir() });
  assert.equal(quiet.errorAfterMs, null);
});

test('a command that is not there rejects', async () => {
  await assert.rejects(measure('/nowhere/program', [], { cwd: os.tmpdir() }), /ENOENT/);
});

test('bytes written are those of files at any depth', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bytes-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'a', 'b'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'a', 'b', 'c'), 'x'.repeat(100));
  fs.writeFileSync(path.join(folder, 'd'), 'x');
  assert.equal(bytesBelow(folder), 101);
});

test('each round starts with another variant, every second one the other way round', () => {
  const orders = [0, 1, 2, 3].map((round) => bench.orderOf(['a', 'b', 'c'], round).join(''));
  assert.deepEqual(orders, ['abc', 'acb', 'cab', 'cba']);
});

test('what encloses a median: all of six values, the inner eight of ten, nothing of five', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  assert.deepEqual(medianInterval(values.slice(0, 6)), [1, 6]);
  assert.deepEqual(medianInterval(values.slice(0, 8)), [1, 8]);
  assert.deepEqual(medianInterval(values.slice(0, 9)), [2, 8]);
  assert.deepEqual(medianInterval(values), [2, 9]);
  assert.equal(medianInterval(values.slice(0, 5)), null);
});

test('a target is met or missed only where the whole interval says so', () => {
  const around = (/** @type {number} */ middle) =>
    spreadOf([-2, -1, 0, 0, 1, 2].map((d) => middle + d));
  assert.equal(verdictOf(around(7), 10), 'met');
  assert.equal(verdictOf(around(9), 10), 'undecided');
  assert.equal(verdictOf(around(13), 10), 'missed');
  assert.equal(verdictOf(spreadOf([1, 1, 1]), 10), 'undecided');
  assert.equal(verdictOf(null, 10), 'not measured');
});

/** @param {string} variant @param {number} round @param {number} wallMs */
function run(variant, round, wallMs) {
  return /** @type {any} */ ({
    variant,
    round,
    wallMs,
    cpuMs: wallMs * 2,
    outputEndMs: wallMs - 10,
    errorAfterMs: 5,
    peakBytes: 1e6,
    bytes: 10,
    samples: variant === 'none' ? undefined : 1000,
    profileBytes: variant.startsWith('rspack-prof-') ? 2e6 : undefined,
    handlerMs: 10,
    threadMs: 20,
    finishMs: 1,
  });
}

/** @param {string} key @returns {any} */
const variant = (key) => ({ key, label: `the ${key}`, command: () => {}, read: () => ({}) });

test('ratios are to the same round’s build alone, not to the median of all', () => {
  // The machine is twice as slow in the second round; the profiler costs a tenth in each.
  const runs = [
    run('none', 0, 1000),
    run('rspack-prof-1000', 0, 1100),
    run('rspack-prof-1000', 1, 2200),
    run('none', 1, 2000),
  ];
  const [none, ours] = bench.summarize([variant('none'), variant('rspack-prof-1000')], runs);
  assert.deepEqual(none.wallRatio, { median: 1, low: 1, high: 1, count: 2, interval: null });
  assert.equal(ours.wallRatio?.low, 1.1);
  assert.equal(ours.wallRatio?.high, 1.1);
  assert.equal(none.samples, null);
  assert.equal(ours.samples?.median, 1000);
});

test('the table has a row for each variant, ratios with their spread, a dash for what is not known', () => {
  const runs = [run('none', 0, 1000), run('perf-flat-4000', 0, 1250)];
  const variants = bench.summarize([variant('none'), variant('perf-flat-4000')], runs);
  const targets = judge(runs);
  const text = formatTable({
    case: 'react-100',
    rounds: 1,
    notes: [],
    minutes: 1,
    variants,
    targets,
  });
  const row = text.split('\n').find((line) => line.startsWith('the perf-flat-4000'));
  assert.match(String(row), /1\.25 \(1\.25 to 1\.25\)/);
  assert.match(String(row), / - +0\.0 +1000 +- +- +0\.01 +-$/);
});

/** @param {Record<string, (round: number) => number>} wall of each variant */
function sixRounds(wall) {
  return [0, 1, 2, 3, 4, 5].flatMap((round) =>
    Object.entries(wall).map(([key, ms]) => run(key, round, ms(round))),
  );
}

test('the targets pair ours with perf and with the build alone, and say what chance does', () => {
  const judged = judge(
    sixRounds({
      none: (round) => 1000 + 100 * round,
      'none-again': () => 1000,
      'rspack-prof-1000': (round) => (1000 + 100 * round) * 1.01,
      'rspack-prof-4000': (round) => 900 + 10 * round,
      'perf-dwarf-4000': (round) => 1150 - 10 * round,
      'perf-flat-4000': (round) => 930 + 5 * round,
    }),
  );
  const verdicts = Object.fromEntries(judged.map(({ about, verdict }) => [about, verdict]));
  assert.equal(verdicts['1000 Hz, wall, to no profiler'], 'met');
  assert.equal(verdicts['4000 Hz, wall, to perf dwarf'], 'undecided'); // 0.78 to 0.86
  assert.equal(verdicts['4000 Hz, wall, to perf flat'], 'met');
  assert.equal(verdicts['4000 Hz, peak memory beyond the build’s own'], 'met');
  const chance = judged.find(({ about }) => about.includes('chance'));
  assert.equal(chance?.verdict, null);
  assert.equal(chance?.spread.high, 1);
  assert.ok(!judged.some(({ about }) => about.includes('walks')), 'no parts without the parts');
});

test('the parts of the cost are differences within a round, and add up', () => {
  const judged = judge(
    sixRounds({
      none: () => 1000,
      'events-4000': () => 1100,
      'signals-4000': () => 1150,
      'rspack-prof-4000': () => 1250,
    }),
  );
  const parts = judged.filter(({ about }) => about.startsWith('4000 Hz, CPU: '));
  // CPU is twice the wall time here: 200 ms, 100 ms, 10 ms, 20 ms, and what is left of 200.
  assert.deepEqual(
    parts.map(({ spread }) => spread.median),
    [200, 100, 10, 20, 170],
  );
});

test('cpu-clock runs beside the default event where that is another, perf-less machines do without', () => {
  const options = bench.parseArguments(['--case', 'react-100']);
  const hardware = bench.variantsFor(options, 'cycles:u');
  const clock = hardware.find(({ key }) => key === 'cpu-clock-4000');
  const env = clock?.command('/nowhere').env ?? {};
  assert.equal(JSON.parse(String(env.CASE_PROF)).event, 'cpu-clock:u');
  const some = hardware.filter(({ key }) => !key.startsWith('perf-'));
  assert.ok(bench.possible(some, 'cycles:u').variants.some(({ key }) => key === 'cpu-clock-1000'));
  const { variants, notes } = bench.possible(some, 'cpu-clock:uk');
  assert.ok(!variants.some(({ key }) => key.startsWith('cpu-clock')));
  assert.match(notes.join(), /cpu-clock .* it is the event here/);
});

test('growth is the largest size’s cost to the smallest’s, of medians', () => {
  const found = new Map(
    [2, 4, 8, 16, 32, 64].map((cpus) => [
      cpus,
      [100, 900, 100 + cpus].map((nsPerSample) => ({ samples: 1000, nsPerSample })),
    ]),
  );
  const summary = growth.summarize(growth.AXES.cpus, found);
  assert.equal(summary.rows[0].nsPerSample, 102);
  assert.equal(summary.ratios.nsPerSample.toFixed(2), '1.61');
  assert.match(growth.format('cpus', summary), /^64 +1000 +164$/m);
  assert.match(growth.format('cpus', summary), /^last to first +x 1\.61$/m);
});

test('the events alone fire, with and without signals', async (t) => {
  const { ok, message } = loadNative().probe('cpu-clock:u');
  if (!ok) return t.skip(message);
  const addon = compile('interrupt.c', { core: true, shared: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'interrupt-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const busy = "while (process.cpuUsage().user < 400e3); console.log('through')";
  for (const signals of [0, 1]) {
    const counts = path.join(folder, `${signals}.json`);
    const env = {
      ...process.env,
      INTERRUPT_FREQUENCY: '1000',
      INTERRUPT_SIGNALS: String(signals),
      INTERRUPT_EVENT: 'cpu-clock:u',
      INTERRUPT_COUNTS: counts,
    };
    const run = await measure(process.execPath, ['-r', addon, '-e', busy], { cwd: folder, env });
    assert.equal(run.output, 'through\n');
    const found = JSON.parse(fs.readFileSync(counts, 'utf8'));
    assert.ok(found.samples > 100 && found.lost === 0, JSON.stringify(found));
    const share = found.signals / found.samples;
    assert.ok(signals ? share > 0.9 && share < 1.1 : share === 0, JSON.stringify(found));
  }
});

test('in the simulated machine every sample finds its walk', () => {
  const row = growth.growth('cpus', '3');
  assert.equal(row.samples, 24000);
  assert.ok(row.nsPerSample > 0);
});

test('the thread’s time is split into a fixed part and one for each sample', () => {
  const runs = [1000, 2000, 5000].map((samples) => ({ samples, threadMs: 50 + samples * 0.006 }));
  const { fixedMs, eachNs } = growth.fixedAndEach(runs);
  assert.equal(fixedMs.toFixed(3), '50.000');
  assert.equal(eachNs.toFixed(3), '6000.000');
});

test('benchmark arguments', () => {
  const { keys, runs, name } = bench.parseArguments([
    '--variants',
    'perf-flat-4000',
    '--runs',
    '2',
  ]);
  assert.deepEqual(keys, ['none', 'perf-flat-4000']);
  assert.equal(runs, 2);
  assert.equal(name, 'react-10k');
  const parts = bench.parseArguments(['--variants', 'parts']).keys;
  assert.ok(parts.includes('signals-4000') && !parts.includes('perf-flat-4000'));
  for (const wrong of [['--runs', '0'], ['--runs', 'x'], ['--variants', 'gprof'], ['--speed']]) {
    assert.throws(() => bench.parseArguments(wrong), /usage: npm run bench/);
  }
});

test('demo arguments', () => {
  assert.deepEqual(profile.parseArguments([], {}), {
    name: 'react-10k',
    prof: { frequency: 4000 },
    binding: 'debug',
  });
  const given = profile.parseArguments(['babel-1k', '-F', '99', '-e', 'page-faults'], {
    RSPACK_BINDING: '/own.node',
  });
  assert.deepEqual(given.prof, { frequency: 99, event: 'page-faults' });
  assert.equal(given.binding, '/own.node');
  for (const wrong of [['a', 'b'], ['--frequency', '0'], ['--frequency', '1.5'], ['--loud']]) {
    assert.throws(() => profile.parseArguments(wrong, {}));
  }
});
