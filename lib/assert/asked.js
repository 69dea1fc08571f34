'use strict';
// What a check is asked: reads its arguments, and refuses those that cannot be meant. The words in which a part of the
// samples is told are here too.

const { types } = require('node:util');
const { ProfError } = require('../errors.js');
const { checkOptions } = require('../check-options.js');
const { parseKeys } = require('../profile/keys.js');
const { SAMPLE_FILTERS, toRegExp } = require('../profile/select.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').SampleFilter} SampleFilter */

const CONFIDENCE = 0.95;

/** @param {string} message */
const refused = (message) => new ProfError('ERR_PROF_BAD_OPTION', message);

/**
 * What a matcher was given to look at. Not `instanceof`: a test runner's sandbox has a copy of this
 * package of its own, whose profiles are as good.
 * @param {unknown} received
 * @returns {Profile}
 */
function profileOf(received) {
  const profile = /** @type {Profile} */ (received);
  if (typeof profile?.hotspots === 'function' && profile.raw?.samples) return profile;
  const what = types.isPromise(received)
    ? 'this is a promise: await profileBuild(..) first'
    : 'what profileBuild(), session.stop() or read() give';
  throw refused(`not a profile: ${what}`);
}

/** @param {unknown} pattern @returns {RegExp} */
function patternOf(pattern) {
  if (pattern !== undefined) return toRegExp(pattern, 'pattern');
  throw refused('a pattern is missing: /part of a name/');
}

/** @param {unknown} by @returns {string} */
function oneKey(by = 'symbol') {
  const keys = parseKeys(by);
  if (keys.length === 1) return keys[0];
  const advice = "one key, and `phase: 'make'` or `thread:` for a part of the samples";
  throw refused(`'by' takes ${advice}, not '${by}'`);
}

/** @param {unknown} self @param {boolean} fallback @returns {boolean} */
function isTotalOf(self, fallback) {
  if (self === undefined) return fallback;
  if (typeof self === 'boolean') return !self;
  throw refused("'self' must be true or false");
}

/**
 * @param {string} name of the option
 * @param {unknown} value
 * @param {{from?: number, to?: number}} [range]
 * @returns {number}
 */
function shareOption(name, value, { from = 0, to = 1 } = {}) {
  if (typeof value === 'number' && value >= from && value <= to) return value;
  const advice =
    typeof value === 'number' && value > 1 ? `: write ${value / 100} for ${value} %` : '';
  throw refused(`${name} must be a share from ${from} to ${to}, not ${String(value)}${advice}`);
}

/** @param {unknown} confidence @returns {number} */
function confidenceOption(confidence = CONFIDENCE) {
  const usable = typeof confidence === 'number' && confidence >= 0.5 && confidence < 1;
  if (usable) return confidence;
  throw refused(
    `'confidence' must be a number from 0.5 to below 1 such as 0.95, not ${String(confidence)}`,
  );
}

/**
 * @param {unknown} options
 * @param {string[]} names beside confidence
 * @param {string} where for messages: 'toSpendAtMost()'
 */
function readOptions(options, names, where) {
  checkOptions(options, {}, where, [...names, 'confidence']);
  const given = /** @type {Record<string, any>} */ (options ?? {});
  return { given, confidence: confidenceOption(given.confidence) };
}

/**
 * The same of a check that looks at samples, and may look at a part of them.
 * @param {unknown} options
 * @param {string[]} names
 * @param {string} where
 */
function readSampleOptions(options, names, where) {
  const { given, confidence } = readOptions(options, [...names, ...SAMPLE_FILTERS], where);
  const filters = SAMPLE_FILTERS.filter((name) => given[name] !== undefined);
  /** @type {SampleFilter} */
  const filter = Object.fromEntries(filters.map((name) => [name, given[name]]));
  return { given, confidence, filter };
}

/** @param {SampleFilter} filter */
function whereText({ phase, thread, through }) {
  const parts = [];
  if (phase !== undefined) parts.push(`in phase ${phase}`);
  if (thread !== undefined) parts.push(`on thread ${thread}`);
  if (through !== undefined) parts.push(`through ${String(through)}`);
  return parts.length > 0 ? ` ${parts.join(', ')}` : '';
}

module.exports = {
  isTotalOf,
  oneKey,
  patternOf,
  profileOf,
  readOptions,
  readSampleOptions,
  shareOption,
  whereText,
};
