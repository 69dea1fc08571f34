'use strict';
// rspack's spans laid over the samples: what each cost by itself, and the hottest functions in it.
//
// The trace has times and names but no thread, so a sample is laid under what was open at its moment:
// - the innermost open spans are those with no open span inside; if they all have one name, the sample
//   is theirs, whichever thread it is of: a span's time is the whole process's, as a phase's is;
// - if they have several names (modules are built side by side), the sample's own stack decides: the
//   span whose target (the Rust module that opened it) stands innermost on it;
// - if that does not tell either (a binding without symbols), the sample counts to the span around all
//   of them, and that is said (`sharedSamples`).

const { limitOf } = require('./hotspots.js');
const { checkNames } = require('../check-options.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('./raw').Marker} Marker */
/** @typedef {import('../index').SpanRow} SpanRow */
/** @typedef {{name: string, target: string, parent: number, depth: number, open: number, inside: number,
 *    spans: number, wallMs: number, busyMs: number}} Place a name below names: open, inside: spans of it
 *    that are open, and of its children */
/** @typedef {{target: string, path: string[], busyMs: number, loose?: boolean}} SpanData loose: its parent
 *    stays the innermost for what is not seen to be in it (trace/nest.js) */

const NO_SPAN = '(no span)';
const SYMBOLS = 3;

/** The names below names that a profile's spans have. */
class Places {
  /** @type {Place[]} */
  list = [];
  /** @type {Map<string, number>} */
  #ids = new Map();

  constructor() {
    this.#add(NO_SPAN, -1);
  }

  /** @param {string} name @param {number} parent */
  #add(name, parent) {
    const key = `${parent}\0${name}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      const depth = parent < 0 ? 0 : this.list[parent].depth + 1;
      const counts = { open: 0, inside: 0, spans: 0, wallMs: 0, busyMs: 0 };
      id = this.list.push({ name, target: '', parent, depth, ...counts }) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }

  /** @param {string[]} path */
  of(path) {
    return path.reduce((parent, name) => this.#add(name, parent), 0);
  }
}

/** @param {Profile} profile */
function placeSpans({ markers, meta }) {
  const places = new Places();
  /** @type {{ns: number, place: number, step: 1 | -1, loose?: boolean}[]} */
  const events = [];
  for (const { type, name, startNs, endNs, data } of markers) {
    if (type !== 'rspack') continue;
    const { target, path, busyMs, loose } = /** @type {SpanData} */ (data);
    const place = places.of([...path, name]);
    const end = endNs ?? meta.endNs;
    events.push({ ns: startNs, place, step: 1, loose }, { ns: end, place, step: -1, loose });
    const own = places.list[place];
    own.target = target;
    own.spans++;
    own.wallMs += (end - startNs) / 1e6;
    own.busyMs += busyMs;
  }
  // What ends at a moment is over before what begins then.
  events.sort((a, b) => a.ns - b.ns || a.step - b.step);
  return { places: places.list, events };
}

/** `rspack_core::compiler` of `<&rspack_core::compiler::Compiler as ..>::build`, longest first. @param {string} name */
function modulesOf(name) {
  const path = /^[<&\s]*(?:mut\s+|dyn\s+)?((?:[a-z_]\w*::)+)/.exec(name)?.[1];
  if (path === undefined) return [];
  const parts = path.slice(0, -2).split('::');
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('::'));
}

class Evidence {
  /** @type {Map<number, string[]>} by function */
  #modules = new Map();
  #profile;

  /** @param {Profile} profile */
  constructor(profile) {
    this.#profile = profile;
  }

  /**
   * @param {number} leaf node of the tree
   * @param {Map<string, string>} names of spans, by target; '' where two names share one
   * @returns {string} of the span that the stack shows, '' where it does not tell
   */
  find(leaf, names) {
    const { nodes, strings, funcs } = this.#profile.raw;
    for (let node = leaf; node > 0; node = nodes.parent[node]) {
      const func = nodes.func[node];
      let modules = this.#modules.get(func);
      if (!modules) this.#modules.set(func, (modules = modulesOf(strings[funcs.name[func]])));
      for (const module of modules) {
        const name = names.get(module);
        if (name !== undefined) return name;
      }
    }
    return '';
  }
}

/**
 * @param {Place[]} places
 * @param {number[]} leaves
 */
function around(places, leaves) {
  let [common] = leaves;
  for (const leaf of leaves) {
    let other = leaf;
    while (common !== other) {
      if (places[common].depth >= places[other].depth) common = places[common].parent;
      else other = places[other].parent;
    }
  }
  return common;
}

/**
 * @param {Profile} profile
 * @returns {{places: Place[], placeOf: Int32Array, shared: Uint8Array}} by sample
 */
function layOver(profile) {
  const { places, events } = placeSpans(profile);
  const { timeNs, node } = profile.raw.samples;
  const placeOf = new Int32Array(timeNs.length);
  const shared = new Uint8Array(timeNs.length);
  const evidence = new Evidence(profile);
  /** @type {Set<number>} */
  const leaves = new Set();
  const look = (/** @type {number} */ id) => {
    const { open, inside } = places[id];
    if (id > 0 && open > inside) leaves.add(id);
    else leaves.delete(id);
  };
  /** Worked out again when something begins or ends. @type {{one: number, all: number[], names: Map<string, string>} | null} */
  let now = null;
  let at = 0;
  for (let i = 0; i < timeNs.length; i++) {
    for (; at < events.length && events[at].ns <= timeNs[i]; at++) {
      const { place, step, loose } = events[at];
      places[place].open += step;
      if (!loose) places[places[place].parent].inside += step;
      look(place);
      look(places[place].parent);
      now = null;
    }
    now ??= openNow(places, leaves);
    placeOf[i] = now.one;
    if (now.all.length < 2 || now.names.size === 0) continue;
    const name = evidence.find(node[i], now.names);
    const found = now.all.find((id) => places[id].name === name);
    if (found === undefined) shared[i] = 1;
    else placeOf[i] = found;
  }
  return { places, placeOf, shared };
}

/**
 * @param {Place[]} places
 * @param {Set<number>} leaves
 */
function openNow(places, leaves) {
  const all = [...leaves];
  /** @type {Map<string, string>} */
  const names = new Map();
  if (new Set(all.map((id) => places[id].name)).size <= 1) return { one: all[0] ?? 0, all, names };
  for (const id of all) {
    const { target, name } = places[id];
    if (target !== '') names.set(target, (names.get(target) ?? name) === name ? name : '');
  }
  if (names.size === 0) names.set('', '');
  return { one: around(places, all), all, names };
}

/**
 * @param {Map<number, number>} byName
 * @param {number} self
 * @param {Profile} profile
 */
function hottest(byName, self, { names }) {
  return [...byName]
    .sort((a, b) => b[1] - a[1])
    .slice(0, SYMBOLS)
    .map(([name, weight]) => ({
      symbol: names.text[name],
      share: self > 0 ? weight / self : 0,
    }));
}

/**
 * @param {Profile} profile
 * @param {{limit?: number}} [options]
 * @returns {SpanRow[]} by self; none where the profile has no spans
 */
function spans(profile, options = {}) {
  checkNames(options, ['limit'], 'spans()');
  const limit = limitOf(options.limit, 'limit', Infinity);
  if (!profile.markers.some(({ type }) => type === 'rspack')) return [];
  const { raw, totalWeight, meta } = profile;
  const { places, placeOf, shared } = layOver(profile);
  const cpu = require('./phase-rows.js').cpuOfSample(profile);
  /** @type {Map<string, SpanRow & {hot: Map<number, number>}>} */
  const rows = new Map();
  const rowOf = (/** @type {Place} */ { name, target }) => {
    let row = rows.get(name);
    if (!row) {
      row = {
        ...{ name, target, spans: 0, wallMs: 0, busyMs: 0, samples: 0, sharedSamples: 0 },
        ...{ self: 0, total: 0, selfShare: 0, totalShare: 0, selfCpuMs: cpu ? 0 : null },
        symbols: [],
        hot: new Map(),
      };
      rows.set(name, row);
    }
    row.target ||= target;
    return row;
  };
  const rowAt = places.map(rowOf);
  places.forEach((place, id) => {
    rowAt[id].spans += place.spans;
    rowAt[id].wallMs += place.wallMs;
    rowAt[id].busyMs += place.busyMs;
  });
  const above = places.map((_, id) => {
    /** @type {Set<SpanRow>} */
    const set = new Set();
    for (let at = id; at > 0; at = places[at].parent) set.add(rowAt[at]);
    return id === 0 ? [rowAt[0]] : [...set];
  });
  for (let i = 0; i < placeOf.length; i++) {
    const weight = raw.samples.weight[i];
    const row = rowAt[placeOf[i]];
    row.samples++;
    row.sharedSamples += shared[i];
    row.self += weight;
    if (cpu) row.selfCpuMs = Number(row.selfCpuMs) + cpu(i);
    for (const one of above[placeOf[i]]) one.total += weight;
    const func = raw.nodes.func[raw.samples.node[i]];
    if (func < 0) continue;
    const name = profile.names.id[func];
    row.hot.set(name, (row.hot.get(name) ?? 0) + weight);
  }
  const none = rowAt[0];
  none.wallMs = meta.durationMs - openMs(profile);
  return [...rows.values()]
    .filter(({ spans: count, samples }) => count > 0 || samples > 0)
    .map(({ hot, ...row }) => ({
      ...row,
      selfShare: totalWeight > 0 ? row.self / totalWeight : 0,
      totalShare: totalWeight > 0 ? row.total / totalWeight : 0,
      symbols: hottest(hot, row.self, profile),
    }))
    .sort((a, b) => b.self - a.self || b.wallMs - a.wallMs || (a.name < b.name ? -1 : 1))
    .slice(0, limit);
}

/** How long any span was open. @param {Profile} profile */
function openMs({ markers, meta }) {
  let sum = 0;
  let until = -Infinity;
  const own = markers.filter(({ type }) => type === 'rspack');
  for (const { startNs, endNs } of [...own].sort((a, b) => a.startNs - b.startNs)) {
    const end = Math.min(endNs ?? meta.endNs, meta.endNs);
    const from = Math.max(startNs, until);
    if (end > from) sum += end - from;
    until = Math.max(until, end);
  }
  return sum / 1e6;
}

module.exports = { modulesOf, spans };
