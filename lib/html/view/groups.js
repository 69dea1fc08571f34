'use strict';
// What the table of hotspots can be grouped by, and the rows of it.

const { COLORS } = require('./palette.js');
const { groupSums } = require('./tree.js');

/** @typedef {import('./types').Group & {id: number}} GroupRow */
/**
 * @typedef {object} Grouping
 * @property {string} label
 * @property {ArrayLike<number>} ofNode
 * @property {string[]} names
 * @property {(group: number) => number} color -1: none
 * @property {((group: number) => Uint8Array) | null} funcs which functions belong to a group
 */

/**
 * @param {import('./types').Report} report
 * @returns {Record<string, Grouping>} made when first asked for
 */
function groupingsOf({ nodes, funcs, ...more }) {
  /** @type {(key: number[], names: string[], label: string, color: (g: number) => number) => Grouping} */
  const byFunc = (key, names, label, color) => {
    const ofNode = new Uint32Array(nodes.func.length);
    for (let i = 1; i < ofNode.length; i++) ofNode[i] = key[nodes.func[i]];
    const members = (/** @type {number} */ group) =>
      Uint8Array.from(key, (own) => Number(own === group));
    return { label, ofNode, names, color, funcs: members };
  };
  const { categories } = /** @type {{categories?: string[]}} */ (more);
  const plain = () => -1;
  return {
    get function() {
      const all = funcs.name.map((_, i) => i);
      return byFunc(all, funcs.name, 'function', (group) => funcs.color[group]);
    },
    get crate() {
      return byFunc(funcs.crate, funcs.crates, 'crate', plain);
    },
    get object() {
      return byFunc(funcs.object, funcs.objects, 'object', plain);
    },
    get kind() {
      const names = COLORS.map(({ label }) => label);
      return byFunc(funcs.color, names, 'kind', (group) => group);
    },
    ...(categories && {
      category: {
        label: 'category',
        ofNode: /** @type {Uint8Array} */ (nodes.category),
        names: categories,
        color: plain,
        funcs: null,
      },
    }),
  };
}

/**
 * @param {import('./types').TreeColumns} nodes
 * @param {Grouping} grouping
 * @param {{self: Float64Array, total: Float64Array, count: Float64Array}} sums
 * @returns {GroupRow[]} those that have anything
 */
function groupRows(nodes, { ofNode, names, color }, sums) {
  const { self, total, samples } = groupSums(nodes, ofNode, names.length, sums);
  const rows = names.map((label, id) => ({
    id,
    label,
    color: color(id),
    self: self[id],
    total: total[id],
    samples: samples[id],
  }));
  if (sums.count[0] > 0) {
    const none = { id: -1, label: '[no stack]', color: -1, samples: sums.count[0] };
    rows.push({ ...none, self: sums.self[0], total: sums.self[0] });
  }
  return rows.filter((row) => row.total > 0 || row.samples > 0);
}

module.exports = { groupRows, groupingsOf };
