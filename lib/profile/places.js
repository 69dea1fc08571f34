'use strict';
// Where the nodes of the tree stand in a table: which function a sample's self time belongs to, and which group
// of functions, or of nodes, a node is in.

const { fresh } = require('./scratch.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {ReturnType<typeof import('./keys').groupBy>} Grouped */
/** @typedef {import('./scratch').Take} Take */

/**
 * The function whose code each node's samples ran in: self belongs to it, as in perf's flat table.
 * Functions inlined into it have their totals, and are nodes of the tree.
 * @param {Profile} profile
 * @param {Take} [take]
 * @returns {Int32Array}
 */
function physicalFuncs({ raw }, take = fresh) {
  const { parent, func, inline } = raw.nodes;
  const physical = take(Int32Array, func.length);
  physical.set(func);
  for (let node = 1; node < func.length; node++) {
    if (inline[node]) physical[node] = physical[parent[node]];
  }
  return physical;
}

/** What nodes fall into, by what their function and they themselves are grouped by: a number for each pair. */
class Places {
  /** By place. @type {number[]} */
  func = [];
  /** @type {number[]} */
  node = [];
  #byFunc;
  #byNode;
  #width;
  /** By both groups: the place and 1, 0 where it has no node yet. */
  #known;

  /** @param {Grouped} byFunc @param {Grouped} byNode */
  constructor(byFunc, byNode) {
    this.#byFunc = byFunc.groupOf;
    this.#byNode = byNode.groupOf;
    this.#width = byNode.labels.length;
    this.#known = new Int32Array(byFunc.labels.length * this.#width);
  }

  /**
   * @param {Int32Array} funcs by node
   * @param {Int32Array} ofNode written
   */
  fill(funcs, ofNode) {
    const [known, byFunc, byNode] = [this.#known, this.#byFunc, this.#byNode];
    for (let i = 1; i < funcs.length; i++) {
      const func = byFunc === null ? 0 : byFunc[funcs[i]];
      const node = byNode === null ? 0 : byNode[i];
      const at = func * this.#width + node;
      if (known[at] === 0) {
        this.func.push(func);
        known[at] = this.node.push(node);
      }
      ofNode[i] = known[at] - 1;
    }
  }
}

/**
 * @param {Int32Array} groupOf group of each function
 * @param {number} groups
 * @returns {{list: Int32Array, first: Int32Array}} the functions of a group stand in list from first[group] on
 */
function membersOf(groupOf, groups) {
  const first = new Int32Array(groups + 1);
  for (let func = 0; func < groupOf.length; func++) first[groupOf[func] + 1]++;
  for (let group = 0; group < groups; group++) first[group + 1] += first[group];
  const next = first.slice();
  const list = new Int32Array(groupOf.length);
  for (let func = 0; func < groupOf.length; func++) list[next[groupOf[func]]++] = func;
  return { list, first };
}

module.exports = { Places, membersOf, physicalFuncs };
