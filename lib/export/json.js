'use strict';
// JSON of large tables, in pieces of bytes: what JSON.stringify() gives, byte for byte, without an array of
// numbers for each column and without the whole text, which together took 40 MB at the end of a build.
// The caller provides plain objects, arrays and columns. Refuses toJSON() of anything but a column, and
// cycles.

/** A piece is given away when it has this many bytes; only a longer string makes a longer one. */
const PIECE_BYTES = 1 << 19;
/** Elements that are turned to text at once. */
const SLICE = 2048;
const COMMA = 0x2c;

/** Numbers, one after the other, without an object for each. */
class Column {
  /**
   * @param {ArrayLike<number>} values
   * @param {{nullAt?: number, add?: number, decimals?: number}} [how] nullAt: a value that is written as
   *    null; add: to each other one; decimals: each is divided by that power of ten
   */
  constructor(values, { nullAt = NaN, add = 0, decimals = 0 } = {}) {
    this.values = values;
    this.nullAt = nullAt;
    this.add = add;
    this.decimals = decimals;
  }

  get length() {
    return this.values.length;
  }

  toJSON() {
    const { values, nullAt, add, decimals } = this;
    return Array.from(values, (value) =>
      value === nullAt ? null : (value + add) / 10 ** decimals,
    );
  }
}

/** @param {unknown} value */
const isTable = (value) => typeof value === 'object' && value !== null;

class JsonWriter {
  #bytes = Buffer.allocUnsafe(PIECE_BYTES);
  #at = 0;
  #doubles = new Float64Array(SLICE);
  #give;

  /** @param {(piece: Uint8Array) => void} give gets each piece, which is its own from then on */
  constructor(give) {
    this.#give = give;
  }

  /** @param {unknown} value */
  write(value) {
    if (value instanceof Column) this.#slices(value.length, (from) => this.#numbers(value, from));
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
    // The last ones stay: #slices() goes back over them.
    const kept = Math.max(0, this.#at - 2);
    const last = this.#bytes.subarray(kept, this.#at);
    if (kept > 0) this.#give(this.#bytes.subarray(0, kept));
    this.#bytes = Buffer.allocUnsafe(Math.max(PIECE_BYTES, size + last.length));
    this.#bytes.set(last);
    this.#at = last.length;
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
    if (!value.some(isTable)) {
      this.#slices(value.length, (from) => value.slice(from, from + SLICE));
      return;
    }
    let before = '[';
    for (const item of value) {
      this.#text(before);
      before = ',';
      this.write(item);
    }
    this.#text(']');
  }

  /**
   * @param {number} length
   * @param {(from: number) => unknown[]} sliceOf nothing but primitives
   */
  #slices(length, sliceOf) {
    this.#text('[]');
    for (let from = 0; from < length; from += SLICE) {
      const text = JSON.stringify(sliceOf(from));
      this.#room(text.length * 3);
      // Each is an array of its own: its bracket takes the place of the last one's, and becomes a comma.
      const start = this.#at - (from === 0 ? 2 : 1);
      this.#at = start + this.#bytes.write(text, start);
      if (from > 0) this.#bytes[start] = COMMA;
    }
  }

  /**
   * By way of numbers of one type: V8 makes no fast loop over arrays of seven. And whole ones as such, since
   * an array with a null would have an object for each other.
   * @param {Column} column
   * @param {number} from
   */
  #numbers({ values, nullAt, add, decimals }, from) {
    const count = Math.min(values.length - from, SLICE);
    const own = this.#doubles;
    own.set(
      ArrayBuffer.isView(values)
        ? /** @type {Float64Array} */ (values).subarray(from, from + count)
        : Array.prototype.slice.call(values, from, from + count),
    );
    const scale = 10 ** decimals;
    /** @type {(number | null)[]} */
    const numbers = new Array(count);
    for (let i = 0; i < count; i++) {
      const value = own[i];
      const sum = value + add;
      if (value === nullAt) numbers[i] = null;
      else if (scale === 1) numbers[i] = (sum | 0) === sum ? sum | 0 : sum;
      else numbers[i] = sum / scale;
    }
    return numbers;
  }
}

/**
 * @param {unknown} value
 * @param {(piece: Uint8Array) => void} give
 */
function writeJson(value, give) {
  const writer = new JsonWriter(give);
  writer.write(value);
  writer.end();
}

module.exports = { Column, writeJson };
