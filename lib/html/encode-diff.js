'use strict';
// Two profiles as one tree for the page of their difference: each node with what either has of its own.
// A function is the same in both where its name is, but for what another build or another line changes.

const { noiseOf } = require('../profile/diff.js');
const { matcher } = require('../profile/matching.js');
const { fresh } = require('../profile/scratch.js');
const { depthFirst } = require('../profile/tree.js');
const { encodeFuncs, placesOf } = require('./encode.js');
const { narrow, pack } = require('./pack.js');
const { pageOf } = require('./page.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {{parent: number[], func: number[], weight: number[][], count: number[][]}} Union */

/**
 * @param {Profile} profile
 * @param {number} side
 * @param {Int32Array} funcOf the union's function of each merged node
 * @param {Union} union added to
 * @param {Map<number, number>} known nodes by parent and function
 */
function addTree(profile, side, funcOf, union, known) {
  const { parent, merged } = profile.mergedBy(profile.namesByObject);
  const place = new Int32Array(parent.length);
  for (let i = 1; i < parent.length; i++) {
    const up = place[parent[i]];
    const key = up * 2 ** 24 + funcOf[i];
    let node = known.get(key);
    if (node === undefined) {
      node = union.parent.push(up) - 1;
      union.func.push(funcOf[i]);
      known.set(key, node);
    }
    place[i] = node;
  }
  const { node, weight } = profile.raw.samples;
  const [weights, counts] = [union.weight[side], union.count[side]];
  for (let i = 0; i < node.length; i++) {
    const at = place[merged[node[i]]];
    weights[at] = (weights[at] ?? 0) + weight[i];
    counts[at] = (counts[at] ?? 0) + 1;
  }
}

/**
 * @param {Profile[]} profiles
 * @returns {{funcs: object, funcOf: Int32Array[]}} the union's functions, and which each merged node has
 */
function unionFuncs(profiles) {
  const keyOf = matcher(profiles[1], profiles[0]);
  /** @type {Map<string, number>} */
  const ids = new Map();
  /** @type {Record<string, any[]>} */
  const union = { name: [], crate: [], object: [], color: [], file: [], line: [] };
  const lists = { crate: 'crates', object: 'objects', file: 'files' };
  /** @type {Record<string, string[]>} */
  const strings = { crates: [], objects: [], files: [] };
  const funcOf = profiles.map((profile) => {
    const { node } = profile.mergedBy(profile.namesByObject);
    const own = new Int32Array(node.length);
    for (let i = 1; i < own.length; i++) own[i] = profile.raw.nodes.func[node[i]];
    const { funcs, ofNode } = encodeFuncs(profile, own);
    const toUnion = funcs.name.map((name, i) => {
      const key = keyOf(name);
      const found = ids.get(key);
      if (found !== undefined) return found;
      for (const column of ['name', 'color', 'line']) {
        union[column].push(funcs[/** @type {'name'} */ (column)][i]);
      }
      for (const [column, list] of Object.entries(lists)) {
        const text =
          funcs[/** @type {'crates'} */ (list)][funcs[/** @type {'crate'} */ (column)][i]];
        let at = text === undefined ? -1 : strings[list].indexOf(text);
        if (at < 0 && text !== undefined) at = strings[list].push(text) - 1;
        union[column].push(at);
      }
      ids.set(key, ids.size);
      return ids.size - 1;
    });
    return Int32Array.from(ofNode, (func) => toUnion[func] ?? 0);
  });
  return { funcs: { ...union, ...strings }, funcOf };
}

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @param {{level?: number}} [options]
 * @returns {string} what view/unpack.js reads
 */
function encodeDiff(base, candidate, { level = 6 } = {}) {
  const profiles = [base, candidate];
  const { funcs, funcOf } = unionFuncs([candidate, base]);
  /** @type {Union} */
  const union = { parent: [-1], func: [0], weight: [[], []], count: [[], []] };
  const known = new Map();
  // The candidate first: where both have a name of their own for a function, it is the newer that shows.
  addTree(candidate, 1, funcOf[0], union, known);
  addTree(base, 0, funcOf[1], union, known);
  const parent = Int32Array.from(union.parent);
  const { order } = depthFirst(parent);
  const { depth } = placesOf(parent, order, fresh);
  const inOrder = (/** @type {number[]} */ values) =>
    Array.from(order, (node) => values[node] ?? 0);
  const columns = {
    depth,
    func: narrow(inOrder(union.func), /** @type {any} */ (funcs).name.length),
    'base.weight': Float32Array.from(inOrder(union.weight[0])),
    'base.count': Uint32Array.from(inOrder(union.count[0])),
    'candidate.weight': Float32Array.from(inOrder(union.weight[1])),
    'candidate.count': Uint32Array.from(inOrder(union.count[1])),
  };
  const header = {
    kind: 'diff',
    metas: profiles.map(({ meta }) => meta),
    qualities: profiles.map(({ quality }) => quality),
    funcs,
    ...noiseOf(base, candidate),
  };
  return pack(header, columns, level);
}

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @returns {string[]} the file in pieces
 */
function htmlDiff(base, candidate) {
  const { command } = candidate.meta;
  return pageOf({
    title: `difference: ${command} - rspack-prof`,
    heading: `Difference: ${command}`,
    summary: 'reading the profiles ..',
    data: encodeDiff(base, candidate),
  });
}

module.exports = { encodeDiff, htmlDiff };
