'use strict';
// The hotspot table: self and total weight per symbol, crate, phase or whatever it is sorted by.

const { ProfError } = require('../errors.js');
const {
  KINDS,
  FUNC_KEYS,
  NODE_KEYS,
  SAMPLE_KEYS,
  parseKeys,
  groupBy,
  objectOf,
  crateOf,
} = require('./keys.js');
const { isTogether } = require('./names.js');
const { checkNames } = require('../check-options.js');
const {
  SAMPLE_FILTERS,
  matchingFuncs,
  nodesThrough,
  selectSamples,
  sumPerNode,
  sumSelected,
  toRegExp,
} = require('./select.js');
const { groupTotals, subtreeSums } = require('./tree.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').HotspotOptions} HotspotOptions */
/** @typedef {import('../index').HotspotRow} HotspotRow */

const NO_STACK = '[no stack]';
const HOTSPOT_OPTIONS = [
  'by',
  'sort',
  'limit',
  'percentLimit',
  'filter',
  'unnamed',
  ...SAMPLE_FILTERS,
];

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} fallback
 */
function limitOf(value, name, fallback) {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'${name}' must be a number from 0 on`);
  }
  return value;
}

/**
 * @param {import('./names').Names} names
 * @returns {(profile: Profile, func: number) => string}
 */
const symbolIn =
  ({ id, text }) =>
  (_, func) =>
    text[id[func]];

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

/**
 * The groups that nodes fall into, by what their function and they themselves are grouped by.
 * @param {Profile} profile
 * @param {ReturnType<typeof groupBy>} byFunc
 * @param {ReturnType<typeof groupBy>} byNode
 * @returns {{list: {func: number, node: number}[], ofNode: Int32Array, ofSelf: Int32Array}} ofSelf:
 *   where the samples that end in a node count as self
 */
function placesOf(profile, byFunc, byNode) {
  const { func } = profile.raw.nodes;
  const physical = physicalFuncs(profile);
  /** @type {{func: number, node: number}[]} */
  const list = [];
  // By both groups, 0 for one that has no node yet.
  const known = new Int32Array(byFunc.labels.length * byNode.labels.length);
  const placeOf = (/** @type {number} */ own, /** @type {number} */ node) => {
    const place = { func: byFunc.groupOf[own], node: byNode.groupOf[node] };
    const at = place.func * byNode.labels.length + place.node;
    return (known[at] ||= list.push(place)) - 1;
  };
  const ofNode = new Int32Array(func.length);
  const ofSelf = new Int32Array(func.length);
  for (let node = 1; node < func.length; node++) {
    ofNode[node] = placeOf(func[node], node);
    ofSelf[node] = physical[node] === func[node] ? ofNode[node] : placeOf(physical[node], node);
  }
  return { list, ofNode, ofSelf };
}

/**
 * What the functions of each group agree on; undefined where they do not.
 * @param {Profile} profile
 * @param {Int32Array} groupOf
 * @param {number} groups
 * @param {Record<string, (profile: Profile, func: number) => string>} keys
 */
function commonValues(profile, groupOf, groups, keys) {
  const { raw } = profile;
  const readers = {
    symbol: keys.symbol,
    object: objectOf,
    crate: crateOf,
    kind: keys.kind,
  };
  const rustOnly = KINDS.indexOf('rust');
  /** @type {Record<string, (string | null | undefined)[]>} null: none seen yet */
  const common = {};
  for (const [name, read] of Object.entries(readers)) {
    /** @type {(string | null | undefined)[]} */
    const values = new Array(groups).fill(null);
    for (let func = 0; func < groupOf.length; func++) {
      // What is no Rust has no crate: "[js]" is a key to sort by, not a crate to report.
      const none =
        name === 'crate' && raw.funcs.kind[func] !== rustOnly && raw.funcs.crate[func] < 0;
      const value = none ? undefined : read(profile, func);
      const group = groupOf[func];
      if (values[group] === null) values[group] = value;
      else if (values[group] !== value) values[group] = undefined;
    }
    common[name] = values;
  }
  return common;
}

/**
 * @param {Profile} profile
 * @param {ReturnType<typeof groupBy>} by
 * @param {Uint8Array | null} selected
 */
function sumPerGroup({ raw }, { groupOf, labels }, selected) {
  const weight = new Float64Array(labels.length);
  const count = new Float64Array(labels.length);
  for (let i = 0; i < groupOf.length; i++) {
    if (selected && selected[i] === 0) continue;
    weight[groupOf[i]] += raw.samples.weight[i];
    count[groupOf[i]]++;
  }
  return { weight, count };
}

/**
 * @param {Profile} profile
 * @param {HotspotOptions} [options]
 * @param {import('./names').Names} [symbols] what functions are called, instead of what `unnamed` says
 * @returns {HotspotRow[]}
 */
function hotspots(profile, options = {}, symbols) {
  const { by = 'symbol', sort = 'self' } = options;
  checkNames(options, HOTSPOT_OPTIONS, 'hotspots()');
  const keys = parseKeys(by);
  const limit = limitOf(options.limit, 'limit', Infinity);
  const percentLimit = limitOf(options.percentLimit, 'percentLimit', 0);
  const filter = options.filter === undefined ? null : toRegExp(options.filter, 'filter');
  if (sort !== 'self' && sort !== 'total') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'sort' must be 'self' or 'total'`);
  }

  const { raw } = profile;
  const names = symbols ?? (isTogether(options.unnamed) ? profile.namesByObject : profile.names);
  /** @type {typeof FUNC_KEYS} */
  const readers = { ...FUNC_KEYS, symbol: symbolIn(names) };
  const funcKeys = keys.filter((key) => key in FUNC_KEYS);
  const sampleKeys = keys.filter((key) => key in SAMPLE_KEYS);
  const nodeKeys = keys.filter((key) => key in NODE_KEYS);
  const selected = selectSamples(profile, options);
  const bySample = groupBy(
    raw.samples.node.length,
    sampleKeys.map((key) => (sample) => SAMPLE_KEYS[key](profile, sample)),
  );
  const byFunc = groupBy(
    raw.funcs.name.length,
    funcKeys.map((key) => (func) => readers[key](profile, func)),
  );
  const byNode = groupBy(
    raw.nodes.func.length,
    nodeKeys.map((key) => NODE_KEYS[key](profile)),
  );
  const places = placesOf(profile, byFunc, byNode);
  const common =
    funcKeys.length > 0 ? commonValues(profile, byFunc.groupOf, byFunc.labels.length, readers) : {};

  const commonNames = Object.keys(common);

  /** @type {HotspotRow[]} */
  const rows = [];
  let whole = 0;
  const share = (/** @type {number} */ weight) => (whole > 0 ? weight / whole : 0);
  /** @type {(sampleGroup: number, place: {func: number, node: number} | undefined, samples: number, self: number, total: number) => void} */
  const addRow = (sampleGroup, place, samples, self, total) => {
    const labels = keys.map((key) => {
      if (key in SAMPLE_KEYS) return bySample.labels[sampleGroup][sampleKeys.indexOf(key)];
      if (place === undefined) return NO_STACK;
      return key in NODE_KEYS
        ? byNode.labels[place.node][nodeKeys.indexOf(key)]
        : byFunc.labels[place.func][funcKeys.indexOf(key)];
    });
    const key = labels.join(',');
    if (filter && !filter.test(key)) return;
    /** @type {HotspotRow & Record<string, unknown>} */
    const row = { key, samples, self, total, selfShare: 0, totalShare: 0 };
    for (const name of commonNames) {
      const value = place && common[name][place.func];
      if (value !== null && value !== undefined) row[name] = value;
    }
    rows.push(row);
  };

  const hasPlaces = funcKeys.length + nodeKeys.length > 0;
  if (!hasPlaces) {
    // Who waits has hundreds of values: each on its own would walk all samples again.
    const sums = sumPerGroup(profile, bySample, selected);
    sums.count.forEach((count, group) => {
      if (count === 0) return;
      whole += sums.weight[group];
      addRow(group, undefined, count, sums.weight[group], sums.weight[group]);
    });
  }
  (hasPlaces ? bySample.labels : []).forEach((_, group) => {
    const isOne = bySample.labels.length === 1;
    const sums = sumPerNode(profile, selected, isOne ? null : bySample.groupOf, group);
    if (sums.totalCount === 0) return;
    whole += sums.totalWeight;
    const groups = places.list.length;
    const { func, parent } = raw.nodes;
    const self = new Float64Array(groups);
    const samples = new Float64Array(groups);
    for (let node = 1; node < func.length; node++) {
      self[places.ofSelf[node]] += sums.weight[node];
      samples[places.ofSelf[node]] += sums.count[node];
    }
    const totals = groupTotals(profile.walk, places.ofNode, groups, {
      weight: subtreeSums(parent, sums.weight),
      count: subtreeSums(parent, sums.count),
    });
    places.list.forEach((place, own) => {
      // Whether a group was met is a matter of samples: a weight may well be 0.
      if (totals.count[own] > 0 || samples[own] > 0)
        addRow(group, place, samples[own], self[own], totals.weight[own]);
    });
    if (sums.count[0] > 0) addRow(group, undefined, sums.count[0], sums.weight[0], sums.weight[0]);
  });

  for (const row of rows) {
    row.selfShare = share(row.self);
    row.totalShare = share(row.total);
  }
  const column = sort === 'self' ? 'selfShare' : 'totalShare';
  const other = sort === 'self' ? 'totalShare' : 'selfShare';
  return rows
    .filter((row) => row[column] * 100 >= percentLimit)
    .sort((a, b) => b[column] - a[column] || b[other] - a[other] || (a.key < b.key ? -1 : 1))
    .slice(0, limit);
}

/**
 * The share of the weight whose leaf (with total: any frame) has a matching symbol.
 * @param {Profile} profile
 * @param {RegExp | string} symbol
 * @param {import('../index').SampleFilter & {total?: boolean}} [options]
 */
function share(profile, symbol, options = {}) {
  checkNames(options, [...SAMPLE_FILTERS, 'total'], 'share()');
  const funcs = matchingFuncs(profile, toRegExp(symbol, 'symbol'));
  const { weight, totalWeight } = sumSelected(profile, options);
  const through = options.total ? nodesThrough(profile, funcs) : null;
  const physical = physicalFuncs(profile);
  let matching = 0;
  for (let node = 1; node < weight.length; node++) {
    if (through ? through[node] === 1 : funcs[physical[node]] === 1) matching += weight[node];
  }
  return totalWeight > 0 ? matching / totalWeight : 0;
}

module.exports = { hotspots, share, limitOf, physicalFuncs };
