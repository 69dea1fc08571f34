'use strict';
// Which samples a question is about, and their weight per node of the tree.

const { types } = require('node:util');
const { ProfError, reasonOf } = require('../errors.js');
const { fresh } = require('./scratch.js');
const { viewTests } = require('./view.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').SampleFilter} SampleFilter */
/** @typedef {{weight: Float64Array, count: Float64Array, totalWeight: number, totalCount: number}}
 *    NodeSums weight and samples per leaf node */

const SAMPLE_FILTERS = ['phase', 'thread', 'through', 'state', 'idle'];

/**
 * @param {unknown} pattern
 * @param {string} option for the message
 * @returns {RegExp} without the flags that make test() remember where it was
 */
function toRegExp(pattern, option) {
  try {
    // Not instanceof: a test runner's sandbox has a RegExp of its own.
    if (types.isRegExp(pattern)) {
      return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    }
    if (typeof pattern === 'string') return new RegExp(pattern);
  } catch (error) {
    const reason = reasonOf(error);
    throw new ProfError('ERR_PROF_BAD_OPTION', `'${option}' is no regular expression: ${reason}`);
  }
  throw new ProfError('ERR_PROF_BAD_OPTION', `'${option}' must be a regular expression`);
}

/**
 * Which functions' names match, each name tested once.
 * @param {Profile} profile
 * @param {RegExp} pattern
 * @returns {Uint8Array}
 */
function matchingFuncs({ raw }, pattern) {
  /** @type {Map<number, boolean>} */
  const known = new Map();
  return Uint8Array.from(raw.funcs.name, (name) => {
    let matches = known.get(name);
    if (matches === undefined) {
      matches = pattern.test(raw.strings[name]);
      known.set(name, matches);
    }
    return matches ? 1 : 0;
  });
}

/**
 * Which nodes have a matching function at or above them.
 * @param {Profile} profile
 * @param {Uint8Array} funcs of matchingFuncs()
 */
function nodesThrough({ raw }, funcs) {
  const { parent, func } = raw.nodes;
  const through = new Uint8Array(parent.length);
  for (let i = 1; i < parent.length; i++) through[i] = through[parent[i]] | funcs[func[i]];
  return through;
}

/**
 * @param {Profile} profile
 * @param {SampleFilter} filter
 * @returns {Uint8Array | null} 1 per sample to count, null for all of them
 */
function selectSamples(profile, filter) {
  const { samples, threads } = profile.raw;
  /** @type {((sample: number) => boolean)[]} */
  const tests = viewTests(profile, filter);
  if (filter.phase !== undefined) {
    const { names, phaseOfSample } = profile.phaseColumn;
    // One name is the same phase of each build and compiler.
    const chosen = names.map((name) => name === filter.phase);
    if (!chosen.includes(true)) {
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        `there is no phase '${filter.phase}' in this profile: it has ${[...new Set(names)].join(', ')}`,
      );
    }
    tests.push((sample) => chosen[phaseOfSample[sample]]);
  }
  if (filter.thread !== undefined) {
    const wanted = String(filter.thread);
    const chosen = Array.from(threads.tid, (tid, index) => {
      const names = [String(tid), profile.threadNames[index], profile.threadKeys[index]];
      return names.includes(wanted);
    });
    if (!chosen.includes(true)) {
      const names = [...new Set(profile.threadNames)].join(', ');
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        `there is no thread '${wanted}' in this profile: it has ${names}`,
      );
    }
    tests.push((sample) => chosen[samples.thread[sample]]);
  }
  if (filter.through !== undefined) {
    const funcs = matchingFuncs(profile, toRegExp(filter.through, 'through'));
    const through = nodesThrough(profile, funcs);
    tests.push((sample) => through[samples.node[sample]] === 1);
  }
  if (tests.length === 0) return null;
  return Uint8Array.from(samples.node, (_, sample) => (tests.every((t) => t(sample)) ? 1 : 0));
}

/**
 * @param {Profile} profile
 * @param {object} where
 * @param {Float64Array} where.weight by node, of zeros: added to
 * @param {Float64Array | Uint32Array} where.count the same
 * @param {Uint8Array | null} where.selected 1 per sample to count, null for all of them
 * @param {Int32Array | null} [where.groupOf] group of each sample: only `group`'s count
 * @param {number} [where.group]
 * @returns {{totalWeight: number, totalCount: number}}
 */
function addSamples({ raw }, { weight, count, selected, groupOf = null, group = 0 }) {
  const { node, weight: weights } = raw.samples;
  let totalWeight = 0;
  let totalCount = 0;
  for (let i = 0; i < node.length; i++) {
    if (selected !== null && selected[i] === 0) continue;
    if (groupOf !== null && groupOf[i] !== group) continue;
    weight[node[i]] += weights[i];
    count[node[i]]++;
    totalWeight += weights[i];
    totalCount++;
  }
  return { totalWeight, totalCount };
}

/**
 * @param {Profile} profile
 * @param {Uint8Array | null} selected 1 per sample to count, null for all of them
 * @param {import('./scratch').Take} [take]
 * @returns {NodeSums}
 */
function sumPerNode(profile, selected, take = fresh) {
  const size = profile.raw.nodes.parent.length;
  const weight = take(Float64Array, size);
  const count = take(Float64Array, size);
  return { weight, count, ...addSamples(profile, { weight, count, selected }) };
}

/**
 * @param {Profile} profile
 * @param {SampleFilter} filter
 * @returns {NodeSums}
 */
function sumSelected(profile, filter) {
  return sumPerNode(profile, selectSamples(profile, filter));
}

module.exports = {
  SAMPLE_FILTERS,
  addSamples,
  toRegExp,
  matchingFuncs,
  nodesThrough,
  selectSamples,
  sumPerNode,
  sumSelected,
};
