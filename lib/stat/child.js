'use strict';
// `stat --phases`: in each node process of the command. Counts it beside the counters of the whole
// command, reads at each phase of its builds, and leaves what it found in a folder when it ends.

const fs = require('node:fs');
const path = require('node:path');
const { installExitHooks } = require('../atexit.js');
const { loadNative } = require('../native.js');
const { watchPhases } = require('../phases/index.js');
const { Counters } = require('./counters.js');
const { PhaseCounts, cutWarning } = require('./phases.js');

/** @typedef {import('./result').PhaseRun} PhaseRun */

/** @param {{events: string, optional: boolean, folder: string}} options */
function begin({ events, optional, folder }) {
  const now = () => Number(process.hrtime.bigint());
  const counters = new Counters(loadNative(), { events, optional, scope: 'self' }, now);
  const watch = watchPhases();
  const counts = new PhaseCounts(counters, watch);
  counters.enable();
  counts.begin(counters.read());
  installExitHooks(() => {
    const phases = counts.end(counters.read({ ending: true }));
    watch.stop();
    if (phases.length === 0) return;
    const file = path.join(folder, `${process.pid}.json`);
    fs.writeFileSync(file, JSON.stringify({ phases, isCut: counts.isCut }));
  });
}

/**
 * What the processes of one run left: the phases of the one that was longest in them.
 * @param {string} folder its files are removed
 * @returns {{phases: PhaseRun[], warnings: import('../index').Warning[]}}
 */
function collect(folder) {
  /** @type {{phases: PhaseRun[], isCut: boolean}[]} */
  const found = [];
  /** @type {string[]} */
  const failures = [];
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    try {
      const left = JSON.parse(fs.readFileSync(file, 'utf8'));
      if (name.endsWith('.failed')) failures.push(left.message);
      else found.push(left);
    } catch {
      failures.push('a process was ended while it wrote its phases');
    }
    fs.rmSync(file);
  }
  const builtNs = (/** @type {{phases: PhaseRun[]}} */ { phases }) =>
    phases.reduce((sum, { build, wallNs }) => sum + (build > 0 ? wallNs : 0), 0);
  const best = found.sort((a, b) => builtNs(b) - builtNs(a))[0];
  if (best) return { phases: best.phases, warnings: cutWarning(best) };
  const why =
    failures[0] ?? 'no process of the command made an rspack compiler and ended by itself';
  return {
    phases: [],
    warnings: [{ code: 'phases-missed', message: `no phases: ${why}`, fix: '' }],
  };
}

module.exports = { begin, collect };
