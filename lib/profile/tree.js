'use strict';
// The calling-context tree as columns: one reverse pass gives totals, because parents stand before
// their children; one walk in depth-first order tells which frames repeat one above them.

const { Scratch, fresh } = require('./scratch.js');

/**
 * @template {Float64Array | Uint32Array} T
 * @param {Int32Array} parent parents stand before their children
 * @param {T} sums each node's own; becomes that and its descendants'
 * @returns {T} the same
 */
function addUp(parent, sums) {
  for (let i = sums.length - 1; i > 0; i--) sums[parent[i]] += sums[i];
  return sums;
}

/**
 * @param {Int32Array} parent
 * @param {Float64Array} self
 * @returns {Float64Array} each node's own and its descendants' sum
 */
const subtreeSums = (parent, self) => addUp(parent, self.slice());

/**
 * A depth-first walk, written down: node to enter it, ~node to leave it. The root is left out.
 * @param {Int32Array} parent
 * @returns {Int32Array} 2 * (nodes - 1) steps
 */
function walkSteps(parent) {
  const count = parent.length;
  const firstChild = new Int32Array(count).fill(-1);
  const nextSibling = new Int32Array(count).fill(-1);
  // Backwards, so that siblings come in ascending order.
  for (let i = count - 1; i > 0; i--) {
    nextSibling[i] = firstChild[parent[i]];
    firstChild[parent[i]] = i;
  }
  const steps = new Int32Array(2 * (count - 1));
  let at = 0;
  let node = firstChild[0];
  while (node > 0) {
    steps[at++] = node;
    if (firstChild[node] >= 0) {
      node = firstChild[node];
      continue;
    }
    while (node > 0 && nextSibling[node] < 0) {
      steps[at++] = ~node;
      node = parent[node];
    }
    if (node > 0) {
      steps[at++] = ~node;
      node = nextSibling[node];
    }
  }
  return steps;
}

/**
 * The depth-first order, in which a node's subtree is a range: of `size` places from its own on.
 * @param {Int32Array} parent
 * @param {import('./scratch').Take} [take]
 * @param {import('./scratch').Scratch} [scratch] for what is not kept
 * @returns {{order: Int32Array, size: Int32Array}} order: the nodes; size: by node
 */
function depthFirst(parent, take = fresh, scratch = new Scratch()) {
  const count = parent.length;
  const size = take(Int32Array, count).fill(1);
  for (let i = count - 1; i > 0; i--) size[parent[i]] += size[i];
  const order = take(Int32Array, count);
  scratch.lend((own) => placeInOrder(parent, size, order, own(Int32Array, count)));
  return { order, size };
}

/**
 * @param {Int32Array} parent
 * @param {Int32Array} size by node
 * @param {Int32Array} order written
 * @param {Int32Array} next of zeros: where the next child of a node goes, behind the node and the
 *    children that were placed
 */
function placeInOrder(parent, size, order, next) {
  const count = parent.length;
  next[0] = 1;
  for (let i = 1; i < count; i++) {
    const at = next[parent[i]];
    next[parent[i]] = at + size[i];
    next[i] = at + 1;
  }
  // All children are placed: what is next behind a node is the end of its subtree.
  for (let i = 0; i < count; i++) order[next[i] - size[i]] = i;
}

/**
 * What passes through each group of nodes. A stack in which a group stands several times
 * (recursion) counts once: only the group's outermost frame adds.
 * @param {{order: Int32Array, size: Int32Array}} tree of depthFirst()
 * @param {Int32Array} groupOfNode
 * @param {number} groups
 * @param {Float64Array} sums of each node and what is below it
 * @returns {Float64Array} by group
 */
function groupTotals({ order, size }, groupOfNode, groups, sums) {
  const totals = new Float64Array(groups);
  /** The end of the subtree that was entered last. */
  const end = new Int32Array(groups);
  for (let at = 1; at < order.length; at++) {
    const node = order[at];
    const group = groupOfNode[node];
    if (at < end[group]) continue;
    end[group] = at + size[node];
    totals[group] += sums[node];
  }
  return totals;
}

/** A tree in which each node has one child of a name at most. */
class Children {
  /** Of nodes, of which there are `size`; 0 is the root. */
  size = 1;
  /** Open addressing, since a Map for each parent takes more memory than the profile. 0: a free slot. */
  #slots;

  /**
   * @param {number} most nodes beside the root
   * @param {import('./scratch').Take} take
   */
  constructor(most, take) {
    this.parent = take(Int32Array, most + 1);
    this.name = take(Int32Array, most + 1);
    this.parent[0] = -1;
    this.#slots = take(Int32Array, 2 ** Math.ceil(Math.log2(2 * most + 3)));
  }

  /**
   * @param {number} parent
   * @param {number} name
   * @returns {number} its child of that name, the last one where it is new
   */
  child(parent, name) {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = Math.imul(parent ^ Math.imul(name, 0x9e3779b1), 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    let found = slots[slot];
    while (found !== 0 && (this.parent[found] !== parent || this.name[found] !== name)) {
      slot = (slot + 1) & mask;
      found = slots[slot];
    }
    if (found === 0) {
      found = this.size++;
      slots[slot] = found;
      this.parent[found] = parent;
      this.name[found] = name;
    }
    return found;
  }
}

/**
 * The same tree with siblings of one name made one: V8's tiers of a function, or two instances of
 * a generic function, are different code but one line in a flame graph.
 * @param {Int32Array} parent
 * @param {Int32Array} func
 * @param {Uint32Array} nameOfFunc
 * @param {Uint8Array} [inline] where given, an inlined frame stays apart from a called one
 * @param {import('./scratch').Take} [take] of what is not kept
 * @returns {{parent: Int32Array, node: Int32Array, merged: Int32Array}} per merged node its parent
 *   and the first node it stands for; per node its merged one
 */
function mergeByName(parent, func, nameOfFunc, inline, take = fresh) {
  const count = parent.length;
  const children = new Children(count - 1, take);
  const first = take(Int32Array, count);
  const merged = new Int32Array(count);
  for (let i = 1; i < count; i++) {
    const { size } = children;
    const name = nameOfFunc[func[i]] * 2 + (inline?.[i] ?? 0);
    merged[i] = children.child(merged[parent[i]], name);
    if (children.size > size) first[size] = i;
  }
  const { size } = children;
  return { parent: children.parent.slice(0, size), node: first.slice(0, size), merged };
}

module.exports = {
  Children,
  addUp,
  depthFirst,
  groupTotals,
  mergeByName,
  subtreeSums,
  walkSteps,
};
