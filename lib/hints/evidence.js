'use strict';
// The evidence of a hint: which share of the samples is in some kind of function, and which functions of
// the build it is done for. Rust's own library, libc and the kernel are not asked: a hash table grows for
// whoever uses it.

const { KINDS, packageOfFile } = require('../profile/keys.js');
const { TRANSPARENT_CRATES } = require('../profile/categories.js');
const { sumPerNode } = require('../profile/select.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {{name: string, kind: string, crate: string, file: string, package: string}} Func package: npm's, of
 *    JavaScript, '' where it is in none */
/** @typedef {{symbol: string, share: number}} Place */
/** @typedef {{share: number, samples: number, places: Place[]}} Found */

const PLACES = 3;
/** Where a place has less than this of a hint's samples, crates say more. */
const SPREAD = 0.2;
/** Rust that works for whoever calls it, beyond the language's own library. */
const HELPERS =
  /^(tracing\w*|rspack_tracing\w*|napi\w*|rayon|rayon_core|tokio|futures\w*|crossbeam\w*|hstr|swc_atoms|rustc_hash|indexmap|dashmap|bumpalo|smallvec|serde\w*)$/;

/** @param {Profile} profile @param {number} func @returns {Func} */
function funcOf({ raw, names }, func) {
  const { funcs, strings } = raw;
  const kind = KINDS[funcs.kind[func]];
  const file = funcs.file[func] >= 0 ? strings[funcs.file[func]] : '';
  return {
    name: names.text[names.id[func]],
    kind,
    crate: funcs.crate[func] >= 0 ? strings[funcs.crate[func]] : '',
    file,
    package: kind === 'js' ? packageOfFile(file) : '',
  };
}

/** @param {Profile} profile @param {number} func */
function placeName({ raw, names }, func) {
  const { funcs, strings } = raw;
  const name = names.text[names.id[func]];
  const file = funcs.file[func] > 0 ? strings[funcs.file[func]] : '';
  // JavaScript's names have their file.
  if (file === '' || funcs.line[func] === 0 || KINDS[funcs.kind[func]] === 'js') return name;
  return `${name} (${file}:${funcs.line[func]})`;
}

/** What people can change: their JavaScript, and Rust that is not the language's. @param {Func} func */
function isOwn({ kind, crate, name, file }) {
  if (kind === 'js') return !file.startsWith('node:');
  if (kind !== 'rust' || name.startsWith('[')) return false;
  return !TRANSPARENT_CRATES.test(crate) && !HELPERS.test(crate);
}

/** What a node's samples are charged to where it is no function's id. */
const NOT_MEANT = -1;
const NOWHERE = -2;

// Plain loops over columns, one for each question and outside of the class: a build ends while they run
// for the first time, and what V8 spends on optimizing them is half of their cost.

/**
 * The nearest marked function above each node.
 * @param {Int32Array} above written
 * @param {{parent: Int32Array, func: Int32Array}} nodes
 * @param {Uint8Array} marked by function
 * @param {Uint8Array | null} passed functions that are not it themselves
 */
function findAbove(above, { parent, func }, marked, passed) {
  above[0] = NOT_MEANT;
  for (let node = 1; node < parent.length; node++) {
    const id = func[node];
    const own = marked[id] === 1 && (passed === null || passed[id] === 0);
    above[node] = own ? id : above[parent[node]];
  }
}

/**
 * Charges what is wanted, and what runs below it, to what is above.
 * @param {Int32Array} charged written
 * @param {Int32Array} above
 * @param {{parent: Int32Array, func: Int32Array}} nodes
 * @param {Uint8Array} wanted by function
 * @param {Uint8Array | null} ends functions below which nothing is meant any more
 */
function chargeBelow(charged, above, { parent, func }, wanted, ends) {
  charged[0] = NOT_MEANT;
  for (let node = 1; node < parent.length; node++) {
    const id = func[node];
    if (wanted[id] === 1) charged[node] = above[node] >= 0 ? above[node] : NOWHERE;
    else charged[node] = ends !== null && ends[id] === 1 ? NOT_MEANT : charged[parent[node]];
  }
}

/**
 * @param {Int32Array} charged written
 * @param {Int32Array} above
 * @param {Uint8Array} ofNode
 * @param {number} wanted
 */
function chargeCategory(charged, above, ofNode, wanted) {
  charged[0] = NOT_MEANT;
  for (let node = 1; node < charged.length; node++) {
    if (ofNode[node] !== wanted) charged[node] = NOT_MEANT;
    else charged[node] = above[node] >= 0 ? above[node] : NOWHERE;
  }
}

/**
 * @param {Int32Array} charged
 * @param {{weight: Float64Array, count: Float64Array}} sums of each node
 * @param {Float64Array} byFunc written: weight charged to each function
 * @returns {[number, number]} weight and samples, of what is charged to nobody too
 */
function sumCharged(charged, { weight, count }, byFunc) {
  let whole = 0;
  let samples = 0;
  byFunc.fill(0);
  for (let node = 0; node < charged.length; node++) {
    const place = charged[node];
    if (place === NOT_MEANT || count[node] === 0) continue;
    whole += weight[node];
    samples += count[node];
    if (place >= 0) byFunc[place] += weight[node];
  }
  return [whole, samples];
}

/** What is worked out once for all rules, and the columns that each of them writes into. */
class Evidence {
  #sums;
  /** @type {Float64Array} */
  #byFunc;
  /** Of tests that several rules share. @type {Map<(func: Func) => boolean, Uint8Array>} */
  #known = new Map();

  /**
   * @param {Profile} profile
   * @param {import('../profile/scratch').Take} take
   */
  constructor(profile, take) {
    const size = profile.raw.nodes.parent.length;
    this.profile = profile;
    this.#sums = sumPerNode(profile, null, take);
    /** @type {Func[]} */
    this.funcs = new Array(profile.raw.funcs.name.length);
    for (let id = 0; id < this.funcs.length; id++) this.funcs[id] = funcOf(profile, id);
    this.#byFunc = new Float64Array(this.funcs.length);
    this.isOwn = this.#which(isOwn);
    /** The nearest place above, or at. */
    this.above = take(Int32Array, size);
    /** The place that a sample here is charged to. */
    this.charged = take(Int32Array, size);
  }

  /** @param {(func: Func) => boolean} test */
  #which(test) {
    let found = this.#known.get(test);
    if (found) return found;
    found = new Uint8Array(this.funcs.length);
    for (let id = 0; id < found.length; id++) found[id] = test(this.funcs[id]) ? 1 : 0;
    this.#known.set(test, found);
    return found;
  }

  /**
   * Functions, and what runs below them.
   * @param {(func: Func) => boolean} test
   * @param {{near?: boolean, place?: (func: Func) => boolean, own?: boolean}} [how] near: only with nothing of
   *    the build's own below it; place: what may be named; own: the frame itself too, not only what called it
   * @returns {Found}
   */
  through(test, { near = false, place, own = false } = {}) {
    const wanted = this.#which(test);
    if (!wanted.includes(1)) return { share: 0, samples: 0, places: [] };
    const { nodes } = this.profile.raw;
    findAbove(this.above, nodes, place ? this.#which(place) : this.isOwn, own ? null : wanted);
    chargeBelow(this.charged, this.above, nodes, wanted, near ? this.isOwn : null);
    return this.#found();
  }

  /**
   * @param {string} category of docs/categories.md
   * @param {(func: Func) => boolean} [place]
   * @returns {Found}
   */
  inCategory(category, place) {
    const { names, ofNode } = this.profile.categories;
    const { nodes } = this.profile.raw;
    findAbove(this.above, nodes, place ? this.#which(place) : this.isOwn, null);
    chargeCategory(this.charged, this.above, ofNode, names.indexOf(category));
    return this.#found();
  }

  /** @returns {Found} of what is charged */
  #found() {
    const { profile, funcs } = this;
    const byFunc = this.#byFunc;
    const [weight, samples] = sumCharged(this.charged, this.#sums, byFunc);
    const whole = profile.totalWeight;
    const part = (/** @type {number} */ value) => (whole > 0 ? value / whole : 0);
    const top = (/** @type {(id: number) => string} */ nameOf) => {
      /** @type {Map<string, number>} V8's tiers of a function are one place */
      const named = new Map();
      for (let id = 0; id < byFunc.length; id++) {
        const name = byFunc[id] > 0 ? nameOf(id) : '';
        if (name !== '') named.set(name, (named.get(name) ?? 0) + byFunc[id]);
      }
      return [...named]
        .sort((a, b) => b[1] - a[1])
        .slice(0, PLACES)
        .map(([symbol, value]) => ({ symbol, share: part(value) }));
    };
    const places = top((id) => placeName(profile, id));
    const isSpread = places.length === PLACES && places[0].share < SPREAD * part(weight);
    const crates = isSpread ? top((id) => funcs[id].crate && `crate ${funcs[id].crate}`) : [];
    return { share: part(weight), samples, places: [...crates, ...places] };
  }
}

module.exports = { Evidence, isOwn };
