'use strict';
// Hints: each rule on a profile where it must speak, with the number and the place, and on one where it
// must not.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { buildProfile } = require('./helpers/raw-profile.js');
const { hintsBelow, renderHints } = require('../../lib/hint-table.js');
const { RULES, hints } = require('../../lib/hints/index.js');

/** @typedef {import('./helpers/raw-profile').Func} Func */

/** @param {string} name @param {string} [crate] @returns {Func} */
const rust = (name, crate = /\w+/.exec(name)?.[0]) => ({
  kind: 'rust',
  crate,
  object: 'rspack.node',
});
/** @param {string} file @returns {Func} */
const js = (file) => ({ kind: 'js', file, tier: 4, line: 3, column: 1 });

const OWN = 'my_pass::run';
const LOADER = 'load /app/node_modules/my-loader/index.js:3:1';
/** @type {Record<string, Func>} */
const FUNCS = {
  [OWN]: rust(OWN),
  [LOADER]: js('/app/node_modules/my-loader/index.js'),
  'core::iter::map': rust('core::iter::map'),
  malloc: { object: 'libc.so.6' },
  memcpy: { object: 'libc.so.6' },
  '<hashbrown::raw::RawTable<u32>>::reserve_rehash': rust('hashbrown'),
  '<hashbrown::raw::RawTable<u32>>::reserve': rust('hashbrown'),
  '<hashbrown::map::HashMap<hstr::Atom, u32>>::insert': rust('hashbrown'),
  '<hashbrown::map::HashMap<u64, u32>>::insert': rust('hashbrown'),
  'rayon::iter::for_each::<hashbrown::map::HashMap<hstr::Atom, u32>>': rust('rayon'),
  'alloc::fmt::format::format_inner': rust('alloc'),
  '<crossbeam_deque::deque::Stealer<rayon_core::job::JobRef>>::steal': rust('crossbeam_deque'),
  'tokio::runtime::task::harness::poll': rust('tokio'),
  'tracing_subscriber::fmt::format': rust('tracing_subscriber'),
  'v8::internal::Scavenger::Process': { object: 'node' },
  'v8::internal::Parser::ParseProgram': { object: 'node' },
};
for (const [name, file] of [
  ['transform', '@babel/core/lib/index.js'],
  ['babelLoader', 'babel-loader/lib/index.js'],
  ['compile', 'typescript/lib/typescript.js'],
  ['esbuildLoad', 'esbuild-loader/dist/index.js'],
  ['nano', 'cssnano/src/index.js'],
  ['terse', 'terser/dist/bundle.min.js'],
  ['prefix', 'autoprefixer/lib/processor.js'],
  ['html', 'html-webpack-plugin/index.js'],
  ['copy', 'copy-webpack-plugin/dist/index.js'],
  ['extract', 'mini-css-extract-plugin/dist/index.js'],
]) {
  FUNCS[name] = js(`/app/node_modules/${file}`);
}

/**
 * @param {string} stack of 30 of 100 samples
 * @param {string} [rest] of the others
 */
const profileOf = (stack, rest = OWN) =>
  buildProfile(
    Array.from({ length: 100 }, (_, i) => ({ stack: i < 30 ? stack : rest })),
    { funcs: FUNCS },
  );

/**
 * Where each rule speaks, what it names, and where it is silent.
 * @type {Record<string, {fires: string, place: string | null, silent: string}>}
 */
const CASES = {
  allocation: { fires: `${OWN};core::iter::map;malloc`, place: OWN, silent: `${OWN};memcpy` },
  rehash: {
    fires: `${OWN};<hashbrown::raw::RawTable<u32>>::reserve_rehash;memcpy`,
    place: OWN,
    silent: `${OWN};<hashbrown::raw::RawTable<u32>>::reserve`,
  },
  strings: { fires: `${OWN};alloc::fmt::format::format_inner;memcpy`, place: OWN, silent: OWN },
  tasks: {
    fires: `${OWN};<crossbeam_deque::deque::Stealer<rayon_core::job::JobRef>>::steal`,
    place: OWN,
    // tokio stands on every stack of its threads: the work below it is not its.
    silent: `tokio::runtime::task::harness::poll;${OWN}`,
  },
  'identifier-maps': {
    fires: `${OWN};<hashbrown::map::HashMap<hstr::Atom, u32>>::insert`,
    place: OWN,
    // A map in an argument is no map's function.
    silent: `rayon::iter::for_each::<hashbrown::map::HashMap<hstr::Atom, u32>>;${OWN}`,
  },
  'own-trace': { fires: `${OWN};tracing_subscriber::fmt::format;memcpy`, place: OWN, silent: OWN },
  'babel-loader': { fires: 'babelLoader;transform;malloc', place: 'transform', silent: LOADER },
  'ts-loader': { fires: 'compile', place: 'compile', silent: LOADER },
  'esbuild-loader': { fires: 'esbuildLoad', place: 'esbuildLoad', silent: LOADER },
  'css-minimizer': { fires: 'nano', place: 'nano', silent: LOADER },
  'js-minimizer': { fires: 'terse', place: 'terse', silent: LOADER },
  autoprefixer: { fires: 'prefix', place: 'prefix', silent: LOADER },
  'html-plugin': { fires: 'html', place: 'html', silent: LOADER },
  'copy-plugin': { fires: 'copy', place: 'copy', silent: LOADER },
  'css-extract': { fires: 'extract', place: 'extract', silent: LOADER },
  gc: { fires: `${LOADER};v8::internal::Scavenger::Process`, place: LOADER, silent: LOADER },
  compile: { fires: `${LOADER};v8::internal::Parser::ParseProgram`, place: LOADER, silent: LOADER },
};

describe('each rule', () => {
  test('has its case here', () => {
    assert.deepEqual(RULES.map(({ code }) => code).sort(), Object.keys(CASES).sort());
  });

  for (const [code, { fires, place, silent }] of Object.entries(CASES)) {
    test(`${code}: the share and the place where it is so, nothing where it is not`, () => {
      const found = hints(profileOf(fires)).filter((hint) => hint.code === code);
      assert.equal(found.length, 1);
      assert.ok(Math.abs(found[0].share - 0.3) < 1e-9);
      assert.match(found[0].message, /^30\.0 % of the samples are /);
      assert.equal(found[0].places[0]?.symbol ?? null, place);
      assert.ok(Math.abs(found[0].places[0].share - 0.3) < 1e-9);
      const others = hints(profileOf(silent)).map((hint) => hint.code);
      assert.ok(!others.includes(code), others.join());
    });
  }
});

test('what a map calls back is not the map: a near rule ends where the build’s own code begins', () => {
  const codes = (/** @type {string} */ stack) => hints(profileOf(stack)).map(({ code }) => code);
  const insert = '<hashbrown::map::HashMap<hstr::Atom, u32>>::insert';
  assert.deepEqual(codes(`${OWN};${insert};${OWN}`), []);
  assert.deepEqual(codes(`${OWN};${insert};core::iter::map;memcpy`), ['identifier-maps']);
  assert.deepEqual(codes(`${OWN};<hashbrown::map::HashMap<u64, u32>>::insert`), []);
});

describe('how much it takes', () => {
  const few = (/** @type {number} */ of) =>
    buildProfile(
      Array.from({ length: 2000 }, (_, i) => ({ stack: i < of ? `${OWN};malloc` : OWN })),
      { funcs: FUNCS },
    );

  test('2 % unless less is asked for, and 20 samples always', () => {
    assert.deepEqual(few(38).hints(), []);
    assert.equal(few(40).hints()[0].code, 'allocation');
    assert.equal(few(38).hints({ least: 0.01 })[0].code, 'allocation');
    assert.deepEqual(few(19).hints({ least: 0 }), []);
    assert.deepEqual(few(1000).hints({ limit: 0 }), []);
    for (const least of [2, -1, '5']) {
      assert.throws(() => few(40).hints(/** @type {any} */ ({ least })), /'least'/);
    }
    assert.throws(() => few(40).hints(/** @type {any} */ ({ most: 1 })), /has no option 'most'/);
  });

  test('where no function stands out the crates are named first', () => {
    /** @type {Record<string, Func>} */
    const funcs = { malloc: FUNCS.malloc };
    for (let i = 0; i < 10; i++) funcs[`swc::f${i}`] = rust('swc');
    const profile = buildProfile(
      Array.from({ length: 100 }, (_, i) => ({ stack: `swc::f${i % 10};malloc` })),
      { funcs },
    );
    const [{ places }] = profile.hints();
    assert.deepEqual(places[0], { symbol: 'crate swc', share: 1 });
    assert.equal(places[1].symbol, 'swc::f0');
  });
});

test('below a table there are three at most, each a line; the report has the places', () => {
  const profile = profileOf(`${OWN};malloc`, 'babelLoader;transform');
  const below = hintsBelow(profile, { width: 140 });
  assert.match(
    below,
    /^\nhint: babel-loader: 70\.0 % .*\nhint: allocation: 30\.0 % .*, most for my_pass::run\n\(2 in all/,
  );
  const report = renderHints(profile, { width: 100 });
  assert.match(report, /builtin:swc-loader/);
  assert.match(report, / 30\.0 % {2}my_pass::run\n/);
  for (const line of report.split('\n')) assert.ok(line.length <= 100, line);
  const none = profileOf(OWN);
  assert.equal(hintsBelow(none), '');
  assert.match(renderHints(none), /^no hints/);
});
