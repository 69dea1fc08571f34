'use strict';
// JSON of large tables, in pieces of bytes: what JSON.stringify() gives, byte for byte, without an array of
// numbers for each column and without the whole text, which together took 40 MB at the end of a build.
// The caller provides plain objects, arrays and columns. Refuses toJSON() of anything but a column, and
// cycles.

const { LONGEST_NUMBER, writeNumbers, writeWholeNumbers } = require('./json-numbers.js');

/** A piece is given away when it has this many bytes; only a longer string makes a longer one. */
const PIECE_BYTES = 1 << 19;
/** Elements of a column that are looked at together. */
const SLICE = 2048;
/** Elements of another array that are turned to text together: names may be long. */
const TEXTS = 256;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;

/** Numbers, one after the other, without an object for each. */
class Column {
  /**
   * @param {ArrayLike<number>} values
   * @param {object} [how]
   * @param {Uint32Array} [how.rows] only these of the values, in this order
   * @param {number} [how.since] each is written as what came since the one before, the first since this
   * @param {number} [how.nullAt] a value that is written as null
   * @param {number} [how.add] to each other one
   * @param {number} [how.decimals] each is divided by that power of ten
   */
  constructor(values, { rows, since, nullAt = NaN, add = 0, decimals = 0 } = {}) {
    this.values = values;
    this.rows = rows;
    this.since = since;
    this.nullAt = nullAt;
    this.add = add;
    this.decimals = decimals;
  }

  get length() {
    return (this.rows ?? this.values).length;
  }

  /** The type of a column that holds what is written before it is divided, as far as that is known. */
  get type() {
    const { values, since, decimals } = this;
    if (since !== undefined || decimals > 0) return Float64Array;
    if (values instanceof Int32Array) return Int32Array;
    const isUnsigned = [Uint8Array, Uint16Array, Uint32Array].some(
      (type) => values instanceof type,
    );
    return isUnsigned ? Uint32Array : Float64Array;
  }

  /**
   * @template {Float64Array | Int32Array | Uint32Array} T
   * @param {T} into of that type
   * @param {number} from
   * @returns {number} how many there are
   */
  read(into, from) {
    const { values, rows, since } = this;
    const count = Math.min(this.length - from, into.length);
    if (rows) for (let i = 0; i < count; i++) into[i] = values[rows[from + i]];
    else for (let i = 0; i < count; i++) into[i] = values[from + i];
    if (since === undefined) return count;
    let before = from === 0 ? since : values[rows ? rows[from - 1] : from - 1];
    for (let i = 0; i < count; i++) {
      const value = into[i];
      into[i] = value - before;
      before = value;
    }
    return count;
  }

  toJSON() {
    const { nullAt, add, decimals } = this;
    const all = new Float64Array(this.length);
    this.read(all, 0);
    return Array.from(all, (value) => (value === nullAt ? null : (value + add) / 10 ** decimals));
  }
}

/** @param {unknown} value */
const isTable = (value) => typeof value === 'object' && value !== null;

class JsonWriter {
  #bytes = Buffer.allocUnsafe(PIECE_BYTES);
  #at = 0;
  /** One memory for a slice of a column, whatever its type. */
  #slice = new ArrayBuffer(SLICE * Float64Array.BYTES_PER_ELEMENT);
  #give;

  /** @param {(piece: Uint8Array) => void} give gets each piece, which is its own until it returns */
  constructor(give) {
    this.#give = give;
  }

  /** @param {unknown} value */
  write(value) {
    if (value instanceof Column) this.#column(value);
    else if (Array.isArray(value)) this.#array(value);
    else if (isTable(value)) this.#object(/** @type {object} */ (value));
    else this.#text(JSON.stringify(value) ?? 'null');
  }

  end() {
    this.#give(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
  }

  /** @param {number} size bytes that are about to be written */
  #room(size) {
    if (this.#at + size <= this.#bytes.length) return;
    // The last one stays: a list's last comma becomes its end.
    const kept = Math.max(0, this.#at - 1);
    if (kept > 0) this.#give(this.#bytes.subarray(0, kept));
    const last = this.#bytes[kept];
    this.#at -= kept;
    const wanted = Math.max(PIECE_BYTES, size + 1);
    if (wanted !== this.#bytes.length) this.#bytes = Buffer.allocUnsafe(wanted);
    this.#bytes[0] = last;
  }

  /** @param {string} text */
  #text(text) {
    this.#room(text.length * 3); // UTF-8 of one UTF-16 unit
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** @param {object} value */
  #object(value) {
    let before = '{';
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      this.#text(`${before}${JSON.stringify(key)}:`);
      before = ',';
      this.write(item);
    }
    this.#text(before === '{' ? '{}' : '}');
  }

  /** @param {unknown[]} value */
  #array(value) {
    this.#open();
    if (value.some(isTable)) {
      for (const item of value) {
        this.write(item);
        this.#byte(COMMA);
      }
    } else {
      for (let from = 0; from < value.length; from += TEXTS)
        this.#text(`${JSON.stringify(value.slice(from, from + TEXTS)).slice(1, -1)},`);
    }
    this.#close();
  }

  /** @param {Column} column */
  #column(column) {
    this.#open();
    const slice = new column.type(this.#slice, 0, SLICE);
    for (let from = 0; from < column.length; from += SLICE) {
      const count = column.read(slice, from);
      this.#room(count * LONGEST_NUMBER);
      this.#at =
        slice instanceof Float64Array
          ? writeNumbers(this.#bytes, this.#at, slice, count, column)
          : writeWholeNumbers(this.#bytes, this.#at, slice, count, column);
    }
    this.#close();
  }

  #open() {
    this.#byte(OPEN);
  }

  /** In the place of the last comma, if there is one. */
  #close() {
    if (this.#bytes[this.#at - 1] === COMMA) this.#at--;
    this.#byte(CLOSE);
  }

  /** @param {number} byte */
  #byte(byte) {
    this.#room(1);
    this.#bytes[this.#at++] = byte;
  }
}

/**
 * @param {unknown} value
 * @param {(piece: Uint8Array) => void} give what it keeps of a piece, it copies
 */
function writeJson(value, give) {
  const writer = new JsonWriter(give);
  writer.write(value);
  writer.end();
}

module.exports = { Column, writeJson };
