'use strict';
// The warnings that a profile carries: the rules that have something to say about it.

const { gatherFacts } = require('./facts.js');
const { RULES } = require('./rules.js');

/**
 * @param {import('../profile/raw').RawProfile} profile
 * @param {import('./facts.js').Facts} [facts] about this machine; gathered unless given
 * @returns {import('../index').Warning[]} without those that the native side already put into the
 *   profile's own quality.warnings
 */
function profileWarnings(profile, facts = gatherFacts()) {
  const said = new Set(profile.quality.warnings.map(({ code }) => code));
  return RULES.flatMap((rule) => {
    const codes = [rule.code, ...(rule.sameAs ?? [])];
    if (rule.in === 'doctor' || codes.some((code) => said.has(code))) return [];
    const advice = rule.check(facts, profile);
    return advice ? [{ code: rule.code, ...advice }] : [];
  });
}

module.exports = { profileWarnings };
