'use strict';
// XRay sleds in this very process: every call is there, registers survive, patching while threads run.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const prof = require('../../lib/index.js');
const { LIVE, build, callsOf, cliIn, parsed, script } = require('./calls-support.js');

const INCLUDE = path.join(require.resolve('node-api-headers/package.json'), '../include');
const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-xray-'));
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));

/** @param {string} name @param {string[]} more @returns {string | false} why it cannot be built here */
function buildSleds(name, more) {
  const flags = ['-O2', '-fPIC', '-shared', '-fxray-instrument', `-I${INCLUDE}`];
  const out = path.join(FOLDER, `${name}.node`);
  return build('clang', [...flags, path.join(LIVE, 'sleds.c'), ...more, '-o', out]);
}

/** @returns {string | false} */
function buildRust() {
  const archive = path.join(FOLDER, 'libsleds.a');
  const flags = ['--edition', '2021', '--crate-type', 'staticlib', '-O', '-Cpanic=abort'];
  const xray = ['-Crelocation-model=pic', '-Zinstrument-xray=always', '-o', archive];
  const source = path.join(LIVE, 'sleds.rs');
  return (
    build('rustc', [...flags, ...xray, source], { RUSTC_BOOTSTRAP: '1' }) ||
    buildSleds('rust', ['-DWITH_RUST', archive])
  );
}

const skip = buildSleds('sleds', []);
const skipRust = skip || buildRust();
const OBJECT = path.join(FOLDER, 'sleds.node');
const cli = cliIn(FOLDER);
const LEAF = { functions: /^sled_leaf$/, objects: [OBJECT], method: /** @type {const} */ ('xray') };

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
    sled_fib: [177, 0, 0],
    sled_tail: [100, 0, 0],
    sled_leaf: [100, 0, 0],
    sled_many: [1, 0, 0],
    sled_wide: [1, 0, 0],
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
    { code: 'ERR_PROF_BAD_OPTION' },
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
      [1, 0, 0],
      [10, 0, 0],
    ],
  );
});

/**
 * Calls a leaf for a while, longer until something is dropped: on a busy machine the tracer's thread may wait.
 * @param {Partial<import('../../lib/index').TraceOptions>} options
 */
function droppedBy(options) {
  const sleds = require(OBJECT);
  for (let ms = 600; ; ms *= 3) {
    const trace = prof.trace({ ...LEAF, ...options });
    let made = 0;
    for (const until = Date.now() + ms; Date.now() < until; made += 2000) sleds.run(2000);
    const summary = trace.stop();
    if (summary.dropped.length > 0 || ms > 16_000) return { summary, made };
  }
}

test(
  'a function with sleds is dropped above the limit, and at once costs nothing',
  { skip },
  () => {
    const { summary, made } = droppedBy({ limit: 5000, budget: 100_000 });
    const [dropped] = summary.dropped;
    assert.deepEqual([dropped.symbol, dropped.reason], ['sled_leaf', 'limit']);
    assert.ok(dropped.calls > 5000 && dropped.calls < made);
    const { calls, open } = summary.functions[0];
    const told = `${calls} calls, ${open} open, ${dropped.calls} when dropped, ${made} made`;
    assert.ok(calls >= dropped.calls && calls < made && open <= 1, told);
  },
);

test('the dearest function with sleds goes first where a budget is given', { skip }, () => {
  const { summary } = droppedBy({ budget: 1 });
  assert.deepEqual(
    summary.dropped.map(({ symbol, reason }) => [symbol, reason]),
    [['sled_leaf', 'budget']],
  );
  assert.ok(summary.cost.emulatedNs > 0 && summary.cost.cpuNs > 0);
});

test('by the command line: sleds of the library that a node process loads', { skip }, () => {
  const file = script(
    FOLDER,
    'mixed.js',
    `console.log(require(${JSON.stringify(OBJECT)}).mixed()); process.exitCode = 5;`,
  );
  const wanted = ['trace', '--functions', '^sled_(fib|leaf|tail)$', '--object', OBJECT];
  const { status, stdout, stderr } = cli([
    ...[...wanted, '--json', '-o', 'cli', '--', process.execPath, file],
  ]);
  assert.equal(status, 5, stderr);
  assert.match(stderr, /^10055$/m);
  const summary = parsed(stdout);
  assert.equal(summary.meta.method, 'xray');
  assert.deepEqual(callsOf(summary), {
    sled_fib: [177, 0, 0],
    sled_tail: [100, 0, 0],
    sled_leaf: [100, 0, 0],
  });
  assert.deepEqual(fs.readdirSync(path.join(FOLDER, 'cli')).sort(), [
    'events.bin',
    'functions.json',
    'spans.json',
    'trace.json',
  ]);
  const again = cli(['trace', '--read', 'cli', '--json']);
  assert.deepEqual(callsOf(parsed(again.stdout)), callsOf(summary));
});

test('a process with sleds that is killed leaves what it had done', { skip }, () => {
  const file = script(
    FOLDER,
    'killed.js',
    `const sleds = require(${JSON.stringify(OBJECT)});
    setInterval(() => sleds.run(100), 5);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 4000);`,
  );
  const wanted = ['trace', '--functions', '^sled_leaf$', '--object', OBJECT, '--json'];
  const { signal, stdout, stderr } = cli([
    ...[...wanted, '-o', 'killed', '--', process.execPath, file],
  ]);
  assert.equal(signal, 'SIGKILL', stderr);
  const summary = parsed(stdout);
  assert.equal(summary.warnings[0].code, 'trace-cut');
  assert.ok(callsOf(summary).sled_leaf[0] >= 100);
});

test(
  'a disk that is full ends the events after a whole chunk, and what is there is told',
  { skip },
  (t) => {
    const small = path.join(FOLDER, 'small');
    fs.mkdirSync(small);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    if (mounted.status !== 0) return t.skip(`no file system can be made: ${mounted.stderr}`);
    try {
      const file = script(
        FOLDER,
        'many.js',
        `const sleds = require(${JSON.stringify(OBJECT)});
      let left = 40;
      const timer = setInterval(() => {
        sleds.run(10_000);
        if (--left === 0) clearInterval(timer);
      }, 10);`,
      );
      const folder = path.join(small, 'trace');
      const wanted = ['trace', '--functions', '^sled_leaf$', '--object', OBJECT, '--json'];
      const { status, stdout, stderr } = cli([
        ...[...wanted, '--budget', '100000', '-o', folder, '--', process.execPath, file],
      ]);
      assert.equal(status, 0, stderr);
      const summary = parsed(stdout);
      // Whole chunks of 256 KB or of a second, 4 to 6 bytes an event.
      const [calls] = callsOf(summary).sled_leaf;
      assert.ok(calls > 0 && calls <= 400_000, `${calls}`);
      const codes = summary.warnings.map(({ code }) => code);
      assert.ok(codes.includes('events-cut') || codes.includes('trace-cut'), codes.join());
      const again = parsed(cli(['trace', '--read', folder, '--json']).stdout);
      assert.ok(callsOf(again).sled_leaf[0] > 0);
    } finally {
      spawnSync('umount', [small]);
    }
  },
);

test('a command that loads no such library is said, with its own exit code', { skip }, () => {
  const wanted = ['trace', '--method', 'xray', '--functions', '^sled_leaf$', '--object', OBJECT];
  const { status, stderr } = cli([...wanted, '--', 'sh', '-c', 'exit 4']);
  assert.equal(status, 4);
  assert.match(stderr, /no node process of the command loaded .*sleds\.node.*ERR_PROF_NOT_RUNNING/);
  const none = cli([...wanted.slice(0, 3), '--functions', '^uv_fs_stat$', '--', 'true']);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /have no XRay sleds/);
});
