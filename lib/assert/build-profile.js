'use strict';
// The profile of some runs of one build: all of them together, and each for itself.

const { Profile } = require('../profile/profile.js');
const { withoutCounts } = require('../profile/build.js');
const { keepSamples, slice, sliceMarkers } = require('../profile/slice.js');

/** @typedef {{startNs: number, endNs: number}} Stretch */
/** @typedef {{counted: 'profiled' | 'apart', values: Record<string, number[]>,
 *    missing: Record<string, string>}} Counters values: by run */
/** @typedef {Pick<Profile, 'raw' | 'others' | 'markers' | 'context' | 'build'> &
 *    {quality: Pick<Profile['quality'], 'warnings'>}} Whole a profile, or what another process sent of one */

class BuildProfile extends Profile {
  /**
   * @param {Whole} whole the recording, with what lay between the runs
   * @param {{stretches: Stretch[], counters: Counters, isCovered: boolean}} more
   */
  constructor(whole, { stretches, counters, isCovered }) {
    const { markers, context, quality } = whole;
    const isIn = (/** @type {number} */ timeNs) =>
      stretches.some(({ startNs, endNs }) => timeNs >= startNs && timeNs < endNs);
    const all = { startNs: stretches[0].startNs, endNs: stretches[stretches.length - 1].endNs };
    const { raw, others } = keepSamples(whole, isIn, all);
    super(raw, {
      others,
      markers: sliceMarkers(markers, all.startNs, all.endNs),
      context,
      build: whole.build,
    });
    this.quality.warnings.push(...quality.warnings);
    /** Whether a test runner measured coverage meanwhile. */
    this.isCovered = isCovered;
    this.counters = counters;
    /** @type {Profile[]} */
    this.runs = stretches.map(({ startNs, endNs }) => {
      const run = slice(whole, startNs, endNs);
      return new Profile(run.raw, {
        others: run.others,
        markers: sliceMarkers(markers, startNs, endNs),
        context,
        build: withoutCounts(whole.build),
      });
    });
  }
}

module.exports = { BuildProfile };
