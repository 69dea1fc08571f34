'use strict';
// What keeps a profile from being good: one small rule each, with the one command that mends it.
// A rule judges facts (facts.js) and, where there is one, a profile; it asks the system nothing.
// Rules with `in: 'doctor'` tell about the machine before a recording; those with `in: 'profile'`
// about what happened in one, and speak only of what did happen there; `in: 'both'` suit both.

const binding = require('./rules-binding.js');
const machine = require('./rules-machine.js');
const recording = require('./rules-recording.js');

/**
 * @typedef {import('./facts.js').Facts} Facts
 * @typedef {import('../profile/raw').RawProfile} RawProfile
 * @typedef {{ message: string, fix: string }} Advice fix: one command, or ''
 *
 * @typedef {object} Rule
 * @property {string} code
 * @property {string[]} [sameAs] codes under which the recorder itself says the same
 * @property {string} title what the doctor calls it where all is well
 * @property {boolean} [events] whether it judges perf events: the doctor is silent about those where
 *   timers have taken their place (the rule cpu-timers says that and why)
 * @property {'doctor' | 'profile' | 'both'} in
 * @property {boolean} [binding] whether it judges rspack's binding: without one here it is silent
 * @property {'blocker' | 'advice'} severity blocker: nothing can be recorded
 * @property {(facts: Facts, profile: RawProfile | null) => Advice | null} check
 */

/** @type {Rule[]} in the order in which they are told */
const RULES = [...machine.RULES, ...binding.RULES, ...recording.RULES];

module.exports = { RULES };
