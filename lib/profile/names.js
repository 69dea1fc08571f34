'use strict';
// What functions are called. A stripped binary gives each sampled address a "name" of its own,
// `[rspack.linux-x64-gnu.node+0x1234]`: as data they stay apart, for people all of one object are one.

const { ProfError } = require('../errors.js');
const { objectOf } = require('./keys.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {{id: Uint32Array, text: readonly string[]}} Names id: index into text, by function */

/**
 * @param {Profile} profile
 * @returns {Names} in which the functions without a symbol have their object's name, in brackets
 */
function namesByObject(profile) {
  const { funcs, strings } = profile.raw;
  const id = funcs.name.slice();
  const text = [...strings];
  /** @type {Map<string, number>} */
  const objects = new Map();
  for (let func = 0; func < id.length; func++) {
    // What the unwinder put in ("[frames skipped]") stands for no place of an object.
    if (funcs.named[func] === 1 || !/[+[]0x[0-9a-f]+\]$/.test(strings[id[func]])) continue;
    const object = objectOf(profile, func);
    const name = object.startsWith('[') ? object : `[${object}]`;
    const known = objects.get(name) ?? text.push(name) - 1;
    objects.set(name, known);
    id[func] = known;
  }
  return { id, text };
}

/**
 * @param {unknown} value of the option `unnamed`
 * @returns {boolean} whether unnamed places of one object are one
 */
function isTogether(value) {
  if (value === undefined || value === 'apart') return false;
  if (value === 'together') return true;
  throw new ProfError('ERR_PROF_BAD_OPTION', `'unnamed' must be 'apart' or 'together'`);
}

module.exports = { namesByObject, isTogether };
