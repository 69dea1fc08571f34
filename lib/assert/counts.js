'use strict';
// How much of a profile something is: which samples match, and what they weigh, in each run and in all.
// Samples of different weight tell less than as many of equal weight: (sum w)^2 / sum w^2 of them count
// (Kish, Survey Sampling, 1965).

const { physicalFuncs } = require('../profile/places.js');
const { FUNC_KEYS, KINDS, NODE_KEYS, SAMPLE_KEYS } = require('../profile/keys.js');
const { nodesThrough, selectSamples } = require('../profile/select.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').SampleFilter} SampleFilter */
/** @typedef {import('./intervals').Counted} Counted */
/** @typedef {{key: string, regex: {test: (name: string) => boolean}, isTotal: boolean}} Pattern isTotal: any
 *    frame of a stack, else its leaf */

const NOTHING = () => false;

/**
 * @param {Profile} profile
 * @returns {Profile[]} one for each run
 */
function runsOf(profile) {
  const { runs } = /** @type {{runs?: Profile[]}} */ (/** @type {unknown} */ (profile));
  return Array.isArray(runs) && runs.length > 0 ? runs : [profile];
}

/**
 * Per sample whether it matches.
 * @param {Profile} profile
 * @param {Pattern} what
 * @returns {(sample: number) => boolean}
 */
function matchesOf(profile, { key, regex, isTotal }) {
  const { raw } = profile;
  const { node } = raw.samples;
  if (key in SAMPLE_KEYS) return (sample) => regex.test(SAMPLE_KEYS[key](profile, sample));
  if (key in FUNC_KEYS) {
    const funcs = Uint8Array.from(raw.funcs.name, (_, func) =>
      Number(regex.test(FUNC_KEYS[key](profile, func))),
    );
    return byFunc(profile, funcs, isTotal);
  }
  const label = NODE_KEYS[key](profile);
  const own = Uint8Array.from(raw.nodes.func, (_, at) => (at > 0 && regex.test(label(at)) ? 1 : 0));
  if (!isTotal) return (sample) => own[node[sample]] === 1;
  for (let at = 1; at < own.length; at++) own[at] |= own[raw.nodes.parent[at]];
  return (sample) => own[node[sample]] === 1;
}

/**
 * @param {Profile} profile
 * @param {Uint8Array} funcs 1: it matches
 * @param {boolean} isTotal
 * @returns {(sample: number) => boolean}
 */
function byFunc(profile, funcs, isTotal) {
  const { samples } = profile.raw;
  if (isTotal) {
    const through = nodesThrough(profile, funcs);
    return (sample) => through[samples.node[sample]] === 1;
  }
  const physical = physicalFuncs(profile);
  return (sample) => samples.node[sample] > 0 && funcs[physical[samples.node[sample]]] === 1;
}

/**
 * Samples that may be what was asked for although no name says so: a function without a symbol has
 * neither name nor crate. They count where the pattern is at home in such a binary, or nowhere at all.
 * @param {Profile} profile
 * @param {Pattern} what
 * @returns {(sample: number) => boolean}
 */
function unnamedOf(profile, { key, regex, isTotal }) {
  const { funcs } = profile.raw;
  if (key !== 'symbol' && key !== 'crate') return NOTHING;
  const isUnnamed = (/** @type {number} */ func) =>
    funcs.named[func] === 0 && funcs.module[func] >= 0 && KINDS[funcs.kind[func]] !== 'js';
  const matching = new Set();
  let isFound = false;
  for (let func = 0; func < funcs.name.length; func++) {
    if (!regex.test(FUNC_KEYS[key](profile, func))) continue;
    isFound = true;
    if (funcs.named[func] === 0) return NOTHING; // places by address were asked for
    if (KINDS[funcs.kind[func]] !== 'js') matching.add(funcs.module[func]);
  }
  const mayBe = Uint8Array.from(funcs.name, (_, func) =>
    Number(isUnnamed(func) && (!isFound || matching.has(funcs.module[func]))),
  );
  return mayBe.includes(1) ? byFunc(profile, mayBe, isTotal) : NOTHING;
}

/**
 * @param {Profile} profile
 * @param {SampleFilter} filter
 * @param {(sample: number) => boolean} matches
 * @returns {{weight: number, all: number, squares: number, samples: number}} samples: those that match
 */
function sumMatching(profile, filter, matches) {
  const selected = selectSamples(profile, filter);
  const sums = { weight: 0, all: 0, squares: 0, samples: 0 };
  profile.raw.samples.weight.forEach((weight, sample) => {
    if (selected && selected[sample] === 0) return;
    sums.all += weight;
    sums.squares += weight * weight;
    if (!matches(sample)) return;
    sums.weight += weight;
    sums.samples++;
  });
  return sums;
}

/**
 * How many samples of equal weight a profile's are worth, and what all weigh.
 * @param {Profile} profile
 * @param {SampleFilter} filter
 */
function effectiveSamples(profile, filter) {
  const { all, squares } = sumMatching(profile, filter, NOTHING);
  return { samples: squares > 0 ? all ** 2 / squares : 0, weight: all };
}

/**
 * @param {Profile} profile
 * @param {SampleFilter} filter
 * @param {(profile: Profile) => (sample: number) => boolean} matcherOf
 * @returns {Counted & {samples: number}} samples: as they were taken
 */
function count(profile, filter, matcherOf) {
  const runs = runsOf(profile).map((run) => sumMatching(run, filter, matcherOf(run)));
  const sum = (/** @type {'weight' | 'all' | 'squares' | 'samples'} */ name) =>
    runs.reduce((total, run) => total + run[name], 0);
  const effective = sum('squares') > 0 ? sum('all') ** 2 / sum('squares') : 0;
  const share = sum('all') > 0 ? sum('weight') / sum('all') : 0;
  return {
    matching: share * effective,
    all: effective,
    shares: runs.map(({ weight, all }) => (all > 0 ? weight / all : 0)),
    samples: sum('samples'),
  };
}

module.exports = { NOTHING, count, effectiveSamples, matchesOf, runsOf, unnamedOf };
