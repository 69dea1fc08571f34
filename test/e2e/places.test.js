'use strict';
// Places where unwinders fail, in one recording each: wasm, regular expressions, code that V8 throws
// away, moves and makes again while it is recorded, worker threads that end while they are sampled,
// child processes. Native places are in test/truth, by the instruction.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { setFlagsFromString } = require('node:v8');
const vm = require('node:vm');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const prof = require('../../lib/index.js');
const support = require('./support.js');

const skip = support.whyNoEvents();
const MS = 300;

/** CPU time of this thread's process, so that a busy machine gives as many samples. */
function forMs(/** @type {() => unknown} */ work, ms = MS) {
  const start = process.cpuUsage();
  for (;;) {
    work();
    const { user, system } = process.cpuUsage(start);
    if (user + system > ms * 1000) return;
  }
}

/** @param {() => unknown} work */
async function record(work) {
  const session = prof.start({ event: 'cpu-clock:u', frequency: 4000 });
  await work();
  return /** @type {any} */ (await session.stop()).raw;
}

/** @param {any} raw @returns {{ names: string[], end: number, tid: number }[]} leaf first */
function stacks({ samples, nodes, funcs, strings, threads }) {
  return Array.from(samples.node, (leaf, i) => {
    const names = [];
    for (let node = leaf; node > 0; node = nodes.parent[node]) {
      names.push(strings[funcs.name[nodes.func[node]]]);
    }
    return { names, end: samples.end[i], tid: threads.tid[samples.thread[i]] };
  });
}

/** @param {any} raw */
function assertWhole(raw) {
  const ends = raw.samples.end;
  /** @type {Record<number, number>} */
  const counts = {};
  for (const end of ends) counts[end] = (counts[end] ?? 0) + 1;
  const { spared, byObject } = raw.quality;
  const broken = byObject.filter((/** @type {any} */ row) => row.broken > 0);
  const told = `of ${ends.length}, by end: ${JSON.stringify(counts)}, spared: ${spared}, ${JSON.stringify(broken)}`;
  // Of few samples one or two may be where signals are blocked (in libc's posix_spawn).
  const least = Math.min(0.99 * ends.length, ends.length - 2);
  assert.ok((counts[0] ?? 0) >= least, told);
}

/** (func $spin (param i32)) with a loop, exported as `run` through `outer`; with a name section. */
const WASM = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 1, 127, 0, 3, 3, 2, 0, 0, 7, 7, 1, 3, 114, 117, 110, 0,
  1, 10, 23, 2, 14, 0, 3, 64, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 11, 6, 0, 32, 0, 16, 0, 11, 0,
  21, 4, 110, 97, 109, 101, 1, 14, 2, 0, 4, 115, 112, 105, 110, 1, 5, 111, 117, 116, 101, 114,
]);

test('wasm: named frames, JavaScript below them', { skip }, async () => {
  const { Instance, Module } = /** @type {any} */ (globalThis).WebAssembly;
  const { run } = new Instance(new Module(WASM)).exports;
  const raw = await record(() =>
    forMs(function callsWasm() {
      run(100_000);
    }),
  );
  const inside = stacks(raw).filter(({ names }) => /spin/.test(names[0]));
  assert.ok(inside.length > 100, `${inside.length} samples`);
  const right = inside.filter(({ names }) =>
    names.some((name) => /^(callsWasm|forMs) /.test(name)),
  );
  assert.ok(
    right.length >= 0.99 * inside.length,
    `${right.length} of ${inside.length}: ${inside.find((one) => !right.includes(one))?.names}`,
  );
  assertWhole(raw);
});

test('regular expressions: their own frame, JavaScript below it', { skip }, async () => {
  const text = `${'a'.repeat(5000)}b`;
  const raw = await record(() =>
    forMs(function matches() {
      /(a|b|ab)*c/.test(text.slice(-22));
    }),
  );
  const inside = stacks(raw).filter(({ names }) => names[0].startsWith('RegExp /(a|b|ab)'));
  assert.ok(inside.length > 100, `${inside.length} samples`);
  const right = inside.filter(({ names }) => names.some((name) => /^(matches|forMs) /.test(name)));
  assert.ok(
    right.length >= 0.99 * inside.length,
    `${right.length} of ${inside.length}: ${inside.find((one) => !right.includes(one))?.names}`,
  );
  assertWhole(raw);
});

test(
  'code that V8 drops and makes anew while recorded: names as of their time',
  { skip },
  async (t) => {
    setFlagsFromString('--expose-gc');
    const gc = /** @type {() => void} */ (vm.runInNewContext('gc'));
    const rounds = 40;
    const raw = await record(() => {
      for (let i = 0; i < rounds; i += 1) {
        // The inner one has a caller that is of the same round: a stale name shows as another number.
        const outer = new Function(
          `return function outer_${i}(n) { return inner_${i}(n) + 1; };
         function inner_${i}(n) { let s = 0; for (let k = 0; k < n; k++) s += k % 7; return s; }`,
        )();
        forMs(() => outer(20_000), 15);
        gc();
      }
    });
    let inside = 0;
    /** @type {Set<string>} */
    const seen = new Set();
    for (const { names } of stacks(raw)) {
      const inner = names.map((name) => /^inner_(\d+)\b/.exec(name)?.[1]).find(Boolean);
      const outer = names.map((name) => /^outer_(\d+)\b/.exec(name)?.[1]).find(Boolean);
      if (!inner) continue;
      inside += 1; // without the outer one where that was inlined into its caller
      seen.add(inner);
      if (outer) assert.equal(outer, inner, names.join(' < '));
    }
    t.diagnostic(`${inside} samples of ${seen.size} functions`);
    assert.ok(inside > 200 && seen.size >= rounds - 2, `${inside} of ${seen.size}`);
    assertWhole(raw);
  },
);

test(
  'deoptimised again and again: whole stacks, the function keeps its name',
  { skip },
  async () => {
    const raw = await record(() =>
      forMs(() => {
        const sums = new Function(
          'all',
          'let s = 0; for (const x of all) s += Number(x.v); return s;',
        );
        for (let i = 0; i < 200; i += 1) sums(Array.from({ length: 100 }, (_, k) => ({ v: k })));
        sums([{ v: 'text' }, { w: 1, v: 0.5 }, { v: 2n }]);
      }),
    );
    assertWhole(raw);
  },
);

test('worker threads that end while they are sampled', { skip }, async () => {
  // Long enough that the moments in which a thread begins or ends, with signals blocked, are few of its samples.
  const source = `let s = 0; const end = Date.now() + 300;
    function inWorker() { while (Date.now() < end) for (let i = 0; i < 1e5; i++) s += i; }
    inWorker(); process.exit(0);`;
  const raw = await record(async () => {
    const ends = Array.from({ length: 6 }, () => {
      const worker = new Worker(source, { eval: true });
      return new Promise((resolve) => worker.once('exit', resolve));
    });
    await Promise.all(ends);
  });
  const tids = new Set(stacks(raw).map(({ tid }) => tid));
  assert.ok(tids.size >= 6, `${tids.size} threads`);
  assertWhole(raw);
});

test('what threads counted that ended is not of the next recording', { skip }, async () => {
  const source = `const end = Date.now() + 150; while (Date.now() < end); process.exit(0);`;
  const first = await record(async () => {
    const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true }));
    await Promise.all(workers.map((worker) => new Promise((end) => worker.once('exit', end))));
  });
  const next = await record(() => forMs(() => Math.random(), 20));
  assert.ok(first.quality.signals > 500, `${first.quality.signals}`);
  const { signals, samples, cost } = next.quality;
  assert.ok(signals < samples + 100, `${signals} signals, ${samples} samples`);
  assert.ok(cost.handlerMs < first.quality.cost.handlerMs / 2, JSON.stringify(cost));
});

test('child processes are not mixed in', { skip }, async () => {
  const child = `const end = Date.now() + 250; (function inChild() { while (Date.now() < end); })()`;
  const raw = await record(() => {
    assert.equal(spawnSync(process.execPath, ['-e', child]).status, 0);
    assert.equal(
      spawnSync('sh', ['-c', 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done']).status,
      0,
    );
    forMs(() => Math.random(), 50);
  });
  for (const { names } of stacks(raw)) assert.ok(!names.some((name) => /inChild/.test(name)));
  const paths = Array.from(raw.modules.path, (index) => raw.strings[index]);
  assert.ok(!paths.some((file) => /\/(sh|dash|bash)$/.test(file)), String(paths));
  assertWhole(raw);
});
