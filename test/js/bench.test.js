'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { bytesBelow, childrenCpuMs, measure, peakBytes } = require('../../bench/measure.js');
const { formatTable } = require('../../bench/overhead-table.js');
const bench = require('../../bench/overhead.js');
const profile = require('../../bench/profile.js');

test('children’s CPU time is read past a name with spaces and parentheses', () => {
  const stat = `12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 130 7 20 0 11 0`;
  assert.equal(childrenCpuMs(stat), 1370);
});

test('peak memory is the high-water mark', () => {
  assert.equal(peakBytes('VmPeak:\t  99 kB\nVmHWM:\t    2048 kB\nVmRSS: 1 kB\n'), 2048 * 1024);
  assert.equal(peakBytes(''), 0);
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

test('every second round runs the other way round', () => {
  const orders = [0, 1, 2].map((round) => bench.orderOf(['a', 'b', 'c'], round).join(''));
  assert.deepEqual(orders, ['abc', 'cba', 'abc']);
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
  assert.deepEqual(none.wallRatio, { median: 1, low: 1, high: 1 });
  assert.deepEqual(ours.wallRatio, { median: 1.1, low: 1.1, high: 1.1 });
  assert.equal(none.samples, null);
  assert.equal(ours.samples?.median, 1000);
});

test('the table has a row for each variant, ratios with their spread, a dash for what is not known', () => {
  const runs = [run('none', 0, 1000), run('perf-flat-4000', 0, 1250)];
  const variants = bench.summarize([variant('none'), variant('perf-flat-4000')], runs);
  const text = formatTable({ case: 'react-100', rounds: 1, perf: 'used', variants });
  const row = text.split('\n').find((line) => line.startsWith('the perf-flat-4000'));
  assert.match(String(row), /1\.25 \(1\.25 to 1\.25\)/);
  assert.match(String(row), / - +0\.0 +1000 +- +- +-$/);
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
