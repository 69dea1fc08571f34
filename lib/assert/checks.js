'use strict';
// The checks by the names that the matchers have, and what each is told beside its arguments.

const path = require('node:path');
const { ProfError } = require('../errors.js');
const { writeStderr } = require('../output.js');
const { UPDATE, updateMode } = require('./baseline.js');
const { messageOf } = require('./message.js');
const { notRegress } = require('./regress.js');
const { callNative, hotspot, spendAtMost } = require('./shares.js');
const { stayWithin } = require('./within.js');

/** @typedef {import('./verdict').Verdict} Verdict */
/** @typedef {import('./baseline').Place} Place */
/** @typedef {{isNot: boolean, testFile: string | undefined, snapshots?: import('./baseline').UpdateMode,
 *    env?: NodeJS.ProcessEnv, argv?: readonly string[], say?: (line: string) => void}} Caller testFile: where
 *    baselines are beside; snapshots: what the runner does with its own, where it has any */

/** @type {Record<string, (received: unknown, args: any[], place: Place) => Verdict>} */
const CHECKS = {
  toSpendAtMost: (received, [share, pattern, options]) =>
    spendAtMost(received, share, pattern, options),
  toHaveHotspot: (received, [pattern, options]) => hotspot(received, pattern, options),
  toCallNative: (received, [pattern, options]) => callNative(received, pattern, options),
  toNotRegress: (received, [baseline, options], place) =>
    notRegress(received, baseline, options, place),
  toStayWithin: (received, [limits, baseline, options], place) =>
    stayWithin(received, limits, baseline, options, place),
};

/**
 * @param {string} name of CHECKS
 * @param {unknown} received
 * @param {unknown[]} args
 * @param {Caller} caller
 * @returns {{passes: boolean, isInconclusive: boolean, message: string}} passes: with `.not` taken into account
 */
function check(name, received, args, caller) {
  const { isNot, testFile, snapshots, env, argv, say = writeStderr } = caller;
  const place = {
    folder: testFile === undefined ? process.cwd() : path.dirname(testFile),
    update: updateMode({ env, argv, snapshots }),
    howToUpdate: `${UPDATE}=1 (or ${snapshots === undefined ? 'node FILE --update-baseline' : '-u'})`,
    say,
    cwd: process.cwd(),
  };
  if (isNot && place.update !== 'none') {
    // To write what then holds, and fail for it, would help nobody: .not only compares.
    place.update = 'none';
  }
  const verdict = CHECKS[name](received, args, place);
  const isInconclusive = verdict.decision === 'undecided';
  return {
    passes: !isInconclusive && (verdict.decision === 'holds') !== isNot,
    isInconclusive,
    message: messageOf(verdict, { name, args, isNot }),
  };
}

/**
 * Matchers for an `expect` of Jest's kind.
 * @returns {Record<string, (this: any, received: unknown, ...args: unknown[]) =>
 *    {pass: boolean, message: () => string, code?: string}>}
 */
function matchers() {
  return Object.fromEntries(Object.keys(CHECKS).map((name) => [name, matcherOf(name)]));
}

/** @param {string} name */
function matcherOf(name) {
  /** @this {any} @param {unknown} received @param {unknown[]} args */
  return function matcher(received, ...args) {
    const isNot = this?.isNot === true;
    const caller = {
      isNot,
      testFile: this?.testPath,
      // What --ci (none) and -u (all) mean there; Vitest has the same field.
      snapshots: this?.snapshotState?._updateSnapshot,
    };
    try {
      const { passes, isInconclusive, message } = check(name, received, args, caller);
      // The runner turns `pass` round for .not: what is inconclusive fails either way.
      const pass = passes !== isNot;
      const code = isInconclusive ? { code: 'ERR_PROF_INCONCLUSIVE' } : {};
      return { pass, message: () => message, ...code };
    } catch (error) {
      // The report shows the line of the test, not one of ours.
      if (error instanceof ProfError) Error.captureStackTrace(error, matcher);
      throw error;
    }
  };
}

/**
 * @param {{extend?: (matchers: Record<string, any>) => void} | undefined} expect
 * @param {string} advice
 */
function extend(expect, advice) {
  if (typeof expect?.extend === 'function') expect.extend(matchers());
  else
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `there is no expect() to add matchers to: ${advice}`,
    );
}

module.exports = { check, extend, matchers };
