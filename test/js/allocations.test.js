'use strict';
// The ledger of native allocations on rows written by hand: what a sample stands for, what was live when; whom
// they are charged to; warnings, tables, files.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { ledgerOf, piecesPerSample } = require('../../lib/memory/ledger.js');
const { chargedNodes, takeAllocations } = require('../../lib/memory/native.js');
const { nativeWarnings } = require('../../lib/memory/native-warnings.js');
const { renderMemory } = require('../../lib/memory/table.js');
const { checkStartOptions } = require('../../lib/options.js');
const { Profile } = require('../../lib/profile/profile.js');
const { buildRaw, CONTEXT } = require('./helpers/raw-profile.js');

const MB = 2 ** 20;
const LIVES = 0;
const UNKNOWN = 1;

/** @param {[number, number, number][]} rows time, freed, bytes */
const pieces = (rows) => ({
  timeNs: Float64Array.from(rows, ([time]) => time),
  freedNs: Float64Array.from(rows, ([, freed]) => freed),
  bytes: Float64Array.from(rows, ([, , bytes]) => bytes),
});

test('a sample stands for its bytes over the chance that it was hit', () => {
  // Far above the mean distance: itself. Far below: one in mean/bytes pieces.
  assert.strictEqual(piecesPerSample(1e9, 1000), 1);
  assert.ok(Math.abs(piecesPerSample(1, 1e6) - 1e6) < 1);
  assert.ok(Math.abs(piecesPerSample(1000, 1000) - 1 / (1 - Math.exp(-1))) < 1e-12);
  assert.ok(Number.isFinite(piecesPerSample(0, 1000))); // malloc(0)
});

test('what samples stand for adds up to what was allocated, whatever the sizes', () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  let [bytes, calls, estimated, estimatedCalls] = [0, 0, 0, 0];
  let left = -Math.log(random()) * 4096;
  for (let i = 0; i < 400_000; i++) {
    const size = random() < 0.01 ? 20_000 : 16 + Math.floor(random() * 200);
    bytes += size;
    calls++;
    left -= size;
    if (left >= 0) continue;
    estimatedCalls += piecesPerSample(size, 4096);
    estimated += size * piecesPerSample(size, 4096);
    left = -Math.log(random()) * 4096;
  }
  assert.ok(Math.abs(estimated / bytes - 1) < 0.04, `${estimated / bytes}`);
  assert.ok(Math.abs(estimatedCalls / calls - 1) < 0.08, `${estimatedCalls / calls}`);
});

test('the peak is when most was live; at the end lives what nobody freed', () => {
  const ledger = ledgerOf(
    pieces([
      [10, 40, 1e6],
      [20, LIVES, 2e6],
      [30, 35, 4e6], // 7e6 are live now
      [50, 60, 3e6],
      [70, 200, 1e6], // freed after the end
      [80, UNKNOWN, 9e9],
    ]),
    100,
    100,
  );
  assert.strictEqual(ledger.peakNs, 30);
  assert.deepStrictEqual([...ledger.peak], [0, 1, 2]);
  assert.deepStrictEqual([...ledger.live], [1, 4]);
  assert.strictEqual(ledger.unknown, 1);
  assert.deepStrictEqual([...ledger.curve.timeNs], [10, 20, 30, 35, 40, 50, 60, 70]);
  assert.deepStrictEqual(
    [...ledger.curve.bytes].map((bytes) => bytes / 1e6),
    [1, 3, 7, 3, 2, 5, 2, 3],
  );
});

test('freed at the moment it was made, or before by another CPU’s clock: it was there for a moment', () => {
  const { peak, live, curve } = ledgerOf(
    pieces([
      [10, 10, 5e6],
      [20, 15, 7e6],
    ]),
    1,
    100,
  );
  assert.deepStrictEqual([...peak], [1]);
  assert.strictEqual(live.length, 0);
  assert.ok(curve.bytes.every((bytes) => bytes >= 0));
});

test('nothing sampled: zeros', () => {
  const { peak, live, peakNs, curve } = ledgerOf(pieces([]), 1000, 100);
  assert.deepStrictEqual([peak.length, live.length, peakNs, curve.bytes.length], [0, 0, 0, 0]);
});

test('a long recording has a short curve with its peak', () => {
  /** @type {[number, number, number][]} */
  const rows = [];
  for (let i = 0; i < 50_000; i++) rows.push([10 * i, 10 * i + 5, i === 31_234 ? 9e6 : 1e6]);
  const { curve } = ledgerOf(pieces(rows), 1, 1e9);
  assert.ok(curve.bytes.length <= 2048);
  assert.strictEqual(Math.max(...curve.bytes), 9e6);
});

/** A profile of four allocations. */
function recorded(more = {}) {
  const stacks = [
    'main;<rspack_core::Compiler>::build;<alloc::raw_vec::RawVec>::grow_one;__rust_alloc',
    'main;<rspack_core::Compiler>::build;swc::parse',
    'main;operator new(unsigned long)',
    'operator new(unsigned long)',
  ];
  const raw = buildRaw(
    stacks.map((stack) => ({ stack })),
    {
      funcs: {
        '<rspack_core::Compiler>::build': { kind: 'rust', crate: 'rspack_core' },
        '<alloc::raw_vec::RawVec>::grow_one': { kind: 'rust', crate: 'alloc' },
        __rust_alloc: { kind: 'rust', crate: '__rustc' },
        'swc::parse': { kind: 'rust', crate: 'swc', object: 'rspack.linux-x64-gnu.node' },
        'operator new(unsigned long)': { kind: 'native', object: 'libstdc++.so.6' },
      },
      meta: { startNs: 1e9, endNs: 2e9 },
    },
  );
  raw.allocations = {
    timeNs: Float64Array.of(1.1e9, 1.2e9, 1.3e9, 1.4e9),
    freedNs: Float64Array.of(LIVES, 1.25e9, LIVES, 1.5e9),
    bytes: Float64Array.of(4 * MB, 8 * MB, 2 * MB, 1 * MB),
    thread: new Uint32Array(4),
    cpu: new Uint16Array(4),
    node: Uint32Array.from(raw.samples.node),
    end: new Uint8Array(4),
    flags: new Uint8Array(4),
  };
  raw.allocated = {
    ...{ meanBytes: 1024, calls: 4, dropped: 0, notFollowed: 0, missedFrees: 0, endNs: 0 },
    ...{ slots: 40, modules: 9, refusedSlots: 0, callNs: 3, walkMs: 0.1, costPercent: 1.25 },
    detached: /** @type {const} */ (''),
    ...more,
  };
  const { raw: rest, others, warnings } = takeAllocations(raw, raw);
  return { raw, warnings, profile: new Profile(rest, { context: CONTEXT, others }) };
}

test('memory is for whom the standard library allocates', () => {
  const { raw } = recorded();
  const charged = chargedNodes(raw);
  const names = Array.from(
    raw.samples.node,
    (node) => raw.strings[raw.funcs.name[raw.nodes.func[charged[node]]]],
  );
  assert.deepStrictEqual(names, [
    '<rspack_core::Compiler>::build',
    'swc::parse',
    'main',
    'operator new(unsigned long)', // nobody else is on that stack
  ]);
});

test('each figure is an event: tables, trees and folded stacks of it', () => {
  const { profile } = recorded();
  const of = (/** @type {string} */ event) =>
    Object.fromEntries(
      profile
        .hotspots({ event, by: 'symbol' })
        .filter(({ self }) => self > 0)
        .map(({ symbol, self }) => [symbol, self / MB]),
    );
  assert.deepStrictEqual(of('alloc-bytes'), {
    'swc::parse': 8,
    '<rspack_core::Compiler>::build': 4,
    main: 2,
    'operator new(unsigned long)': 1,
  });
  assert.deepStrictEqual(of('alloc-peak'), {
    'swc::parse': 8,
    '<rspack_core::Compiler>::build': 4,
  });
  assert.deepStrictEqual(of('alloc-live'), { '<rspack_core::Compiler>::build': 4, main: 2 });
  const crates = profile.hotspots({ event: 'alloc-bytes', by: 'crate' });
  assert.strictEqual(crates.find(({ key }) => key === 'rspack_core')?.total, 12 * MB);
  assert.match(profile.event('alloc-live').folded(), /^.*build 4194304$/m);
  assert.strictEqual(profile.event('alloc-live').meta.frequency, 0);
  const { native } = profile.memory ?? {};
  assert.deepStrictEqual(
    [native?.all.bytes, native?.peak.bytes, native?.live.bytes].map((bytes) => Number(bytes) / MB),
    [15, 12, 6],
  );
  assert.strictEqual(native?.peak.atMs, 200);
  assert.ok(Math.abs(Number(native?.bindingShare) - 8 / 15) < 1e-9);
});

test('the table fits its terminal', () => {
  const { profile } = recorded();
  for (const width of [80, 200]) {
    const text = renderMemory(profile, { width });
    assert.match(
      text,
      /^native allocations, about: 15\.0 MB in 4 calls; live: 12\.0 MB at the peak, 6\.0\s+MB/m,
    );
    assert.match(text, /^ +8\.0 +8\.0 +0\.0 +1 +8,388,608 +swc +swc::parse$/m);
    const [, ...table] = text.slice(text.indexOf('ALLOC MB')).split('\n');
    for (const line of table) assert.ok(line.length <= width, line);
  }
});

test('written and read again it is the same; a wrong file is refused', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-allocations-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'p.json');
  const { profile } = recorded({ detached: 'cost', endNs: 1.9e9 });
  profile.write(file);
  const again = prof.read(file);
  assert.deepStrictEqual(again.memory, profile.memory);
  assert.strictEqual(again.memory?.native?.endMs, 900);
  const rows = (/** @type {any} */ one) => one.hotspots({ event: 'alloc-live' });
  assert.deepStrictEqual(rows(again), rows(profile));
  const json = fs.readFileSync(file, 'utf8');
  const { counters } = JSON.parse(json);
  assert.ok(counters.some((/** @type {{name: string}} */ { name }) => name === 'native'));
  for (const spoil of [
    (/** @type {any} */ native) => (native.costPercent = 'much'),
    (/** @type {any} */ native) => native.curve.bytes.pop(),
    (/** @type {any} */ native) => delete native.peak,
    (/** @type {any} */ native) => (native.detached = '<b>'),
    (/** @type {any} */ native) => (native.bindingShare = 'all'),
  ]) {
    const wrong = JSON.parse(json);
    spoil(wrong.meta.rspackProf.memory.native);
    fs.writeFileSync(file, JSON.stringify(wrong));
    assert.throws(() => prof.read(file), { code: 'ERR_PROF_BAD_FILE', message: /memory\.native/ });
  }
});

test('what is missing is said, each thing once', () => {
  assert.deepStrictEqual(recorded().warnings, []);
  const codes = (/** @type {object} */ more) => recorded(more).warnings.map(({ code }) => code);
  assert.deepStrictEqual(codes({ detached: 'cost' }), ['allocations-detached']);
  assert.deepStrictEqual(codes({ detached: 'samples' }), ['allocations-detached']);
  assert.deepStrictEqual(codes({ dropped: 3 }), ['allocations-dropped']);
  assert.deepStrictEqual(codes({ missedFrees: 1 }), ['allocations-missed-frees']);
  assert.deepStrictEqual(codes({ refusedSlots: 1 }), ['allocations-refused']);
  const { raw } = recorded().profile;
  assert.ok(raw.native);
  const [own] = nativeWarnings({ ...raw.native, bindingShare: 0.001 }, 0);
  assert.match(own.message, /an allocator of its own inside/);
  assert.strictEqual(nativeWarnings({ ...raw.native, bindingShare: null }, 0).length, 0);
});

test('a watch that has let builds go has no allocations, and says so', () => {
  const { raw } = recorded();
  const { others, warnings, raw: rest } = takeAllocations(raw, { ...raw, nodes: { ...raw.nodes } });
  assert.strictEqual(others.length, 0);
  assert.deepStrictEqual(
    warnings.map(({ code }) => code),
    ['allocations-dropped'],
  );
  assert.ok(!('allocations' in rest) && !('allocated' in rest));
});

test('start() takes bytes and a cap, and refuses the rest', () => {
  const native = (/** @type {unknown} */ allocations) => checkStartOptions({ allocations }).native;
  assert.deepStrictEqual(
    [native(true).allocationBytes, native(true).allocationCap, native(true).memory],
    [131072, 10, true],
  );
  assert.strictEqual(native(65536).allocationBytes, 65536);
  assert.strictEqual(native({ bytes: 2048, cap: 3 }).allocationCap, 3);
  assert.ok(!('allocationBytes' in native(false)) && !('allocationBytes' in native(undefined)));
  // Beside any event.
  assert.strictEqual(native(true).event, 'cycles:uk');
  assert.strictEqual(
    checkStartOptions({ memory: true, allocations: true }).native.event,
    'page-faults:uk',
  );
  for (const wrong of [0, 100, -1, NaN, 1.5, 'all', null, [], { byte: 1 }, { cap: 101 }]) {
    assert.throws(() => native(wrong), { code: 'ERR_PROF_BAD_OPTION' }, String(wrong));
  }
});
