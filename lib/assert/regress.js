'use strict';
// Whether anything takes more of the build than in a baseline: a file, or another profile.

const { ProfError } = require('../errors.js');
const { SAMPLE_FILTERS } = require('../profile/select.js');
const { pad, fit, percent } = require('../table.js');
const { baselineFor } = require('./baseline.js');
const { oneKey, profileOf } = require('./counts.js');
const { decide, rowOf, sharesOf } = require('./growth.js');
const { differences, measuredOn, notes } = require('./measured-on.js');
const { checkOptions, filterOf, isTotalOf, whereText } = require('./shares.js');
const { confidenceOption, confidenceText, inPercent, shareOption } = require('./verdict.js');

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
  const profile = profileOf(received);
  const given = checkOptions(
    options,
    ['by', 'self', 'tolerance', 'confidence', ...SAMPLE_FILTERS],
    'toNotRegress()',
  );
  const by = oneKey(given.by ?? 'symbol');
  if (by === 'thread') {
    const advice = "two processes have no thread in common, take 'comm' or 'pool'";
    throw new ProfError('ERR_PROF_BAD_OPTION', `toNotRegress() cannot go by thread: ${advice}`);
  }
  const tolerance = shareOption("'tolerance'", given.tolerance ?? DEFAULT_TOLERANCE, {
    from: LEAST_TOLERANCE,
  });
  const isTotal = isTotalOf(given.self, false);
  const confidence = confidenceOption(given.confidence);
  const filter = filterOf(given);
  const what = { by, isTotal, filter, cwd: place.cwd };
  const now = sharesOf(profile, what);
  const { event, frequency, callGraph } = profile.meta;
  const conditions = { ...measuredOn(profile), event, frequency, callGraph };
  const expected =
    `no ${by} to take over ${inPercent(tolerance)} of the build more than in the baseline` +
    `${whereText(filter)} (${isTotal ? 'total' : 'self'})`;
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
    const profile = profileOf(baseline);
    const { event, frequency, callGraph } = profile.meta;
    const theirs = { ...measuredOn(profile), event, frequency, callGraph };
    const differing = differences(theirs, conditions);
    if (differing.length > 0) {
      return { refused: `the two profiles cannot be compared: ${differing.join(', ')}` };
    }
    return { shares: sharesOf(profile, what), conditions: theirs };
  }
  const check = `${what.isTotal ? 'total' : 'self'} by ${what.by}${whereText(what.filter)}`;
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

/** @param {Row[]} rows @param {number} confidence */
function foundText(rows, confidence) {
  if (rows.length === 0) return 'nothing in either';
  const { key, growth, as } = rows[0];
  const signed = (/** @type {number} */ share) => `${share > 0 ? '+' : ''}${percent(share)}`;
  return (
    `most grown: ${key} by ${signed(growth.value)} % ${WAYS[as]} (${confidenceText(confidence)} interval ` +
    `${signed(growth.low)} to ${signed(growth.high)} %)`
  );
}

/** @param {Row[]} rows @param {string} by */
function tableOf(rows, by) {
  const shown = rows.slice(0, SHOWN);
  const share = (/** @type {Counted} */ { matching, all }) => percent(all > 0 ? matching / all : 0);
  const cells = shown.map(({ key, base, now, growth }) => [
    `${growth.value > 0 ? '+' : ''}${percent(growth.value)}`,
    `±${percent(growth.value - growth.low)}`,
    share(base),
    share(now),
    fit(key, 60),
  ]);
  const heads = ['GROWTH', '±', 'BASE%', 'NOW%', by.toUpperCase()];
  const widths = heads.map((head, i) =>
    Math.max(head.length, ...cells.map((row) => row[i].length)),
  );
  return [heads, ...cells]
    .map((row) => row.map((cell, i) => (i < 4 ? pad(cell, widths[i], true) : cell)).join('  '))
    .join('\n');
}

module.exports = { notRegress };
