'use strict';
// Gzip of what comes piece by piece, without ever having the whole, and without waiting: node's streams
// are asynchronous, which an 'exit' handler cannot be. Each piece is deflated by itself up to a byte's end
// (Z_FULL_FLUSH), which zlib defines as parts of one stream; RFC 1952 has the header and the trailer.
// Pieces should be some hundred KB: each begins without the 32 KB that came before.

const zlib = require('node:zlib');

/** Deflate, no flags, no time, no system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const POLYNOMIAL = 0xedb88320;
/** More than a piece gets: what zlib puts together from several is copied, and the parts wait for V8's collector. */
const PART_BYTES = 1 << 17;

/** node's own from 20.15 and 22.2 on. @type {(bytes: Uint8Array, before: number) => number} */
const crc32 = /** @type {any} */ (zlib).crc32 ?? crcByTable();

/** @returns {(bytes: Uint8Array, before: number) => number} */
function crcByTable() {
  const table = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[i] = crc;
  }
  return (bytes, before) => {
    let crc = ~before;
    for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc >>> 0;
  };
}

/** The same without header and trailer (RFC 1951). */
class Deflate {
  /** @type {Uint8Array[]} */
  #parts = [];
  #level;

  /** @param {number} level of zlib */
  constructor(level) {
    this.#level = level;
  }

  /** @param {Uint8Array} piece */
  write(piece) {
    if (piece.length === 0) return;
    const finishFlush = zlib.constants.Z_FULL_FLUSH;
    const options = { level: this.#level, finishFlush, chunkSize: PART_BYTES };
    this.#parts.push(zlib.deflateRawSync(piece, options));
  }

  /** @returns {Uint8Array[]} the stream */
  end() {
    this.#parts.push(zlib.deflateRawSync(Buffer.alloc(0)));
    return this.#parts;
  }
}

class Gzip {
  #deflate;
  #crc = 0;
  #size = 0;

  /** @param {number} level of zlib */
  constructor(level) {
    this.#deflate = new Deflate(level);
  }

  /** @param {Uint8Array} piece */
  write(piece) {
    this.#crc = crc32(piece, this.#crc);
    this.#size += piece.length;
    this.#deflate.write(piece);
  }

  /** @returns {Uint8Array[]} the file */
  end() {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#size % 2 ** 32, 4);
    return [HEADER, ...this.#deflate.end(), trailer];
  }
}

module.exports = { Deflate, Gzip, crcByTable };
