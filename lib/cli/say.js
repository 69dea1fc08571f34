'use strict';
// What is no result goes to standard error, in lines that say who speaks.

/** @typedef {Pick<import('./main.js').World, 'stderr'>} Ears */

/**
 * @param {Ears} world
 * @param {string} line
 */
const say = ({ stderr }, line) => void stderr.write(`rspack-prof: ${line}\n`);

/**
 * What went wrong beside a command that ran: the exit code stays the command's.
 * @param {Ears} world
 * @param {unknown} error
 */
function sayError(world, error) {
  const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
  say(world, `${message}${code ? ` (${code})` : ''}`);
}

module.exports = { say, sayError };
