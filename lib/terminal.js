'use strict';
// Text for a terminal: its width and colours, columns of characters, names and sentences fitted to them.
// Nothing here knows a profile.

const { shorten } = require('./shorten.js');

/**
 * @typedef {object} Warning
 * @property {string} code
 * @property {string} message
 * @property {string} fix one command, or ''
 * @property {'blocker' | 'advice'} [severity]
 *
 * @typedef {object} TerminalOptions
 * @property {number} [width] columns; the stream's unless given, Infinity for a pipe
 * @property {boolean} [color]
 * @property {NodeJS.WritableStream & { isTTY?: boolean, columns?: number, hasColors?: () => boolean }} [stream]
 *   where it will be written: gives width and colours
 *
 * @typedef {ReturnType<typeof painter>} Paint
 * @typedef {{ width: number, paint: Paint }} Terminal
 */

/** Of a name in a pipe, which has no width; Rust names have up to 22,000 characters. */
const PIPE_COLUMNS = 160;
const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], yellow: [33, 39] };

/** @param {boolean} on */
function painter(on) {
  return (/** @type {keyof typeof CODES} */ style, /** @type {string} */ text) =>
    on ? `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m` : text;
}

/** Two columns wide in a terminal (East Asian scripts, emoji), and none at all (combining marks). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
const NONE = /\p{Mark}/u;
// Controls, line separators, and marks that turn the rest of a line around (Unicode bidi controls).
// eslint-disable-next-line no-control-regex -- \p{Cc} is the same, and loads ICU
const CONTROL = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** @param {string} text */
function columnsOf(text) {
  // eslint-disable-next-line no-control-regex -- plain ASCII is by far the most, and needs no look
  if (/^[\x00-\x7f]*$/.test(text)) return text.length;
  let columns = 0;
  for (const char of text) columns += NONE.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}

/**
 * Names come from the profiled program: none of these characters of theirs reaches the terminal.
 * @param {string} text
 */
const printable = (text) => text.replace(CONTROL, '?');

/** @param {number} share 0 to 1 */
function percent(share) {
  // Never "100.0 %" for what is not all, nor "0.0 %" for what is something.
  if (share > 0.999 && share < 1) return (Math.floor(share * 1e4) / 100).toFixed(2);
  return (share * 100).toFixed(2);
}

/**
 * @param {string} text
 * @param {number} width
 * @returns {string[]} lines broken at blanks; a longer word stands alone
 */
function wrap(text, width) {
  /** @type {string[]} */
  const lines = [];
  let line = '';
  // A number stays with its per cent sign.
  for (const word of text.split(/ (?!%)/)) {
    if (line && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line];
}

/**
 * @param {string} text
 * @param {number} width
 * @param {boolean} [right]
 */
function pad(text, width, right = false) {
  const blanks = ' '.repeat(Math.max(0, width - columnsOf(text)));
  return right ? blanks + text : text + blanks;
}

/**
 * @param {string} name
 * @param {number} columns
 * @param {string} [kind]
 */
function fit(name, columns, kind) {
  const text = printable(name);
  return shorten(text, Math.max(1, columns - (columnsOf(text) - text.length)), kind);
}

/**
 * @param {readonly Warning[]} warnings
 * @param {{ width: number, paint?: Paint }} options
 * @returns {string[]} lines
 */
function warningLines(warnings, { width, paint = painter(false) }) {
  const measure = Math.min(width, 100);
  return warnings.flatMap(({ message, fix, severity }) => {
    const label = severity === 'blocker' ? 'error:' : 'warning:';
    // Two columns less: the lines after the first are indented.
    const [first, ...more] = wrap(`${label} ${printable(message)}`, measure - 2);
    return [
      paint(severity === 'blocker' ? 'red' : 'yellow', label) + first.slice(label.length),
      ...more.map((line) => `  ${line}`),
      // A command is to be copied: it is never broken.
      ...(fix ? [`  fix: ${printable(fix)}`] : []),
    ];
  });
}

/**
 * @param {TerminalOptions} options
 * @returns {Terminal}
 */
function terminalOf({ width, color, stream }) {
  const tty = stream?.isTTY === true;
  const columns = width ?? (tty && stream.columns ? stream.columns : Infinity);
  // hasColors() knows NO_COLOR, FORCE_COLOR and TERM=dumb.
  return { width: columns, paint: painter(color ?? (tty && stream.hasColors?.() === true)) };
}

module.exports = {
  PIPE_COLUMNS,
  columnsOf,
  fit,
  pad,
  percent,
  printable,
  terminalOf,
  warningLines,
  wrap,
};
