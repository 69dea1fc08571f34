'use strict';
// prof.compare(): a whole comparison for programs. Checks what is asked for before anything runs; the
// command line (lib/cli/compare.js) does the same with its own words.

const { ProfError } = require('../errors.js');
const { checkOptions, rangeOf } = require('../options.js');

/** @typedef {import('../types/compare').CompareOptions} Options */

const FREQUENCY = rangeOf('frequency');

/** @type {Record<string, import('../options').Rule>} */
const RULES = {
  base: { type: 'string' },
  candidate: { type: 'string' },
  baseBinding: { type: 'string' },
  candidateBinding: { type: 'string' },
  warmup: { type: 'number', default: 1, min: 0, max: 100, integer: true },
  margin: { type: 'number', default: 0.02, min: 0.0001, max: 0.5 },
  metric: { type: 'string', default: 'wall', oneOf: ['wall', 'cpu', 'instructions'] },
  minutes: { type: 'number', min: 0.01 },
  prepare: { type: 'string' },
  cache: { type: 'string', default: 'warm', oneOf: ['warm', 'cold'] },
  cacheFolder: { type: 'string' },
  profiles: { type: 'number', default: 2, min: 0, max: 100, integer: true },
  frequency: { type: 'number', default: 1000, min: FREQUENCY.least, max: FREQUENCY.most },
  cwd: { type: 'string' },
};
/** Of other types than those above. */
const OTHERS = ['command', 'runs', 'env', 'signal', 'onProgress'];

/** @param {string} message */
const refuse = (message) => {
  throw new ProfError('ERR_PROF_BAD_OPTION', message);
};

/** @param {unknown} runs @returns {number | 'auto'} */
function runsOf(runs = 'auto') {
  const isCount = Number.isInteger(runs) && Number(runs) >= 1 && Number(runs) <= 1000;
  if (runs === 'auto' || isCount) return /** @type {number | 'auto'} */ (runs);
  return refuse("option 'runs' must be 'auto' or a whole number from 1 to 1000");
}

/** @param {unknown} command @returns {string[]} */
function commandOf(command = []) {
  const isList = Array.isArray(command) && command.every((word) => typeof word === 'string');
  if (!isList) refuse("option 'command' must be a list of strings: ['npx', 'rspack', 'build']");
  return /** @type {string[]} */ (command);
}

/** @param {Options} options whose types no rule tells */
function checkObjects({ env, signal, onProgress }) {
  if (env !== undefined && (typeof env !== 'object' || env === null)) {
    refuse("option 'env' must be an object like process.env");
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    refuse("option 'signal' must be an AbortSignal");
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    refuse("option 'onProgress' must be a function");
  }
}

/**
 * @param {Options} [options]
 * @returns {Promise<import('../types/compare').Compared>}
 */
async function compareSides(options = {}) {
  const checked = /** @type {any} */ (checkOptions(options, RULES, 'compare()', OTHERS));
  checkObjects(options);
  const { base, candidate, baseBinding, candidateBinding, minutes, cwd, ...rest } = checked;
  const { env = process.env, signal = new AbortController().signal, onProgress } = options;
  const { cacheFolderOf } = require('./runs.js');
  const { OPTIONS, sidesOf } = require('./sides.js');
  const folder = cwd ?? process.cwd();
  if (rest.cacheFolder !== undefined && rest.cache !== 'cold') {
    refuse("option 'cacheFolder' is for cache: 'cold'");
  }
  cacheFolderOf(folder, rest.cacheFolder);
  const choice = { base, candidate, baseBinding, candidateBinding };
  const command = commandOf(options.command);
  const runs = runsOf(options.runs);
  const sides = sidesOf({ ...choice, command }, { env, cwd: folder }, OPTIONS);
  require('./run.js').findRunner();
  const { result, profiles, failure } = await require('./compare.js').compare({
    ...rest,
    ...{ sides, cwd: folder, runs, signal },
    mostMs: minutes === undefined ? undefined : minutes * 60_000,
    tell: onProgress,
  });
  if (failure !== undefined) throw Object.assign(/** @type {Error} */ (failure), { result });
  return { result, profiles };
}

module.exports = { compareSides };
