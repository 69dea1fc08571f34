'use strict';
// The groups of a hotspot table as columns: what each of them weighs. A row, with its names, is made for those
// that are asked for alone: a build has thousands of functions, and the table at its end shows forty.

const {
  KINDS,
  FUNC_KEYS,
  NODE_KEYS,
  SAMPLE_KEYS,
  groupBy,
  objectOf,
  crateOf,
} = require('./keys.js');
const { Places, membersOf } = require('./places.js');
const { addSamples } = require('./select.js');
const { addUp, depthFirst, groupTotals } = require('./tree.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').HotspotRow} HotspotRow */
/** @typedef {ReturnType<typeof groupBy>} Grouped */
/** @typedef {import('./scratch').Take} Take */

const NO_STACK = '[no stack]';
const RUST = KINDS.indexOf('rust');

/**
 * @param {import('./names').Names} names
 * @returns {typeof FUNC_KEYS} what functions are grouped by
 */
const readersOf = ({ id, text }) => ({ ...FUNC_KEYS, symbol: (_, func) => text[id[func]] });

class HotspotGroups {
  /** By group. @type {number[]} */
  samples = [];
  /** @type {number[]} */
  self = [];
  /** @type {number[]} */
  total = [];
  /** Weight of what was selected, of what a filter leaves out too. */
  whole = 0;
  /** The group of the samples, and the place: -1 for none. @type {number[]} */
  #ofSample = [];
  /** @type {number[]} */
  #place = [];
  #profile;
  #keys;
  #filter;
  #readers;
  #bySample;
  #byFunc;
  #byNode;
  #places;
  /** @type {ReturnType<typeof membersOf> | undefined} */
  #members;

  /**
   * @param {Profile} profile
   * @param {object} what
   * @param {string[]} what.keys
   * @param {import('./names').Names} what.names
   * @param {Uint8Array | null} what.selected
   * @param {RegExp | null} what.filter
   */
  constructor(profile, { keys, names, selected, filter }) {
    const { raw } = profile;
    this.#profile = profile;
    this.#keys = keys;
    this.#filter = filter;
    this.#readers = readersOf(names);
    const only = (/** @type {object} */ table) => keys.filter((key) => key in table);
    this.#bySample = groupBy(
      raw.samples.node.length,
      only(SAMPLE_KEYS).map((key) => (sample) => SAMPLE_KEYS[key](profile, sample)),
    );
    this.#byFunc = groupBy(
      raw.funcs.name.length,
      only(FUNC_KEYS).map((key) => (func) => this.#readers[key](profile, func)),
    );
    this.#byNode = groupBy(
      raw.nodes.func.length,
      only(NODE_KEYS).map((key) => NODE_KEYS[key](profile)),
    );
    this.#places = new Places(this.#byFunc, this.#byNode);
    if (only(FUNC_KEYS).length + only(NODE_KEYS).length === 0) this.#addSampleGroups(selected);
    else profile.scratch.lend((take) => this.#addPlaces(selected, take));
  }

  /**
   * Who waits has hundreds of values: each on its own would walk all samples again.
   * @param {Uint8Array | null} selected
   */
  #addSampleGroups(selected) {
    const { labels } = this.#bySample;
    const groupOf = /** @type {Int32Array} */ (this.#bySample.groupOf);
    const weights = this.#profile.raw.samples.weight;
    const weight = new Float64Array(labels.length);
    const count = new Float64Array(labels.length);
    for (let i = 0; i < groupOf.length; i++) {
      if (selected !== null && selected[i] === 0) continue;
      weight[groupOf[i]] += weights[i];
      count[groupOf[i]]++;
    }
    for (let group = 0; group < labels.length; group++) {
      this.whole += weight[group];
      if (count[group] > 0) this.#add(group, -1, count[group], weight[group], weight[group]);
    }
  }

  /**
   * @param {Uint8Array | null} selected
   * @param {Take} take
   */
  #addPlaces(selected, take) {
    const { parent, func, inline } = this.#profile.raw.nodes;
    const { samples: rows } = this.#profile.raw;
    const places = this.#places;
    const tree = depthFirst(parent, take, this.#profile.scratch);
    const ofNode = take(Int32Array, func.length);
    for (let node = 1; node < func.length; node++) ofNode[node] = places.of(func[node], node);
    /** Self belongs to the function that others were inlined into. @param {number} node */
    const ofSelf = (node) => {
      let physical = node;
      while (inline[physical] === 1 && parent[physical] > 0) physical = parent[physical];
      return physical === node ? ofNode[node] : places.of(func[physical], node);
    };
    // All places are known before their sums are made.
    for (let i = 0; i < rows.node.length; i++) if (inline[rows.node[i]] === 1) ofSelf(rows.node[i]);
    const weight = take(Float64Array, func.length);
    const count = take(Uint32Array, func.length);
    const groups = this.#bySample.labels.length;
    for (let group = 0; group < groups; group++) {
      if (group > 0) {
        weight.fill(0);
        count.fill(0);
      }
      const { groupOf } = this.#bySample;
      const sums = addSamples(this.#profile, { weight, count, selected, groupOf, group });
      if (sums.totalCount === 0) continue;
      this.whole += sums.totalWeight;
      const self = new Float64Array(places.func.length);
      const samples = new Float64Array(places.func.length);
      for (let node = 1; node < count.length; node++) {
        if (count[node] === 0) continue;
        const place = inline[node] === 1 ? ofSelf(node) : ofNode[node];
        self[place] += weight[node];
        samples[place] += count[node];
      }
      const [noStack, noStackWeight] = [count[0], weight[0]];
      addUp(parent, weight);
      addUp(parent, count);
      const total = groupTotals(tree, ofNode, self.length, weight);
      // Whether a place was met is a matter of samples: a weight may well be 0.
      const met = new Uint8Array(self.length);
      for (let node = 1; node < count.length; node++) if (count[node] > 0) met[ofNode[node]] = 1;
      for (let place = 0; place < self.length; place++) {
        if (met[place] === 0 && samples[place] === 0) continue;
        this.#add(group, place, samples[place], self[place], total[place]);
      }
      if (noStack > 0) this.#add(group, -1, noStack, noStackWeight, noStackWeight);
    }
  }

  /**
   * @param {number} ofSample
   * @param {number} place
   * @param {number} samples
   * @param {number} self
   * @param {number} total
   */
  #add(ofSample, place, samples, self, total) {
    if (this.#filter && !this.#filter.test(this.#label(ofSample, place))) return;
    this.#ofSample.push(ofSample);
    this.#place.push(place);
    this.samples.push(samples);
    this.self.push(self);
    this.total.push(total);
  }

  /** @param {number} ofSample @param {number} place */
  #label(ofSample, place) {
    const { func, node } = this.#places;
    const at = { sample: 0, func: 0, node: 0 };
    const labels = this.#keys.map((key) => {
      if (key in SAMPLE_KEYS) return this.#bySample.labels[ofSample][at.sample++];
      if (place < 0) return NO_STACK;
      if (key in NODE_KEYS) return this.#byNode.labels[node[place]][at.node++];
      return this.#byFunc.labels[func[place]][at.func++];
    });
    return labels.join(',');
  }

  /** @param {number} group */
  keyOf(group) {
    return this.#label(this.#ofSample[group], this.#place[group]);
  }

  /** @param {number} weight */
  shareOf(weight) {
    return this.whole > 0 ? weight / this.whole : 0;
  }

  /**
   * @param {number} group
   * @returns {HotspotRow}
   */
  rowOf(group) {
    const [self, total] = [this.self[group], this.total[group]];
    const [selfShare, totalShare] = [this.shareOf(self), this.shareOf(total)];
    const row = {
      ...{ key: this.keyOf(group), samples: this.samples[group] },
      ...{ self, total, selfShare, totalShare },
    };
    const place = this.#place[group];
    const hasNames = this.#keys.some((key) => key in FUNC_KEYS);
    if (place >= 0 && hasNames) Object.assign(row, this.#common(this.#places.func[place]));
    return row;
  }

  /**
   * What the functions of a group agree on.
   * @param {number} group of functions
   */
  #common(group) {
    const { list, first } = (this.#members ??= membersOf(
      /** @type {Int32Array} */ (this.#byFunc.groupOf),
      this.#byFunc.labels.length,
    ));
    const { symbol, kind } = this.#readers;
    const { funcs } = this.#profile.raw;
    // What is no Rust has no crate: "[js]" is a key to sort by, not a crate to report.
    const crate = (/** @type {Profile} */ profile, /** @type {number} */ func) =>
      funcs.kind[func] !== RUST && funcs.crate[func] < 0 ? undefined : crateOf(profile, func);
    /** @type {Record<string, string>} */
    const common = {};
    for (const [name, read] of Object.entries({ symbol, object: objectOf, crate, kind })) {
      const value = read(this.#profile, list[first[group]]);
      let isCommon = value !== undefined;
      for (let i = first[group] + 1; isCommon && i < first[group + 1]; i++)
        isCommon = read(this.#profile, list[i]) === value;
      if (isCommon) common[name] = /** @type {string} */ (value);
    }
    return common;
  }
}

module.exports = { HotspotGroups };
