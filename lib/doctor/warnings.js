'use strict';
// The warnings that a profile carries: the rules that have something to say about it.

const { gatherFacts } = require('./facts.js');
const { RULES } = require('./rules.js');

/**
 * @typedef {import('../profile/raw').RawProfile} RawProfile
 *
 * @typedef {object} Context
 * @property {RawProfile} [raw] so that a Profile can be handed over as it is
 * @property {RawProfile} [profile] the same by its other name
 * @property {import('./facts.js').Facts} [facts] about this machine; gathered unless given
 */

/**
 * @param {Context} context
 * @returns {{ code: string, message: string, fix: string }[]} without those that the native side
 *   already put into the profile's own quality.warnings
 */
function profileWarnings({ raw, profile = raw, facts = gatherFacts() }) {
  if (!profile) throw new TypeError('profileWarnings() needs a profile');
  const said = new Set(profile.quality.warnings.map(({ code }) => code));
  return RULES.flatMap((rule) => {
    const codes = [rule.code, ...(rule.sameAs ?? [])];
    if (rule.in === 'doctor' || codes.some((code) => said.has(code))) return [];
    const advice = rule.check(facts, profile);
    return advice ? [{ code: rule.code, ...advice }] : [];
  });
}

module.exports = { profileWarnings };
