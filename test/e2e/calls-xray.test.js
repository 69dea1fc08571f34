'use strict';
// XRay sleds in this very process: every call is there, registers survive, patching while threads run.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const prof = require('../../lib/index.js');

const LIVE = path.join(__dirname, '../live');
const INCLUDE = path.join(require.resolve('node-api-headers/package.json'), '../include');
const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-xray-'));
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));

/** @param {string} name @param {string[]} more @returns {string | false} why it cannot be built here */
function build(name, more) {
  const flags = ['-O2', '-fPIC', '-shared', '-fxray-instrument', `-I${INCLUDE}`];
  const out = path.join(FOLDER, `${name}.node`);
  const files = [path.join(LIVE, 'sleds.c'), ...more, '-o', out];
  const built = spawnSync('clang', [...flags, ...files], { encoding: 'utf8' });
  return built.status === 0
    ? false
    : `no clang with -fxray-instrument: ${built.error?.message ?? built.stderr}`;
}

/** @returns {string | false} */
function buildRust() {
  const archive = path.join(FOLDER, 'libsleds.a');
  const flags = ['--edition', '2021', '--crate-type', 'staticlib', '-O', '-Cpanic=abort'];
  const xray = ['-Crelocation-model=pic', '-Zinstrument-xray=always', '-o', archive];
  const built = spawnSync('rustc', [...flags, ...xray, path.join(LIVE, 'sleds.rs')], {
    encoding: 'utf8',
    env: { ...process.env, RUSTC_BOOTSTRAP: '1' },
  });
  if (built.status !== 0) {
    return `no rustc with -Zinstrument-xray: ${built.error?.message ?? built.stderr}`;
  }
  return build('rust', ['-DWITH_RUST', archive]);
}

const skip = build('sleds', []);
const skipRust = skip || buildRust();
const OBJECT = path.join(FOLDER, 'sleds.node');

/** @param {import('../../lib/index').TraceSummary} summary */
const callsOf = ({ functions }) =>
  Object.fromEntries(functions.map(({ symbol, calls, unseen }) => [symbol, [calls, unseen]]));

/** Code pages of the object that can be written. */
const writable = () =>
  fs
    .readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(OBJECT) && / rwx/.test(line));

test('sleds: every call, with its caller, its end and all registers', { skip }, () => {
  const sleds = require(OBJECT);
  const trace = prof.trace({ functions: /^sled_/, objects: [OBJECT] });
  assert.deepEqual(writable(), []);
  assert.equal(sleds.mixed(), 10055);
  const summary = trace.stop();
  assert.equal(summary.meta.method, 'xray');
  assert.deepEqual(callsOf(summary), {
    sled_fib: [177, 0],
    sled_tail: [100, 0],
    sled_leaf: [100, 0],
    sled_many: [1, 0],
    sled_wide: [1, 0],
  });
  const { lost, unmatched } = summary.quality;
  assert.deepEqual([lost, unmatched], [0, 0]);
  const fib = summary.functions.find(({ symbol }) => symbol === 'sled_fib');
  assert.deepEqual(
    fib?.callers.map(({ symbol, calls }) => [symbol, calls]),
    [
      ['sled_fib', 176],
      [null, 1],
    ],
  );
  assert.equal(fib?.totalNs, fib?.maxNs);
  assert.deepEqual(writable(), []);
  // Unpatched: nothing of this is seen, and all goes on.
  assert.equal(sleds.mixed(), 10055);
});

test('sleds: events on disk are the same calls', { skip }, () => {
  const { summaryFromEvents } = require('../../lib/calls/from-events.js');
  const output = path.join(FOLDER, 'events');
  const trace = prof.trace({ functions: /^sled_/, objects: [OBJECT], output, method: 'xray' });
  require(OBJECT).mixed();
  const summary = trace.stop();
  assert.deepEqual(callsOf(summaryFromEvents(output)), callsOf(summary));
});

test('sleds are patched and put back while eight threads run through them', { skip }, () => {
  const sleds = require(OBJECT);
  const times = process.env.PROF_LONG ? 1000 : 60;
  sleds.start();
  try {
    for (let i = 0; i < times; i++) {
      const trace = prof.trace({
        functions: /^sled_/,
        objects: [OBJECT],
        method: 'xray',
        budget: 100_000, // nothing is dropped
      });
      assert.equal(sleds.mixed(), 10055);
      // This thread's own, however little the others got of the CPUs.
      assert.ok(callsOf(trace.stop()).sled_fib[0] >= 177);
    }
  } finally {
    assert.equal(sleds.end(), 0, 'no thread got a wrong result');
  }
  assert.deepEqual(writable(), []);
});

test('functions without sleds are refused where sleds are asked for', { skip }, () => {
  require(OBJECT);
  const options = { method: /** @type {const} */ ('xray'), objects: [OBJECT] };
  assert.throws(() => prof.trace({ ...options, functions: /^(sled_leaf|check)$/ }), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /1 of the 2 functions have no XRay sleds/,
  });
  assert.throws(
    () => prof.trace({ ...options, functions: /x/, method: /** @type {any} */ ('y') }),
    {
      code: 'ERR_PROF_BAD_OPTION',
    },
  );
});

test('sleds that rustc left', { skip: skipRust }, () => {
  const object = path.join(FOLDER, 'rust.node');
  const rust = require(object);
  const trace = prof.trace({ functions: /sled_rust/, objects: [object], method: 'xray' });
  assert.equal(rust.rust(), 55);
  const calls = Object.values(callsOf(trace.stop()));
  assert.deepEqual(
    calls.sort((a, b) => a[0] - b[0]),
    [
      [1, 0],
      [10, 0],
    ],
  );
});
