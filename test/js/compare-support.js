'use strict';
// For the tests of compare: machines made up of seeded noise, runs that take as long as it says; and where they are of
// real processes, folders and looking after those.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** Box and Muller. @param {() => number} random */
const normal = (random) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * Kinds of machines: what a run takes more than it should, as a logarithm.
 * @type {Record<string, (random: () => number) => () => number>}
 */
const MACHINES = {
  quiet: (random) => () => 0.01 * normal(random),
  usual: (random) => () => 0.02 * normal(random),
  noisy: (random) => () => 0.05 * normal(random),
  // Every tenth run is slow by a lot: a backup, an indexer.
  disturbed: (random) => () =>
    0.01 * normal(random) + (random() < 0.1 ? -0.3 * Math.log(random()) : 0),
  // Somebody else's builds: slow for two or three runs at a time.
  bursts: (random) => {
    let busy = false;
    return () => {
      busy = random() < (busy ? 0.6 : 0.08);
      return 0.01 * normal(random) + (busy ? 0.1 + 0.3 * random() : 0);
    };
  },
  // Grows hot: half a per cent slower with each run.
  drifting: (random) => {
    let heat = 0;
    return () => (heat += 0.005) + 0.01 * normal(random);
  },
};

/**
 * Runs of two sides on such a machine: what `run` of measure.js takes.
 * @param {() => number} noise
 * @param {number} ratio true wall time of the candidate by the base's
 */
function fakeRuns(noise, ratio) {
  return async (/** @type {'base' | 'candidate'} */ side) => {
    const wallMs = 1000 * (side === 'base' ? 1 : ratio) * Math.exp(noise());
    return {
      ...{ wallMs, userMs: wallMs * 1.5, sysMs: wallMs * 0.1, instructions: null },
      ...{ peakBytes: 2 ** 27, majorFaults: 0, left: 0, othersCpus: 0, stolenCpus: 0 },
    };
  };
}

/** @param {import('node:test').TestContext} t */
function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-test-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    const state = /\) (\w)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

/** @param {() => boolean} is within a minute, which is long on any machine */
async function until(is) {
  for (let i = 0; i < 1200 && !is(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(is());
}

module.exports = { MACHINES, fakeRuns, folder, isAlive, normal, until };
