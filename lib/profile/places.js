'use strict';
// Where the nodes of the tree stand in a table: which function a sample's self time belongs to, and which group
// of functions, or of nodes, a node is in.

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {ReturnType<typeof import('./keys').groupBy>} Grouped */

/**
 * The function whose code each node's samples ran in: self belongs to it, as in perf's flat table.
 * Functions inlined into it have their totals, and are nodes of the tree.
 * @param {Profile} profile
 * @returns {Int32Array}
 */
function physicalFuncs({ raw }) {
  const { parent, func, inline } = raw.nodes;
  const physical = func.slice();
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
   * @param {number} func
   * @param {number} node
   * @returns {number} the place
   */
  of(func, node) {
    const ownFunc = this.#byFunc === null ? 0 : this.#byFunc[func];
    const ownNode = this.#byNode === null ? 0 : this.#byNode[node];
    const at = ownFunc * this.#width + ownNode;
    if (this.#known[at] === 0) {
      this.func.push(ownFunc);
      this.#known[at] = this.node.push(ownNode);
    }
    return this.#known[at] - 1;
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
