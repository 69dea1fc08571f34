'use strict';
// The table of hotspots.

const { byId, make } = require('./dom.js');
const { count, percent, weight } = require('./format.js');
const { colorOf } = require('./palette.js');
const { Table, nameChars } = require('./table.js');

/** @typedef {import('./groups').GroupRow} GroupRow */

/**
 * @param {number} share
 * @param {string} text
 */
function shareCell(share, text) {
  const bar = make('i');
  bar.style.width = `${Math.min(100, share * 100)}%`;
  return make('span', { class: 'cell', title: text }, [
    make('span', { class: 'bar' }, [bar]),
    make('span', { class: 'share', text: percent(share) }),
  ]);
}

/**
 * @param {import('./types').ProfileReport} report
 * @param {(func: number, chars: number) => string} label
 * @param {(row: GroupRow) => void} pick
 */
function hotspotTable({ funcs, meta }, label, pick) {
  let whole = 0;
  let groupBy = 'function';
  let chars = 0;
  const share = (/** @type {number} */ value) => (whole > 0 ? value / whole : 0);
  const isFunction = (/** @type {GroupRow} */ row) => groupBy === 'function' && row.id >= 0;
  /** @param {GroupRow} row */
  const place = (row) => {
    if (!isFunction(row)) return '';
    const crate = funcs.crates[funcs.crate[row.id]];
    // `[native]` says less than the file it is in.
    return crate.startsWith('[') ? funcs.objects[funcs.object[row.id]] : crate;
  };
  /** @type {Table<GroupRow>} */
  const table = new Table(
    byId('table'),
    [
      {
        head: 'Self',
        title: 'its own code',
        value: (row) => row.self,
        show: (row) => shareCell(share(row.self), weight(row.self, meta.unit)),
      },
      {
        head: 'Total',
        title: 'with all that it called',
        value: (row) => row.total,
        show: (row) => shareCell(share(row.total), weight(row.total, meta.unit)),
      },
      { head: 'Samples', value: (row) => row.samples, show: (row) => count(row.samples) },
      {
        head: 'Name',
        isText: true,
        value: (row) => row.label,
        show: (row) => {
          const swatch = make('i', { class: 'swatch' });
          if (row.color >= 0) swatch.style.background = colorOf(row.color);
          else swatch.hidden = true;
          const text = isFunction(row) ? label(row.id, chars) : row.label;
          return make('span', { class: 'name', title: row.label }, [swatch, text]);
        },
      },
      {
        head: 'Crate or object',
        isText: true,
        value: place,
        show: (row) => make('span', { class: 'place', text: place(row), title: place(row) }),
      },
    ],
    pick,
  );
  return {
    /** @type {(rows: GroupRow[], sum: number, by: string) => void} */
    setRows(rows, sum, by) {
      whole = sum;
      groupBy = by;
      chars = nameChars(byId('table'));
      byId('table').classList.toggle('grouped', by !== 'function');
      table.setRows(rows);
    },
  };
}

module.exports = { hotspotTable };
