'use strict';
// Code whose unwind rows stand in no .eh_frame_hdr: linked without one, rows in .debug_frame alone, and a
// static program in a perf.data. Every sampled stack is compared with the one that the fixture has.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const prof = require('../../lib/index.js');
const support = require('./support.js');

const ROOT = path.join(__dirname, '../..');
const SOURCE = path.join(ROOT, 'test/fixtures/unindexed/addon.c');
const CHAIN = ['unindexed_run', ...Array(21).fill('unindexed_rec'), 'unindexed_leaf'];
const NO_ROWS = ['-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fno-exceptions'];

/** @param {string} command */
const isThere = (command) => spawnSync(command, ['--version']).status === 0;

/** @param {string} out @param {string[]} flags */
function compile(out, flags) {
  const include = path.join(ROOT, 'node_modules/node-api-headers/include');
  const { status, stderr } = spawnSync(
    'cc',
    ['-O2', '-fPIC', ...flags, `-I${include}`, SOURCE, '-o', out],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return out;
}

/** The samples of the leaf, all below the fixture's chain. @param {import('../../lib').Profile} profile */
function assertChains(profile) {
  let samples = 0;
  for (const line of profile.folded().split('\n')) {
    const frames = line.slice(0, line.lastIndexOf(' ')).split(';');
    const leaf = frames.indexOf('unindexed_leaf');
    if (leaf < 0) continue;
    assert.deepEqual(frames.slice(frames.indexOf(CHAIN[0]), leaf + 1), CHAIN, line);
    assert.doesNotMatch(line, /bytes of/);
    samples += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  assert.ok(samples > 20, `${samples} samples of the leaf`);
}

const skip = support.whyNoEvents() || (isThere('cc') ? false : 'cc is not installed');

test(
  'rows that no table lists unwind live, mapped before or while recording',
  { skip },
  async (t) => {
    const folder = support.temporaryFolder(t);
    const ways = {
      'no table': ['-shared', '-Wl,--no-eh-frame-hdr'],
      'debug_frame alone': ['-shared', '-g', ...NO_ROWS],
    };
    for (const [name, flags] of Object.entries(ways)) {
      const early = compile(path.join(folder, `${name}, early.node`), flags);
      const late = compile(path.join(folder, `${name}, late.node`), flags);
      const before = require(early);
      const session = prof.start({ event: 'cpu-clock:u', frequency: 1000 });
      const after = require(late);
      await session.dump(); // has read the mapping's record
      before.run(150);
      after.run(150);
      assertChains(await session.stop());
    }
  },
);

const noPerf = skip || (isThere('perf') ? false : 'perf is not installed');

test('import unwinds a static program, whose linker writes no table', { skip: noPerf }, (t) => {
  const folder = support.temporaryFolder(t);
  const program = compile(path.join(folder, 'program'), ['-static', '-no-pie', '-DPROGRAM']);
  const data = path.join(folder, 'perf.data');
  const out = path.join(folder, 'p.json.gz');
  const record = ['record', '-q', '-e', 'cpu-clock:u', '-F', '1000', '--call-graph', 'dwarf'];
  const perf = spawnSync('perf', [...record, '-o', data, program], { encoding: 'utf8' });
  assert.equal(perf.status, 0, perf.stderr);
  const cli = [path.join(ROOT, 'lib/cli/main.js'), 'import', data, '-o', out];
  const { status, stderr } = spawnSync(process.execPath, cli, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.ok(fs.existsSync(out));
  const profile = prof.read(out);
  assertChains(profile);
  assert.equal(profile.quality.truncated, 0);
});
