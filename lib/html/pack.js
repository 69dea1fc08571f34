'use strict';
// Columns and a header as one compressed text for a page: a length, the header as JSON, then each
// column's bytes, all deflated and as base64. view/unpack.js reads it. Base64 has no '<', so nothing in
// it can end a script element, whatever functions are called.

const { Deflate } = require('../export/gzip.js');
const { writeJson } = require('../export/json.js');
const { fresh } = require('../profile/scratch.js');

/** @typedef {Uint8Array | Uint16Array | Uint32Array | Float32Array} Column */

/** Column starts, so that typed arrays can be laid over them. */
const ALIGNMENT = 4;

/** @param {number} size */
const aligned = (size) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/**
 * The narrowest column that holds whole numbers below `end`.
 * @param {ArrayLike<number>} values
 * @param {number} end
 * @param {import('../profile/scratch').Take} [take]
 * @returns {Column}
 */
function narrow(values, end, take = fresh) {
  const type = end <= 2 ** 8 ? Uint8Array : end <= 2 ** 16 ? Uint16Array : Uint32Array;
  const column = take(type, values.length);
  // Not from(): it asks a typed array for an iterator, at ten times the cost.
  column.set(values);
  return column;
}

/**
 * @param {object} header
 * @param {Record<string, Column>} columns
 * @param {number} level of zlib
 * @returns {string}
 */
function pack(header, columns, level) {
  const listed = Object.entries(columns).map(([name, { constructor, length }]) => ({
    name,
    type: constructor.name,
    length,
  }));
  /** @type {Uint8Array[]} */
  const json = [];
  writeJson({ ...header, columns: listed }, (piece) => json.push(Buffer.from(piece)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.reduce((sum, piece) => sum + piece.length, 0));
  const deflate = new Deflate(level);
  let at = 0;
  const write = (/** @type {Uint8Array} */ bytes) => {
    deflate.write(bytes);
    at += bytes.length;
  };
  const align = () => write(new Uint8Array(aligned(at) - at));
  [length, ...json].forEach(write);
  align();
  for (const { buffer, byteOffset, byteLength } of Object.values(columns)) {
    write(new Uint8Array(buffer, byteOffset, byteLength));
    align();
  }
  return Buffer.concat(deflate.end()).toString('base64');
}

module.exports = { narrow, pack };
