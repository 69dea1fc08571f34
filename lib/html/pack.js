'use strict';
// Columns and a header as one compressed text for a page: a length, the header as JSON, then each
// column's bytes, all deflated and as base64. view/unpack.js reads it. Base64 has no '<', so nothing in
// it can end a script element, whatever functions are called.

const { deflateRawSync } = require('node:zlib');

/** @typedef {Uint8Array | Uint16Array | Uint32Array | Float32Array} Column */

/** Column starts, so that typed arrays can be laid over them. */
const ALIGNMENT = 4;

/** @param {number} size */
const aligned = (size) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/**
 * The narrowest column that holds whole numbers below `end`.
 * @param {ArrayLike<number>} values
 * @param {number} end
 * @returns {Column}
 */
function narrow(values, end) {
  // Not from(): it asks a typed array for an iterator, at ten times the cost.
  if (end <= 2 ** 8) return new Uint8Array(values);
  return end <= 2 ** 16 ? new Uint16Array(values) : new Uint32Array(values);
}

/**
 * @param {object} header
 * @param {Record<string, Column>} columns
 * @param {number} level of zlib
 * @returns {string}
 */
function pack(header, columns, level) {
  const names = Object.keys(columns);
  const listed = names.map((name) => ({
    name,
    type: columns[name].constructor.name,
    length: columns[name].length,
  }));
  const json = Buffer.from(JSON.stringify({ ...header, columns: listed }));
  const first = aligned(4 + json.length);
  const size = names.reduce((sum, name) => sum + aligned(columns[name].byteLength), first);
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(json.length, 0);
  json.copy(bytes, 4);
  let at = first;
  for (const name of names) {
    const { buffer, byteOffset, byteLength } = columns[name];
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += aligned(byteLength);
  }
  return deflateRawSync(bytes, { level }).toString('base64');
}

module.exports = { narrow, pack };
