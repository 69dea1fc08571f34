'use strict';
// Memory: curves and their peaks, JavaScript's allocations by function, and what of them is written.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { allocationsOf } = require('../../lib/memory/allocations.js');
const { renderMemory } = require('../../lib/memory/table.js');
const { MemoryWatch } = require('../../lib/memory/watch.js');
const { checkStartOptions } = require('../../lib/options.js');
const { Profile } = require('../../lib/profile/profile.js');
const { buildRaw, CONTEXT } = require('./helpers/raw-profile.js');

const MB = 2 ** 20;

/**
 * @param {string} functionName
 * @param {number} selfSize
 * @param {any[]} [children]
 */
const node = (functionName, selfSize, children = []) => ({
  callFrame: {
    functionName,
    url: `file:///app/${functionName}.js`,
    lineNumber: 9,
    columnNumber: 4,
  },
  selfSize,
  children,
});
const HEAD = {
  ...node('(root)', 0, [
    node('main', 1 * MB, [node('parse', 4 * MB, [node('main', 2 * MB)]), node('print', 3 * MB)]),
  ]),
};

test('bytes by function: its own, and with what it called, each once', () => {
  const rows = allocationsOf(HEAD);
  assert.deepStrictEqual(
    rows.map(({ symbol, selfBytes, totalBytes }) => [symbol, selfBytes / MB, totalBytes / MB]),
    [
      ['parse', 4, 6],
      ['main', 3, 10],
      ['print', 3, 3],
    ],
  );
  assert.deepStrictEqual(
    { file: rows[0].file, line: rows[0].line, column: rows[0].column },
    { file: '/app/parse.js', line: 10, column: 5 },
  );
});

test('a recursion of thousands of frames is one function', () => {
  let deep = node('f', 1);
  for (let i = 0; i < 20_000; i++) deep = node('f', 1, [deep]);
  const [row, ...more] = allocationsOf(node('(root)', 0, [deep]));
  assert.strictEqual(more.length, 0);
  assert.deepStrictEqual([row.selfBytes, row.totalBytes], [20_001, 20_001]);
});

function profileWithMemory() {
  const raw = buildRaw([{ stack: 'main;alloc', weight: 3 }], {
    meta: { event: 'page-faults:uk', unit: 'events', startNs: 1e9, endNs: 2e9 },
  });
  raw.resident = {
    timeNs: Float64Array.of(1e9, 1.5e9, 2e9),
    bytes: Float64Array.of(50 * MB, 90 * MB, 70 * MB),
  };
  raw.memory = {
    heap: {
      timeNs: Float64Array.of(1e9, 2e9),
      used: Float64Array.of(10 * MB, 12 * MB),
      total: Float64Array.of(20 * MB, 20 * MB),
      external: Float64Array.of(1 * MB, 1 * MB),
    },
    sampleBytes: 65536,
    allocations: allocationsOf(HEAD),
    heapProfile: { head: HEAD },
  };
  return new Profile(raw, { context: CONTEXT });
}

test('curves have times since the start, and peaks', () => {
  const memory = profileWithMemory().memory;
  assert.ok(memory);
  assert.deepStrictEqual(memory.resident.timeMs, [0, 500, 1000]);
  assert.strictEqual(memory.resident.peakBytes, 90 * MB);
  assert.strictEqual(memory.heap.peakBytes, 12 * MB);
  const plain = new Profile(buildRaw([{ stack: 'main' }]), { context: CONTEXT });
  assert.strictEqual(plain.memory, null);
});

test('the table fits the terminal and adds up', () => {
  const text = renderMemory(profileWithMemory(), { width: 60 });
  assert.match(text, /resident memory: 90\.0 MB at the most, 70\.0 MB at the end/);
  assert.match(text, /JavaScript allocated 10\.0 MB, garbage included:/);
  assert.match(text, /^40\.00 +60\.00 +4\.0 +parse \/app\/parse\.js:10$/m);
  for (const line of text.split('\n')) assert.ok(line.length <= 70, line);
  const plain = new Profile(buildRaw([{ stack: 'main' }]), { context: CONTEXT });
  assert.match(renderMemory(plain), /record it with --memory/);
});

test('written and read again it is the same; the formats have it', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-memory-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const profile = profileWithMemory();
  const file = path.join(folder, 'p.json');
  profile.write(file);
  const again = /** @type {Profile} */ (/** @type {unknown} */ (prof.read(file)));
  assert.deepStrictEqual(again.memory, profile.memory);
  const { counters } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const resident = counters.find((/** @type {{name: string}} */ { name }) => name === 'resident');
  assert.strictEqual(resident.category, 'Memory');
  assert.deepStrictEqual(resident.samples.count, [50 * MB, 40 * MB, -20 * MB]);
  const heap = path.join(folder, 'p.heapprofile');
  again.write(heap);
  assert.deepStrictEqual(JSON.parse(fs.readFileSync(heap, 'utf8')), { head: HEAD, samples: [] });
  const plain = new Profile(buildRaw([{ stack: 'main' }]), { context: CONTEXT });
  assert.throws(() => plain.write(heap), { code: 'ERR_PROF_BAD_OPTION', message: /--memory/ });
  // A file may come from anybody.
  const wrong = JSON.parse(fs.readFileSync(file, 'utf8'));
  wrong.meta.rspackProf.memory.resident.bytes.pop();
  fs.writeFileSync(file, JSON.stringify(wrong));
  assert.throws(() => prof.read(file), { code: 'ERR_PROF_BAD_FILE' });
});

test('V8 tells who allocates, garbage included, and is left as it was', () => {
  const watch = new MemoryWatch(() => Number(process.hrtime.bigint()));
  watch.start();
  /** @type {object[]} */
  const kept = [];
  function allocateHere() {
    for (let i = 0; i < 400_000; i++) kept[i % 100] = { i, list: [i, i, i, i] };
  }
  allocateHere();
  const memory = watch.read();
  const again = watch.read();
  watch.stop();
  watch.stop();
  assert.deepStrictEqual(watch.warnings(), []);
  const row = memory.allocations.find(({ symbol }) => symbol === 'allocateHere');
  assert.ok(row && row.totalBytes > 5 * MB, `${row?.totalBytes} bytes`);
  assert.strictEqual(row.file, __filename);
  assert.ok(memory.heap.used.length >= 2);
  assert.ok(again.heap.used.length > memory.heap.used.length);
  assert.ok(memory.heap.used.every((bytes) => bytes > MB));
});

test('start() takes page faults with it, unless another event is asked for', () => {
  const { native, memory } = checkStartOptions({ memory: true });
  assert.strictEqual(memory, true);
  assert.strictEqual(native.event, 'page-faults:uk');
  assert.strictEqual(native.faultPeriod, true);
  const asked = checkStartOptions({ memory: true, frequency: 99 }).native;
  assert.strictEqual(asked.frequency, 99);
  assert.ok(!('faultPeriod' in asked));
  assert.ok(!('faultPeriod' in checkStartOptions({ memory: true, period: 2000 }).native));
  assert.strictEqual(
    checkStartOptions({ memory: true, event: 'cpu-clock:u' }).native.event,
    'cpu-clock:u',
  );
  assert.throws(() => checkStartOptions({ memory: true, wall: true }), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /samples page faults/,
  });
});
