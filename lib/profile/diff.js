'use strict';
// Two profiles side by side: who has more or less of its whole (or of the time) than before, and whether
// the sample counts can tell that from chance. What they cannot is never ranked above what they can.

const { probit } = require('simple-statistics');
const { ProfError } = require('../errors.js');
const noise = require('../noise.js');
const { comparisonWarnings } = require('./comparable.js');
const { hotspots, limitOf } = require('./hotspots.js');
const { parseKeys } = require('./keys.js');
const { matcher } = require('./matching.js');
const { isTogether } = require('./names.js');
const { selectSamples } = require('./select.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').DiffRow} DiffRow */
/** @typedef {import('../index').DiffOptions} DiffOptions */
/** @typedef {import('../index').HotspotRow} HotspotRow */

/**
 * Chance that two recordings of the same show any change, all rows together. Small, since samples that
 * follow each other are not quite independent.
 */
const FALSE_ALARMS = 0.01;
/** Samples in both together below which no row can be told from chance: it is not looked at. */
const LEAST_SAMPLES = 10;

/**
 * Standard errors from which on one of many changes counts: the more are looked at, the further the
 * furthest goes by chance (Bonferroni; NIST/SEMATECH e-Handbook 7.4.7.3). Never below the 3 of one.
 * @param {number} comparisons
 */
function leastErrors(comparisons) {
  return Math.max(noise.LEAST_ERRORS, probit(1 - FALSE_ALARMS / 2 / Math.max(1, comparisons)));
}

/**
 * How many samples of equal weight tell as much: (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965).
 * @param {Profile} profile
 * @param {DiffOptions} options
 * @param {number} [dispersion] so many times more than chance alone do counts differ from run to run
 */
function wholeOf(profile, options, dispersion = 1) {
  const selected = selectSamples(profile, options);
  let [weights, squares] = [0, 0];
  profile.raw.samples.weight.forEach((weight, i) => {
    if (selected && selected[i] === 0) return;
    weights += weight;
    squares += weight * weight;
  });
  return { weight: weights, samples: squares > 0 ? weights ** 2 / squares / dispersion : 0 };
}

/**
 * @param {Profile} profile
 * @param {'base' | 'candidate'} side
 */
function refuseEmpty({ raw, totalWeight }, side) {
  if (raw.samples.node.length > 0 && totalWeight > 0) return;
  throw new ProfError(
    'ERR_PROF_BAD_FILE',
    `the ${side} has no samples: there is nothing to compare, record it again`,
  );
}

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @param {DiffOptions} options
 */
function checked(base, candidate, { by = 'symbol', sort = 'self', normalize = 'share' }) {
  const keys = parseKeys(by);
  if (keys.includes('thread') && base.meta.pid !== candidate.meta.pid) {
    const advice = `take 'comm' or 'pool'`;
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `two processes have no thread in common (its number is part of it): ${advice}`,
    );
  }
  if (normalize !== 'share' && normalize !== 'time') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'normalize' must be 'share' or 'time'`);
  }
  const units = [base.meta.unit, candidate.meta.unit];
  if (normalize === 'time' && units[0] !== units[1]) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `${units[0]} and ${units[1]} cannot be subtracted: compare shares (normalize 'share')`,
    );
  }
  refuseEmpty(base, 'base');
  refuseEmpty(candidate, 'candidate');
  return { keys, sort, normalize };
}

/**
 * @param {Profile} profile
 */
function sides({ raw, totalWeight, meta }) {
  return { samples: raw.samples.node.length, totalWeight, unit: meta.unit };
}

/**
 * The rows of one profile by what they are compared by, and the functions' own names.
 * @param {Profile} profile
 * @param {(name: string) => string} keyOf
 * @param {DiffOptions} options
 */
function rowsOf(profile, keyOf, options) {
  const names = isTogether(options.unnamed ?? 'together') ? profile.namesByObject : profile.names;
  const text = names.text.map(keyOf);
  /** @type {Map<string, string | undefined>} undefined: several */
  const own = new Map();
  for (const id of names.id) {
    const name = names.text[id];
    own.set(text[id], own.has(text[id]) && own.get(text[id]) !== name ? undefined : name);
  }
  const rows = hotspots(profile, options, { id: names.id, text });
  return { own, rows: new Map(rows.map((row) => [row.key, row])) };
}

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @param {DiffOptions} [options]
 * @param {{ dispersion?: number }} [known] of both, where several runs of each told it
 * @returns {import('../index').Diff}
 */
function diff(base, candidate, options = {}, { dispersion = 1 } = {}) {
  const limit = limitOf(options.limit, 'limit', Infinity);
  const percentLimit = limitOf(options.percentLimit, 'percentLimit', 0);
  const { keys, sort, normalize } = checked(base, candidate, options);
  const isTime = normalize === 'time';
  const keyOf = matcher(base, candidate);
  const rest = { ...options };
  for (const own of /** @type {const} */ (['limit', 'percentLimit', 'normalize'])) delete rest[own];
  // All rows of both: what is small on one side may be the change.
  const before = rowsOf(base, keyOf, rest);
  const after = rowsOf(candidate, keyOf, rest);
  const wholes = [base, candidate].map((profile) => wholeOf(profile, rest, dispersion));
  const margin = isTime ? noise.weightMargin : noise.shareMargin;
  const test = isTime ? noise.isWeightChange : noise.isShareChange;
  const countedOf = (/** @type {number} */ share, /** @type {0 | 1} */ side) => {
    const { weight, samples: all } = wholes[side];
    return { samples: share * all, all, perSample: all > 0 ? weight / all : 0 };
  };
  /** @type {(was: HotspotRow | undefined, is: HotspotRow | undefined, by: 'self' | 'total') => any} */
  const changeOf = (was, is, by) => {
    const shares = [was, is].map((row) => row?.[`${by}Share`] ?? 0);
    const values = isTime ? [was, is].map((row) => row?.[by] ?? 0) : shares;
    const counted = [countedOf(shares[0], 0), countedOf(shares[1], 1)];
    const delta = values[1] - values[0];
    const half = margin(counted[0], counted[1]);
    return { shares, counted, delta, interval: [delta - half, delta + half] };
  };

  let compared = 0;
  const found = [...new Set([...before.rows.keys(), ...after.rows.keys()])].map((key) => {
    const was = before.rows.get(key);
    const is = after.rows.get(key);
    const { symbol, object, crate, kind } = /** @type {HotspotRow} */ (is ?? was);
    const self = changeOf(was, is, 'self');
    const total = changeOf(was, is, 'total');
    const { delta, counted } = sort === 'total' ? total : self;
    const isCompared = counted[0].samples + counted[1].samples >= LEAST_SAMPLES;
    if (isCompared) compared++;
    const name = symbol === undefined ? undefined : (is ? after : before).own.get(symbol);
    /** @type {DiffRow} */
    const row = {
      key,
      ...(symbol === undefined ? {} : { symbol: name ?? symbol }),
      ...(object === undefined ? {} : { object }),
      ...(crate === undefined ? {} : { crate }),
      ...(kind === undefined ? {} : { kind }),
      status: was === undefined ? 'new' : is === undefined ? 'vanished' : 'both',
      isSignificant: false,
      baseSamples: was?.samples ?? 0,
      candidateSamples: is?.samples ?? 0,
      ...{ baseSelf: was?.self ?? 0, candidateSelf: is?.self ?? 0 },
      ...{ baseTotal: was?.total ?? 0, candidateTotal: is?.total ?? 0 },
      ...{ baseSelfShare: self.shares[0], candidateSelfShare: self.shares[1] },
      ...{ selfDelta: self.delta, selfInterval: self.interval },
      ...{ baseTotalShare: total.shares[0], candidateTotalShare: total.shares[1] },
      ...{ totalDelta: total.delta, totalInterval: total.interval },
    };
    return { row, delta, counted, isCompared };
  });
  const errors = leastErrors(compared);
  for (const { row, counted, isCompared } of found) {
    row.isSignificant = isCompared && test(counted[0], counted[1], errors);
  }
  // As points of the base's whole.
  const one = isTime ? wholes[0].weight / 100 : 0.01;
  const rows = found
    .filter(({ delta }) => !(Math.abs(delta) < percentLimit * one))
    .sort(
      (a, b) =>
        Number(b.row.isSignificant) - Number(a.row.isSignificant) ||
        Math.abs(b.delta) - Math.abs(a.delta) ||
        (a.row.key < b.row.key ? -1 : 1),
    )
    .slice(0, limit)
    .map(({ row }) => row);
  return {
    base: sides(base),
    candidate: sides(candidate),
    ...{ by: keys.join(','), sort, normalize },
    ...{ leastErrors: errors, compared },
    significant: found.filter(({ row }) => row.isSignificant).length,
    withinNoise: found.filter(({ row, delta }) => !row.isSignificant && delta !== 0).length,
    warnings: comparisonWarnings(base, candidate),
    rows,
  };
}

/**
 * What the page of a difference tells noise by, for all functions by total.
 * @param {Profile} base
 * @param {Profile} candidate
 */
function noiseOf(base, candidate) {
  const effective = [base, candidate].map((profile) => wholeOf(profile, {}).samples);
  const isEmpty = effective.some((samples) => samples === 0);
  const errors = isEmpty
    ? noise.LEAST_ERRORS
    : diff(base, candidate, { sort: 'total', limit: 0 }).leastErrors;
  return { effective, leastErrors: errors };
}

module.exports = { diff, noiseOf };
