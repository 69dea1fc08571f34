'use strict';
// The profiled runs of either side: apart from the timed ones, which they would slow, and interleaved as
// those are. Each goes through `record`'s own folder, a temporary one that is gone at the end.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Recording } = require('../recording.js');
const { mergeProfiles } = require('../profile/merge.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./plan').SideName} SideName */

/**
 * @typedef {object} Profiled
 * @property {{ base: Profile[], candidate: Profile[] }} runs
 * @property {{ base: Profile, candidate: Profile } | null} merged null: a side has none
 * @property {string} problem why there is none, '' where there are
 * @property {boolean} aborted
 */

/**
 * One run of a side, recorded.
 * @param {string} folder
 * @param {(env: NodeJS.ProcessEnv) => Promise<unknown>} run null: aborted
 * @param {{ env: NodeJS.ProcessEnv, frequency: number, register?: string }} options
 * @returns {Promise<{ profile?: Profile, problem: string, aborted?: boolean }>}
 */
async function recordOne(folder, run, { env, frequency, register }) {
  const recording = new Recording(path.join(folder, 'profile.json.gz'), folder);
  try {
    const ran = await run(recording.environment(env, { frequency }, register));
    if (!ran) return { problem: 'stopped', aborted: true };
    const { kept, failures } = recording.finish(false);
    // The columns are what comes next, which the public type does not show.
    if (kept[0]) return { profile: /** @type {Profile} */ (kept[0].profile), problem: '' };
    const [failure] = failures;
    const problem = failure
      ? `${failure.message} (${failure.code})`
      : 'no node process of the command ended by itself';
    return { problem };
  } finally {
    recording.remove();
  }
}

/**
 * @param {object} options
 * @param {number} options.count runs of each side
 * @param {number} options.frequency Hz
 * @param {{ base: NodeJS.ProcessEnv, candidate: NodeJS.ProcessEnv }} options.env
 * @param {(side: SideName, env: NodeJS.ProcessEnv) => Promise<unknown>} options.run
 * @param {(done: number, all: number) => void} options.tell
 * @param {string} [options.register]
 * @returns {Promise<Profiled>}
 */
async function profileRuns({ count, frequency, env, run, tell, register }) {
  /** @type {Profiled} */
  const profiled = { runs: { base: [], candidate: [] }, merged: null, problem: '', aborted: false };
  const { runs } = profiled;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-compare-'));
  try {
    for (let done = 0; done < 2 * count && profiled.problem === ''; done++) {
      tell(done, 2 * count);
      /** @type {SideName} */
      const side = (done + Math.floor(done / 2)) % 2 === 0 ? 'base' : 'candidate';
      const one = await recordOne(folder, (own) => run(side, own), {
        env: env[side],
        frequency,
        register,
      });
      if (one.profile) runs[side].push(one.profile);
      else Object.assign(profiled, { problem: one.problem, aborted: one.aborted === true });
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  // As many of each, so that neither side is known better by accident.
  const whole = Math.min(runs.base.length, runs.candidate.length);
  for (const side of /** @type {const} */ (['base', 'candidate'])) {
    runs[side] = runs[side].filter(({ quality }) => quality.samples > 0).slice(0, whole);
  }
  if (runs.base.length > 0 && runs.candidate.length > 0) {
    profiled.merged = {
      base: mergeProfiles(runs.base),
      candidate: mergeProfiles(runs.candidate),
    };
  } else if (count > 0 && profiled.problem === '') {
    profiled.problem = 'a profiled run took no sample';
  }
  return profiled;
}

module.exports = { profileRuns };
