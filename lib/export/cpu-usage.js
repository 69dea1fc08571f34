'use strict';
// How many CPUs were busy over time, counted from the samples: what counters in Firefox profiles and
// Perfetto traces show. Nothing is known where the event does not tell time.

const { cpuOfSample } = require('../profile/phase-rows.js');

/** @typedef {import('../profile/profile').Profile} Profile */

const NS_PER_MS = 1e6;
/** Below some twenty samples a window is noise; more than that many windows nobody can see. */
const PERIODS = 20;
const MOST_WINDOWS = 4000;

/**
 * @param {Profile} profile
 * @returns {{windowNs: number, cpuNs: Float64Array} | null} CPU time by window, from the start on
 */
function cpuUsage(profile) {
  const { raw, meta } = profile.onCpu;
  const cpuMs = cpuOfSample(profile.onCpu);
  const spanNs = meta.endNs - meta.startNs;
  if (!cpuMs || !(spanNs > 0)) return null;
  const periodNs = meta.frequency > 0 ? 1e9 / meta.frequency : NS_PER_MS;
  const windowNs = Math.ceil(Math.max(PERIODS * periodNs, spanNs / MOST_WINDOWS));
  const cpuNs = new Float64Array(Math.ceil(spanNs / windowNs));
  const { timeNs } = raw.samples;
  for (let sample = 0; sample < timeNs.length; sample++) {
    const window = Math.floor((timeNs[sample] - meta.startNs) / windowNs);
    // The last samples may come a moment after the recording's end was noted.
    cpuNs[Math.min(Math.max(window, 0), cpuNs.length - 1)] += cpuMs(sample) * NS_PER_MS;
  }
  return { windowNs, cpuNs };
}

module.exports = { cpuUsage };
