'use strict';
// How much the rows of a hotspot table grew, in two ways at once, for each has a blind spot. As a share of
// its own whole a function grows too when others shrink; as time, in parts of the baseline's whole,
// everything grows on a day when the machine is slow. What grew in both did so itself.

const { mean } = require('simple-statistics');
const { symbolKey } = require('../profile/matching.js');
const { effectiveSamples, runsOf } = require('./counts.js');
const { growthInterval, sideOf } = require('./intervals.js');
const { needForAll, needForDifference } = require('./need.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./intervals').Counted} Counted */
/** @typedef {import('./intervals').Interval} Interval */
/** @typedef {import('./intervals').Side} Side */
/** @typedef {import('./verdict').Verdict} Verdict */
/** @typedef {{samples: number[], weights: number[], shares: Record<string, number[]>}} Shares each by
 *    run; samples: of equal weight */
/** @typedef {{key: string, base: Counted, now: Counted, as: 'share' | 'time', growth: Interval,
 *    surely: (doubt: number) => number, sides: Side[]}} Row growth: of the way that grew less, with its
 *    sides; surely: by how much it grew at least, at a doubt of one's own */

/** Rows below this share in every run are not kept: no tolerance is as small. */
const LEAST_SHARE = 0.002;
const DIGITS = 6;

/**
 * Names as they stand in a file that is read on another day and in another folder: without what a new
 * build of the same source changes, and without the path of the checkout.
 * @param {string} key
 * @param {string} cwd
 */
function stableName(key, cwd) {
  const plain = key.split(`${cwd}/`).join('./');
  return symbolKey(plain);
}

/**
 * @param {Profile} profile
 * @param {{by: string, isTotal: boolean, filter: import('../index').SampleFilter, cwd: string}} what
 * @returns {Shares}
 */
function sharesOf(profile, { by, isTotal, filter, cwd }) {
  const runs = runsOf(profile);
  /** @type {Map<string, number[]>} */
  const rows = new Map();
  runs.forEach((run, at) => {
    const found = run.hotspots({ by, unnamed: 'together', ...filter });
    for (const { key, selfShare, totalShare } of found) {
      const name = by === 'symbol' || by === 'file' ? stableName(key, cwd) : key;
      let shares = rows.get(name);
      if (!shares) rows.set(name, (shares = runs.map(() => 0)));
      // Names that became one: of totals that overlap the larger one is sure.
      shares[at] = isTotal ? Math.max(shares[at], totalShare) : shares[at] + selfShare;
    }
  });
  const kept = [...rows]
    .filter(([, shares]) => shares.some((share) => share >= LEAST_SHARE))
    .map(([key, shares]) => /** @type {const} */ ([key, shares, Math.max(...shares)]))
    .sort((a, b) => b[2] - a[2] || (a[0] < b[0] ? -1 : 1))
    .map(([key, shares]) => [key, shares.map((share) => Number(share.toFixed(DIGITS)))]);
  const measured = runs.map((run) => effectiveSamples(run, filter));
  return {
    samples: measured.map(({ samples }) => Math.round(samples)),
    weights: measured.map(({ weight }) => weight),
    shares: Object.fromEntries(kept),
  };
}

/** @param {Shares} shares @param {string} key @returns {Counted} */
function countedOf({ samples, shares }, key) {
  const own = shares[key] ?? samples.map(() => 0);
  const all = samples.reduce((sum, one) => sum + one, 0);
  const matching = own.reduce((sum, share, run) => sum + share * samples[run], 0);
  return { matching, all, shares: own };
}

/**
 * @param {string} key
 * @param {Shares} base
 * @param {Shares} now
 * @param {number} doubt
 * @returns {Row}
 */
function rowOf(key, base, now, doubt) {
  const [a, b] = [countedOf(base, key), countedOf(now, key)];
  const whole = mean(base.weights);
  const sizes = [base, now].map(({ weights }) => weights.map((weight) => weight / whole));
  const ways = {
    share: [sideOf(a), sideOf(b)],
    time: [sideOf(a, mean(sizes[0]), sizes[0]), sideOf(b, mean(sizes[1]), sizes[1])],
  };
  const growths = Object.entries(ways).map(([as, [before, after]]) => ({
    as: /** @type {'share' | 'time'} */ (as),
    growth: growthInterval(before, after, doubt),
  }));
  const least = growths.reduce((x, y) => (y.growth.value < x.growth.value ? y : x));
  return {
    ...{ key, base: a, now: b, ...least },
    // Each way must be sure, and each way may clear it.
    growth: { ...least.growth, high: Math.min(...growths.map(({ growth }) => growth.high)) },
    sides: ways[least.as],
    surely: (own) =>
      Math.min(
        ...Object.values(ways).map(([before, after]) => growthInterval(before, after, own).low),
      ),
  };
}

/**
 * @param {Row[]} rows
 * @param {{tolerance: number, doubt: number, base: Shares}} how
 * @returns {Pick<Verdict, 'decision' | 'need' | 'reason'>}
 */
function decide(rows, { tolerance, doubt, base }) {
  const open = rows.filter(({ growth }) => growth.high > tolerance);
  // The more rows may have grown too far, the likelier it is that one seems to by chance.
  const each = doubt / Math.max(1, open.length);
  // What the baseline does not list may have had a little there.
  const unknown = (/** @type {Row} */ { key }) => (key in base.shares ? 0 : LEAST_SHARE);
  if (open.some((row) => row.surely(each) - unknown(row) > tolerance)) {
    return { decision: 'fails' };
  }
  if (open.length === 0) return { decision: 'holds' };
  const needs = open.map((row) => {
    const { growth, now, sides } = row;
    const isAbove = growth.value > tolerance;
    const distance = isAbove ? growth.value - unknown(row) - tolerance : tolerance - growth.value;
    const how = { doubt: isAbove ? each : doubt, all: now.all };
    return needForDifference(sides[0], sides[1], distance, how);
  });
  return { decision: 'undecided', need: needForAll(needs) };
}

module.exports = { decide, rowOf, sharesOf };
