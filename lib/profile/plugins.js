'use strict';
// Which plugin a node works for: the tap whose function stands on the stack, by the name that was
// given to tap(); of several the innermost. rspack's own plugins are its crates rspack_plugin_*.
// docs/loaders-and-plugins.md has the rules.

const { KINDS } = require('./keys.js');
const { loaderName } = require('./loaders.js');
const { NOBODY, Names, claim, fillOwners, placeOf, placeOfTap } = require('./owners.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('./owners').Owned} Owned */

const NO_PLUGIN = '[no plugin]';
const RUST_PLUGIN = /^rspack_plugin_\w+$/;
/** A function that more plugins share than this is named by whose code it is. */
const MOST_NAMES = 3;

/**
 * The name of each function that plugins tapped: several plugins may share one.
 * @param {Profile} profile
 * @returns {Map<string, string>} by file:line:column
 */
function tapsByPlace({ build }) {
  /** @type {Map<string, Set<string>>} */
  const names = new Map();
  for (const tap of build.taps) {
    if (tap.file === '') continue;
    const known = names.get(placeOfTap(tap)) ?? new Set();
    names.set(placeOfTap(tap), known.add(tap.plugin));
  }
  const crowd = (/** @type {string} */ key, /** @type {number} */ size) => {
    const file = key.replace(/:\d+:\d+$/, '');
    return `[${size} plugins of ${loaderName(file, [], build.root)}]`;
  };
  return new Map(
    [...names].map(([key, set]) => [
      key,
      set.size > MOST_NAMES ? crowd(key, set.size) : [...set].sort().join(' | '),
    ]),
  );
}

/**
 * @param {Profile} profile
 * @returns {Owned}
 */
function pluginsOf(profile) {
  const { funcs, nodes, strings } = profile.raw;
  const names = new Names();
  const nobody = names.id(NO_PLUGIN);
  const taps = tapsByPlace(profile);
  const owner = Array.from(funcs.name, (_, func) => {
    const kind = KINDS[funcs.kind[func]];
    if (kind === 'js') {
      const name = taps.get(placeOf(profile, func));
      return name === undefined ? NOBODY : names.id(name);
    }
    const crate = kind === 'rust' && funcs.crate[func] >= 0 ? strings[funcs.crate[func]] : '';
    return RUST_PLUGIN.test(crate) ? names.id(crate) : NOBODY;
  });
  /** @type {Map<string, number>} */
  const files = new Map();
  for (const { file, plugin } of profile.build.taps) claim(files, file, names.id(plugin));
  const exact = new Int32Array(nodes.func.length).fill(NOBODY);
  for (let node = 1; node < exact.length; node++) {
    const own = owner[nodes.func[node]];
    exact[node] = own === NOBODY ? exact[nodes.parent[node]] : own;
  }
  // What loaders run is theirs: a package that both use tells nothing.
  const { ofNode: loader, exact: isLoader } = profile.loaders;
  const others = loader.map((id, node) => (isLoader[node] ? id : NOBODY));
  const filled = fillOwners(profile, { exact, files, nobody, others });
  return { names: names.list, ...filled };
}

module.exports = { pluginsOf };
