'use strict';
// tokio, as rspack's own binding has it, at a rate of samples that no build needs: builds with a
// persistent cache give what they gave without the profiler, and nobody complains of a call that was
// interrupted. The binding's tokio has no sockets and no epoll; those are test/live/calls.rs.
// PROF_LONG=1: a minute.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { bindingFile } = require('../../bench/build.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const { run, temporaryFolder, whyNoEvents } = require('./support.js');

const CHILD = path.join(__dirname, 'tokio-child.js');

const skip = whyNoRspack || whyNoEvents();

test("tokio's workers, files and timers at 20,000 Hz", { skip }, async (t) => {
  const env = { ...process.env, RSPACK_BINDING: bindingFile('debug') ?? '' };
  const seconds = process.env.PROF_LONG ? '60' : '2';
  const folder = temporaryFolder(t);
  const { code, stdout, stderr } = await run(process.execPath, [CHILD, folder, seconds], { env });
  assert.equal(code, 0, stderr);
  const { builds, different, complaints, threads, tokio, samples } = JSON.parse(stdout);
  t.diagnostic(`${builds} builds, ${samples} samples, ${JSON.stringify({ threads, tokio })}`);
  assert.deepEqual(complaints, []);
  assert.equal(different, 0);
  assert.ok(tokio.length > 0);
});
