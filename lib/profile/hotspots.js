'use strict';
// The hotspot table: self and total weight per symbol, crate, phase or whatever it is sorted by.

const { ProfError } = require('../errors.js');
const { HotspotGroups } = require('./hotspot-groups.js');
const { parseKeys } = require('./keys.js');
const { isTogether } = require('./names.js');
const { physicalFuncs } = require('./places.js');
const { checkNames } = require('../check-options.js');
const {
  SAMPLE_FILTERS,
  matchingFuncs,
  nodesThrough,
  selectSamples,
  sumSelected,
  toRegExp,
} = require('./select.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').HotspotOptions} HotspotOptions */
/** @typedef {import('../index').HotspotRow} HotspotRow */

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
 * @param {Profile} profile
 * @param {HotspotOptions} options
 * @param {import('./names').Names} [symbols] what functions are called, instead of what `unnamed` says
 * @returns {{groups: HotspotGroups, order: number[]}} order: the groups of a row, the largest first
 */
function rank(profile, options, symbols) {
  const { by = 'symbol', sort = 'self' } = options;
  checkNames(options, HOTSPOT_OPTIONS, 'hotspots()');
  const keys = parseKeys(by);
  const limit = limitOf(options.limit, 'limit', Infinity);
  const percentLimit = limitOf(options.percentLimit, 'percentLimit', 0);
  const filter = options.filter === undefined ? null : toRegExp(options.filter, 'filter');
  if (sort !== 'self' && sort !== 'total') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'sort' must be 'self' or 'total'`);
  }
  const names = symbols ?? (isTogether(options.unnamed) ? profile.namesByObject : profile.names);
  const selected = selectSamples(profile, options);
  const groups = new HotspotGroups(profile, { keys, names, selected, filter });
  const [first, second] = [groups[sort], groups[sort === 'self' ? 'total' : 'self']];
  /** @type {number[]} */
  const order = [];
  for (let group = 0; group < first.length; group++)
    if (groups.shareOf(first[group]) * 100 >= percentLimit) order.push(group);
  /** Many are alike but for their names. @type {string[]} */
  const named = [];
  const keyOf = (/** @type {number} */ group) => (named[group] ??= groups.keyOf(group));
  order.sort(
    (a, b) => first[b] - first[a] || second[b] - second[a] || (keyOf(a) < keyOf(b) ? -1 : 1),
  );
  return { groups, order: order.slice(0, limit) };
}

/**
 * @param {Profile} profile
 * @param {HotspotOptions} [options]
 * @param {import('./names').Names} [symbols]
 * @returns {HotspotRow[]}
 */
function hotspots(profile, options = {}, symbols) {
  const { groups, order } = rank(profile, options, symbols);
  return order.map((group) => groups.rowOf(group));
}

/**
 * The rows that a table shows, and what it leaves out.
 * @param {Profile} profile
 * @param {HotspotOptions} options
 * @returns {import('../index').TopHotspots}
 */
function topHotspots(profile, options) {
  const { groups, order } = rank(profile, options);
  const isShown = new Set(order);
  const rest = { count: 0, selfShare: 0 };
  for (let group = 0; group < groups.self.length; group++) {
    // By self, rows that only called others would count as something and add nothing.
    if (isShown.has(group) || (options.sort !== 'total' && groups.self[group] === 0)) continue;
    rest.count++;
    rest.selfShare += groups.shareOf(groups.self[group]);
  }
  const shown = order.map((group) => groups.rowOf(group));
  return { shown, rest, isEmpty: groups.self.length === 0 };
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

module.exports = { hotspots, topHotspots, share, limitOf };
