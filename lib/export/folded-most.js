'use strict';
// Folded stacks that fit a number of bytes: the whole text of a build is 700 MB (a line is some 80
// frames of 100 characters) where its profile is 1.5 MB. Paths that few samples took are summed up
// under their caller as `[other]`, and names over 120 characters are shortened, each to another name
// than all others. So every sample is still counted, and no function has more samples than its own.
// The threshold is the lowest at which the text fits if a long name takes 120 bytes; only names that
// are shown are shortened, since that costs more than all the rest. What fits as it is stays whole.

const { sumMerged } = require('../profile/call-tree.js');
const { sumSelected } = require('../profile/select.js');
const { KINDS } = require('../profile/keys.js');
const { subtreeSums } = require('../profile/tree.js');
const { shorten } = require('../shorten.js');
const { NO_STACK, foldedTree, pathOf } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */

const OTHER = '[other]';
const LONG_NAME = 120;

/**
 * @param {string[]} names by node
 * @param {(node: number) => boolean} isShown
 * @param {(node: number) => string} kindOf
 * @returns {string[]} the shown ones' long names shortened; two that would be the same get numbers
 */
function shortNames(names, isShown, kindOf) {
  const taken = new Set(names.filter((_, node) => isShown(node)));
  /** @type {Map<string, string>} */
  const known = new Map();
  return names.map((name, node) => {
    if (name.length <= LONG_NAME || !isShown(node)) return name;
    let short = known.get(name);
    if (short === undefined) {
      const base = shorten(name, LONG_NAME, kindOf(node));
      short = base;
      for (let copy = 2; taken.has(short); copy++) short = `${base} #${copy}`;
      taken.add(short);
      known.set(name, short);
    }
    return short;
  });
}

/**
 * @param {Int32Array} parent
 * @param {string[]} names
 * @param {number} mostBytes of one name: longer ones will be shortened
 * @returns {Float64Array} by node: of its line without the count
 */
function lineBytes(parent, names, mostBytes) {
  const bytes = new Float64Array(parent.length);
  bytes[0] = NO_STACK.length;
  /** @type {Map<string, number>} */
  const lengths = new Map();
  for (let node = 1; node < parent.length; node++) {
    const name = names[node];
    let length = lengths.get(name);
    if (length === undefined) {
      length = Math.min(Buffer.byteLength(name), mostBytes);
      lengths.set(name, length);
    }
    const up = parent[node];
    bytes[node] = length + (up > 0 ? bytes[up] + 1 : 0);
  }
  return bytes;
}

/**
 * The lowest threshold, in samples of a subtree, at which the text fits.
 * A node is shown from its first sample up to `total`; its own line stands there with it, its line
 * `[other]` once the smallest of its children is below the threshold: two ranges of thresholds for
 * each node, whose bytes are added up in one pass.
 * @param {{parent: Int32Array, bytes: Float64Array, self: Float64Array, total: Float64Array,
 *   smallest: Float64Array}} tree bytes: of a node's line without the count
 * @param {number} mostBytes
 * @returns {number} a node is shown if it has at least so many samples
 */
function leastSamples({ parent, bytes, self, total, smallest }, mostBytes) {
  const change = new Float64Array(total[0] + 2);
  const countBytes = String(total[0]).length + 2; // the blank and the line's end
  for (let node = 0; node < parent.length; node++) {
    if (self[node] > 0) {
      change[1] += bytes[node] + countBytes;
      change[total[node] + 1] -= bytes[node] + countBytes;
    }
    if (smallest[node] < total[node]) {
      const other = (node > 0 ? bytes[node] + 1 : 0) + OTHER.length + countBytes;
      change[smallest[node] + 1] += other;
      change[total[node] + 1] -= other;
    }
  }
  let size = 0;
  for (let least = 1; least <= total[0]; least++) {
    size += change[least];
    if (size <= mostBytes) return least;
  }
  return total[0] + 1;
}

/**
 * @param {Profile} profile
 * @param {number} mostBytes
 * @returns {{lines: Generator<string>, whole: boolean, share: number, hidden: number}} share: of all
 *   samples, paths below it are summed up; hidden: the samples that are counted as [other]
 */
function foldedMost(profile, mostBytes) {
  const tree = foldedTree(profile, { unnamed: 'together' });
  const { parent, merged } = tree;
  const size = parent.length;
  const self = sumMerged(sumSelected(profile, {}).count, merged, size);
  const total = subtreeSums(parent, self);
  const smallest = new Float64Array(size).fill(Infinity);
  for (let node = 1; node < size; node++) {
    const up = parent[node];
    if (total[node] > 0 && total[node] < smallest[up]) smallest[up] = total[node];
  }
  let { names } = tree;
  let bytes = lineBytes(parent, names, Infinity);
  let least = leastSamples({ parent, bytes, self, total, smallest }, mostBytes);
  const whole = least === 1;
  if (!whole) {
    const { funcs, nodes } = profile.raw;
    bytes = lineBytes(parent, names, LONG_NAME);
    least = leastSamples({ parent, bytes, self, total, smallest }, mostBytes);
    names = shortNames(
      names,
      (node) => total[node] >= least,
      (node) => KINDS[funcs.kind[nodes.func[tree.node[node]]]],
    );
  }
  const other = new Float64Array(size);
  let hidden = 0;
  for (let node = 1; node < size; node++) {
    const up = parent[node];
    if (total[node] >= least || !(up === 0 || total[up] >= least)) continue;
    other[up] += total[node];
    hidden += total[node];
  }

  /** @returns {Generator<string>} */
  function* lines() {
    for (let node = 0; node < size; node++) {
      if (node > 0 && total[node] < least) continue;
      const path = pathOf(parent, names, node);
      if (self[node] > 0) yield `${node === 0 ? NO_STACK : path.join(';')} ${self[node]}\n`;
      if (other[node] > 0) yield `${[...path, OTHER].join(';')} ${other[node]}\n`;
    }
  }
  return { lines: lines(), whole, share: total[0] > 0 ? least / total[0] : 0, hidden };
}

module.exports = { OTHER, foldedMost };
