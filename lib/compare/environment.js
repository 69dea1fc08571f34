'use strict';
// What the figures were measured on: machine, versions, and the two bindings by what they hold, so that
// their symbols can be found again. No user's name, host's name or environment variable but
// RSPACK_BINDING goes into it: it ends up in public issues.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { identify } = require('../elf.js');
const { gatherFacts, systemReader } = require('../doctor/facts.js');
const pkg = require('../../package.json');

/** @param {string} file */
function textOf(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return null; // not on this machine
  }
}

/**
 * @typedef {object} BindingInfo
 * @property {string} file
 * @property {string | null} version of its package
 * @property {boolean | null} symbols
 * @property {string} buildId '' where it has none, as rspack's published ones
 * @property {string} textSha256 of its code: the same for a stripped copy and its original
 * @property {number} bytes
 */

/**
 * @param {import('./sides').Side} side
 * @param {string} cwd
 * @returns {BindingInfo | null} null: no binding is known, as of a command that is no rspack build
 */
function bindingOf({ binding, env }, cwd) {
  const facts = gatherFacts({ ...systemReader(), cwd, env });
  const file = binding ?? facts.binding?.file;
  if (!file) return null;
  const known = identify(file);
  if (!known) return null;
  return { file, version: facts.bindingVersion(file), ...known };
}

/**
 * @param {{ base: import('./sides').Side, candidate: import('./sides').Side }} sides
 * @param {string} cwd
 */
function environmentOf({ base, candidate }, cwd) {
  const { core, paranoid } = gatherFacts({ ...systemReader(), cwd });
  const cpus = os.cpus();
  const flags = textOf('/proc/cpuinfo')?.match(/^flags\s*:.*$/m)?.[0] ?? '';
  return {
    rspackProf: pkg.version,
    node: process.version,
    rspack: core?.version ?? null,
    kernel: os.release(),
    cpu: cpus[0]?.model ?? '',
    cpus: cpus.length,
    virtual: / hypervisor\b/.test(flags),
    governor: textOf('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    memoryBytes: os.totalmem(),
    paranoid,
    folder: path.basename(cwd),
    bindings: { base: bindingOf(base, cwd), candidate: bindingOf(candidate, cwd) },
  };
}

module.exports = { environmentOf };
