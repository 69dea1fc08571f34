'use strict';
// Which functions of two profiles are the same one. Where both recorded the same file (by build id), a
// name is a name. Of another build, the hash and the number of a closure and the compiler's suffixes
// change without the function having changed; of edited JavaScript, lines and columns do.

const { MODULE } = require('./flags.js');

/** @typedef {import('./profile').Profile} Profile */

/**
 * A function's name without what changes from build to build.
 * @param {string} name
 */
const symbolKey = (name) =>
  name
    .replace(/::h[0-9a-f]{16}(?=$|\.)/, '')
    .replace(/(?:\.(?:llvm|isra|constprop|part|cold|lto_priv)(?:\.[0-9a-f]+)*)+$/i, '')
    .replace(/\{\{(closure|shim|impl)[^{}]*\}\}/g, '{$1}')
    .replace(/\{((?:closure|shim|impl)[^{}#]*)#\d+\}/g, '{$1}')
    .replace(/(?::\d+){1,2}$/, '');

/**
 * @param {Profile} profile
 * @returns {Map<string, string>} build ids by the modules' names; '' where there are several or none
 */
function buildIds({ raw }) {
  const { name, buildId } = raw.modules;
  /** @type {Map<string, string>} */
  const ids = new Map();
  name.forEach((module, i) => {
    const id = raw.strings[buildId[i]];
    const known = ids.get(raw.strings[module]);
    ids.set(raw.strings[module], known === undefined || known === id ? id : '');
  });
  return ids;
}

/**
 * Modules that have symbols in one of the two profiles alone, as a stripped binding beside one that is
 * not: their functions have no counterpart by name.
 * @param {Profile} base
 * @param {Profile} candidate
 * @returns {Set<string>} names
 */
function halfNamed(base, candidate) {
  const [inBase, inCandidate] = [base, candidate].map(({ raw }) => {
    const { name, flags } = raw.modules;
    return new Map(
      Array.from(name, (at, i) => [raw.strings[at], (flags[i] & MODULE.HAS_SYMBOLS) !== 0]),
    );
  });
  const names = [...inBase.keys()].filter((name) => inCandidate.has(name));
  return new Set(names.filter((name) => inBase.get(name) !== inCandidate.get(name)));
}

/**
 * Functions of half-named modules, by name: a name that another module has too is left out.
 * @param {Profile} profile
 * @param {Set<string>} modules
 * @returns {Map<string, string>} name to what stands for the module's places without a symbol
 */
function namesToJoin({ raw }, modules) {
  /** @type {Map<string, string>} '' where it is somebody else's too */
  const found = new Map();
  for (let func = 0; func < raw.funcs.name.length; func++) {
    const module = raw.funcs.module[func];
    const object = module < 0 ? '' : raw.strings[raw.modules.name[module]];
    const name = raw.strings[raw.funcs.name[func]];
    const joined = modules.has(object) ? `[${object}]` : '';
    found.set(name, (found.get(name) ?? joined) === joined ? joined : '');
  }
  return found;
}

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @returns {(name: string) => string} what a function's name is compared by
 */
function matcher(base, candidate) {
  const ids = [base, candidate].map(buildIds);
  const namesOf = (/** @type {Profile} */ { raw }) =>
    new Set(Array.from(raw.funcs.name, (name) => raw.strings[name]));
  const [inBase, inCandidate] = [base, candidate].map(namesOf);
  /** @type {Map<string, string>} */
  const known = new Map();
  for (const { raw } of [base, candidate]) {
    for (let func = 0; func < raw.funcs.name.length; func++) {
      const name = raw.strings[raw.funcs.name[func]];
      const module = raw.funcs.module[func];
      const file = module < 0 ? '' : raw.strings[raw.modules.name[module]];
      const id = ids[0].get(file) ?? '';
      // Compiled while it ran: a line that both have is the same line far more often than not.
      const isSame =
        module < 0
          ? inBase.has(name) && inCandidate.has(name)
          : id !== '' && ids[1].get(file) === id;
      if (!isSame) known.set(name, symbolKey(name));
    }
  }
  const half = halfNamed(base, candidate);
  if (half.size > 0) {
    for (const profile of [base, candidate]) {
      for (const [name, joined] of namesToJoin(profile, half)) {
        if (joined !== '') known.set(name, joined);
      }
    }
  }
  return (name) => known.get(name) ?? name;
}

module.exports = { halfNamed, matcher, symbolKey };
