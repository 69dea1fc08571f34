'use strict';
// Checks options by rules: what there is no such option of is refused with the one that was probably meant, a
// wrong value with what it takes. Whose options they are, the caller says.

const { ProfError, nearMatches } = require('./errors.js');

/** @typedef {{type: 'string'|'number'|'boolean', default?: unknown, oneOf?: string[], min?: number,
 *    max?: number, integer?: boolean, percent?: boolean}} Rule
 *  percent: a text like '2%' is that number too */

/**
 * @param {unknown} value
 * @returns {unknown} the number in '2%', '2 %' and '2'; anything else as it is
 */
function percentOf(value) {
  if (typeof value !== 'string') return value;
  const digits = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(value)?.[1];
  return digits === undefined ? value : Number(digits);
}

/** @param {unknown} value */
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  return Object(value) === value ? Object.prototype.toString.call(value) : String(value);
}

/**
 * @param {string} start of the sentence
 * @param {{min?: number, max?: number}} range
 * @param {string} given
 */
const shareProblem = (start, { min, max }, given) =>
  `${start} a share like 2 or '2%', from ${min} to ${max} %, not ${given}`;

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Rule} rule
 * @returns {string} what is wrong with it, '' where nothing is
 */
function problemWith(name, value, rule) {
  if (typeof value !== rule.type || Number.isNaN(value)) {
    if (rule.percent) return shareProblem(`option '${name}' must be`, rule, shown(value));
    return `option '${name}' must be a ${rule.type}, not ${shown(value)}`;
  }
  if (rule.oneOf && !rule.oneOf.includes(/** @type {string} */ (value))) {
    const words = rule.oneOf.map((word) => `'${word}'`).join(', ');
    return `option '${name}' must be one of ${words}, not ${shown(value)}`;
  }
  if (rule.type === 'string' && value === '') return `option '${name}' must not be empty`;
  if (rule.type === 'number') {
    const number = /** @type {number} */ (value);
    const { min = -Infinity, max = Infinity } = rule;
    if (number < min || number > max || (rule.integer && !Number.isInteger(number))) {
      if (rule.percent) return shareProblem(`option '${name}' must be`, rule, shown(value));
      const what = rule.integer ? 'a whole number' : 'a number';
      return `option '${name}' must be ${what} from ${min} to ${max}, not ${shown(value)}`;
    }
  }
  return '';
}

/**
 * Refuses an option that does not exist, with the one that was probably meant.
 * @param {object} given
 * @param {readonly string[]} known
 * @param {string} where for the message: 'start()'
 */
function checkNames(given, known, where) {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearMatches(name, known);
    const hint =
      near.length > 0
        ? `did you mean ${near.map((word) => `'${word}'`).join(' or ')}?`
        : `it takes ${known.join(', ')}`;
    throw new ProfError('ERR_PROF_BAD_OPTION', `${where} has no option '${name}': ${hint}`);
  }
}

/**
 * @param {unknown} given
 * @param {Record<string, Rule>} rules
 * @param {string} where for the messages: 'start()'
 * @param {string[]} [more] names that are checked elsewhere
 * @returns {Record<string, unknown>} checked, with defaults
 */
function checkOptions(given, rules, where, more = []) {
  if (
    given !== undefined &&
    (typeof given !== 'object' || given === null || Array.isArray(given))
  ) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `${where} takes an object of options, not ${shown(given)}`,
    );
  }
  const values = /** @type {Record<string, unknown>} */ (given ?? {});
  checkNames(values, [...Object.keys(rules), ...more], where);
  /** @type {Record<string, unknown>} */
  const checked = {};
  for (const [name, rule] of Object.entries(rules)) {
    const asGiven = values[name] === undefined ? rule.default : values[name];
    if (asGiven === undefined) continue;
    const value = rule.percent ? percentOf(asGiven) : asGiven;
    const problem = problemWith(name, value, rule);
    if (problem !== '') throw new ProfError('ERR_PROF_BAD_OPTION', problem);
    checked[name] = value;
  }
  return checked;
}

module.exports = { checkNames, checkOptions, percentOf, shown };
