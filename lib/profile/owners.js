'use strict';
// Whose work a node of the calling-context tree is: a loader's or a plugin's. Exact is what stands
// below one of its functions. What a promise or a callback goes on with later stands below nobody:
// there the file of the outermost JavaScript function decides, else its npm package, each only where
// it is one owner's alone.

const { KINDS, packageOfFile } = require('./keys.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {{names: string[], ofNode: Int32Array, exact: Uint8Array}} Owned ofNode: index into
 *    names; exact: 0 where it was told by the file */

const NOBODY = -1;
const SEVERAL = -2;

/** @rspack/core's own JavaScript, apart from the loaders in it. */
const CORE = /[\\/]@rspack[\\/](core|cli)[\\/](dist|compiled)[\\/](?!\w*[lL]oader\w*\.)/;

/**
 * @param {Profile} profile
 * @param {number} func
 */
function fileOf({ raw }, func) {
  return raw.funcs.file[func] >= 0 ? raw.strings[raw.funcs.file[func]] : '';
}

/**
 * Where a function stands, as the build's notes have it.
 * @param {Profile} profile
 * @param {number} func
 */
function placeOf(profile, func) {
  const { line, column } = profile.raw.funcs;
  return `${fileOf(profile, func)}:${line[func]}:${column[func]}`;
}

/** The same of a tap's function. @param {{file: string, line: number, column: number}} tap */
const placeOfTap = ({ file, line, column }) => `${file}:${line}:${column}`;

/**
 * What a JavaScript function is: the user's or a package's ('user'), rspack's own ('core'), or
 * neither (node's, no JavaScript).
 * @param {Profile} profile
 * @param {number} func
 */
function sideOf(profile, func) {
  if (KINDS[profile.raw.funcs.kind[func]] !== 'js') return '';
  const file = fileOf(profile, func);
  if (file === '' || file.startsWith('node:')) return '';
  return CORE.test(file) ? 'core' : 'user';
}

/** Names to numbers, as they come. */
class Names {
  /** @type {string[]} */
  list = [];
  /** @type {Map<string, number>} */
  #ids = new Map();

  /** @param {string} name */
  id(name) {
    let id = this.#ids.get(name);
    if (id === undefined) this.#ids.set(name, (id = this.list.push(name) - 1));
    return id;
  }
}

/**
 * @param {Map<string, number>} owners
 * @param {string} key
 * @param {number} owner
 */
function claim(owners, key, owner) {
  const known = owners.get(key);
  owners.set(key, known === undefined || known === owner ? owner : SEVERAL);
}

/**
 * Owners of the nodes that have none by themselves.
 * @param {Profile} profile
 * @param {object} known
 * @param {Int32Array} known.exact owner of each node, -1: none
 * @param {Map<string, number>} known.files what an owner's own functions stand in
 * @param {number} known.nobody
 * @param {Int32Array} [known.others] owners by other rules, whose packages tell nothing here
 * @returns {{ofNode: Int32Array, exact: Uint8Array}}
 */
function fillOwners(profile, { exact, files, nobody, others }) {
  const { parent, func } = profile.raw.nodes;
  const { line, column } = profile.raw.funcs;
  const sides = Array.from(profile.raw.funcs.name, (_, own) => sideOf(profile, own));
  const packages = sides.map((side, own) =>
    side === 'user' ? packageOfFile(fileOf(profile, own)) : '',
  );
  /** @type {Map<string, number>} */
  const owned = new Map();
  for (const [file, owner] of files) {
    const name = CORE.test(file) ? '' : packageOfFile(file);
    if (name !== '') claim(owned, name, owner);
  }
  for (let node = 1; node < parent.length; node++) {
    const name = packages[func[node]];
    if (name === '') continue;
    if (exact[node] >= 0) claim(owned, name, exact[node]);
    else if (others && others[node] >= 0) claim(owned, name, SEVERAL);
  }
  const told = sides.map((side, own) => {
    if (side !== 'user') return NOBODY;
    // A module's body is the work of whoever loads it.
    if (line[own] === 1 && column[own] === 1) return NOBODY;
    const byFile = files.get(fileOf(profile, own));
    if (byFile !== undefined) return byFile;
    return owned.get(packages[own]) ?? NOBODY;
  });
  const ofNode = new Int32Array(parent.length).fill(nobody);
  const isExact = new Uint8Array(parent.length);
  const hasUser = new Uint8Array(parent.length);
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node];
    const own = func[node];
    const isOutermost = sides[own] !== '' && hasUser[up] === 0;
    hasUser[node] = hasUser[up] | (sides[own] !== '' ? 1 : 0);
    if (exact[node] >= 0) {
      ofNode[node] = exact[node];
      isExact[node] = 1;
    } else if (isOutermost && told[own] >= 0) ofNode[node] = told[own];
    else ofNode[node] = ofNode[up];
  }
  return { ofNode, exact: isExact };
}

module.exports = { Names, NOBODY, claim, fileOf, fillOwners, placeOf, placeOfTap, sideOf };
