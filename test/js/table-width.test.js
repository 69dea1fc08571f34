'use strict';
// Every table of a profile fits a terminal of 80 columns, and loses nothing in a wide one.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { renderBorder } = require('../../lib/border-table.js');
const { hintsBelow, renderHints } = require('../../lib/hint-table.js');
const { lay } = require('../../lib/lay.js');
const { EVENTS } = require('../../lib/memory/native.js');
const { renderMemory } = require('../../lib/memory/table.js');
const { renderPhases } = require('../../lib/phase-table.js');
const { renderBuilds, renderSpans } = require('../../lib/span-table.js');
const { columnsOf } = require('../../lib/terminal.js');
const { buildProfile } = require('./helpers/raw-profile.js');

const START = 5_000_000_000_000;
const LONG = 'LightningCssMinimizerRspackPlugin:process_assets_of_a_large_chunk';

function manyTables() {
  const marker = (/** @type {any} */ type, /** @type {string} */ name, data = {}) => ({
    ...{ type, name, data, startNs: START, endNs: START + 90_000_000_000 },
  });
  const alloc = `alloc::raw_vec::RawVec<${'swc_ecma_ast::expr::Expr, '.repeat(9)}>::grow_one`;
  const owner = `swc_ecma_minifier::compress::${'optimize::'.repeat(12)}run`;
  const samples = Array.from({ length: 2000 }, (_, i) => ({
    stack: i % 2 ? `main;${owner};${alloc}` : `main;${owner}`,
    weight: 9_876_543,
  }));
  const funcs = {
    [owner]: { kind: 'rust', crate: 'swc_ecma_minifier' },
    [alloc]: { kind: 'rust', crate: 'alloc' },
  };
  const raw = { funcs, meta: { unit: 'ns', endNs: START + 100_000_000_000 } };
  const profile = buildProfile(samples, raw, [
    marker('phase', 'optimize dependencies and everything', { compiler: 'web', build: 12 }),
    marker('build', 'build 12', { compiler: 'web', build: 12, changed: ['src/'.repeat(40)] }),
    marker('rspack', LONG, { path: [] }),
  ]);
  return withMemory(profile);
}

/** @param {import('../../lib/profile/profile').Profile} profile */
function withMemory(profile) {
  const times = Float64Array.of(START);
  const bytes = Float64Array.of(987_654_321);
  const total = { bytes: 98_765_432_100, pieces: 1_234_567, samples: 2000 };
  const row = { symbol: 'transformSync', file: `/app/${'deep/'.repeat(40)}index.js`, line: 12 };
  profile.raw.resident = { timeNs: times, bytes };
  profile.raw.memory = {
    heap: { timeNs: times, used: bytes, total: bytes, external: bytes },
    sampleBytes: 1 << 16,
    allocations: [{ ...row, column: 1, selfBytes: 1e9, totalBytes: 2e9 }],
  };
  profile.raw.native = {
    ...{ all: total, peak: total, live: total, peakNs: START, endNs: 0, unknown: 0 },
    ...{ meanBytes: 131_072, calls: 9_876_543, dropped: 0, notFollowed: 0, missedFrees: 0 },
    ...{ slots: 1, modules: 1, refusedSlots: 0, callNs: 20, walkMs: 1, costPercent: 1.5 },
    ...{ detached: 'cost', bindingShare: null, curve: { timeNs: times, bytes } },
  };
  const { samples } = profile.raw;
  profile.others = Object.values(EVENTS).map((event) => ({
    about: { event, requestedEvent: event, unit: 'bytes', scaledBy: 1 },
    samples,
  }));
  return profile;
}

const TABLES = {
  phases: renderPhases,
  spans: renderSpans,
  builds: renderBuilds,
  hints: renderHints,
  'hints below': hintsBelow,
  border: renderBorder,
  memory: renderMemory,
};

test('no line of any table is wider than the terminal', () => {
  const profile = /** @type {any} */ (manyTables());
  for (const [name, render] of Object.entries(TABLES)) {
    for (const width of [80, 100]) {
      const text = render(profile, { width, all: true });
      assert.ok(text.trim().split('\n').length > 1, `${name}: ${text}`);
      const wide = text.split('\n').find((line) => columnsOf(line) > width);
      assert.equal(wide, undefined, `${name} at ${width}`);
    }
  }
  assert.match(renderSpans(profile, { all: true }), new RegExp(LONG));
  assert.match(renderPhases(profile, { all: true }), /optimize dependencies and everything/);
  assert.match(renderMemory(profile), /swc_ecma_minifier +swc_ecma_minifier::compress::.*::run$/m);
});

test('gaps get narrower before names get shorter', () => {
  const columns = [
    { head: 'N', cells: ['1', '12'], right: true },
    { head: 'M', cells: ['好', '5'] },
    { head: 'NAME', cells: ['a_name_of_twenty_char', 'b'] },
  ];
  assert.deepEqual(lay(columns, 29).lines, [' 1  好  a_name_of_twenty_char', '12  5   b']);
  assert.deepEqual(lay(columns, 28).lines, [' 1 好 a_name_of_twenty_char', '12 5  b']);
  const [short] = lay(columns, 24).lines;
  assert.ok(columnsOf(short) <= 24 && short.includes('…'), short);
  assert.deepEqual(lay(columns, 200), lay(columns));
});
