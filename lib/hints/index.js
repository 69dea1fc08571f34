'use strict';
// What in a profile is worth a look: rules that measure something, and say what people did about it. A
// hint is a number, a place and that; it is no verdict on the build.
//
// Refuses to speak of less than 2 % of the samples unless asked to, and of fewer than 20 samples.

const { ProfError } = require('../errors.js');
const { checkNames } = require('../check-options.js');
const { inPercent } = require('../grouped.js');
const { Evidence } = require('./evidence.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').Hint} Hint */
/**
 * @typedef {object} Rule
 * @property {string} code
 * @property {(evidence: Evidence) => import('./evidence').Found} find
 * @property {string} what continues '12.3 % of the samples are ..'
 * @property {string} did what people did about it
 * @property {(profile: Profile) => string} [note] that the number needs, '' where it does not
 */

/** @type {readonly Rule[]} */
const RULES = [...require('./rust.js').RULES, ...require('./javascript.js').RULES];
const LEAST = 0.02;
/** The error of a count of 20 is about a quarter of it. */
const LEAST_SAMPLES = 20;

/**
 * @param {Profile} profile
 * @param {{least?: number, limit?: number}} [options] least: the smallest share to speak of, 0 to 1
 * @param {readonly Rule[]} [rules]
 * @returns {Hint[]} the largest share first
 */
function hints(profile, options = {}, rules = RULES) {
  checkNames(options, ['least', 'limit'], 'hints()');
  const { least = LEAST, limit = Infinity } = options;
  if (typeof least !== 'number' || !(least >= 0 && least <= 1)) {
    throw new ProfError('ERR_PROF_BAD_OPTION', "'least' must be a share from 0 to 1");
  }
  if (typeof limit !== 'number' || !(limit >= 0)) {
    throw new ProfError('ERR_PROF_BAD_OPTION', "'limit' must be a number from 0 on");
  }
  return profile.scratch.lend((take) => {
    const evidence = new Evidence(profile, take);
    return rules
      .flatMap(({ code, find, what, did, note }) => {
        const { share, samples, places } = find(evidence);
        if (samples < LEAST_SAMPLES || share < least) return [];
        const more = note?.(profile) ?? '';
        const message = `${inPercent(share)} of the samples are ${what}${more ? ` (${more})` : ''}; ${did}`;
        return [{ code, share, message, places }];
      })
      .sort((a, b) => b.share - a.share)
      .slice(0, limit);
  });
}

module.exports = { RULES, hints };
