'use strict';
// A table that sorts by a click on a column's head, and shows more rows when asked: thousands of
// rows at once would take longer than all the sums behind them.

const { make } = require('./dom.js');

const FIRST_ROWS = 50;
/** Shortest and longest names; the whole name is a cell's title. */
const NAMES = [24, 120];
/** What a character takes, and what style.css gives to the other columns. */
const CHAR_PX = 7.3;
const OTHERS_PX = 330;
const OTHERS_PART = 0.22;

/**
 * How many characters of a name fit the column of names.
 * @param {HTMLElement} root the table's
 */
function nameChars(root) {
  const room = root.clientWidth * (1 - OTHERS_PART) - OTHERS_PX;
  return Math.round(Math.min(NAMES[1], Math.max(NAMES[0], room / CHAR_PX)));
}

/**
 * @template T
 * @typedef {object} ColumnOf
 * @property {string} head
 * @property {(row: T) => number | string} value what it sorts by
 * @property {(row: T) => Node | string} show
 * @property {boolean} [isText] sorts from a to z first; numbers from the largest
 * @property {string} [title]
 */

/** @template T */
class Table {
  /** @type {T[]} */
  #rows = [];
  #sorted = 0;
  #isReversed = false;
  #shown = FIRST_ROWS;

  /**
   * @param {HTMLElement} root
   * @param {ColumnOf<T>[]} columns
   * @param {(row: T) => void} pick
   * @param {(row: T) => string} [classOf] a row's class
   */
  constructor(root, columns, pick, classOf = () => '') {
    this.columns = columns;
    this.pick = pick;
    this.classOf = classOf;
    this.body = make('tbody');
    this.heads = columns.map((column, i) => {
      const button = make('button', { text: column.head, title: column.title });
      button.type = 'button';
      button.addEventListener('click', () => this.#sortBy(i));
      return make('th', { class: column.isText ? 'text' : '' }, [button]);
    });
    for (const head of this.heads) head.scope = 'col';
    this.more = make('button', { class: 'more' });
    this.more.type = 'button';
    this.more.addEventListener('click', () => {
      this.#shown *= 4;
      this.#render();
    });
    const head = make('thead', {}, [make('tr', {}, this.heads)]);
    root.replaceChildren(make('table', {}, [head, this.body]), this.more);
  }

  /** @param {number} column */
  #sortBy(column) {
    this.#isReversed = column === this.#sorted && !this.#isReversed;
    this.#sorted = column;
    this.#render();
  }

  /** @param {T[]} rows */
  setRows(rows) {
    this.#rows = rows;
    this.#shown = FIRST_ROWS;
    this.#render();
  }

  #render() {
    const { value, isText } = this.columns[this.#sorted];
    // Numbers fall, text rises, until the head is clicked again.
    const sign = (isText ? 1 : -1) * (this.#isReversed ? -1 : 1);
    const order = (/** @type {T} */ a, /** @type {T} */ b) => {
      const [x, y] = [value(a), value(b)];
      return x < y ? -sign : x > y ? sign : 0;
    };
    const rows = [...this.#rows].sort(order);
    this.heads.forEach((head, i) => {
      const isUp = sign > 0;
      head.ariaSort = i === this.#sorted ? (isUp ? 'ascending' : 'descending') : 'none';
    });
    this.body.replaceChildren(
      ...rows.slice(0, this.#shown).map((row) => {
        const cells = this.columns.map(({ show, isText: text }) =>
          make('td', { class: text ? 'text' : '' }, [show(row)]),
        );
        const line = make('tr', { class: this.classOf(row) }, cells);
        line.tabIndex = 0;
        line.addEventListener('click', () => this.pick(row));
        line.addEventListener('keydown', ({ key }) => {
          if (key === 'Enter') this.pick(row);
        });
        return line;
      }),
    );
    const left = rows.length - this.#shown;
    this.more.hidden = left <= 0;
    this.more.textContent = `${left} more rows`;
    if (rows.length === 0) {
      const cell = make('td', { class: 'text dim', text: 'nothing to show' });
      cell.colSpan = this.columns.length;
      this.body.append(make('tr', {}, [cell]));
    }
  }
}

module.exports = { Table, nameChars };
