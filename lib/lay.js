'use strict';
// Columns of a table for people: as wide as their cells, and fitted to the terminal. Where they do not fit, the
// gaps get narrower first, then the last column's names shorter.

const { columnsOf, fit, pad } = require('./terminal.js');

/** @typedef {{head: string, cells: string[], right?: boolean, kinds?: string[]}} Column kinds: of functions, whose
 *    names are shortened by it */

const GAPS = ['  ', ' '];
const LEAST_NAME = 16;

/**
 * @param {Column[]} columns all of the same length
 * @param {number} [width] of the terminal
 * @returns {{head: string, lines: string[], indent: number}} indent: where the last column begins
 */
function lay(columns, width = Infinity) {
  const last = columns.length - 1;
  const widths = columns.map(({ head, cells }) =>
    Math.max(head.length, ...cells.map((cell) => columnsOf(cell))),
  );
  const all = widths.reduce((sum, own) => sum + own, 0);
  const gap = all + GAPS[0].length * last <= width ? GAPS[0] : GAPS[1];
  const indent = all - widths[last] + gap.length * last;
  const room = Math.max(LEAST_NAME, width - indent);
  const line = (/** @type {string[]} */ texts, /** @type {string} */ kind = '') =>
    texts
      .map((text, i) => {
        const shown = i === last && columnsOf(text) > room ? fit(text, room, kind) : text;
        return pad(shown, i === last ? 0 : widths[i], columns[i].right);
      })
      .join(gap)
      .trimEnd();
  return {
    head: line(columns.map(({ head }) => head)),
    lines: columns[0].cells.map((_, row) =>
      line(
        columns.map(({ cells }) => cells[row]),
        columns[last].kinds?.[row],
      ),
    ),
    indent,
  };
}

module.exports = { lay };
