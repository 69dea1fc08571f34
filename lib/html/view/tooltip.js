'use strict';
// The box beside the pointer. Its lines are text.

const { make } = require('./dom.js');

const GAP = 14;

class Tooltip {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /**
   * @param {{clientX: number, clientY: number} | null} at null hides it
   * @param {string[]} lines the first one is the title
   */
  show(at, lines) {
    this.element.hidden = at === null || lines.length === 0;
    if (at === null || lines.length === 0) return;
    this.element.replaceChildren(
      ...lines.map((text, i) => make('div', { class: i === 0 ? 'title' : '', text })),
    );
    const { offsetWidth, offsetHeight } = this.element;
    // To the other side of the pointer where there is no room.
    const right = at.clientX + GAP;
    const below = at.clientY + GAP;
    const x = right + offsetWidth > innerWidth ? at.clientX - GAP - offsetWidth : right;
    const y = below + offsetHeight > innerHeight ? at.clientY - GAP - offsetHeight : below;
    this.element.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }
}

module.exports = { Tooltip };
