'use strict';
// Loaders and plugins of real builds: each is found with the time that it burned, all rows together are
// the whole, calls and runs are counted, and the build does not notice.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, test } = require('node:test');
const { bindingFile } = require('../../bench/build.js');
const prof = require('../../lib/index.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const { hashOf, run, temporaryFolder, whyNoEvents } = require('./support.js');

const skip = whyNoRspack || whyNoEvents();
const LOADERS = ['./sync-loader.js', 'late-loader', './esm-loader.mjs'];
const PLUGINS = ['BurnFirst', 'BurnSecond', 'BurnLater'];

/** @param {object} what */
async function child(what) {
  const script = path.join(__dirname, 'border-child.mjs');
  const { stdout, stderr, code } = await run(process.execPath, [script, JSON.stringify(what)]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

/**
 * Within 10 % or 20 ms.
 * @param {string} name
 * @param {number} ms found
 * @param {{least: number, most: number}} burned
 */
function assertNear(name, ms, { least, most }) {
  const text = `${name}: ${ms.toFixed(1)} ms found, ${least.toFixed(1)} to ${most.toFixed(1)} ms burned`;
  assert.ok(ms >= least - Math.max(20, least * 0.1), text);
  assert.ok(ms <= most + Math.max(20, most * 0.1), text);
}

describe('loaders and plugins of real builds', { skip }, () => {
  for (const binding of ['release', 'debug']) {
    test(`${binding} binding: what loaders and plugins burn is theirs`, async (t) => {
      const folder = temporaryFolder(t);
      const said = await child({ folder, record: true, binding: bindingFile(binding) });
      const profile = prof.read(said.file);
      assert.ok(said.same, 'the configuration has changed');

      const sets = /** @type {const} */ ([
        ['loader', LOADERS],
        ['plugin', PLUGINS],
      ]);
      for (const [by, names] of sets) {
        const rows = profile.hotspots({ by });
        for (const name of names) {
          const row = rows.find(({ key }) => key === name);
          assertNear(`${by} ${name}`, (row?.self ?? 0) / 1e6, said.burned[name]);
        }
        const samples = rows.reduce((sum, row) => sum + row.samples, 0);
        const self = rows.reduce((sum, row) => sum + row.self, 0);
        assert.equal(samples, profile.quality.samples, by);
        assert.ok(Math.abs(self - profile.totalWeight) < 1, `${self} of ${profile.totalWeight}`);
      }
      const phases = profile.hotspots({ by: 'phase,plugin' }).map(({ key }) => key);
      assert.ok(phases.includes('process assets,BurnSecond'), `${phases}`);

      const border = profile.border();
      assert.equal(border.counted, true);
      for (const name of LOADERS) {
        const row = border.loaders.find(({ loader }) => loader === name);
        assert.equal(row?.runs, said.modules, name);
        assert.ok((row?.entries ?? 0) >= said.modules && (row?.entries ?? 0) <= 2 * said.modules);
        assert.equal((row?.js ?? 0) + (row?.rust ?? 0), row?.total);
      }
      for (const name of PLUGINS) {
        const row = border.hooks.find((one) => one.plugin === name && one.total > 0);
        assert.deepEqual(row?.hooks, ['processAssets']);
        assert.equal(row?.calls, 1);
      }
      assert.equal(
        profile.quality.warnings.some(({ code }) => code === 'phases-failed'),
        false,
      );
      assert.ok(border.rustToJs.length > 0, 'nobody calls JavaScript');
      assert.ok(border.rustToJs[0].total >= border.rustToJs[border.rustToJs.length - 1].total);
      assert.ok(border.conversion.rows.some(({ name }) => name.startsWith('napi_')));
      if (binding === 'debug') {
        const builtin = border.loaders.find(({ loader }) => loader === 'builtin:swc-loader');
        assert.ok(builtin && builtin.rust > 0 && builtin.js === 0);
        assert.ok(profile.hotspots({ by: 'plugin', filter: /^rspack_plugin_/ }).length > 0);
      }
    });
  }

  test('the output is the same with and without', async (t) => {
    const [plain, recorded] = [temporaryFolder(t), temporaryFolder(t)];
    await child({ folder: plain, record: false });
    await child({ folder: recorded, record: true });
    assert.equal(hashOf(path.join(recorded, 'dist')), hashOf(path.join(plain, 'dist')));
  });
});
