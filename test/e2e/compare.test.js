'use strict';
// rspack-prof compare on real builds: the release binding against the debug binding, and a stripped copy
// whose names come later. What is asserted holds on any machine: no time is.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { bindingFile, prepareBuild } = require('../../bench/build.js');
const prof = require('../../lib/index.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const { run, temporaryFolder, whyNoEvents } = require('./support.js');

const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const DEBUG = /** @type {string} */ (bindingFile('debug'));
const skip = whyNoRspack || whyNoEvents();

/**
 * @param {string[]} argv
 * @param {string} folder for the temporary files
 */
async function compare(argv, folder) {
  const plan = prepareBuild('react-100', { binding: 'release' });
  const env = { ...plan.env, TMPDIR: folder };
  const command = ['--', plan.command, ...plan.args];
  return run(process.execPath, [CLI, 'compare', ...argv, ...command], { env, cwd: plan.folder });
}

describe('compare', { skip }, () => {
  test('the release binding against the debug binding: a report although one has no names', async (t) => {
    const folder = temporaryFolder(t);
    const argv = ['--candidate-binding', DEBUG, '--runs', '1', '--warmup', '0', '--profiles', '1'];
    const { stdout, stderr } = await compare([...argv, '--json'], folder);
    const result = JSON.parse(stdout || stderr);
    assert.deepEqual([result.runs.base.length, result.runs.candidate.length], [1, 1]);
    assert.deepEqual(result.profiled.halfNamed, ['rspack.linux-x64-gnu.node']);
    assert.ok(result.profiled.samples.base > 0 && result.profiled.samples.candidate > 0);
    // Of the functions that one side alone can name there is one row; of libc's there are many.
    const symbols = result.hotspots.map((/** @type {any} */ { symbol }) => symbol);
    assert.ok(symbols.includes('[rspack.linux-x64-gnu.node]'), symbols.join('\n'));
    assert.ok(!symbols.some((/** @type {string} */ name) => /^<?(swc|rspack)_/.test(name)));
    assert.ok(result.phases.some((/** @type {any} */ { phase }) => phase === 'make'));
    const codes = result.warnings.map((/** @type {any} */ { code }) => code);
    assert.ok(codes.includes('debug-binding') && codes.includes('diff-symbols'), codes.join());
    const { base, candidate } = result.environment.bindings;
    assert.deepEqual([base.symbols, candidate.symbols], [false, true]);
    assert.equal(candidate.file, DEBUG);
    assert.notEqual(base.textSha256, candidate.textSha256);
    // From node 22.8 on rspack's command line keeps node's cache of compiled code here.
    const left = fs.readdirSync(folder).filter((name) => name !== 'node-compile-cache');
    assert.deepEqual(left, []);
  });

  const noStrip = spawnSync('strip', ['--version']).error ? 'strip is not installed' : false;
  test(
    'a bundle of a stripped binding is named later from the file that it was',
    { skip: noStrip },
    async (t) => {
      const folder = temporaryFolder(t);
      const stripped = path.join(folder, 'rspack.stripped.node');
      spawnSync('strip', ['-o', stripped, DEBUG]);
      const bundle = path.join(folder, 'b.json.gz');
      const argv = [
        '--base-binding',
        stripped,
        '--candidate-binding',
        stripped,
        '--bundle',
        bundle,
      ];
      const ran = await compare(
        [...argv, '--runs', '1', '--warmup', '0', '--profiles', '1'],
        folder,
      );
      assert.ok(fs.existsSync(bundle), ran.stderr);
      assert.ok(fs.statSync(bundle).size < 10e6);
      const named = path.join(folder, 'named.json.gz');
      const symbolize = (/** @type {string} */ file) =>
        spawnSync(process.execPath, [CLI, 'symbolize', bundle, '--with', file, '-o', named], {
          encoding: 'utf8',
        });
      const release = require.resolve('@rspack/binding-linux-x64-gnu');
      assert.match(symbolize(release).stderr, /has no symbols itself/);
      const done = symbolize(DEBUG);
      assert.match(
        done.stderr,
        /^rspack-prof: \d+ places of rspack\.stripped\.node have names now$/m,
      );
      for (const side of ['base', 'candidate']) {
        const [before, after] = [bundle, named].map((file) => prof.read(`${file}#${side}`));
        const share = (/** @type {any} */ profile) => profile.share(/swc_ecma_/, { total: true });
        assert.equal(share(before), 0);
        assert.ok(share(after) > 0.2, `${share(after)}`);
        assert.equal(after.quality.samples, before.quality.samples);
      }
    },
  );
});
