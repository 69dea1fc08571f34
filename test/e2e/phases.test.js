'use strict';
// The phases of real builds: what burns in a hook is found in that hook's phase, every moment and
// sample is in one phase, and neither the configuration nor the build's output notices.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const support = require('./support.js');
const prof = require('../../lib/index.js');

const { build, hashOf, profileIn, run, temporaryFolder } = support;
const skip = whyNoRspack || support.whyNoEvents();
const BURN_MS = 60;

/**
 * @param {import('node:test').TestContext} t
 * @param {string} mode of phases-child.mjs
 * @param {object} [more]
 */
async function child(t, mode, more = {}) {
  const folder = temporaryFolder(t);
  const script = path.join(__dirname, 'phases-child.mjs');
  const { stdout, stderr, code } = await run(process.execPath, [
    script,
    JSON.stringify({ mode, folder, ...more }),
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  const said = stdout === '' ? null : JSON.parse(stdout);
  return { folder, ...said, profile: said && prof.read(said.file) };
}

/**
 * Every sample and every moment is in one row, and in one only.
 * @param {import('../../lib/index').Profile} profile
 */
function assertWhole(profile) {
  const rows = profile.phases();
  const sum = (/** @type {(row: import('../../lib/index').PhaseRow) => number} */ of) =>
    rows.reduce((total, row) => total + of(row), 0);
  assert.equal(
    sum((row) => row.samples),
    profile.quality.samples,
  );
  assert.ok(Math.abs(sum((row) => row.wallMs) - profile.meta.durationMs) < 0.001);
  const spots = profile.hotspots({ by: 'phase' });
  assert.equal(
    spots.reduce((total, row) => total + row.samples, 0),
    profile.quality.samples,
  );
  for (const row of rows) {
    assert.ok(row.mainMs !== null && row.cpuMs !== null && row.mainAloneMs !== null);
    assert.ok(row.mainMs <= row.cpuMs + 1e-6 && row.mainAloneMs <= row.mainMs + 1e-6, row.name);
  }
}

/** In the order in which they begin. @param {import('../../lib/index').Profile} profile */
const namesOf = (profile) => [
  ...new Set(profile.markers.filter(({ type }) => type === 'phase').map(({ name }) => name)),
];
const BUILD = [
  ...['setup', 'make', 'finish modules', 'seal', 'optimize dependencies', 'optimize modules'],
  ...['optimize chunks', 'optimize tree', 'optimize chunk modules', 'module ids', 'chunk ids'],
  ...['code generation', 'process assets', 'after seal', 'emit', 'done', 'close'],
];

describe('phases of real builds', { skip }, () => {
  test('what burns in a hook is found in its phase, and nowhere else', async (t) => {
    const { profile, burned } = await child(t, 'burn', { burnMs: BURN_MS });
    assert.equal(burned.length, 16);
    assertWhole(profile);
    const phases = profile.markers.filter((/** @type {any} */ { type }) => type === 'phase');
    for (const { name, phase, fn, startNs, endNs } of burned) {
      const around = phases.find(
        (/** @type {any} */ m) => m.startNs <= startNs && (m.endNs ?? Infinity) >= endNs,
      );
      assert.equal(around?.name, phase, `hook ${name}`);
      const rows = profile.hotspots({ by: 'phase', through: new RegExp(`^${fn} `) });
      const inPhase = rows.find((/** @type {any} */ row) => row.key === phase)?.selfShare ?? 0;
      assert.ok(inPhase > 0.95, `${fn}: ${(inPhase * 100).toFixed(0)} % in ${phase}`);
    }
    for (const phase of new Set(burned.map((/** @type {any} */ one) => one.phase))) {
      const least = burned
        .filter((/** @type {any} */ one) => one.phase === phase)
        .reduce((/** @type {number} */ sum, /** @type {any} */ one) => {
          return sum + (one.endNs - one.startNs) / 1e6;
        }, 0);
      const { wallMs } = profile.phases().find((/** @type {any} */ row) => row.name === phase);
      assert.ok(wallMs >= least - 0.1, `${phase}: ${wallMs} of ${least} ms`);
    }
  });

  test('the configuration may be frozen, the output is the same, and nothing of ours is left', async (t) => {
    const plain = await child(t, 'plain');
    const frozen = await child(t, 'frozen');
    assert.deepEqual(frozen.left, { extension: true, apply: true });
    assert.deepEqual(namesOf(frozen.profile), [
      'node start',
      'binding load',
      'config load',
      ...BUILD,
    ]);
    const files = (/** @type {string} */ folder) => hashOf(path.join(folder, 'dist-main'));
    assert.equal(files(frozen.folder), files(plain.folder));
  });

  for (const [mode, before] of /** @type {[string, string[]][]} */ ([
    ['required', ['node start', 'binding load', 'config load']],
    ['late', ['config load']],
    ['plugin', []],
    ['pluginMissed', ['config load']],
  ])) {
    test(`found once, whichever way rspack comes: ${mode}`, async (t) => {
      const { profile } = await child(t, mode);
      assert.deepEqual(namesOf(profile), [...before, ...BUILD]);
      const makes = profile.markers.filter((/** @type {any} */ { name }) => name === 'make');
      assert.equal(makes.length, 1);
      const codes = profile.quality.warnings.map((/** @type {any} */ { code }) => code);
      assert.ok(!codes.some((/** @type {string} */ code) => code.startsWith('phases')), `${codes}`);
      assertWhole(profile);
    });
  }

  test('a compiler from before start() is missed, and that is said with what to do', async (t) => {
    const { profile } = await child(t, 'missed');
    assert.deepEqual(namesOf(profile), []);
    const { message } = profile.quality.warnings.find(
      (/** @type {any} */ { code }) => code === 'phases-missed',
    );
    assert.match(message, /RspackProfPlugin/);
    assert.deepEqual(
      profile.phases().map((/** @type {any} */ row) => row.name),
      ['(no phase)'],
    );
  });

  test('compilers that run at once each have their phases; a child has none, but is to be seen', async (t) => {
    const { profile } = await child(t, 'multi');
    assertWhole(profile);
    for (const name of ['client', 'server']) {
      const own = profile.markers.filter(
        (/** @type {any} */ m) => m.type === 'phase' && m.data?.compiler === name,
      );
      assert.deepEqual([...new Set(own.map((/** @type {any} */ m) => m.name))], BUILD);
      assert.ok(own.every((/** @type {any} */ m) => m.data.build === 1));
    }
    const kids = profile.markers.filter((/** @type {any} */ { type }) => type === 'child');
    assert.deepEqual(
      kids.map((/** @type {any} */ { name, data }) => [name, data.compiler]),
      [['child compiler kid', 'client']],
    );
    assert.ok(kids[0].endNs > kids[0].startNs);
  });

  test('a rebuild of a watch is a build of its own', async (t) => {
    const { profile } = await child(t, 'watch');
    assertWhole(profile);
    const builds = profile.markers
      .filter((/** @type {any} */ { name }) => name === 'make')
      .map((/** @type {any} */ { data }) => data.build);
    assert.deepEqual(builds, [1, 2]);
    const between = profile.phases().find((/** @type {any} */ row) => row.name === 'between');
    assert.ok(between.wallMs > 0, `${between.wallMs} ms between the builds`);
  });

  test("rspack's own command line: the table at exit has the phases", async (t) => {
    const output = temporaryFolder(t);
    const { code, stderr } = await build('react-100', { output, prof: { frequency: 1000 } });
    assert.equal(code, 0);
    const { folder, profile } = profileIn(output);
    assert.match(stderr, /WALL ms +CPU ms +CORES .* PHASE\n(.*\n)*.* make\n/);
    assert.match(fs.readFileSync(path.join(folder, 'hotspots.txt'), 'utf8'), / make\n/);
    assert.deepEqual(namesOf(profile), ['config load', ...BUILD, 'exit']);
    assertWhole(profile);
    const pools = profile.hotspots({ by: 'phase,pool', phase: 'make' }).map(({ key }) => key);
    assert.ok(pools.includes('make,tokio'), `${pools}`);
  });
});
