'use strict';
// The profiled runs of either side: apart from the timed ones, which they would slow, and interleaved as
// those are. Each goes through `record`'s own folder, a temporary one that is gone at the end.

const fs = require('node:fs');
const path = require('node:path');
const { Recording } = require('../recording.js');
const { mergeProfiles } = require('../profile/merge.js');
const { makeScratch } = require('./scratch.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./plan').SideName} SideName */

/**
 * @typedef {object} Profiled
 * @property {{ base: Profile[], candidate: Profile[] }} runs as many of each
 * @property {{ base: Profile, candidate: Profile } | null} merged null: a side has none
 * @property {string} problem why there are fewer than asked for, or none; '' where all are there
 */

/** @param {number} run @param {number} all */
const stoppedText = (run, all) =>
  `stopped in profiled run ${run} of ${all}; the verdict is of the timed runs, which are whole`;

/** @param {unknown} error */
function reasonOf(error) {
  const { message, tail = '' } = /** @type {Error & { tail?: string }} */ (error);
  const last = tail.split('\n').at(-1)?.trim();
  return last ? `${message}: ${last}` : message;
}

/**
 * One run of a side, recorded.
 * @param {string} folder
 * @param {(env: NodeJS.ProcessEnv) => Promise<unknown>} run null: aborted
 * @param {{ env: NodeJS.ProcessEnv, frequency: number, register?: string }} options
 * @returns {Promise<Profile | string>} a text: why there is no profile; '' where it was stopped
 */
async function recordOne(folder, run, { env, frequency, register }) {
  const recording = new Recording(path.join(folder, 'profile.json.gz'), folder);
  try {
    const ran = await run(recording.environment(env, { frequency }, register));
    if (!ran) return '';
    const { kept, failures } = recording.finish(false);
    const [failure] = failures;
    if (!kept[0]) {
      return failure
        ? `${failure.message} (${failure.code})`
        : 'no node process of the command ended by itself';
    }
    // The columns are what comes next, which the public type does not show.
    const profile = /** @type {Profile} */ (kept[0].profile);
    return profile.quality.samples > 0 ? profile : 'a profiled run took no sample';
  } finally {
    recording.remove();
  }
}

/** @param {Profiled['runs']} runs of which those that one side has more are left out */
function mergeSides(runs) {
  // As many of each, so that neither side is known better by accident.
  const whole = Math.min(runs.base.length, runs.candidate.length);
  runs.base.splice(whole);
  runs.candidate.splice(whole);
  if (whole === 0) return null;
  return { base: mergeProfiles(runs.base), candidate: mergeProfiles(runs.candidate) };
}

/**
 * Never throws: the timed runs are whole by now, and their verdict stands.
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
  const profiled = { runs: { base: [], candidate: [] }, merged: null, problem: '' };
  const { runs } = profiled;
  let folder = '';
  try {
    folder = makeScratch();
    for (let done = 0; done < 2 * count && profiled.problem === ''; done++) {
      tell(done, 2 * count);
      /** @type {SideName} */
      const side = (done + Math.floor(done / 2)) % 2 === 0 ? 'base' : 'candidate';
      const how = { env: env[side], frequency, register };
      const one = await recordOne(folder, (own) => run(side, own), how).catch(reasonOf);
      if (typeof one !== 'string') runs[side].push(one);
      else profiled.problem = one || stoppedText(done + 1, 2 * count);
    }
    profiled.merged = mergeSides(runs);
  } catch (error) {
    profiled.problem = reasonOf(error);
  } finally {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  }
  return profiled;
}

module.exports = { profileRuns };
