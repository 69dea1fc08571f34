'use strict';
// A stretch of a recording as a profile of its own: its samples, and of the tree, the functions and the
// strings only what they need. What only the whole recording knows (lost records, throttling, the
// profiler's cost) is taken over as it is; the caller says so in a warning.

const { eventsCounted } = require('./events.js');
const { countedAgain } = require('./quality.js');

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {import('./raw').Marker} Marker */
/** @typedef {import('../index').Warning} Warning */
/** @typedef {import('./events').OtherEvent} OtherEvent */
/** @typedef {{raw: RawProfile, others?: readonly OtherEvent[]}} Recorded others: events beside the first one */

/**
 * @param {number} count rows there are
 * @param {(row: number) => boolean} isUsed
 * @returns {{rows: number[], idOf: Int32Array}} idOf: -1 where it is not used
 */
function pick(count, isUsed) {
  const idOf = new Int32Array(count).fill(-1);
  /** @type {number[]} */
  const rows = [];
  for (let row = 0; row < count; row++) if (isUsed(row)) idOf[row] = rows.push(row) - 1;
  return { rows, idOf };
}

/**
 * The rows of a table of columns.
 * @template {Record<string, any>} T
 * @param {T} table
 * @param {number[]} rows
 * @param {Record<string, (value: number) => number>} [change] by column
 * @returns {T}
 */
function take(table, rows, change = {}) {
  /** @type {Record<string, unknown>} */
  const taken = {};
  for (const [name, column] of Object.entries(table)) {
    if (column === undefined) continue;
    const to = change[name] ?? ((/** @type {number} */ value) => value);
    taken[name] = column.constructor.from(rows, (/** @type {number} */ row) => to(column[row]));
  }
  return /** @type {T} */ (taken);
}

/**
 * @param {RawProfile} raw
 * @param {number} fromNs
 * @param {number} toNs not in it any more
 * @param {{warnings: Warning[]}} [said] what was said of the whole and holds for this too
 * @returns {RawProfile}
 */
function sliceRaw(raw, fromNs, toNs, said) {
  return slice({ raw }, fromNs, toNs, said).raw;
}

/**
 * @param {Recorded} recorded
 * @param {number} fromNs
 * @param {number} toNs not in it any more
 * @param {{warnings: Warning[]}} [said]
 */
function slice(recorded, fromNs, toNs, said) {
  const isIn = (/** @type {number} */ timeNs) => timeNs >= fromNs && timeNs < toNs;
  return keepSamples(recorded, isIn, { startNs: fromNs, endNs: toNs }, said);
}

/**
 * @param {Recorded} recorded
 * @param {(timeNs: number) => boolean} isKept
 * @param {{startNs: number, endNs: number}} stretch that is the part's
 * @param {{warnings: Warning[]}} [said]
 * @returns {{raw: RawProfile, others: OtherEvent[]}}
 */
function keepSamples({ raw, others = [] }, isKept, { startNs, endNs }, said) {
  const { samples, nodes, funcs, threads, modules, meta } = raw;
  const keptOf = (/** @type {RawProfile['samples']} */ { timeNs }) =>
    pick(timeNs.length, (i) => isKept(timeNs[i])).rows;
  const kept = keptOf(samples);
  const keptOthers = others.map((other) => keptOf(other.samples));
  const inStack = new Uint8Array(nodes.parent.length);
  inStack[0] = 1;
  const addStacks = (/** @type {Uint32Array} */ leaves, /** @type {number[]} */ rows) => {
    for (const row of rows) {
      for (let node = leaves[row]; inStack[node] === 0; node = nodes.parent[node]) {
        inStack[node] = 1;
      }
    }
  };
  addStacks(samples.node, kept);
  others.forEach((other, i) => addStacks(other.samples.node, keptOthers[i]));
  const node = pick(nodes.parent.length, (i) => inStack[i] === 1);
  const isCalled = new Uint8Array(funcs.name.length);
  for (const row of node.rows) if (nodes.func[row] >= 0) isCalled[nodes.func[row]] = 1;
  const func = pick(funcs.name.length, (i) => isCalled[i] === 1);

  const strings = [''];
  const idOf = new Map([[0, 0]]);
  const text = (/** @type {number} */ index) => {
    if (index < 0) return index;
    let id = idOf.get(index);
    if (id === undefined) idOf.set(index, (id = strings.push(raw.strings[index]) - 1));
    return id;
  };
  const every = (/** @type {number} */ count) => Array.from({ length: count }, (_, row) => row);
  const texts = (/** @type {string[]} */ ...columns) =>
    Object.fromEntries(columns.map((name) => [name, text]));

  const part = {
    funcs: take(funcs, func.rows, texts('name', 'symbol', 'crate', 'file')),
    nodes: take(nodes, node.rows, {
      parent: (value) => (value < 0 ? value : node.idOf[value]),
      func: (value) => (value < 0 ? value : func.idOf[value]),
    }),
    samples: take(samples, kept, { node: (value) => node.idOf[value] }),
  };
  const partOthers = others.map((other, i) => ({
    about: { ...other.about, samples: keptOthers[i].length },
    samples: take(other.samples, keptOthers[i], { node: (value) => node.idOf[value] }),
  }));
  const rawPart = {
    meta: {
      ...eventsCounted(meta, kept.length, partOthers),
      startNs,
      endNs,
      startUnixMs: meta.startUnixMs + Math.round((startNs - meta.startNs) / 1e6),
    },
    threads: take(threads, every(threads.tid.length), texts('name')),
    modules: take(modules, every(modules.path.length), texts('path', 'name', 'buildId')),
    ...(raw.resident && { resident: raw.resident }),
    ...(raw.memory && { memory: raw.memory }),
    quality: {
      ...countedAgain({ ...raw, ...part }, part.samples),
      warnings: said?.warnings ?? [],
    },
    ...part,
    strings,
  };
  return { raw: rawPart, others: partOthers };
}

/**
 * @param {readonly Marker[]} markers
 * @param {number} fromNs
 * @param {number} toNs
 * @returns {Marker[]} what they have of this time
 */
function sliceMarkers(markers, fromNs, toNs) {
  return markers
    .filter(({ startNs, endNs }) => startNs < toNs && (endNs ?? Infinity) >= fromNs)
    .map((marker) => ({
      ...marker,
      startNs: Math.max(marker.startNs, fromNs),
      endNs: marker.endNs === null ? null : Math.min(marker.endNs, toNs),
    }));
}

module.exports = { keepSamples, slice, sliceMarkers, sliceRaw };
