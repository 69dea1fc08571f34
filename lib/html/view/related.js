'use strict';
// Callers and callees of the function that was chosen, as bars; a click goes on to that function.

const { make } = require('./dom.js');
const { percent } = require('./format.js');

const MOST = 12;

/**
 * @typedef {object} Related
 * @property {string} title
 * @property {[number, number][]} callers function (-1: none) and weight
 * @property {[number, number][]} callees
 * @property {number} self
 * @property {number} total
 */

/**
 * @param {HTMLElement} root
 * @param {Related} related
 * @param {{name: (func: number) => string, full: (func: number) => string,
 *   color: (func: number) => string, pick: (func: number) => void}} how
 */
function showRelated(root, { title, callers, callees, self, total }, how) {
  /** @type {(list: [number, number][]) => HTMLElement[]} */
  const bars = (list) => {
    const rows = list.slice(0, MOST).map(([func, weight]) => {
      const share = total > 0 ? weight / total : 0;
      const bar = make('i');
      bar.style.width = `${Math.min(100, share * 100)}%`;
      bar.style.background = func >= 0 ? how.color(func) : 'var(--dim)';
      const parts = [
        make('span', { class: 'bar' }, [bar]),
        make('span', { class: 'share', text: percent(share) }),
        make('span', { class: 'name', text: func >= 0 ? how.name(func) : 'start of the thread' }),
      ];
      const button = make('button', { title: func >= 0 ? how.full(func) : '' }, parts);
      button.type = 'button';
      button.disabled = func < 0;
      button.addEventListener('click', () => how.pick(func));
      return make('li', {}, [button]);
    });
    const rest = list.slice(MOST).reduce((sum, [, weight]) => sum + weight, 0);
    if (rest > 0) {
      const text = `${list.length - MOST} more: ${percent(rest / total)} together`;
      rows.push(make('li', { class: 'dim', text }));
    }
    if (rows.length === 0) rows.push(make('li', { class: 'dim', text: 'none' }));
    return rows;
  };
  root.replaceChildren(
    make('h3', { text: title }),
    make('h4', { text: 'Callers, by what passes through' }),
    make('ul', {}, bars(callers)),
    make('h4', { text: `Calls (its own code: ${percent(total > 0 ? self / total : 0)})` }),
    make('ul', {}, bars(callees)),
  );
}

module.exports = { showRelated };
