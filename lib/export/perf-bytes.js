'use strict';
// Bytes as perf.data has them: they grow, little-endian.

const CHUNK_BYTES = 1 << 20;

class Writer {
  constructor() {
    this.bytes = Buffer.alloc(CHUNK_BYTES);
    this.size = 0;
  }

  /** @param {number} size */
  need(size) {
    if (this.size + size <= this.bytes.length) return;
    const wider = Buffer.alloc(Math.max(this.bytes.length * 2, this.size + size));
    this.bytes.copy(wider, 0, 0, this.size);
    this.bytes = wider;
  }

  /** @param {number} value */
  u16(value) {
    this.need(2);
    this.size = this.bytes.writeUInt16LE(value, this.size);
  }

  /** @param {number} value */
  u32(value) {
    this.need(4);
    this.size = this.bytes.writeUInt32LE(value >>> 0, this.size);
  }

  /** @param {bigint | number} value rounded */
  u64(value) {
    this.need(8);
    const whole = typeof value === 'bigint' ? value : BigInt(Math.round(value));
    this.size = this.bytes.writeBigUInt64LE(BigInt.asUintN(64, whole), this.size);
  }

  /** @param {number} size */
  zeros(size) {
    this.need(size);
    this.bytes.fill(0, this.size, (this.size += size));
  }

  /**
   * With at least one NUL, `size` bytes in all.
   * @param {Buffer} text
   * @param {number} size
   */
  text(text, size) {
    this.need(size);
    text.copy(this.bytes, this.size);
    this.bytes.fill(0, this.size + text.length, (this.size += size));
  }

  /** @param {string} text perf's own strings: length, then text with its padding */
  featureText(text) {
    const bytes = Buffer.from(text);
    const size = (bytes.length + 64) & ~63; // NAME_ALIGN
    this.u32(size);
    this.text(bytes, size);
  }

  get whole() {
    return this.bytes.subarray(0, this.size);
  }
}

module.exports = { Writer };
