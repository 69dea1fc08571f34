'use strict';
// Text of which most is said again and again, as bytes: copied, not encoded anew. A stack has some 80 frames of
// 100 characters, and there are 100,000 of them.

/** A write of this much costs little beside its bytes. */
const CHUNK_BYTES = 1 << 20;

/** Collects pieces; each chunk that it gives away is the taker's. */
class ByteLines {
  #bytes = Buffer.allocUnsafe(CHUNK_BYTES);
  #at = 0;

  /**
   * Room for what is written next. A caller who asks for a whole line finds no chunk that ends within one.
   * @param {number} size bytes
   * @returns {Buffer | null} a chunk that had to go before
   */
  room(size) {
    if (this.#at + size <= this.#bytes.length) return null;
    const full = this.take();
    if (size > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(size);
    return full;
  }

  /**
   * @param {Buffer} source
   * @param {number} [size] of it
   */
  copy(source, size = source.length) {
    source.copy(this.#bytes, this.#at, 0, size);
    this.#at += size;
  }

  /** @param {string} text at most three bytes for each of its characters */
  text(text) {
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** @returns {Buffer | null} what is there; null: nothing */
  take() {
    if (this.#at === 0) return null;
    const full = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafe(CHUNK_BYTES);
    this.#at = 0;
    return full;
  }
}

module.exports = { ByteLines };
