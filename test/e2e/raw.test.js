'use strict';
// callGraph 'dwarf' on a real build: stacks from copies that go on in live memory, and the raw
// records of the same run as a perf.data.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const { prepareBuild } = require('../../bench/build.js');
const prof = require('../../lib/index.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');

const CLI = path.join(__dirname, '../../lib/cli/main.js');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-raw-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const probe = require('../../lib/native.js').loadNative().probe('cpu-clock:u');
const skip = whyNoRspack || (probe.ok ? false : `no events here: ${probe.message}`);
/** Of the samples; 89 % on a machine with four times as much to do as it has CPUs. */
const COMPLETE_LEAST = 0.6;

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function cli(args, env = process.env) {
  const child = spawnSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: 'utf8', env });
  assert.equal(child.status, 0, child.stderr);
  return child.stderr;
}

/** @type {import('../../lib/index').Profile} */
let recorded;

test('a build unwound from copies of its stacks is mostly complete, and says how', { skip }, () => {
  const { command, args, env } = prepareBuild('react-100');
  const options = ['-e', 'cpu-clock:u', '-F', '2000', '--call-graph', 'dwarf'];
  cli(['record', ...options, '--raw', 'raw.data', '-o', 'p.json.gz', '--', command, ...args], env);
  recorded = prof.read(path.join(folder, 'p.json.gz'));
  const { quality, meta } = recorded;
  assert.equal(/** @type {any} */ (meta).callGraph, 'dwarf');
  assert.ok(quality.samples > 200, `${quality.samples} samples`);
  assert.equal(quality.complete + quality.truncated + quality.broken, quality.samples);
  assert.ok(quality.complete >= COMPLETE_LEAST * quality.samples, JSON.stringify(quality));
  assert.ok(quality.joined > 0);
  assert.ok(quality.warnings.some(({ code }) => code === 'stack-copies'));
});

test('import of its raw records has the same samples', { skip }, () => {
  cli(['import', 'raw.data', '-o', 'i.json.gz']);
  const imported = prof.read(path.join(folder, 'i.json.gz'));
  assert.equal(fs.statSync(path.join(folder, 'raw.data')).mode & 0o777, 0o600);
  assert.equal(imported.quality.samples, recorded.quality.samples);
  const leaves = (/** @type {import('../../lib/index').Profile} */ profile) =>
    profile
      .hotspots({ by: 'symbol', limit: 40 })
      .filter(({ kind }) => kind === 'rust')
      .map(({ key, samples, self }) => [key, samples, self]);
  assert.ok(leaves(recorded).length > 3);
  for (const row of leaves(recorded).slice(0, 10)) {
    assert.deepEqual(
      leaves(imported).find(([key]) => key === row[0]),
      row,
    );
  }
});

// The instructions by which such code is walked come out of its file.
test("import goes through the release binding's code, which has no rows", { skip }, () => {
  const { command, args, env } = prepareBuild('react-100', { binding: 'release' });
  const options = ['-e', 'cpu-clock:u', '-F', '2000', '--call-graph', 'dwarf'];
  cli(
    ['record', ...options, '--raw', 'rel.data', '-o', 'rel.json.gz', '--', command, ...args],
    env,
  );
  cli(['import', 'rel.data', '-o', 'again.json.gz']);
  const profile = prof.read(path.join(folder, 'again.json.gz'));
  const { quality } = profile;
  const objects = profile.hotspots({ by: 'object', limit: 40 });
  const inBinding = objects.find(({ key }) => key.startsWith('rspack.'))?.samples ?? 0;
  assert.ok(inBinding > 20, `${inBinding} samples in the binding`);
  assert.ok(quality.broken < 0.2 * inBinding, JSON.stringify(quality.byObject));
  assert.ok(quality.guessed > 0);
});

const perf = spawnSync('perf', ['--version']).status === 0 ? false : 'perf is not installed';

test('perf script opens the raw records and unwinds their dumps', { skip: skip || perf }, () => {
  const args = ['script', '-i', 'raw.data', '--no-inline', '-F', 'tid,time,ip'];
  const child = spawnSync('perf', args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(child.status, 0, child.stderr);
  const stacks = child.stdout.split('\n\n').filter((text) => text.trim() !== '');
  assert.equal(stacks.length, recorded.quality.samples);
  assert.ok(stacks.filter((text) => text.split('\n').length > 4).length > stacks.length / 2);
});

test('a raw file that cannot be written costs no profile, and is told', { skip }, () => {
  const script = `const session = require(${JSON.stringify(path.join(__dirname, '../..'))}).start({
    event: 'cpu-clock:u', callGraph: 'dwarf', raw: '/nowhere/at/all', quiet: true });
  for (const end = Date.now() + 100; Date.now() < end; );
  const { quality } = session.stopSync();
  console.log(JSON.stringify(quality));`;
  const child = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const quality = JSON.parse(child.stdout);
  assert.ok(quality.samples > 0);
  const told = quality.warnings.find((/** @type {any} */ { code }) => code === 'raw-file');
  assert.match(told.message, /\/nowhere\/at\/all: No such file/);
});
