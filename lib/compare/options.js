'use strict';
// What a comparison is asked for, by a program or on the command line: checked, with what is not given filled in,
// before anything runs. Messages speak in the words in which it was asked (sides.js).

const fs = require('node:fs');
const { ProfError } = require('../errors.js');
const { checkOptions } = require('../check-options.js');
const { rangeOf } = require('../options.js');
const { cacheFolderOf } = require('./runs.js');
const { sidesOf } = require('./sides.js');

/** @typedef {import('../types/compare').CompareOptions} Options */

const FREQUENCY = rangeOf('frequency');
const MOST_RUNS = 1000;

/** @type {Record<string, import('../check-options').Rule>} */
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
  cwd: { type: 'string' },
  frequency: {
    ...{ type: 'number', default: 1000 },
    ...{ min: FREQUENCY.least, max: FREQUENCY.most, integer: FREQUENCY.whole },
  },
};
/** Of other types than those above: a program's alone are looked at in index.js. */
const OTHERS = ['command', 'runs', 'env', 'signal', 'onProgress'];

/** @param {string} message */
const refused = (message) => new ProfError('ERR_PROF_BAD_OPTION', message);

/** @param {unknown} runs @returns {number | 'auto'} */
function runsOf(runs = 'auto') {
  const isCount = Number.isInteger(runs) && Number(runs) >= 1 && Number(runs) <= MOST_RUNS;
  if (runs === 'auto' || isCount) return /** @type {number | 'auto'} */ (runs);
  throw refused(`option 'runs' must be 'auto' or a whole number from 1 to ${MOST_RUNS}`);
}

/** @param {unknown} command @returns {string[]} */
function commandOf(command = []) {
  const isList = Array.isArray(command) && command.every((word) => typeof word === 'string');
  if (isList) return command;
  throw refused("option 'command' must be a list of strings: ['npx', 'rspack', 'build']");
}

/**
 * @param {Options} options
 * @param {{ env: NodeJS.ProcessEnv, cwd: string }} world
 * @param {import('./sides').Wording} wording
 */
function planOf(options, world, wording) {
  const checked = /** @type {any} */ (checkOptions(options, RULES, 'compare()', OTHERS));
  const { base, candidate, baseBinding, candidateBinding, minutes, ...rest } = checked;
  const { env } = world;
  const cwd = rest.cwd ?? world.cwd;
  if (!fs.statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw refused(`option 'cwd': there is no folder ${cwd}`);
  }
  const command = commandOf(options.command);
  const runs = runsOf(options.runs);
  if (rest.cacheFolder !== undefined && rest.cache !== 'cold') throw refused(wording.cacheFolder);
  cacheFolderOf(cwd, rest.cacheFolder);
  const choice = { command, base, candidate, baseBinding, candidateBinding };
  return {
    ...rest,
    ...{ sides: sidesOf(choice, { env, cwd }, wording), cwd, runs },
    mostMs: minutes === undefined ? undefined : minutes * 60_000,
  };
}

/**
 * The range of a number, for the flag that gives it.
 * @param {'warmup' | 'margin' | 'minutes' | 'profiles' | 'frequency'} name
 * @param {number} [scale] of the flag's unit
 */
function flagRange(name, scale = 1) {
  const { min = 0, max = Infinity, integer = false } = RULES[name];
  return { least: min * scale, most: max * scale, whole: integer };
}

/** @param {'metric' | 'cache'} name @returns {string[]} */
const wordsOf = (name) => RULES[name].oneOf ?? [];

module.exports = { MOST_RUNS, flagRange, planOf, wordsOf };
