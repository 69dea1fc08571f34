'use strict';
// The warnings that a profile carries: the rules that have something to say about it.

const { gatherFacts } = require('./facts.js');
const { RULES } = require('./rules.js');

/**
 * @typedef {object} Context
 * @property {import('../profile/raw').RawProfile | { raw: import('../profile/raw').RawProfile }} profile
 * @property {import('./facts.js').Facts} [facts] about this machine; gathered unless given
 */

/**
 * @param {Context} context
 * @returns {{ code: string, message: string, fix: string }[]} without those that the native side
 *   already put into the profile's own quality.warnings
 */
function profileWarnings({ profile, facts = gatherFacts() }) {
  const raw = 'raw' in profile ? profile.raw : profile;
  const said = new Set(raw.quality.warnings.map(({ code }) => code));
  return RULES.flatMap((rule) => {
    if (rule.in === 'doctor' || said.has(rule.code)) return [];
    const advice = rule.check(facts, raw);
    return advice ? [{ code: rule.code, ...advice }] : [];
  });
}

module.exports = { profileWarnings };
