'use strict';
// The table of changes: what is more than noise first, the rest grey below it.

const { byId, make } = require('./dom.js');
const { Table, nameChars } = require('./table.js');

/** @typedef {import('./diff-model').Change & {label: string, func: number}} ChangeRow */

/**
 * @param {import('./types').DiffReport} report
 * @param {(func: number, chars: number) => string} label
 * @param {(func: number) => void} pick
 */
function diffTable({ funcs }, label, pick) {
  /** @type {(value: number, side: number) => string} */
  let format = String;
  /** @type {(change: number) => string} */
  let formatChange = String;
  let chars = 0;
  const place = (/** @type {ChangeRow} */ { func }) => {
    const crate = funcs.crates[funcs.crate[func]];
    return crate.startsWith('[') ? funcs.objects[funcs.object[func]] : crate;
  };
  /** @type {Table<ChangeRow>} */
  const table = new Table(
    byId('table'),
    [
      {
        head: 'Change',
        title: 'largest first; changes within noise last',
        value: ({ change, isNoise }) => Math.abs(change) - (isNoise ? Number.MAX_SAFE_INTEGER : 0),
        show: ({ change, base, candidate }) => {
          const tag = base === 0 ? 'new ' : candidate === 0 ? 'gone ' : '';
          return make('span', {
            class: change > 0 ? 'grew' : 'shrank',
            text: tag + formatChange(change),
          });
        },
      },
      { head: 'Base', value: ({ base }) => base, show: ({ base }) => format(base, 0) },
      {
        head: 'Candidate',
        value: ({ candidate }) => candidate,
        show: ({ candidate }) => format(candidate, 1),
      },
      {
        head: 'Name',
        isText: true,
        value: (row) => row.label,
        show: (row) =>
          make('span', { class: 'name', title: row.label, text: label(row.func, chars) }),
      },
      {
        head: 'Crate or object',
        isText: true,
        value: place,
        show: (row) => make('span', { class: 'place', text: place(row), title: place(row) }),
      },
    ],
    (row) => pick(row.func),
    (row) => (row.isNoise ? 'noise' : ''),
  );
  return {
    /** @type {(rows: ChangeRow[], show: typeof format, showChange: typeof formatChange) => void} */
    setRows(rows, show, showChange) {
      format = show;
      formatChange = showChange;
      chars = nameChars(byId('table'));
      table.setRows(rows);
    },
  };
}

module.exports = { diffTable };
