'use strict';
// Where the difference is: merged recordings, functions of a side without symbols, names given later.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { compareHotspots, dispersionOf } = require('../../lib/compare/hotspots.js');
const { diff } = require('../../lib/profile/diff.js');
const { mergeProfiles } = require('../../lib/profile/merge.js');
const { Profile } = require('../../lib/profile/profile.js');
const { symbolize } = require('../../lib/profile/symbolize.js');
const { renderMarkdown } = require('../../lib/compare/markdown.js');
const { renderText } = require('../../lib/compare/text.js');
const { seeded } = require('./helpers/random.js');
const { buildRaw } = require('./helpers/raw-profile.js');

const CONTEXT = { command: 'rspack build', node: 'v20', rspack: '2.2.7', binding: null };
const BINDING = 'rspack.linux-x64-gnu.node';
const RUST = { kind: 'rust', object: BINDING, crate: 'swc' };

/**
 * @param {Record<string, number>} counts stack to samples
 * @param {Record<string, any>} [funcs]
 * @param {{ hasSymbols?: boolean, markers?: any[] }} [options]
 */
function counted(counts, funcs = {}, { hasSymbols = true, markers = [] } = {}) {
  const raw = buildRaw(
    Object.entries(counts).flatMap(([stack, count]) =>
      Array.from({ length: count }, () => ({ stack })),
    ),
    { funcs },
  );
  if (!hasSymbols) raw.modules.flags.fill(2);
  return new Profile(raw, { markers, context: CONTEXT });
}

/** @param {number} base @param {number} ratio @param {number} half */
const cpuOf = (base, ratio, half) =>
  /** @type {import('../../lib/compare/summary').MetricSummary} */ ({
    ...{ unit: 'ms', base, candidate: base * ratio, ratio, finding: 'unclear' },
    interval: [ratio * (1 - half), ratio * (1 + half)],
  });

test('recordings of one build are one: samples add up, stacks and functions are not doubled', () => {
  const funcs = { 'swc::visit': RUST };
  const marker = {
    type: 'phase',
    name: 'make',
    startNs: 5e12 + 10,
    endNs: 5e12 + 2e9,
    data: { compiler: '', build: 1 },
  };
  const first = counted({ 'main;swc::visit': 30, main: 10 }, funcs, { markers: [marker] });
  const second = counted({ 'other;swc::visit': 5, 'main;swc::visit': 50 }, funcs);
  const merged = mergeProfiles([first, second]);
  const rows = Object.fromEntries(
    merged.hotspots().map(({ symbol, samples }) => [symbol, samples]),
  );
  assert.deepEqual(rows, { 'swc::visit': 85, main: 10, other: 0 });
  assert.equal(merged.quality.samples, 95);
  assert.equal(merged.totalWeight, first.totalWeight + second.totalWeight);
  assert.equal(merged.raw.funcs.name.length, 3);
  assert.equal(merged.raw.nodes.parent.length, 5, 'root, main, main;visit, other, other;visit');
  assert.equal(merged.raw.modules.name.length, 1);
  const times = Array.from(merged.raw.samples.timeNs);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.equal(merged.meta.durationMs, first.meta.durationMs + second.meta.durationMs);
  // The phase of the first run holds none of the second's samples.
  const make = merged.hotspots({ by: 'phase' }).find(({ key }) => key === 'make');
  assert.equal(make?.samples, 40);
  assert.equal(mergeProfiles([first]), first);
});

test('a change is in ms of the timed runs, with an interval that holds it', () => {
  // 10 % of 1000 ms were a; of 1100 ms it is 18.18 %, which is 100 ms more. The rest is what it was.
  const base = counted({ a: 1000, b: 9000 });
  const candidate = counted({ a: 2000, b: 9000 });
  const cpu = cpuOf(1000, 1.1, 0.005);
  const { hotspots, counts } = compareHotspots({ base, candidate }, { cpu, dispersion: 1 });
  const [a, b] = ['a', 'b'].map((name) => hotspots.find(({ symbol }) => symbol === name));
  assert.ok(a && b);
  assert.ok(Math.abs(a.delta - 100) < 1e-6);
  assert.ok(a.interval[0] > 80 && a.interval[1] < 120, `${a.interval}`);
  assert.ok(a.isSignificant);
  // Its share fell, its time did not: percentages move about by themselves.
  assert.ok(Math.abs(b.delta) < 1e-6);
  assert.equal(b.isSignificant, false);
  assert.equal(b.isMoved, true);
  assert.equal(counts.significant, 1);
});

test('runs that differ among themselves widen the intervals, runs that agree do not', () => {
  const random = seeded(4);
  const run = (/** @type {number} */ share) => {
    const counts = { a: 0, b: 0, c: 0, d: 0 };
    for (let i = 0; i < 4000; i++) {
      const name = random() < share ? 'a' : /** @type {const} */ (['b', 'c', 'd'])[i % 3];
      counts[name]++;
    }
    return counted(counts);
  };
  const agreed = dispersionOf([
    [run(0.3), run(0.3), run(0.3)],
    [run(0.3), run(0.3), run(0.3)],
  ]);
  assert.ok(agreed < 3, `${agreed}`);
  const torn = [
    [run(0.2), run(0.4)],
    [run(0.3), run(0.3)],
  ];
  const dispersion = dispersionOf(torn);
  assert.ok(dispersion > 10, `${dispersion}`);
  assert.equal(dispersionOf([[run(0.3)], [run(0.3)]]), 1, 'one run each tells nothing of it');
  const [base, candidate] = torn.map(mergeProfiles);
  const width = (/** @type {number} */ d) => {
    const [row] = diff(base, candidate, {}, { dispersion: d }).rows;
    return row.selfInterval[1] - row.selfInterval[0];
  };
  assert.ok(Math.abs(width(16) / width(1) - 4) < 0.1);
});

test('one side has no symbols: its functions and the other’s are one row, and it is said', () => {
  const blind = { [`[${BINDING}+0x10]`]: { object: BINDING, named: false } };
  const funcs = { 'swc::a': RUST, 'swc::b': RUST, malloc: { object: 'libc.so.6' }, shared: RUST };
  const base = counted({ [`[${BINDING}+0x10]`]: 600, malloc: 100, js: 300 }, blind, {
    hasSymbols: false,
  });
  const candidate = counted({ 'swc::a': 500, 'swc::b': 300, malloc: 100, js: 300 }, funcs);
  const found = diff(base, candidate);
  const row = found.rows.find(({ key }) => key === `[${BINDING}]`);
  assert.deepEqual([row?.baseSamples, row?.candidateSamples, row?.status], [600, 800, 'both']);
  assert.ok(found.rows.every(({ key }) => !key.startsWith('swc::')));
  assert.ok(found.warnings.some(({ code }) => code === 'diff-symbols'));
  const { crates, objects, counts } = compareHotspots(
    { base, candidate },
    { cpu: cpuOf(1000, 1.2, 0.01), dispersion: 1 },
  );
  assert.deepEqual(counts.halfNamed, [BINDING]);
  assert.deepEqual(crates, []);
  assert.ok(objects.some((one) => one.object === BINDING));
  const both = diff(candidate, candidate);
  assert.ok(both.warnings.every(({ code }) => code !== 'diff-symbols'));
  assert.ok(
    both.rows.some(({ key }) => key === 'swc::a'),
    'with symbols on both sides by name',
  );
});

test('names that come later: by build id and address, of that module alone', () => {
  const funcs = {
    [`[${BINDING}+0x10]`]: { object: BINDING, named: false },
    '[libc.so.6+0x10]': { object: 'libc.so.6', named: false },
    main: {},
  };
  const raw = buildRaw(
    Object.keys(funcs).map((stack) => ({ stack })),
    { funcs },
  );
  raw.funcs.address = Float64Array.of(0x10, 0x10, 0);
  const profile = new Profile(raw, { context: CONTEXT });
  /** @type {number[]} */
  let asked = [];
  const native = (/** @type {number} */ module, hasSymbols = true) => ({
    symbolize: (/** @type {string} */ _, /** @type {Float64Array} */ addresses) => {
      if (addresses.length > 0) asked = [...addresses];
      return {
        buildId: module < 0 ? 'ff' : raw.strings[raw.modules.buildId[module]],
        hasSymbols,
        names: Array.from(addresses, () => ({
          name: 'swc::visit',
          symbol: 'visit',
          crate: 'swc',
          kind: 0,
        })),
      };
    },
  });
  const { profile: named, module, named: count } = symbolize(profile, 'x.node', native(0));
  assert.deepEqual([module, count, asked], [BINDING, 1, [0x10]]);
  const rows = named.hotspots().map(({ symbol, crate, kind }) => [symbol, crate, kind]);
  assert.deepEqual(
    rows.find(([symbol]) => symbol === 'swc::visit'),
    ['swc::visit', 'swc', 'rust'],
  );
  assert.ok(rows.some(([symbol]) => symbol === '[libc.so.6+0x10]'));
  assert.equal(
    profile.hotspots().some(({ symbol }) => symbol === 'swc::visit'),
    false,
  );
  assert.equal(symbolize(profile, 'x.node', native(-1)).module, '');
  assert.throws(() => symbolize(profile, 'x.node', native(0, false)), /has no symbols itself/);
});

/** A result as compare() makes it, with names that no table breaks. */
function result() {
  const cpu = cpuOf(1000, 1.2, 0.01);
  const long = `<core::${'very::'.repeat(30)}Type as Trait>::method`;
  const base = counted({ a: 1000, [long]: 2000, 'x|<`b`>': 500 }, { a: RUST });
  const candidate = counted({ a: 2000, [long]: 3000, 'x|<`b`>': 900 }, { a: RUST });
  const { counts, ...tables } = compareHotspots({ base, candidate }, { cpu, dispersion: 1 });
  const run = { side: 'base', order: 3, wallMs: 1500 };
  return /** @type {any} */ ({
    schema: 1,
    verdict: {
      decision: 'slower',
      keep: false,
      reason: 'wall time +20.0 % (95 % interval +19.0 % to +21.0 %, 10 pairs of runs)',
    },
    metrics: {
      wall: cpu,
      cpu,
      user: cpu,
      sys: null,
      instructions: null,
      memory: { ...cpu, unit: 'bytes', base: 2 ** 27, candidate: 2 ** 27 },
    },
    runs: { pairs: 10, warmup: 1, cache: 'warm', order: 'ABBA' },
    sides: {
      base: { title: 'rspack build' },
      candidate: { title: 'RSPACK_BINDING=b.node \u001b[31mrspack' },
    },
    ...tables,
    profiled: {
      runs: 2,
      samples: { base: 3500, candidate: 5900 },
      event: 'cpu-clock:uk',
      dispersion: 1,
      ...counts,
    },
    machine: { outliers: [{ ...run, ratio: 1.5 }] },
    environment: {
      cpus: 2,
      rspack: '2.2.7',
      node: 'v20.20.2',
      cpu: 'CPU',
      kernel: '6.1',
      virtual: true,
      bindings: {
        base: null,
        candidate: {
          file: 'b.node',
          version: null,
          symbols: false,
          buildId: '',
          textSha256: 'ab'.repeat(32),
        },
      },
    },
    warnings: [
      {
        code: 'busy-machine',
        message: 'other work kept 1.2 of 2 CPUs busy: wall times are noisy',
        fix: '',
      },
    ],
  });
}

test('the report fits 80 columns, and no name writes to the terminal', () => {
  const paint = (/** @type {string} */ _, /** @type {string} */ text) => text;
  const text = renderText(result(), { width: 80, paint });
  const [, , ...rest] = text.split('\n');
  for (const line of rest) assert.ok(line.length <= 80, line);
  assert.equal(text.includes('\u001b'), false);
  assert.match(text, /^wall time +1\.00 s +1\.20 s +\+20\.0 % +\+18\.8 % to \+21\.2 % +\?$/m);
  assert.match(text, /^\+\d+\.\d +±\d+\.\d +\d+\.\d +\d+\.\d +a$/m);
  assert.match(text, /^outliers \(kept\): base run 4 1\.50 s$/m);
  assert.match(text, /^SLOWER {2}wall time \+20\.0 %/m);
  assert.match(text, /^keep: no$/m);
});

test('Markdown: tables that no name breaks, how it was measured folded away', () => {
  const text = renderMarkdown(result());
  assert.match(text, /^\*\*rspack-prof compare: slower\*\* \(keep: no\)$/m);
  assert.match(
    text,
    /^\| wall time \| 1\.00 s \| 1\.20 s \| \+20\.0 % \| \+18\.8 % to \+21\.2 % \|$/m,
  );
  assert.match(text, /`x\\\|<'b'>`/);
  assert.equal(text.includes('\u001b'), false);
  assert.match(text, /candidate's binding: `b\.node` , without symbols, code sha256 abababab/);
  const cells = text.split('\n').filter((line) => line.startsWith('| '));
  for (const line of cells) assert.ok([5, 6].includes(line.split(/(?<!\\)\|/).length - 1), line);
});
