'use strict';
// The evidence of a hint: which share of the samples is in some kind of function, and which functions of
// the build it is done for. Rust's own library, libc and the kernel are not asked: a hash table grows for
// whoever uses it.

const { KINDS } = require('../profile/keys.js');
const { TRANSPARENT_CRATES } = require('../profile/categories.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {{name: string, kind: string, crate: string, file: string}} Func */
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
  return {
    name: names.text[names.id[func]],
    kind: KINDS[funcs.kind[func]],
    crate: funcs.crate[func] >= 0 ? strings[funcs.crate[func]] : '',
    file: funcs.file[func] >= 0 ? strings[funcs.file[func]] : '',
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

/** What is worked out once for all rules, and the columns that each of them writes into. */
class Evidence {
  /** @param {Profile} profile */
  constructor(profile) {
    const size = profile.raw.nodes.parent.length;
    this.profile = profile;
    /** @type {Func[]} */
    this.funcs = new Array(profile.raw.funcs.name.length);
    for (let id = 0; id < this.funcs.length; id++) this.funcs[id] = funcOf(profile, id);
    this.isOwn = this.#which(isOwn);
    /** The nearest place above, or at. */
    this.above = new Int32Array(size);
    /** The place that a sample here is charged to: -1 none is looked for, -2 found, but no place. */
    this.charged = new Int32Array(size);
  }

  /** @param {(func: Func) => boolean} test */
  #which(test) {
    const found = new Uint8Array(this.funcs.length);
    for (let id = 0; id < found.length; id++) found[id] = test(this.funcs[id]) ? 1 : 0;
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
    const isPlace = place ? this.#which(place) : this.isOwn;
    const { above, charged } = this;
    const { parent, func } = this.profile.raw.nodes;
    above[0] = charged[0] = -1;
    for (let node = 1; node < parent.length; node++) {
      const up = parent[node];
      const id = func[node];
      above[node] = isPlace[id] === 1 && (own || wanted[id] === 0) ? id : above[up];
      if (wanted[id] === 1) charged[node] = above[node] >= 0 ? above[node] : -2;
      else charged[node] = near && this.isOwn[id] === 1 ? -1 : charged[up];
    }
    return this.#sum();
  }

  /**
   * @param {string} category of docs/categories.md
   * @param {(func: Func) => boolean} [place]
   * @returns {Found}
   */
  inCategory(category, place) {
    const { names, ofNode } = this.profile.categories;
    const wanted = names.indexOf(category);
    const isPlace = place ? this.#which(place) : this.isOwn;
    const { above, charged } = this;
    const { parent, func } = this.profile.raw.nodes;
    above[0] = charged[0] = -1;
    for (let node = 1; node < parent.length; node++) {
      above[node] = isPlace[func[node]] === 1 ? func[node] : above[parent[node]];
      charged[node] = ofNode[node] !== wanted ? -1 : above[node] >= 0 ? above[node] : -2;
    }
    return this.#sum();
  }

  /** @returns {Found} of what is charged */
  #sum() {
    const { profile, charged, funcs } = this;
    const { node, weight: weights } = profile.raw.samples;
    /** @type {Map<number, number>} */
    const byPlace = new Map();
    let weight = 0;
    let samples = 0;
    for (let i = 0; i < node.length; i++) {
      const place = charged[node[i]];
      if (place === -1) continue;
      samples++;
      weight += weights[i];
      if (place >= 0) byPlace.set(place, (byPlace.get(place) ?? 0) + weights[i]);
    }
    const whole = profile.totalWeight;
    const part = (/** @type {number} */ value) => (whole > 0 ? value / whole : 0);
    const top = (/** @type {(id: number) => string} */ nameOf) => {
      /** @type {Map<string, number>} V8's tiers of a function are one place */
      const named = new Map();
      for (const [id, value] of byPlace) {
        const name = nameOf(id);
        if (name !== '') named.set(name, (named.get(name) ?? 0) + value);
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
