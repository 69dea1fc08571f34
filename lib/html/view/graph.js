'use strict';
// The graph's box: the surface, its two views, the path above it, and what pointer and keys do there.

const { HeavyView } = require('./heavy.js');
const { byId, make, measured } = require('./dom.js');
const { Surface } = require('./surface.js');
const { themeColors } = require('./theme.js');
const { Tooltip } = require('./tooltip.js');

/** Callers shown in the path beside the root. */
const PATH = 3;
/** @type {Record<string, 'up' | 'down' | 'left' | 'right'>} */
const ARROWS = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };

/**
 * @typedef {object} Owner
 * @property {(node: number) => string[]} lines about a node: a title and more
 * @property {(node: number) => void} picked a node was clicked
 * @property {(from: number, to: number) => void} [ranged] a box by time was clicked
 */

class Graph {
  /**
   * @param {import('./heavy').Model} model
   * @param {Owner} owner
   */
  constructor(model, owner) {
    this.model = model;
    this.owner = owner;
    this.heavy = new HeavyView(model);
    /** @type {import('./by-time').ByTimeView | null} */
    this.byTime = null;
    this.tooltip = new Tooltip(byId('tooltip'));
    this.details = byId('details');
    this.path = byId('path');
    /** @type {HTMLElement} */
    const scroll = byId('graph');
    this.surface = new Surface(scroll, {
      paint: (surface) => this.view.paint(surface),
      resized: () => this.update(),
    });
    scroll.addEventListener('pointermove', (event) => this.#hover(event));
    scroll.addEventListener('pointerleave', () => this.tooltip.show(null, []));
    scroll.addEventListener('scroll', () => this.tooltip.show(null, []));
    scroll.addEventListener('click', (event) => this.#click(event));
    scroll.addEventListener('keydown', (event) => this.#key(event));
  }

  get view() {
    return this.byTime ?? this.heavy;
  }

  /** After a change of what is drawn. */
  update() {
    this.view.layout(this.surface);
    this.#showPath();
    this.surface.redraw();
  }

  /** @param {boolean} isFlame the root below */
  setFlame(isFlame) {
    this.surface.isFlame = isFlame;
    this.update();
    this.surface.toRoot();
  }

  /** @param {number} node */
  zoomTo(node) {
    measured('zoom', () => {
      this.heavy.zoom = node;
      this.heavy.selected = node;
      this.update();
      // The path of callers stays in view above what was zoomed to, as far as there is room.
      this.surface.showRow(this.model.nodes.depth[node]);
    });
  }

  themeChanged() {
    const { text, dim } = themeColors();
    this.surface.outline = text;
    this.surface.fadedInk = dim;
    this.surface.redraw();
  }

  /** Brings the heaviest box of what is searched for into view. */
  showMatch() {
    const { nodes, total, matches } = this.model;
    const { zoom } = this.heavy;
    if (this.byTime || matches === null) return;
    let best = -1;
    for (let i = zoom; i < nodes.end[zoom];) {
      const isMatch = i > 0 && matches[nodes.func[i]] === 1;
      if (isMatch && (best < 0 || total[i] > total[best])) best = i;
      i = isMatch || (best >= 0 && total[i] <= total[best]) ? nodes.end[i] : i + 1;
    }
    if (best >= 0 && total[best] > 0) this.surface.showRow(nodes.depth[best]);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const box = this.surface.hit(event);
    const lines = box ? this.owner.lines(box.node) : [];
    this.tooltip.show(box && event, lines);
    if (box) this.details.textContent = lines.join(' · ');
    this.surface.canvas.style.cursor = box ? 'pointer' : 'default';
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const box = this.surface.hit(event);
    if (!box) return;
    this.owner.picked(box.node);
    if (this.byTime) this.owner.ranged?.(box.from, box.to);
    else this.zoomTo(box.node);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.byTime || event.ctrlKey || event.metaKey || event.altKey) return;
    const { heavy, surface } = this;
    const way = ARROWS[event.key];
    if (way) {
      event.preventDefault();
      const flipped = { up: 'down', down: 'up', left: 'left', right: 'right' };
      const turned = /** @type {typeof way} */ (surface.isFlame ? flipped[way] : way);
      heavy.selected = heavy.step(turned);
      this.details.textContent = this.owner.lines(heavy.selected).join(' · ');
      surface.showRow(this.model.nodes.depth[heavy.selected]);
      surface.redraw();
    } else if (event.key === 'Enter' && heavy.selected >= 0) {
      this.owner.picked(heavy.selected);
      this.zoomTo(heavy.selected);
    } else if (event.key === 'Backspace') {
      this.zoomTo(Math.max(0, this.model.nodes.parent[heavy.zoom]));
    }
  }

  #showPath() {
    const { parent } = this.model.nodes;
    const nodes = [];
    if (!this.byTime) for (let i = this.heavy.zoom; i >= 0; i = parent[i]) nodes.unshift(i);
    this.path.hidden = nodes.length < 2;
    const hidden = nodes.length - 1 - PATH;
    const shown = hidden > 0 ? [nodes[0], ...nodes.slice(-PATH)] : nodes;
    const items = shown.flatMap((node, i) => {
      const button = make('button', {
        text: this.model.label(node, 48),
        title: this.owner.lines(node)[0],
      });
      button.type = 'button';
      button.addEventListener('click', () => this.zoomTo(node));
      const gap = i === 1 && hidden > 0 ? [make('span', { text: `› … ${hidden} …` })] : [];
      const arrow = i > 0 ? [make('span', { text: '›' })] : [];
      return [...gap, ...arrow, button];
    });
    this.path.replaceChildren(...items);
  }
}

module.exports = { Graph };
