'use strict';
// Columns that are needed for a moment. A build's end works through a dozen of them, of a megabyte each, and V8
// gives a typed array's memory back only when it collects garbage, which 30 MB of them do not make it do: so
// they are lent out again and again.
//
// lend() takes back at its end what was taken inside: nothing of it may be kept, and nothing may be awaited.

/** @typedef {Uint8ArrayConstructor | Int16ArrayConstructor | Uint16ArrayConstructor | Int32ArrayConstructor
 *    | Uint32ArrayConstructor | Float32ArrayConstructor | Float64ArrayConstructor} ColumnType */
/** @typedef {<T extends ColumnType>(type: T, length: number) => InstanceType<T>} Take a column of zeros */

/** Smaller ones are not worth looking after. */
const LEAST_BYTES = 1 << 12;

/** What fits none: a new column. @type {Take} */
const fresh = (type, length) => /** @type {any} */ (new type(length));

class Scratch {
  /** @type {ArrayBuffer[]} */
  #free = [];
  /** @type {ArrayBuffer[]} the last ones are those of the innermost lend() */
  #taken = [];

  /**
   * @template T
   * @param {(take: Take) => T} work
   * @returns {T}
   */
  lend(work) {
    const before = this.#taken.length;
    try {
      return work((type, length) => this.#take(type, length));
    } finally {
      this.#free.push(...this.#taken.splice(before));
    }
  }

  /** @type {Take} */
  #take(type, length) {
    const bytes = length * type.BYTES_PER_ELEMENT;
    if (bytes < LEAST_BYTES) return fresh(type, length);
    const buffer = this.#smallest(bytes) ?? new ArrayBuffer(bytes);
    this.#taken.push(buffer);
    return /** @type {any} */ (new type(buffer, 0, length).fill(0));
  }

  /** @param {number} bytes */
  #smallest(bytes) {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const size = this.#free[i].byteLength;
      if (size >= bytes && (best < 0 || size < this.#free[best].byteLength)) best = i;
    }
    return best < 0 ? undefined : this.#free.splice(best, 1)[0];
  }
}

module.exports = { Scratch, fresh };
