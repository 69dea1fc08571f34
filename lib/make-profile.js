'use strict';
// What the addon recorded -> a profile: allocations and further events beside the first one, waits cut where
// phases change, and what is to be said of it. For a recording that ends, a dump of one, and one whose
// process has died.

const { reasonOf } = require('./errors.js');
const { takeAllocations } = require('./memory/native.js');
const { splitEvents } = require('./profile/events.js');
const { Profile } = require('./profile/profile.js');
const { addWarnings } = require('./profile/quality.js');
const { splitWaits } = require('./profile/split-waits.js');

/** @typedef {import('./profile/raw').RawProfile} RawProfile */
/** @typedef {import('./index').Warning} Warning */

/** @param {Profile} profile @returns {Warning[]} what the doctor has to say */
function adviceOn(profile) {
  try {
    // Loaded when a recording ends, not when a build begins.
    return require('./doctor/warnings.js').profileWarnings(profile.onCpu.raw);
  } catch (error) {
    // Advice is worth less than the profile: it is left out, and that is said.
    return [
      { code: 'no-advice', message: `the doctor's rules failed: ${reasonOf(error)}`, fix: '' },
    ];
  }
}

/**
 * @param {RawProfile} recorded
 * @param {{kept?: RawProfile, markers: import('./profile/raw').Marker[],
 *    context: import('./profile/profile').Context, build?: import('./index').BuildNotes,
 *    warnings: readonly Warning[]}} about kept: what a watch has kept of it
 * @returns {Profile}
 */
function makeProfile(recorded, { kept = recorded, markers, context, build, warnings }) {
  const allocated = takeAllocations(recorded, kept);
  const split = splitEvents(allocated.raw);
  const others = [...split.others, ...allocated.others];
  const profile = new Profile(splitWaits(split.raw, markers), { markers, context, build, others });
  addWarnings(profile.quality, [...split.warnings, ...allocated.warnings, ...warnings]);
  addWarnings(profile.quality, adviceOn(profile));
  return profile;
}

module.exports = { makeProfile };
