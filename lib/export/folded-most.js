'use strict';
// Folded stacks that fit a number of bytes: the whole text of a build is 700 MB (a line is some 80
// frames of 100 characters) where its profile is 1.5 MB. The first of these forms that fits is taken:
//   1. the whole text;
//   2. each function that has samples of its own below those that called it by owner: a stretch of frames
//      of one crate, npm package or object is one frame, in brackets. Every sample stays with its function;
//   3. the same with names over 120 characters shortened, each to another name than all others;
//   4. the same, and paths that few samples took are summed up under their caller as `[other]`. The
//      threshold is the lowest at which it fits. No function has more samples than its own.

const { KINDS, crateOf, objectOf, packageOf } = require('../profile/keys.js');
const { sumMerged } = require('../profile/call-tree.js');
const { sumSelected } = require('../profile/select.js');
const { mergeByName, subtreeSums } = require('../profile/tree.js');
const { shorten } = require('../shorten.js');
const { NO_STACK, safeName } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {{parent: Int32Array, name: Int32Array, text: string[], self: Float64Array}} Tree name: of a node,
 *    index into text; self: samples that end in a node; parents stand before their children */

const OTHER = '[other]';
const LONG_NAME = 120;

/**
 * @param {Profile} profile
 * @returns {Tree & {func: Int32Array}} func: one of the functions that have a name
 */
function wholeTree(profile) {
  const { id, text } = profile.namesByObject;
  const { parent, node, merged } = profile.mergedBy(profile.namesByObject);
  const { func } = profile.raw.nodes;
  const name = new Int32Array(parent.length);
  const funcOfName = new Int32Array(text.length).fill(-1);
  for (let i = 1; i < parent.length; i++) {
    name[i] = id[func[node[i]]];
    funcOfName[name[i]] = func[node[i]];
  }
  const safe = text.map((own, i) => (funcOfName[i] < 0 ? '' : safeName(own)));
  const self = sumMerged(sumSelected(profile, {}).count, merged, parent.length);
  return { parent, name, text: safe, self, func: funcOfName };
}

/**
 * Whose code a function is.
 * @param {Profile} profile
 * @param {number} func
 */
function ownerOf(profile, func) {
  const { kind, crate } = profile.raw.funcs;
  if (KINDS[kind[func]] === 'js') return packageOf(profile, func);
  return crate[func] >= 0 ? crateOf(profile, func) : objectOf(profile, func);
}

/**
 * @param {Profile} profile
 * @param {ReturnType<typeof wholeTree>} whole
 * @returns {Tree}
 */
function ownersTree(profile, whole) {
  const text = [...whole.text];
  /** @type {Map<string, number>} */
  const known = new Map();
  const owner = whole.func.map((func) => {
    if (func < 0) return -1;
    const own = safeName(ownerOf(profile, func));
    const shown = own.startsWith('[') ? own : `[${own}]`;
    const id = known.get(shown) ?? text.push(shown) - 1;
    known.set(shown, id);
    return id;
  });
  // A node for each change of owner, and one more for samples of its own; then those of one name are made one.
  const size = whole.parent.length;
  const parent = new Int32Array(2 * size);
  const name = new Int32Array(2 * size);
  const self = new Float64Array(2 * size);
  const place = new Int32Array(size);
  let count = 1;
  parent[0] = -1;
  self[0] = whole.self[0];
  for (let node = 1; node < size; node++) {
    const up = place[whole.parent[node]];
    const own = owner[whole.name[node]];
    place[node] = up;
    if (up === 0 || name[up] !== own) {
      place[node] = count;
      parent[count] = up;
      name[count++] = own;
    }
    if (whole.self[node] === 0) continue;
    parent[count] = place[node];
    name[count] = whole.name[node];
    self[count++] = whole.self[node];
  }
  const ids = Uint32Array.from(text, (_, id) => id);
  const tree = mergeByName(parent.subarray(0, count), name, ids);
  return {
    parent: tree.parent,
    name: tree.node.map((node) => name[node]),
    text,
    self: sumMerged(self.subarray(0, count), tree.merged, tree.parent.length),
  };
}

/**
 * @param {Tree} tree of functions with samples
 * @param {(name: number) => string} kindOf
 * @returns {string[]} long names shortened; two that would be the same get numbers
 */
function shortNames({ name, text }, kindOf) {
  const short = [...text];
  const shown = new Uint8Array(text.length);
  for (let node = 1; node < name.length; node++) shown[name[node]] = 1;
  const taken = new Set(text.filter((_, id) => shown[id] === 1));
  text.forEach((own, id) => {
    if (shown[id] === 0 || own.length <= LONG_NAME) return;
    const base = shorten(own, LONG_NAME, kindOf(id));
    short[id] = base;
    for (let copy = 2; taken.has(short[id]); copy++) short[id] = `${base} #${copy}`;
    taken.add(short[id]);
  });
  return short;
}

/**
 * @param {Tree} tree
 * @returns {Float64Array} by node: of its line without the count
 */
function lineBytes({ parent, name, text }) {
  const length = Float64Array.from(text, (own) => Buffer.byteLength(own));
  const bytes = new Float64Array(parent.length);
  bytes[0] = NO_STACK.length;
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node];
    bytes[node] = length[name[node]] + (up > 0 ? bytes[up] + 1 : 0);
  }
  return bytes;
}

/**
 * The lowest threshold, in samples of a subtree, at which the text fits.
 * A node is shown from its first sample up to `total`; its own line stands there with it, its line
 * `[other]` once the smallest of its children is below the threshold: two ranges of thresholds for
 * each node, whose bytes are added up in one pass.
 * @param {Tree} tree
 * @param {Float64Array} total samples of each subtree
 * @param {number} mostBytes
 * @returns {number} a node is shown if it has at least so many samples; 1: everything fits
 */
function leastSamples(tree, total, mostBytes) {
  const { parent, self } = tree;
  const bytes = lineBytes(tree);
  const smallest = new Float64Array(parent.length).fill(Infinity);
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node];
    if (total[node] > 0 && total[node] < smallest[up]) smallest[up] = total[node];
  }
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
 * The samples that the threshold hides, at the node that is shown above them.
 * @param {Tree} tree
 * @param {Float64Array} total
 * @param {number} least
 */
function hiddenSamples({ parent }, total, least) {
  const other = new Float64Array(parent.length);
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node];
    if (total[node] < least && (up === 0 || total[up] >= least)) other[up] += total[node];
  }
  return other;
}

/**
 * @param {Tree} tree
 * @param {Float64Array} total
 * @param {number} least
 * @param {Float64Array} other
 * @returns {Generator<string>}
 */
function* linesOf({ parent, name, text, self }, total, least, other) {
  /** @type {string[]} each node's line without the count, its callers' made first */
  const paths = new Array(parent.length);
  paths[0] = '';
  for (let node = 0; node < parent.length; node++) {
    if (node > 0) {
      if (total[node] < least) continue;
      const up = parent[node];
      paths[node] = up > 0 ? `${paths[up]};${text[name[node]]}` : text[name[node]];
    }
    if (self[node] > 0) yield `${node === 0 ? NO_STACK : paths[node]} ${self[node]}\n`;
    if (other[node] > 0) yield `${node === 0 ? '' : `${paths[node]};`}${OTHER} ${other[node]}\n`;
  }
}

/**
 * @param {Profile} profile
 * @param {number} mostBytes
 * @returns {{lines: Generator<string>, whole: boolean, share: number, hidden: number}} share: of all
 *   samples, paths below it are summed up; hidden: the samples that are counted as [other]
 */
function foldedMost(profile, mostBytes) {
  const whole = wholeTree(profile);
  /** @type {Tree} */
  let tree = whole;
  let total = subtreeSums(tree.parent, tree.self);
  let least = leastSamples(tree, total, mostBytes);
  const isWhole = least === 1;
  if (!isWhole) {
    tree = ownersTree(profile, whole);
    total = subtreeSums(tree.parent, tree.self);
    least = leastSamples(tree, total, mostBytes);
  }
  if (least > 1) {
    const { kind } = profile.raw.funcs;
    const { func } = whole;
    tree = { ...tree, text: shortNames(tree, (name) => KINDS[kind[func[name]]]) };
    least = leastSamples(tree, total, mostBytes);
  }
  const other = hiddenSamples(tree, total, least);
  return {
    lines: linesOf(tree, total, least, other),
    whole: isWhole,
    share: least > 1 ? least / total[0] : 0,
    hidden: other.reduce((sum, count) => sum + count, 0),
  };
}

module.exports = { foldedMost };
