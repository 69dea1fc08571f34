'use strict';
// Which loader a node works for. A JavaScript loader is the first function that is not rspack's below
// rspack's loader runner; one of Rust's is a crate rspack_loader_*. docs/loaders-and-plugins.md has the
// rules. The runner's functions keep their names in @rspack/core's bundle (checked with 2.2.7).

const path = require('node:path');
const { KINDS, packageOfFile } = require('./keys.js');
const {
  NOBODY,
  Names,
  claim,
  fileOf,
  fillOwners,
  placeOf,
  placeOfTap,
  sideOf,
} = require('./owners.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('./owners').Owned} Owned */

const NO_LOADER = '[no loader]';
const RUNNER = '[loader runner]';
/** Of index.js and of worker.js (loaders with `parallel`); names have the file behind them. */
const RUNNER_FUNCTION =
  /^(?:async )?(?:\w+\.)?(runLoaders|isomorphoicRun|loaderImpl|(utils_)?runSyncOrAsync|(utils_)?loadLoader)(?= |$)/;
const RUNNER_CRATE = 'rspack_loader_runner';
const RUST_LOADER = /^rspack_loader_(\w+)$/;

/**
 * What a user calls a loader of this file: its npm package, with the file where the package has
 * several; else its path from the project's folder.
 * @param {string} file
 * @param {string[]} files of all loaders
 * @param {string} root '' where it is not known
 */
function loaderName(file, files, root) {
  const name = packageOfFile(file);
  if (name !== '') {
    const several = files.some((other) => other !== file && packageOfFile(other) === name);
    const inner = file.slice(file.lastIndexOf(`node_modules/${name}/`) + 14 + name.length);
    return several || name === '@rspack/core' ? `${name}/${inner}` : name;
  }
  if (root === '' || !path.isAbsolute(file)) return file;
  const from = path.relative(root, file);
  return from.startsWith('..') ? from : `./${from}`;
}

/**
 * @param {Profile} profile
 * @returns {Int8Array} by function: 1 a JavaScript function of the runner
 */
function runnersOf(profile) {
  const { raw, names } = profile;
  return Int8Array.from(raw.funcs.name, (_, func) =>
    sideOf(profile, func) === 'core' && RUNNER_FUNCTION.test(names.text[names.id[func]]) ? 1 : 0,
  );
}

/**
 * The loader file that a function below the runner belongs to. A loader's function may be another
 * file's of its package, or another package's that makes loaders.
 * @param {Profile} profile
 * @param {number} func
 * @param {Map<string, string[]>} known loader files by package
 */
function entryFile(profile, func, known) {
  const file = fileOf(profile, func);
  const ofPackage = known.get(packageOfFile(file)) ?? [];
  return ofPackage.length === 1 ? ofPackage[0] : file;
}

/**
 * @param {Profile} profile
 * @returns {Owned & {files: Map<string, string>}} files: names by loader file
 */
function loadersOf(profile) {
  const { funcs, nodes, strings } = profile.raw;
  const { parent, func } = nodes;
  const names = new Names();
  const nobody = names.id(NO_LOADER);
  const runner = names.id(RUNNER);
  const runners = runnersOf(profile);
  const sides = Array.from(funcs.name, (_, own) => sideOf(profile, own));

  // Functions that the runner calls: the loaders, wherever they are met. It calls taps of its hook
  // `loader` too, which are none.
  const taps = new Set(profile.build.taps.map(placeOfTap));
  const isTap = sides.map((side, own) => side === 'user' && taps.has(placeOf(profile, own)));
  const isBelow = new Uint8Array(parent.length);
  /** @type {Set<number>} */
  const entries = new Set();
  for (let node = 1; node < parent.length; node++) {
    const own = func[node];
    if (runners[own]) isBelow[node] = 1;
    else if (isTap[own]) isBelow[node] = 0;
    else if (isBelow[parent[node]] && sides[own] === 'user') entries.add(own);
    else isBelow[node] = isBelow[parent[node]];
  }
  /** @type {Map<string, string[]>} */
  const known = new Map();
  for (const { path: file } of profile.build.loaders) {
    const name = packageOfFile(file);
    if (name !== '') known.set(name, [...(known.get(name) ?? []), file]);
  }
  const fileOfEntry = new Map([...entries].map((own) => [own, entryFile(profile, own, known)]));
  const list = [
    ...new Set([...fileOfEntry.values(), ...profile.build.loaders.map((one) => one.path)]),
  ];
  const nameOf = new Map(list.map((file) => [file, loaderName(file, list, profile.build.root)]));
  const loaderId = (/** @type {string} */ file) => names.id(nameOf.get(file) ?? file);

  const owner = Array.from(funcs.name, (_, own) => {
    const file = fileOfEntry.get(own);
    if (file !== undefined) return loaderId(file);
    if (runners[own]) return runner;
    const isRust = KINDS[funcs.kind[own]] === 'rust';
    const crate = isRust && funcs.crate[own] >= 0 ? strings[funcs.crate[own]] : '';
    if (crate === RUNNER_CRATE) return runner;
    const found = RUST_LOADER.exec(crate);
    return found ? names.id(`builtin:${found[1].replaceAll('_', '-')}-loader`) : NOBODY;
  });
  // A function of a loader's stays it where the loader calls it; only the runner begins anew.
  const exact = new Int32Array(parent.length).fill(NOBODY);
  for (let node = 1; node < parent.length; node++) {
    const up = exact[parent[node]];
    const own = owner[func[node]];
    const isAgain = fileOfEntry.has(func[node]) && up !== NOBODY && up !== runner;
    exact[node] = own === NOBODY || isAgain ? up : own;
  }
  /** @type {Map<string, number>} */
  const files = new Map();
  for (const file of list) claim(files, file, loaderId(file));
  for (const own of entries) {
    if (!files.has(fileOf(profile, own))) claim(files, fileOf(profile, own), Number(owner[own]));
  }
  const filled = fillOwners(profile, { exact, files, nobody });
  return { names: names.list, ...filled, files: nameOf };
}

module.exports = { loadersOf, loaderName, NO_LOADER };
