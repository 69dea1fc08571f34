'use strict';
// The call tree as nested objects, for flame graphs and for whoever walks it. Siblings of one name
// are one node; what is pruned stays in its parent's total.

const { checkNames } = require('../check-options.js');
const { limitOf } = require('./hotspots.js');
const { KINDS, objectOf } = require('./keys.js');
const { isTogether } = require('./names.js');
const { SAMPLE_FILTERS, sumSelected } = require('./select.js');
const { subtreeSums } = require('./tree.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').CallTreeOptions} CallTreeOptions */
/** @typedef {import('../index').CallTreeNode} CallTreeNode */

/**
 * @param {Float64Array} values per node
 * @param {Int32Array} merged
 * @param {number} size
 */
function sumMerged(values, merged, size) {
  const sums = new Float64Array(size);
  for (let node = 0; node < values.length; node++) sums[merged[node]] += values[node];
  return sums;
}

/**
 * @param {Profile} profile
 * @param {CallTreeOptions} [options]
 * @returns {CallTreeNode}
 */
function callTree(profile, options = {}) {
  checkNames(options, [...SAMPLE_FILTERS, 'percentLimit', 'maxDepth', 'unnamed'], 'callTree()');
  const names = isTogether(options.unnamed) ? profile.namesByObject : profile.names;
  const percentLimit = limitOf(options.percentLimit, 'percentLimit', 0);
  const maxDepth = limitOf(options.maxDepth, 'maxDepth', Infinity);
  const { raw } = profile;
  const { func } = raw.nodes;
  const { parent, node, merged } = profile.mergedBy(names);
  const sums = sumSelected(profile, options);
  const self = sumMerged(sums.weight, merged, parent.length);
  const samples = sumMerged(sums.count, merged, parent.length);
  const total = subtreeSums(parent, self);
  const met = subtreeSums(parent, samples);
  const least = (sums.totalWeight * percentLimit) / 100;

  /** @type {CallTreeNode} */
  const root = {
    name: 'all',
    kind: 'native',
    object: '',
    samples: samples[0],
    self: self[0],
    total: total[0],
    children: [],
  };
  /** @type {(CallTreeNode | undefined)[]} */
  const made = [root];
  const depth = new Uint32Array(parent.length);
  for (let i = 1; i < parent.length; i++) {
    depth[i] = depth[parent[i]] + 1;
    const up = made[parent[i]];
    if (!up || met[i] === 0 || total[i] < least || depth[i] > maxDepth) continue;
    const own = func[node[i]];
    const child = {
      name: names.text[names.id[own]],
      kind: KINDS[raw.funcs.kind[own]],
      object: objectOf(profile, own),
      samples: samples[i],
      self: self[i],
      total: total[i],
      children: [],
    };
    up.children.push(child);
    made[i] = child;
  }
  for (const one of made) one?.children.sort((a, b) => b.total - a.total);
  return root;
}

module.exports = { callTree };
