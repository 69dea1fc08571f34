'use strict';
// Machines made up for the tests of compare: seeded noise, and runs that take as long as it says.

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

module.exports = { MACHINES, fakeRuns, normal };
