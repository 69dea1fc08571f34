'use strict';
// Loaders with `parallel: true` run in worker threads of rspack's: start() names their JavaScript, and the
// build and its workers do not notice.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const prof = require('../../lib/index.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const { hashOf, run, temporaryFolder, whyNoEvents } = require('./support.js');

const skip = whyNoRspack || whyNoEvents();

/** @param {object} what */
async function child(what) {
  const script = path.join(__dirname, 'parallel-child.mjs');
  const { stdout, stderr, code } = await run(process.execPath, [script, JSON.stringify(what)]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a parallel loader has its name in the workers', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  await child({ folder, record: false });
  const alone = hashOf(path.join(folder, 'dist'));
  const { file } = await child({ folder, record: true });
  assert.equal(hashOf(path.join(folder, 'dist')), alone, 'what the workers saw is in the output');

  const profile = prof.read(file);
  const own = profile
    .hotspots({ by: 'pool,loader' })
    .find(({ key }) => key === 'worker,./parallel-loader.js');
  const all = profile.hotspots({ by: 'pool' }).find(({ key }) => key === 'worker');
  // 40 modules of 10 ms, at 1000 Hz; the workers' start is the rest of what they do.
  const text = `${own?.samples} of ${all?.samples} samples of the workers`;
  assert.ok((own?.samples ?? 0) >= 50, text);
  const script = profile
    .hotspots({ by: 'symbol' })
    .find(({ key }) => key.startsWith('parallelLoader '));
  assert.ok((script?.total ?? 0) > 0, 'the function has its name');
});
