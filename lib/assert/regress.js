'use strict';
// Whether anything takes more of the build than in a baseline: a file, or another profile.

const { ProfError } = require('../errors.js');
const { lay } = require('../lay.js');
const { percent } = require('../terminal.js');
const asked = require('./asked.js');
const { baselineFor } = require('./baseline.js');
const { decide, rowOf, sharesOf } = require('./growth.js');
const { differences, measuredOn, notes } = require('./measured-on.js');
const { WIDTH, confidenceText, inPercent, nameText } = require('./verdict.js');

/** @typedef {import('./verdict').Verdict} Verdict */
/** @typedef {import('./intervals').Counted} Counted */
/** @typedef {import('./baseline').Place} Place */
/** @typedef {import('./growth').Shares} Shares */
/** @typedef {import('./growth').Row} Row */

const DEFAULT_TOLERANCE = 0.02;
const LEAST_TOLERANCE = 0.005;
const SHOWN = 10;
const WAYS = { share: 'of the samples', time: "of the baseline's time" };

/**
 * @param {unknown} received
 * @param {unknown} baseline
 * @param {unknown} options
 * @param {Place} place
 * @returns {Verdict}
 */
function notRegress(received, baseline, options, place) {
  const profile = asked.profileOf(received);
  const how = asked.readSampleOptions(options, ['by', 'self', 'tolerance'], 'toNotRegress()');
  const { given, confidence, filter } = how;
  const by = asked.oneKey(given.by);
  if (by === 'thread') {
    const advice = "two processes have no thread in common, take 'comm' or 'pool'";
    throw new ProfError('ERR_PROF_BAD_OPTION', `toNotRegress() cannot go by thread: ${advice}`);
  }
  const range = { from: LEAST_TOLERANCE };
  const tolerance = asked.shareOption("'tolerance'", given.tolerance ?? DEFAULT_TOLERANCE, range);
  const isTotal = asked.isTotalOf(given.self, false);
  const what = { by, isTotal, filter, cwd: place.cwd };
  const now = sharesOf(profile, what);
  const { event, frequency, callGraph } = profile.meta;
  const conditions = { ...measuredOn(profile), event, frequency, callGraph };
  const expected =
    `no ${by} to take over ${inPercent(tolerance)} of the build more than in the baseline` +
    `${asked.whereText(filter)} (${isTotal ? 'total' : 'self'})`;
  const base = baseOf(baseline, { what, now, conditions, place, unit: profile.meta.unit });
  if ('refused' in base)
    return { decision: 'undecided', expected, found: '', reason: base.refused };
  if ('written' in base) {
    return { decision: 'holds', expected, found: 'the baseline itself', written: base.written };
  }
  const doubt = 1 - confidence;
  const keys = [...new Set([...Object.keys(now.shares), ...Object.keys(base.shares.shares)])];
  const rows = keys
    .map((key) => rowOf(key, base.shares, now, doubt))
    .sort((a, b) => b.growth.value - a.growth.value);
  return {
    ...decide(rows, { tolerance, doubt, base: base.shares }),
    expected,
    found: foundText(rows, confidence),
    notes: notes(base.conditions, conditions),
    table: tableOf(rows, by),
  };
}

/**
 * @param {unknown} baseline
 * @param {{what: any, now: Shares, conditions: import('./measured-on').MeasuredOn, place: Place,
 *    unit: string}} found
 * @returns {{refused: string} | {written: string}
 *    | {shares: Shares, conditions: import('./measured-on').MeasuredOn}}
 */
function baseOf(baseline, { what, now, conditions, place, unit }) {
  if (typeof baseline !== 'string') {
    if (typeof baseline !== 'object' || baseline === null) {
      const advice = "toNotRegress('app'), a path to a .json file, or a profile";
      throw new ProfError('ERR_PROF_BAD_OPTION', `a baseline is missing: ${advice}`);
    }
    const profile = asked.profileOf(baseline);
    const { event, frequency, callGraph } = profile.meta;
    const theirs = { ...measuredOn(profile), event, frequency, callGraph };
    const differing = differences(theirs, conditions);
    if (differing.length > 0) {
      return { refused: `the two profiles cannot be compared: ${differing.join(', ')}` };
    }
    return { shares: sharesOf(profile, what), conditions: theirs };
  }
  const check = `${what.isTotal ? 'total' : 'self'} by ${what.by}${asked.whereText(what.filter)}`;
  if (now.samples.some((samples) => samples === 0)) {
    return { refused: 'a run has no samples: nothing to compare, and no baseline was written' };
  }
  const entry = { check, measuredOn: conditions, unit, ...now };
  const { entry: old, refused, written } = baselineFor(baseline, entry, place);
  if (refused !== undefined) return { refused };
  if (written !== undefined) return { written };
  const { samples, weights, shares, measuredOn: theirs } = /** @type {any} */ (old);
  if (!isShares(samples, shares) || !isShares(samples, { weights })) {
    throw new ProfError('ERR_PROF_BAD_FILE', `baseline '${baseline}' has no usable shares`);
  }
  return { shares: { samples, weights, shares }, conditions: theirs };
}

/** @param {unknown} samples @param {unknown} shares */
function isShares(samples, shares) {
  const areNumbers = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((one) => Number.isFinite(one) && one >= 0);
  return (
    areNumbers(samples) &&
    typeof shares === 'object' &&
    shares !== null &&
    Object.values(shares).every(
      (list) => areNumbers(list) && list.length === /** @type {unknown[]} */ (samples).length,
    )
  );
}

/** @param {number} share */
const signed = (share) => `${share > 0 ? '+' : ''}${percent(share)}`;

/** @param {Row[]} rows @param {number} confidence */
function foundText(rows, confidence) {
  if (rows.length === 0) return 'nothing in either';
  const { key, growth, as } = rows[0];
  return (
    `most grown: ${nameText(key)} by ${signed(growth.value)} % ${WAYS[as]} (${confidenceText(confidence)} interval ` +
    `${signed(growth.low)} to ${signed(growth.high)} %)`
  );
}

/** @param {Row[]} rows @param {string} by */
function tableOf(rows, by) {
  const shown = rows.slice(0, SHOWN);
  const share = (/** @type {Counted} */ { matching, all }) => percent(all > 0 ? matching / all : 0);
  const half = (/** @type {Row} */ { growth }) => `±${percent(growth.value - growth.low)}`;
  const columns = [
    { head: 'GROWTH', right: true, cells: shown.map(({ growth }) => signed(growth.value)) },
    { head: '±', right: true, cells: shown.map(half) },
    { head: 'BASE%', right: true, cells: shown.map(({ base }) => share(base)) },
    { head: 'NOW%', right: true, cells: shown.map(({ now }) => share(now)) },
    { head: by.toUpperCase(), cells: shown.map(({ key }) => key) },
  ];
  const { head, lines } = lay(columns, WIDTH);
  return [head, ...lines].join('\n');
}

module.exports = { notRegress };
