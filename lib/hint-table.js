'use strict';
// Hints for people: a line for each, wrapped, and its places below it.

const { inPercent } = require('./grouped.js');
const { printable, terminalOf, wrap } = require('./terminal.js');
const { shorten } = require('./shorten.js');

/** @typedef {import('./index').Hint} Hint */
/** @typedef {{hints(options?: {least?: number, limit?: number}): Hint[]}} Profile what is read of one */

/** At a build's end. */
const AT_END = 3;

/**
 * @param {Profile} profile
 * @param {import('./terminal').TerminalOptions & {least?: number}} [options]
 * @returns {string} lines; one that says so where there are none
 */
function renderHints(profile, { least, ...options } = {}) {
  const { width, paint } = terminalOf(options);
  const measure = Math.min(width, 100);
  const found = profile.hints({ least });
  if (found.length === 0) return 'no hints: nothing that the rules know took that much\n';
  const lines = found.flatMap(({ code, message, places }) => [
    ...wrap(`${code}: ${printable(message)}`, measure - 2).map((line, i) => {
      return i === 0 ? line.replace(code, paint('bold', code)) : `  ${line}`;
    }),
    ...places.map(({ symbol, share }) => {
      return `  ${inPercent(share).padStart(7)}  ${shorten(printable(symbol), measure - 12)}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

/**
 * What stands below a table of hotspots: a line for each of the largest, nothing where there are none.
 * @param {Profile} profile
 * @param {import('./terminal').TerminalOptions} [options]
 */
function hintsBelow(profile, options) {
  const { width } = terminalOf(options ?? {});
  const found = profile.hints();
  const lines = found.slice(0, AT_END).flatMap(({ code, message, places: [place] }) => {
    const what = printable(message).replace(/( \(the [^;]*)?;.*/s, '');
    const room = Math.min(width, 160) - code.length - what.length - 14;
    const where = place && room >= 24 ? `, most for ${shorten(printable(place.symbol), room)}` : '';
    return wrap(`hint: ${code}: ${what}${where}`, Math.min(width, 160) - 2).map((line, i) => {
      return i === 0 ? line : `  ${line}`;
    });
  });
  if (lines.length === 0) return '';
  return `\n${lines.join('\n')}\n(${found.length} in all: npx rspack-prof report --hints)\n`;
}

module.exports = { hintsBelow, renderHints };
