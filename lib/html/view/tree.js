'use strict';
// Everything that is summed over the tree. Columns in, columns out; no page is known here.

/** @typedef {import('./types').TreeColumns} TreeColumns */
/** @typedef {import('./types').Rows} Rows */
/** @typedef {import('./types').Filter} Filter */

/**
 * The first row at or behind a time.
 * @param {Float64Array} timeMs ascending
 * @param {number} time
 */
function firstRow(timeMs, time) {
  let low = 0;
  let high = timeMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeMs[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Whether each thread and each phase is looked at.
 * @param {Filter} filter
 * @param {{threads: {pool: string}[], phases: unknown[]}} report
 */
function masksOf(filter, { threads, phases }) {
  return {
    thread: Uint8Array.from(threads, ({ pool }, i) => {
      if (filter.thread >= 0) return Number(i === filter.thread);
      return Number(filter.pool === '' || filter.pool === pool);
    }),
    phase: Uint8Array.from(phases, (_, i) => Number(filter.phase < 0 || i === filter.phase)),
  };
}

/**
 * @param {import('./types').ProfileReport} report
 * @param {Filter} filter
 * @param {(row: number) => void} visit each row that the filter lets through, in time's order
 */
function forEachRow(report, filter, visit) {
  const { rows, nodes, funcs } = report;
  const { timeMs, node, thread, phase } = rows;
  const masks = masksOf(filter, report);
  const [from, to] = filter.range ?? [-Infinity, Infinity];
  const end = to === Infinity ? timeMs.length : firstRow(timeMs, to);
  const kindOf = funcs.color;
  for (let i = firstRow(timeMs, from); i < end; i++) {
    if (masks.thread[thread[i]] === 0 || masks.phase[phase[i]] === 0) continue;
    // The root alone: a sample without a stack. It is of no kind, so no kind can take it away.
    if (node[i] > 0 && filter.kinds[kindOf[nodes.func[node[i]]]] === 0) continue;
    visit(i);
  }
}

/**
 * @param {import('./types').ProfileReport} report
 * @param {Filter} filter
 * @returns {import('./types').Sums} what each node has of its own
 */
function sumRows(report, filter) {
  const self = new Float64Array(report.nodes.depth.length);
  const count = new Float64Array(self.length);
  const { node, weight } = report.rows;
  let whole = 0;
  let samples = 0;
  forEachRow(report, filter, (i) => {
    self[node[i]] += weight[i];
    count[node[i]]++;
    whole += weight[i];
    samples++;
  });
  return { self, count, weight: whole, samples };
}

/**
 * @param {TreeColumns} nodes
 * @param {Float64Array} self
 * @returns {Float64Array}
 */
function totalsOf({ parent }, self) {
  const total = Float64Array.from(self);
  for (let i = total.length - 1; i > 0; i--) total[parent[i]] += total[i];
  return total;
}

/**
 * The nodes with a total, the largest first, a parent before its children: 16 bits at a time, since a
 * comparing sort of 200,000 takes longer than all else together.
 * @param {Float64Array} total
 * @returns {Uint32Array}
 */
function byTotal(total) {
  const keys = new Uint32Array(new Float32Array(total).buffer);
  let size = 0;
  for (let i = 0; i < total.length; i++) if (total[i] > 0) size++;
  let order = new Uint32Array(size);
  for (let i = 0, at = 0; i < total.length; i++) if (total[i] > 0) order[at++] = i;
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65537);
    // Descending: a float's bits order as the float does, and their complement the other way.
    for (let i = 0; i < size; i++) starts[((~keys[order[i]] >>> shift) & 0xffff) + 1]++;
    for (let i = 0; i < 65536; i++) starts[i + 1] += starts[i];
    const sorted = new Uint32Array(size);
    for (let i = 0; i < size; i++) {
      sorted[starts[(~keys[order[i]] >>> shift) & 0xffff]++] = order[i];
    }
    order = sorted;
  }
  return order;
}

/**
 * Where each node's box begins, in units of weight: siblings side by side, the heaviest first.
 * @param {TreeColumns} nodes
 * @param {Float64Array} total
 * @returns {Float64Array}
 */
function placesOf({ parent }, total) {
  const place = new Float64Array(total.length);
  const next = new Float64Array(total.length);
  const order = byTotal(total);
  for (let i = 0; i < order.length; i++) {
    const node = order[i];
    if (node === 0) continue;
    const up = parent[node];
    place[node] = next[up];
    next[node] = next[up];
    next[up] += total[node];
  }
  return place;
}

/**
 * Self and total of groups of nodes. A stack in which a group stands more than once counts once.
 * @param {TreeColumns} nodes
 * @param {ArrayLike<number>} groupOf by node
 * @param {number} groups
 * @param {{self: Float64Array, total: Float64Array, count: Float64Array}} sums
 */
function groupSums({ depth, owner }, groupOf, groups, sums) {
  const self = new Float64Array(groups);
  const total = new Float64Array(groups);
  const samples = new Float64Array(groups);
  const open = new Int32Array(groups);
  /** @type {number[]} the groups on the way to the node */
  const path = [];
  for (let i = 1; i < depth.length; i++) {
    while (path.length >= depth[i]) open[/** @type {number} */ (path.pop())]--;
    const group = groupOf[i];
    path.push(group);
    const own = owner ? groupOf[owner[i]] : group;
    self[own] += sums.self[i];
    samples[own] += sums.count[i];
    if (open[group]++ === 0) total[group] += sums.total[i];
  }
  return { self, total, samples };
}

/**
 * What passes through the nodes that match, each stack counted once.
 * @param {TreeColumns} nodes
 * @param {Uint8Array} mask by function
 * @param {Float64Array} total
 */
function weightThrough({ func, end }, mask, total) {
  let sum = 0;
  for (let i = 1; i < end.length;) {
    const matches = mask[func[i]] === 1;
    if (matches) sum += total[i];
    i = matches ? end[i] : i + 1;
  }
  return sum;
}

/**
 * Who calls a function and whom it calls, by the weight that passes between the two.
 * @param {TreeColumns} nodes
 * @param {number} chosen function
 * @param {{self: Float64Array, total: Float64Array}} sums
 * @returns {{self: number, total: number, callers: [number, number][], callees: [number, number][]}}
 *   pairs of a function (-1: none, it is where the thread starts) and a weight, the heaviest first
 */
function relatedOf({ func, parent, depth }, chosen, { self, total }) {
  /** @type {Map<number, number>} */
  const callers = new Map();
  /** @type {Map<number, number>} */
  const callees = new Map();
  const add = (
    /** @type {Map<number, number>} */ map,
    /** @type {number} */ key,
    /** @type {number} */ value,
  ) => map.set(key, (map.get(key) ?? 0) + value);
  let own = 0;
  let through = 0;
  /** @type {{at: number, callee: number}[]} its frames on the way to the node, with what each called */
  const open = [];
  for (let i = 1; i < depth.length; i++) {
    if (total[i] === 0) continue;
    while (open.length > 0 && open[open.length - 1].at >= depth[i]) open.pop();
    const inner = open[open.length - 1];
    const isCalled = inner !== undefined && depth[i] === inner.at + 1;
    if (func[i] !== chosen) {
      if (isCalled) {
        inner.callee = func[i];
        add(callees, func[i], total[i]);
      }
      continue;
    }
    own += self[i];
    if (inner === undefined) {
      through += total[i];
      add(callers, parent[i] > 0 ? func[parent[i]] : -1, total[i]);
    } else if (!isCalled) {
      // Recursion: what it calls is the inner frame's, so that self and callees are the total.
      add(callees, inner.callee, -total[i]);
    }
    open.push({ at: depth[i], callee: -1 });
  }
  const sorted = (/** @type {Map<number, number>} */ map) =>
    [...map].filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
  return { self: own, total: through, callers: sorted(callers), callees: sorted(callees) };
}

module.exports = {
  byTotal,
  firstRow,
  forEachRow,
  groupSums,
  placesOf,
  relatedOf,
  sumRows,
  totalsOf,
  weightThrough,
};
