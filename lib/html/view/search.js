'use strict';
// What is searched for: a regular expression over names, without regard to case unless it has a capital.

/**
 * @param {string} text
 * @returns {RegExp | null | string} null: nothing is searched for; a string: what is wrong with it
 */
function patternOf(text) {
  if (text === '') return null;
  try {
    return new RegExp(text, /[A-Z]/.test(text.replace(/\\./g, '')) ? '' : 'i');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * @param {string[]} names
 * @param {RegExp} pattern
 * @returns {Uint8Array} 1 where it matches
 */
const maskOf = (names, pattern) => Uint8Array.from(names, (name) => Number(pattern.test(name)));

module.exports = { maskOf, patternOf };
