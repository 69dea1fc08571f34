'use strict';
// The scrolled canvas that boxes are drawn on, and which box the pointer is over. It knows rows, not
// what a box stands for. Only what is in view is drawn; the canvas is never larger than the view.

const { fitCanvas, perFrame } = require('./dom.js');

/** @typedef {{x: number, width: number, row: number, node: number, from: number, to: number}} Box */
/** @typedef {{color: string, label: (chars: number) => string, outline?: boolean, isFaded?: boolean}} Look */

const ROW = 18;
const LEAST_LABEL = 34;
const FONT = '11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const INK = '#16181d';

class Surface {
  /** @type {Box[][]} by row */
  #boxes = [];
  #rows = 0;
  #charWidth = 0;
  isFlame = false;

  /**
   * @param {HTMLElement} scroll
   * @param {{paint: (surface: Surface) => void, resized: () => void}} owner
   */
  constructor(scroll, owner) {
    this.scroll = scroll;
    this.sizer = /** @type {HTMLElement} */ (scroll.firstElementChild);
    this.canvas = /** @type {HTMLCanvasElement} */ (this.sizer.firstElementChild);
    this.owner = owner;
    this.width = scroll.clientWidth;
    this.height = scroll.clientHeight;
    /** @type {CanvasRenderingContext2D | null} */
    this.context = null;
    this.redraw = perFrame(() => this.#draw());
    scroll.addEventListener('scroll', this.redraw);
    new ResizeObserver(() => {
      const { clientWidth, clientHeight } = scroll;
      if (clientWidth === this.width && clientHeight === this.height) return;
      this.width = clientWidth;
      this.height = clientHeight;
      owner.resized();
    }).observe(scroll);
  }

  /** @param {number} rows */
  setRows(rows) {
    this.#rows = rows;
    this.sizer.style.height = `${this.#content}px`;
    this.redraw();
  }

  /** Height of all rows, at least that of the view. */
  get #content() {
    return Math.max(this.#rows * ROW, this.height - 1);
  }

  /** To where the root is. */
  toRoot() {
    this.scroll.scrollTop = this.isFlame ? this.scroll.scrollHeight : 0;
  }

  /** @param {number} row */
  #top(row) {
    return (this.isFlame ? this.#content - (row + 1) * ROW : row * ROW) - this.scroll.scrollTop;
  }

  /** The first and the last row in view. */
  get visibleRows() {
    const { scrollTop } = this.scroll;
    const top = this.isFlame ? this.#content - scrollTop - this.height : scrollTop;
    return [Math.max(0, Math.floor(top / ROW)), Math.floor((top + this.height) / ROW)];
  }

  #draw() {
    this.context = fitCanvas(this.canvas, this.width, this.height);
    this.context.font = FONT;
    this.context.textBaseline = 'middle';
    this.#charWidth ||= this.context.measureText('m'.repeat(100)).width / 100;
    this.#boxes = [];
    const start = performance.now();
    this.owner.paint(this);
    performance.measure('draw', { start, end: performance.now() });
  }

  /**
   * @param {Box} box
   * @param {Look} look
   */
  box(box, { color, label, outline, isFaded }) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.context);
    const left = Math.max(0, box.x);
    const width = Math.min(this.width, box.x + box.width) - left;
    if (width <= 0) return;
    (this.#boxes[box.row] ??= []).push(box);
    const y = this.#top(box.row);
    context.fillStyle = color;
    // A gap of a pixel between neighbours, where they are wide enough to have one.
    context.fillRect(left, y, width > 3 ? width - 1 : Math.max(width, 0.5), ROW - 1);
    if (outline) {
      context.strokeStyle = this.outline;
      context.lineWidth = 2;
      context.strokeRect(left + 1, y + 1, Math.max(1, width - 3), ROW - 3);
    }
    if (width < LEAST_LABEL) return;
    const text = label(Math.floor((width - 7) / this.#charWidth));
    context.fillStyle = isFaded ? this.fadedInk : INK;
    context.fillText(text, left + 3, y + ROW / 2);
  }

  /** Set by the theme. */
  outline = '#000';
  fadedInk = INK;

  /**
   * @param {{clientX: number, clientY: number}} event
   * @returns {Box | null}
   */
  hit({ clientX, clientY }) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const x = clientX - left;
    const y = clientY - top + this.scroll.scrollTop;
    const row = Math.floor((this.isFlame ? this.#content - y : y) / ROW);
    const boxes = this.#boxes[row] ?? [];
    return boxes.find((box) => x >= box.x && x < box.x + box.width) ?? null;
  }

  /** @param {number} row */
  showRow(row) {
    const top = this.#top(row);
    if (top < 0) this.scroll.scrollTop += top;
    else if (top + ROW > this.height) this.scroll.scrollTop += top + ROW - this.height;
  }
}

module.exports = { Surface };
