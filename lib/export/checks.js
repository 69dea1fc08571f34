'use strict';
// Checks on JSON that may come from anybody. Each gives the value back as what it was asked to be, or
// throws a BadProfile that names the place.

/** @typedef {Record<string, any>} Json */

class BadProfile extends Error {}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {Json}
 */
function object(value, name) {
  if (typeof value !== 'object' || value === null) throw new BadProfile(`it has no ${name}`);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} [length]
 * @returns {any[]}
 */
function array(value, name, length) {
  if (!Array.isArray(value)) throw new BadProfile(`it has no ${name}`);
  if (length !== undefined && value.length !== length) {
    throw new BadProfile(`${name} has ${value.length} rows, not ${length}`);
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} [length]
 * @param {number | null} [none] what null stands for; where left out, null is wrong
 * @returns {number[]}
 */
function numbers(value, name, length, none = null) {
  return array(value, name, length).map((item, row) => {
    const number = item === null ? none : item;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      throw new BadProfile(`${name}[${row}] is ${JSON.stringify(item)}, not a number`);
    }
    return number;
  });
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function text(value, name) {
  if (typeof value !== 'string') throw new BadProfile(`${name} is not a string`);
  return value;
}

/**
 * Whole numbers in the range of a column's type; a conversion would wrap what is outside.
 * @template {Uint8Array | Uint16Array | Uint32Array | Int32Array} T
 * @param {{new (list: number[]): T, BYTES_PER_ELEMENT: number, name: string}} Type
 * @param {number[]} list
 * @param {string} name
 * @returns {T}
 */
function integers(Type, list, name) {
  const column = new Type(list);
  const wrong = list.findIndex((value, row) => column[row] !== value);
  if (wrong >= 0) throw new BadProfile(`${name}[${wrong}] is ${list[wrong]}, out of range`);
  return column;
}

/**
 * @param {number[]} rows
 * @param {string} name
 * @param {(row: number) => number} at
 * @param {number} end
 */
function mapThrough(rows, name, at, end) {
  return rows.map((row, index) => {
    if (!(Number.isInteger(row) && row >= 0 && row < end)) {
      throw new BadProfile(`${name}[${index}] is ${row}, outside of 0..${end - 1}`);
    }
    return at(row);
  });
}

module.exports = { BadProfile, array, integers, mapThrough, numbers, object, text };
