'use strict';
// Native allocations: known pieces of a C addon and a Rust library come out right by function, whatever else
// runs; what is loaded later is seen; sampling ends itself at its cap; a real build is profiled by crate.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { temporaryFolder, whyNoEvents } = require('./support.js');

const FIXTURE = path.join(__dirname, '../fixtures/allocations');
const MB = 2 ** 20;
const skip = whyNoEvents();
const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @typedef {{call: (name: string, count: number, bytes: number, library?: string) => boolean}} Pieces */

/** @param {string} command @param {string[]} args */
function make(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${command}: ${error?.message ?? stderr}`;
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} [name] a copy has slots of its own
 * @returns {{folder: string, load: () => Pieces}}
 */
function buildAddon(t, name = 'pieces') {
  const folder = temporaryFolder(t);
  const file = path.join(folder, `${name}.node`);
  const include = path.join(require.resolve('node-api-headers/package.json'), '../include');
  const flags = ['-O1', '-g', '-fPIC', '-shared', '-Wall', '-Wextra', `-I${include}`];
  const failed = make('cc', [...flags, '-o', file, path.join(FIXTURE, 'pieces.c'), '-ldl']);
  if (failed) throw new Error(failed);
  return { folder, load: () => require(file) };
}

/**
 * @param {import('../../lib/index').Profile} profile
 * @param {string} event
 * @returns {(symbol: RegExp) => number} MB
 */
function megabytes(profile, event) {
  const rows = profile.hotspots({ event, limit: Infinity, percentLimit: 0 });
  return (symbol) =>
    rows
      .filter((row) => symbol.test(String(row.symbol)))
      .reduce((sum, { self }) => sum + self / MB, 0);
}

/** @param {number} figure @param {number} right @param {string} what */
function near(figure, right, what) {
  // One sample in 8 KB: 8 MB are 1,024 samples, 3 % each way in the mean. This is six times that.
  assert.ok(Math.abs(figure / right - 1) < 0.2, `${what}: ${figure.toFixed(2)} MB, not ${right}`);
}

test(
  'known pieces of C and Rust: all, at the peak, at the end, beside the faults and V8’s heap',
  { skip },
  async (t) => {
    const { folder, load } = buildAddon(t);
    const rust = path.join(folder, 'libpieces.so');
    const args = ['--edition', '2021', '-O', '-C', 'panic=abort', '--crate-type', 'cdylib'];
    const noRust = make('rustc', [...args, '-o', rust, path.join(FIXTURE, 'pieces.rs')]);
    const pieces = load();
    if (!noRust)
      assert.ok(pieces.call('rust_keep', 1, 1, rust)); // it is loaded before
    else t.diagnostic(`without Rust: ${noRust}`);

    const record = async () => {
      const session = prof.start({ memory: true, allocations: 8192, quiet: true });
      const steps = /** @type {[string, number, number, string?][]} */ ([
        ['keep_here', 4096, 3072], // 12 MB
        ['hold_here', 12288, 2048], // 24 MB, which is the peak
        ['let_go_here', 0, 0],
        ['churn_here', 65536, 512], // 32 MB
        ['grow_here', 16, MB / 4], // 34 MB in all, the last 4 of them stay
        ...(noRust
          ? []
          : [
              ['rust_churn', 16384, 1024, rust], // 16 MB
              ['rust_keep', 8192, 1024, rust], // 8 MB
            ]),
      ]);
      for (const step of steps) {
        pieces.call(...step);
        await sleep(20); // for the profiler's thread, which drains meanwhile
      }
      return session.stop();
    };
    let profile = await record();
    // Where others have the processors its thread may come too late: counted, and tried again.
    for (let again = 0; again < 5 && profile.memory?.native?.dropped; again++)
      profile = await record();
    const native = profile.memory?.native;
    assert.ok(native);
    assert.strictEqual(native.detached, '');
    assert.strictEqual(native.dropped, 0);
    t.diagnostic(
      `${native.all.samples} samples, ${native.slots} slots in ${native.modules} modules, missed frees: ${native.missedFrees}`,
    );

    const all = megabytes(profile, 'alloc-bytes');
    const peak = megabytes(profile, 'alloc-peak');
    const live = megabytes(profile, 'alloc-live');
    near(all(/^keep_here$/), 12, 'kept');
    near(all(/^hold_here$/), 24, 'held');
    near(all(/^churn_here$/), 32, 'freed at once');
    near(all(/^grow_here$/), 34, 'grown');
    near(peak(/^keep_here$/), 12, 'kept, at the peak');
    near(peak(/^hold_here$/), 24, 'held, at the peak');
    assert.ok(peak(/^churn_here$/) < 0.1);
    near(live(/^keep_here$/), 12, 'kept, at the end');
    near(live(/^grow_here$/), 4, 'grown, at the end');
    const left = profile.event('alloc-live').folded();
    const whose = left.match(/.*(hold|churn)_here.*/g)?.join('\n');
    assert.strictEqual(live(/^hold_here$/), 0, whose);
    assert.strictEqual(live(/^churn_here$/), 0, whose);
    if (!noRust) {
      near(all(/made::churn$/), 16, 'Rust, freed at once');
      near(all(/made::keep$/), 8, 'Rust, kept');
      near(live(/made::keep$/), 8, 'Rust, kept, at the end');
      assert.strictEqual(live(/made::churn$/), 0);
    }
    const calls = profile
      .hotspots({ event: 'alloc-calls', limit: Infinity, percentLimit: 0 })
      .find(({ symbol }) => symbol === 'churn_here');
    assert.ok(calls && Math.abs(calls.self / 65536 - 1) < 0.2, `${calls?.self} calls`);

    // The others of the same recording are there as ever.
    assert.match(profile.meta.event, /page-faults|cpu/);
    assert.ok(profile.memory && profile.memory.heap.usedBytes.length >= 2);
    assert.ok(profile.memory.resident.bytes.length >= 2);
    assert.ok(Array.isArray(profile.memory.allocations));

    // Written and read again.
    const file = path.join(folder, 'p.json.gz');
    profile.write(file);
    const again = prof.read(file);
    assert.deepStrictEqual(again.memory?.native, native);
    near(megabytes(again, 'alloc-live')(/^keep_here$/), 12, 'kept, read again');
  },
);

test('a library that is loaded later is seen too; stopped, nothing is', { skip }, async (t) => {
  const { load } = buildAddon(t, 'later');
  const session = prof.start({ allocations: 4096, event: 'cpu-clock:u', quiet: true });
  const pieces = load();
  let seen = 0;
  for (let tries = 0; tries < 100 && seen === 0; tries++) {
    pieces.call('churn_here', 4096, 256);
    seen = megabytes(await session.dump(), 'alloc-bytes')(/^churn_here$/);
    await sleep(20);
  }
  assert.ok(seen > 0);
  const profile = await session.stop();
  assert.ok(profile.memory?.native);
  // The hooks are out of the way, and start again where they were.
  pieces.call('churn_here', 1000, 256);
  for (let i = 0; i < 3; i++) {
    const next = prof.start({ allocations: 4096, event: 'cpu-clock:u', quiet: true });
    pieces.call('churn_here', 16384, 256); // 4 MB
    const figure = megabytes(next.stopSync(), 'alloc-bytes')(/^churn_here$/);
    assert.ok(Math.abs(figure / 4 - 1) < 0.3, `${figure}`);
  }
});

test('by the command line: the table, JSON, an event’s table, an export', { skip }, (t) => {
  const folder = temporaryFolder(t);
  const cli = path.join(__dirname, '../../lib/cli/main.js');
  const file = path.join(folder, 'p.json.gz');
  const prof = (/** @type {string[]} */ ...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      encoding: 'utf8',
      cwd: folder,
    });
    assert.strictEqual(status, 0, stderr);
    return { stdout, stderr };
  };
  const script =
    'function keepBuffers() { for (let i = 0; i < 400; i++) kept.push(Buffer.allocUnsafeSlow(65536)) }' +
    'const kept = []; keepBuffers()'; // 25 MB
  const how = ['-e', 'cpu-clock:u', '--allocation-bytes', '16384', '-o', file];
  const { stderr } = prof('record', ...how, '--', process.execPath, '-e', script);
  assert.match(stderr, /^native allocations, about: [\d.]+ MB in [\d,]+ calls; live: /m);
  const { memory } = JSON.parse(prof('report', file, '--memory', '--json').stdout);
  assert.ok(memory.native.live.bytes > 20 * MB, String(memory.native.live.bytes));
  assert.ok(memory.native.rows.some((/** @type {any} */ row) => row.bytes > 20 * MB));
  assert.match(prof('report', file, '--event', 'alloc-live', '--children').stdout, /keepBuffers/);
  const folded = prof('export', file, '--event', 'alloc-peak', '--to', 'folded', '-o', '-').stdout;
  const kept = folded
    .split('\n')
    .filter((line) => line.includes('keepBuffers'))
    .reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1]), 0);
  assert.ok(kept > 20 * MB, `${kept}`);
});

test('at its cap it ends itself and says so', { skip }, async (t) => {
  const pieces = buildAddon(t, 'capped').load();
  const options = { allocations: { bytes: 1024, cap: 0.1 }, event: 'cpu-clock:u', quiet: true };
  const session = prof.start(options);
  /** @type {import('../../lib/index').Profile} */
  let profile;
  const end = Date.now() + 60_000;
  do {
    pieces.call('churn_here', 50_000, 512);
    await sleep(10);
    profile = await session.dump();
  } while (profile.memory?.native?.detached === '' && Date.now() < end);
  assert.strictEqual(profile.memory?.native?.detached, 'cost');
  pieces.call('churn_here', 50_000, 512);
  const last = await session.stop();
  // What the buffers held when it ended is read later; of the 25,000 that the last call would make, none.
  const later = Number(last.memory?.native?.all.samples) - profile.memory.native.all.samples;
  assert.ok(later >= 0 && later < 12_000, `${later} samples after its end`);
  const warning = last.quality.warnings.find(({ code }) => code === 'allocations-detached');
  assert.match(String(warning?.message), /ended itself after [\d.]+ s: .*--allocation-bytes 4096/);
});
