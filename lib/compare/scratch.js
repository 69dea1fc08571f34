'use strict';
// The temporary folder of a comparison's profiled runs. Its name says whose it is: a comparison that is killed
// outright cannot remove it, so the next one does.
// Leaves alone: folders of processes that live, of other users, and of another pid namespace (a container with the
// same temporary folder), where a number means another process.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { startOf } = require('../process-start.js');

const PREFIX = 'rspack-prof-compare-';
/** pid namespace, process, its start, and what mkdtemp adds */
const NAME = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-(\\d+)-\\w{6}$`);

/** Its inode; '0' where /proc does not tell. */
function ownNamespace() {
  try {
    return /\d+/.exec(fs.readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** @returns {string} a folder that is this user's alone */
function makeScratch() {
  const owner = [ownNamespace(), process.pid, startOf(process.pid) || '0'].join('-');
  return fs.mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${owner}-`));
}

/** @param {string} folder */
function removeOwn(folder) {
  try {
    const found = fs.lstatSync(folder);
    if (found.isDirectory() && found.uid === process.getuid?.()) {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  } catch {
    // Another comparison was faster, or it cannot be removed: neither is worth failing for.
  }
}

/** Removes what comparisons left that were killed. */
function sweepScratch() {
  const namespace = ownNamespace();
  if (namespace === '0') return;
  /** @type {string[]} */
  let names = [];
  try {
    names = fs.readdirSync(os.tmpdir());
  } catch {
    // The first run will say that there is no temporary folder.
  }
  for (const name of names) {
    const [, space, pid, start] = NAME.exec(name) ?? [];
    if (space === namespace && startOf(Number(pid)) !== start) {
      removeOwn(path.join(os.tmpdir(), name));
    }
  }
}

module.exports = { makeScratch, sweepScratch };
