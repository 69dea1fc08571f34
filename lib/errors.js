'use strict';
// Every error that the package throws on purpose: a code, one line that says what to do, and errno
// and syscall where a system call failed.

const { types } = require('node:util');

/** @typedef {import('./index').ProfErrorCode} ProfErrorCode */

class ProfError extends Error {
  /**
   * @param {ProfErrorCode} code
   * @param {string} message
   * @param {{errno?: number, syscall?: string, cause?: unknown}} [more]
   */
  constructor(code, message, more = {}) {
    // One line is the contract: callers print it after a prefix of their own.
    super(message.replace(/\s*\n\s*/g, ' '), more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'ProfError';
    /** @type {ProfErrorCode} */
    this.code = code;
    if (more.errno !== undefined) this.errno = more.errno;
    if (more.syscall !== undefined) this.syscall = more.syscall;
  }
}

/**
 * What the addon threw, as a ProfError where it carries one of our codes. Anything else (a bug of
 * ours, a JavaScript error) stays what it was.
 * @param {unknown} error
 * @returns {unknown}
 */
function fromNative(error) {
  // Not instanceof Error: in a test runner's sandbox that is another one than the addon's.
  if (error instanceof ProfError || !types.isNativeError(error)) return error;
  const { code, errno, syscall } =
    /** @type {Error & {code?: unknown, errno?: number, syscall?: string}} */ (error);
  if (typeof code !== 'string' || !code.startsWith('ERR_PROF_')) return error;
  return new ProfError(/** @type {ProfErrorCode} */ (code), error.message, {
    errno,
    syscall,
    cause: error,
  });
}

/**
 * What went wrong, for a sentence: anything may be thrown.
 * @param {unknown} error
 * @returns {string}
 */
const reasonOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * The words of `known` that somebody who wrote `word` may have meant, best first: those that start
 * with it or are at most a third of its length of edits away.
 * @param {string} word
 * @param {readonly string[]} known
 * @returns {string[]}
 */
function nearMatches(word, known) {
  const wanted = word.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  return known
    .map((candidate) => {
      const text = candidate.toLowerCase();
      const starts = wanted.length >= 3 && (text.startsWith(wanted) || wanted.startsWith(text));
      return { candidate, distance: starts ? 0.5 : editDistance(wanted, text) };
    })
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/**
 * Levenshtein's distance, one row at a time.
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

module.exports = { ProfError, fromNative, nearMatches, reasonOf };
