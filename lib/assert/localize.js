'use strict';
// A build's configuration from a test runner's sandbox, for rspack outside of it. Regular expressions of
// the sandbox are not those that rspack knows by `instanceof`: it would take `test: /\.jsx$/` for an
// object without a match, and quietly build without the loader. Functions and class instances (plugins)
// stay what they are.

const { types } = require('node:util');

/** @param {object} value */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value);
  // Of whichever realm: the prototype of a plain object is the end of its chain.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * @template T
 * @param {T} value
 * @param {Map<unknown, unknown>} [known] for what stands in several places, or in itself
 * @returns {T} a copy wherever something had to change
 */
function localize(value, known = new Map()) {
  if (typeof value !== 'object' || value === null) return value;
  if (known.has(value)) return /** @type {T} */ (known.get(value));
  if (types.isRegExp(value)) {
    const local = new RegExp(value.source, value.flags);
    return /** @type {T} */ (/** @type {unknown} */ (local));
  }
  if (Array.isArray(value)) {
    /** @type {unknown[]} */
    const list = [];
    known.set(value, list);
    for (const one of value) list.push(localize(one, known));
    return /** @type {T} */ (/** @type {unknown} */ (list));
  }
  if (!isPlain(value)) return value;
  /** @type {Record<string, unknown>} */
  const copy = {};
  known.set(value, copy);
  for (const [name, one] of Object.entries(value)) copy[name] = localize(one, known);
  return /** @type {T} */ (copy);
}

module.exports = { localize };
