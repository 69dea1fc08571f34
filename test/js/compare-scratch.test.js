'use strict';
// Folders that killed comparisons leave: which are removed, and which belong to somebody.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { makeScratch, sweepScratch } = require('../../lib/compare/scratch.js');
const { startOf } = require('../../lib/process-start.js');
const support = require('./compare-support.js');

/** Larger than any process's number (proc(5), pid_max). */
const NOBODY = 2 ** 22 + 1;

/** A temporary folder of this test's own. @param {import('node:test').TestContext} t */
function temporary(t) {
  const folder = support.folder(t);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return folder;
}

test('what a dead comparison left goes, with all that is in it; the rest stays', (t) => {
  const folder = temporary(t);
  const own = path.basename(makeScratch());
  const [, space] = /^rspack-prof-compare-(\d+)-/.exec(own) ?? [];
  const { pid, ppid } = process;
  const dead = [
    `rspack-prof-compare-${space}-${NOBODY}-1234-abcdef`,
    // A number that came around: who has it now began at another time.
    `rspack-prof-compare-${space}-${pid}-1-abcdef`,
  ];
  const kept = [
    own,
    `rspack-prof-compare-${space}-${ppid}-${startOf(ppid)}-abcdef`,
    // Of a container, where numbers mean other processes.
    `rspack-prof-compare-1${space}-${NOBODY}-1234-abcdef`,
    `rspack-prof-compare-${space}-${NOBODY}-1234-abcdef-mine`,
    'rspack-prof-compare-abcdef',
  ];
  for (const name of [...dead, ...kept])
    fs.mkdirSync(path.join(folder, name, 'in'), { recursive: true });
  fs.writeFileSync(path.join(folder, dead[0], 'in', 'profile'), '');
  // Somebody else's trap: the link's name is ours, what it leads to is not.
  const link = `rspack-prof-compare-${space}-${NOBODY}-5678-abcdef`;
  fs.symlinkSync(path.join(folder, 'rspack-prof-compare-abcdef'), path.join(folder, link));
  // Another user's, which root alone could remove.
  const foreign = `rspack-prof-compare-${space}-${NOBODY}-9-abcdef`;
  if (process.getuid?.() === 0) {
    fs.mkdirSync(path.join(folder, foreign));
    fs.chownSync(path.join(folder, foreign), 65534, 65534);
    kept.push(foreign);
  }
  sweepScratch();
  assert.deepEqual(fs.readdirSync(folder).sort(), [...kept, link].sort());
  assert.ok(fs.existsSync(path.join(folder, 'rspack-prof-compare-abcdef', 'in')));
});

test('without a temporary folder there is nothing to remove, and no error', (t) => {
  fs.rmSync(temporary(t), { recursive: true });
  sweepScratch();
});
