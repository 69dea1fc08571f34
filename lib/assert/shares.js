'use strict';
// The checks that look at one profile: how much is spent somewhere, whether something is a hotspot,
// whether JavaScript calls something native.

const { plural } = require('../grouped.js');
const { KINDS, FUNC_KEYS, objectOf } = require('../profile/keys.js');
const asked = require('./asked.js');
const { NOTHING, count, matchesOf, runsOf, unnamedOf } = require('./counts.js');
const { shareInterval } = require('./intervals.js');
const { needForShare } = require('./need.js');
const { confidenceText, inPercent, nameText, shareText, tableOf } = require('./verdict.js');

/** @typedef {import('./verdict').Verdict} Verdict */
/** @typedef {import('../index').SampleFilter} SampleFilter */
/** @typedef {import('../profile/profile').Profile} Profile */

/** Rows that a pattern matches and that are looked at one by one, largest first. */
const MOST_ROWS = 100;
const DEFAULT_HOTSPOT = 0.01;
const DEFAULT_CALLED = 0.001;

/** @param {string} key */
const keyText = (key) => (key === 'symbol' ? '' : `${key} `);

/**
 * @param {unknown} received
 * @param {unknown} share
 * @param {unknown} pattern
 * @param {unknown} [options]
 * @returns {Verdict}
 */
function spendAtMost(received, share, pattern, options) {
  const profile = asked.profileOf(received);
  const limit = asked.shareOption('the share', share);
  const regex = asked.patternOf(pattern);
  const how = asked.readSampleOptions(options, ['by', 'self'], 'toSpendAtMost()');
  const { given, confidence, filter } = how;
  const key = asked.oneKey(given.by);
  const isTotal = asked.isTotalOf(given.self, true);
  const what = { key, regex, isTotal };
  const matching = new Map(runsOf(profile).map((run) => [run, matchesOf(run, what)]));
  const isIt = (/** @type {Profile} */ run) => matching.get(run) ?? NOTHING;
  const counted = count(profile, filter, isIt);
  const interval = shareInterval(counted, 1 - confidence);
  const hidden = hiddenShare(profile, what, filter, isIt);
  const where = `${isTotal ? 'in or below' : 'in'} ${keyText(key)}${regex}${asked.whereText(filter)}`;
  const verdict = {
    expected: `at most ${inPercent(limit)} of the samples ${where}`,
    found: shareText(counted, interval, confidence),
    table: tableOf(profile, { by: key, filter: regex, isTotal, ...filter }),
  };
  if (interval.low > limit) return { ...verdict, decision: 'fails' };
  if (interval.high + hidden <= limit) return { ...verdict, decision: 'holds' };
  return undecided(verdict, { counted, interval, limit, hidden, confidence });
}

/**
 * @template {object} T
 * @param {T} verdict
 * @param {{counted: import('./intervals').Counted, interval: import('./intervals').Interval,
 *    limit: number, hidden: number, confidence: number}} found hidden: share of the unnamed
 * @returns {T & Pick<Verdict, 'decision' | 'reason' | 'need'>}
 */
function undecided(verdict, { counted, interval, limit, hidden, confidence }) {
  if (!(counted.all > 0)) {
    return { ...verdict, decision: 'undecided', reason: 'there are no samples to look at' };
  }
  const { value } = interval;
  if (hidden > 0 && value <= limit && value + hidden >= limit) {
    const advice = 'build with a binding that has symbols (README: "use the debug binding")';
    return {
      ...verdict,
      decision: 'undecided',
      reason: `another ${inPercent(hidden)} have functions without a name, which may be it: ${advice}`,
    };
  }
  // To be below the limit, what has no name must find room there too.
  const need = needForShare(counted, value > limit ? limit : limit - hidden, 1 - confidence);
  return { ...verdict, decision: 'undecided', need };
}

/**
 * @param {unknown} received
 * @param {unknown} pattern
 * @param {unknown} [options]
 * @returns {Verdict}
 */
function hotspot(received, pattern, options) {
  const profile = asked.profileOf(received);
  const regex = asked.patternOf(pattern);
  const how = asked.readSampleOptions(options, ['atLeast', 'by', 'self'], 'toHaveHotspot()');
  const { given, confidence, filter } = how;
  const limit = asked.shareOption("'atLeast'", given.atLeast ?? DEFAULT_HOTSPOT);
  const key = asked.oneKey(given.by);
  const isTotal = asked.isTotalOf(given.self, false);
  const column = isTotal ? 'totalShare' : 'selfShare';
  const rows = profile
    .hotspots({
      by: key,
      filter: regex,
      sort: isTotal ? 'total' : 'self',
      limit: MOST_ROWS,
      ...filter,
    })
    .filter((row) => row[column] > 0);
  // That one of many reaches the limit by chance is likelier than that a certain one does.
  const doubt = (1 - confidence) / Math.max(1, rows.length);
  const tried = rows.map((row) => {
    const only = { test: (/** @type {string} */ name) => name === row.key };
    const counted = count(profile, filter, (run) => matchesOf(run, { key, regex: only, isTotal }));
    return { row, counted, interval: shareInterval(counted, doubt) };
  });
  const counted = count(profile, filter, () => NOTHING);
  const none = { row: null, counted, interval: shareInterval(counted, doubt) };
  const best = tried[0] ?? none;
  const unnamed = rows.length > 0 ? 0 : hiddenShare(profile, { key, regex, isTotal }, filter);
  const name = best.row ? `${nameText(best.row.key)}: ` : 'no such name: ';
  const verdict = {
    expected: `a hotspot ${keyText(key)}${regex} with at least ${inPercent(limit)} ${isTotal ? 'total' : 'self'}${asked.whereText(filter)}`,
    found: name + shareText(best.counted, best.interval, confidence),
    table: tableOf(profile, { by: key, filter: regex, isTotal, ...filter }),
  };
  if (tried.some(({ interval }) => interval.low >= limit)) return { ...verdict, decision: 'holds' };
  const all = rows.length > 0 ? tried : [none];
  if (all.every(({ interval }) => interval.high + unnamed < limit)) {
    return { ...verdict, decision: 'fails' };
  }
  const found = { counted: best.counted, interval: best.interval, limit, confidence: 1 - doubt };
  return undecided(verdict, { ...found, hidden: unnamed });
}

/**
 * Share of the samples that may be it although no name says so.
 * @param {Profile} profile
 * @param {import('./counts').Pattern} what
 * @param {SampleFilter} filter
 * @param {(run: Profile) => (sample: number) => boolean} [isIt] those that are it for sure
 */
function hiddenShare(profile, what, filter, isIt = () => NOTHING) {
  const { matching, all } = count(profile, filter, (run) => {
    const [mayBe, is] = [unnamedOf(run, what), isIt(run)];
    return (sample) => mayBe(sample) && !is(sample);
  });
  return all > 0 ? matching / all : 0;
}

/**
 * Which nodes are native code called, directly or not, by JavaScript.
 * @param {Profile} profile
 * @param {RegExp} regex of the name, or of the object
 */
function calledNodes(profile, regex) {
  const { nodes, funcs } = profile.raw;
  const isJs = Uint8Array.from(funcs.kind, (kind) => Number(KINDS[kind] === 'js'));
  const isIt = Uint8Array.from(funcs.kind, (kind, func) =>
    Number(
      (KINDS[kind] === 'rust' || KINDS[kind] === 'native') &&
        (regex.test(FUNC_KEYS.symbol(profile, func)) || regex.test(objectOf(profile, func))),
    ),
  );
  const below = new Uint8Array(nodes.parent.length);
  const called = new Uint8Array(nodes.parent.length);
  for (let node = 1; node < below.length; node++) {
    const up = nodes.parent[node];
    const own = nodes.func[node];
    below[node] = below[up] | isJs[own];
    called[node] = called[up] | (below[up] & isIt[own]);
  }
  return called;
}

/**
 * One sample proves a call; that there is none, samples can only make unlikely.
 * @param {unknown} received
 * @param {unknown} pattern
 * @param {unknown} [options]
 * @returns {Verdict}
 */
function callNative(received, pattern, options) {
  const profile = asked.profileOf(received);
  const regex = asked.patternOf(pattern);
  const how = asked.readSampleOptions(options, ['atLeast'], 'toCallNative()');
  const { given, confidence, filter } = how;
  const limit = asked.shareOption("'atLeast'", given.atLeast ?? DEFAULT_CALLED);
  const counted = count(profile, filter, (run) => {
    const called = calledNodes(run, regex);
    return (sample) => called[run.raw.samples.node[sample]] === 1;
  });
  const interval = shareInterval(counted, 1 - confidence);
  const verdict = {
    expected: `JavaScript that calls native ${regex}${asked.whereText(filter)}`,
    found:
      counted.samples > 0
        ? shareText(counted, interval, confidence)
        : `none of ${plural(sampleCount(profile), 'sample')}: below ${inPercent(interval.high)} with ` +
          `${confidenceText(confidence)} confidence (what counts: ${inPercent(limit)})`,
    table: tableOf(profile, { by: 'symbol', filter: regex, isTotal: true, ...filter }),
  };
  if (counted.samples > 0) return { ...verdict, decision: 'holds' };
  // Rust's frames without a name are below JavaScript too.
  const hidden = hiddenShare(profile, { key: 'symbol', regex, isTotal: true }, filter);
  if (interval.high + hidden < limit) return { ...verdict, decision: 'fails' };
  return undecided(verdict, { counted, interval, limit, hidden, confidence });
}

/** @param {Profile} profile */
const sampleCount = (profile) =>
  runsOf(profile).reduce((sum, run) => sum + run.raw.samples.node.length, 0);

module.exports = { callNative, hotspot, spendAtMost };
