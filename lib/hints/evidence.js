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

/**
 * @param {Profile} profile
 * @param {{node?: (node: number) => boolean, func?: (func: Func) => boolean, near?: boolean,
 *    place?: (func: Func) => boolean, own?: boolean}} what node or func: the frames looked for; a sample
 *    counts where one stands on its stack; near: only with nothing of the build's own below it; place:
 *    what may be named, own: the frame itself too, not only what called it
 * @returns {Found}
 */
function evidence(profile, { node: isNode, func: isFunc, near, place = isOwn, own = false }) {
  const { raw, totalWeight } = profile;
  const { parent, func } = raw.nodes;
  const funcs = Array.from(raw.funcs.name, (_, id) => funcOf(profile, id));
  const isWanted = funcs.map((one) => isFunc?.(one) ?? false);
  const isPlace = funcs.map((one) => place(one));
  const isOther = funcs.map((one) => isOwn(one));
  /** The nearest place above, or at. */
  const above = new Int32Array(parent.length).fill(-1);
  /** The place that a sample here is charged to: -1 none is looked for, -2 found, but no place. */
  const charged = new Int32Array(parent.length).fill(-1);
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node];
    const id = func[node];
    above[node] = isPlace[id] && !(isWanted[id] && !own) ? id : above[up];
    if (isNode ? isNode(node) : isWanted[id]) {
      charged[node] = above[node] >= 0 ? above[node] : -2;
    } else if (!isNode && !(near && isOther[id])) charged[node] = charged[up];
  }
  /** @type {Map<number, number>} */
  const byPlace = new Map();
  let weight = 0;
  let samples = 0;
  for (let i = 0; i < raw.samples.node.length; i++) {
    const place = charged[raw.samples.node[i]];
    if (place === -1) continue;
    samples++;
    weight += raw.samples.weight[i];
    if (place < 0) continue;
    byPlace.set(place, (byPlace.get(place) ?? 0) + raw.samples.weight[i]);
  }
  const part = (/** @type {number} */ value) => (totalWeight > 0 ? value / totalWeight : 0);
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

/**
 * @param {Profile} profile
 * @param {string} category of docs/categories.md
 * @param {(func: Func) => boolean} [place]
 */
function inCategory(profile, category, place) {
  const { names, ofNode } = profile.categories;
  const wanted = names.indexOf(category);
  return evidence(profile, { node: (node) => ofNode[node] === wanted, place });
}

module.exports = { evidence, inCategory, isOwn };
