'use strict';
// Numbers as JSON has them, straight into bytes: a profile is nearly all numbers, and a text for each, or for two
// thousand, was most of what writing one took. The same digits as JSON.stringify()'s: V8 is asked for whatever is
// not whole, or has more digits than a double holds exactly in decimal.

const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
/** Digits at once: below 2^30, where V8's arithmetic on whole numbers is cheap. */
const CHUNK = 1e9;
const CHUNK_DIGITS = 9;
/** Of more, small numbers get an exponent. */
const MOST_DECIMALS = 6;
/** Decimals of up to 15 digits are their doubles' shortest form (IEEE 754: DBL_DIG). */
const MOST_EXACT = 1e15;
/** -1.2345678901234567e-300 and a comma. */
const LONGEST_NUMBER = 26;

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} value 0 to 1e9 - 1
 * @param {number} digits that are written, with zeros in front
 * @returns {number} behind it
 */
function writeDigits(bytes, at, value, digits) {
  let left = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (left / 10) | 0;
    bytes[i] = ZERO + left - next * 10;
    left = next;
  }
  return at + digits;
}

/** @param {number} value 0 to 1e9 - 1 */
function digitsOf(value) {
  if (value < 1e3) return value < 100 ? (value < 10 ? 1 : 2) : 3;
  if (value < 1e6) return value < 1e4 ? 4 : value < 1e5 ? 5 : 6;
  return value < 1e7 ? 7 : value < 1e8 ? 8 : 9;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} value whole, 0 to 2^53
 * @returns {number} behind it
 */
function writeWholeNumber(bytes, at, value) {
  if (value < 10) {
    bytes[at] = ZERO + value;
    return at + 1;
  }
  if (value < CHUNK) return writeDigits(bytes, at, value, digitsOf(value));
  const high = Math.floor(value / CHUNK);
  const next = writeDigits(bytes, at, high, digitsOf(high));
  return writeDigits(bytes, next, value - high * CHUNK, CHUNK_DIGITS);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} value whole, 0 to 1e15
 * @param {number} decimals 1 to MOST_DECIMALS
 * @returns {number} behind it
 */
function writeFraction(bytes, at, value, decimals) {
  const scale = 10 ** decimals;
  const whole = Math.floor(value / scale);
  const rest = value - whole * scale;
  let end = writeWholeNumber(bytes, at, whole);
  if (rest === 0) return end;
  bytes[end] = POINT;
  end = writeDigits(bytes, end + 1, rest, decimals);
  while (bytes[end - 1] === ZERO) end--;
  return end;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {string} text ASCII
 * @returns {number} behind it
 */
function writeText(bytes, at, text) {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/**
 * Apart from the others: V8 makes an object of each number that is not small and whole until it has optimized
 * the loop, which runs once, at a build's end.
 * @param {Uint8Array} bytes with room for LONGEST_NUMBER of each
 * @param {number} at
 * @param {Int32Array | Uint32Array} values
 * @param {number} count of them
 * @param {{nullAt: number, add: number}} how of class Column
 * @returns {number} behind the last one's comma
 */
function writeWholeNumbers(bytes, at, values, count, { nullAt, add }) {
  for (let i = 0; i < count; i++) {
    const value = values[i] + add;
    if (values[i] === nullAt) at = writeText(bytes, at, 'null');
    else if (value >= 0) at = writeWholeNumber(bytes, at, value);
    else {
      bytes[at] = MINUS;
      at = writeWholeNumber(bytes, at + 1, -value);
    }
    bytes[at++] = COMMA;
  }
  return at;
}

/**
 * @param {Uint8Array} bytes with room for LONGEST_NUMBER of each
 * @param {number} at
 * @param {Float64Array} values
 * @param {number} count of them
 * @param {{nullAt: number, add: number, decimals: number}} how of class Column
 * @returns {number} behind the last one's comma
 */
function writeNumbers(bytes, at, values, count, { nullAt, add, decimals }) {
  for (let i = 0; i < count; i++) {
    const value = values[i] + add;
    const size = Math.abs(value);
    if (values[i] === nullAt) at = writeText(bytes, at, 'null');
    else if (size < MOST_EXACT && Math.floor(size) === size && decimals <= MOST_DECIMALS) {
      if (value < 0) bytes[at++] = MINUS;
      if (decimals === 0) at = writeWholeNumber(bytes, at, size);
      else at = writeFraction(bytes, at, size, decimals);
    } else at = writeText(bytes, at, JSON.stringify(value / 10 ** decimals));
    bytes[at++] = COMMA;
  }
  return at;
}

module.exports = { LONGEST_NUMBER, writeNumbers, writeWholeNumbers };
