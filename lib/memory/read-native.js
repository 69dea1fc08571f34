'use strict';
// Native allocations as a profile's file has them: a file may come from anybody.

const { BadProfile, numbers, object } = require('../export/checks.js');

/** @typedef {import('../profile/raw').RawNative} RawNative */

const FIGURES = [
  ...['meanBytes', 'calls', 'dropped', 'notFollowed', 'missedFrees', 'endNs', 'slots', 'modules'],
  ...['refusedSlots', 'callNs', 'walkMs', 'costPercent', 'peakNs', 'unknown'],
];
const TOTALS = ['all', 'peak', 'live'];
const TOTAL = ['bytes', 'pieces', 'samples'];

/**
 * @param {unknown} table
 * @param {string} where
 * @param {string[]} names
 */
function figuresOf(table, where, names) {
  const from = object(table, where);
  for (const name of names) {
    if (!Number.isFinite(from[name])) throw new BadProfile(`${where}.${name} is no number`);
  }
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

/**
 * @param {unknown} table
 * @param {string} where for messages
 * @returns {RawNative}
 */
function readNative(table, where = 'rspackProf.memory.native') {
  const from = object(table, where);
  const { timeNs, bytes } = object(from.curve, `${where}.curve`);
  const times = numbers(timeNs, `${where}.curve.timeNs`);
  const { detached, bindingShare } = from;
  if (!['', 'cost', 'samples'].includes(detached))
    throw new BadProfile(`${where}.detached is wrong`);
  if (bindingShare !== null) figuresOf(from, where, ['bindingShare']);
  return /** @type {any} */ ({
    ...figuresOf(from, where, FIGURES),
    ...Object.fromEntries(
      TOTALS.map((name) => [name, figuresOf(from[name], `${where}.${name}`, TOTAL)]),
    ),
    curve: {
      timeNs: Float64Array.from(times),
      bytes: Float64Array.from(numbers(bytes, `${where}.curve.bytes`, times.length)),
    },
    detached,
    bindingShare,
  });
}

module.exports = { readNative };
