'use strict';
// The calling-context tree as columns: one reverse pass gives totals, because parents stand before
// their children; one walk in depth-first order tells which frames repeat one above them.

/**
 * @param {Int32Array} parent parents stand before their children
 * @param {Float64Array} self
 * @returns {Float64Array} each node's own and its descendants' sum
 */
function subtreeSums(parent, self) {
  const sums = self.slice();
  for (let i = sums.length - 1; i > 0; i--) sums[parent[i]] += sums[i];
  return sums;
}

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
 * What passes through each group of nodes. A stack in which a group stands several times
 * (recursion) counts once: only the group's outermost frame adds.
 * @param {Int32Array} steps of walkSteps()
 * @param {Int32Array} groupOfNode
 * @param {number} groups
 * @param {{weight: Float64Array, count: Float64Array}} sums of subtreeSums()
 * @returns {{weight: Float64Array, count: Float64Array}} by group
 */
function groupTotals(steps, groupOfNode, groups, sums) {
  const weight = new Float64Array(groups);
  const count = new Float64Array(groups);
  const open = new Int32Array(groups);
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    if (step >= 0) {
      const group = groupOfNode[step];
      if (open[group]++ > 0) continue;
      weight[group] += sums.weight[step];
      count[group] += sums.count[step];
    } else {
      open[groupOfNode[~step]]--;
    }
  }
  return { weight, count };
}

/**
 * The same tree with siblings of one name made one: V8's tiers of a function, or two instances of
 * a generic function, are different code but one line in a flame graph.
 * @param {Int32Array} parent
 * @param {Int32Array} func
 * @param {Uint32Array} nameOfFunc
 * @param {Uint8Array} [inline] where given, an inlined frame stays apart from a called one
 * @returns {{parent: Int32Array, node: Int32Array, merged: Int32Array}} per merged node its parent
 *   and the first node it stands for; per node its merged one
 */
function mergeByName(parent, func, nameOfFunc, inline) {
  const count = parent.length;
  const merged = new Int32Array(count);
  const mergedParent = new Int32Array(count);
  const mergedName = new Int32Array(count);
  const node = new Int32Array(count);
  // Open addressing, since a Map for each parent takes more memory than the profile. 0: a free slot.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 1)));
  const mask = slots.length - 1;
  let size = 1;
  mergedParent[0] = -1;
  for (let i = 1; i < count; i++) {
    const up = merged[parent[i]];
    const name = nameOfFunc[func[i]] * 2 + (inline?.[i] ?? 0);
    let slot = Math.imul(up ^ Math.imul(name, 0x9e3779b1), 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    let found = slots[slot];
    while (found !== 0 && (mergedParent[found] !== up || mergedName[found] !== name)) {
      slot = (slot + 1) & mask;
      found = slots[slot];
    }
    if (found === 0) {
      found = size++;
      slots[slot] = found;
      mergedParent[found] = up;
      mergedName[found] = name;
      node[found] = i;
    }
    merged[i] = found;
  }
  return { parent: mergedParent.subarray(0, size), node: node.subarray(0, size), merged };
}

module.exports = { subtreeSums, walkSteps, groupTotals, mergeByName };
