'use strict';
// The view by time: one thread's stacks in the order in which they were sampled. A sample stands for the
// time since the one before it, at most its own period: where the thread did not run there is a gap.
// Where many samples share a pixel the first of them is drawn.

const { firstRow } = require('./tree.js');

/** @typedef {import('./surface').Surface} Surface */
/** @typedef {{start: number, end: number, node: number}} Piece in pixels */

class ByTimeView {
  selected = -1;
  /** Rows of the chosen thread that the filter lets through. */
  rows = new Uint32Array(0);
  timeMs = new Float64Array(0);
  #deepest = 0;

  /**
   * @param {import('./types').ProfileReport} report
   * @param {import('./heavy').Model} model
   */
  constructor(report, model) {
    this.report = report;
    this.model = model;
    const { frequency } = report.meta;
    this.periodMs = frequency > 0 ? 1000 / frequency : 1;
    /** @type {[number, number]} */
    this.range = [0, report.meta.durationMs];
  }

  /**
   * @param {number[]} rows of one thread, in time's order
   * @param {[number, number]} range ms
   */
  setRows(rows, range) {
    const { timeMs, node } = this.report.rows;
    const { depth } = this.report.nodes;
    this.rows = Uint32Array.from(rows);
    this.timeMs = Float64Array.from(rows, (row) => timeMs[row]);
    this.range = range;
    this.#deepest = 0;
    for (const row of rows) this.#deepest = Math.max(this.#deepest, depth[node[row]]);
  }

  /** @param {Surface} surface */
  layout(surface) {
    surface.setRows(this.#deepest + 1);
  }

  /**
   * @param {number} width in pixels
   * @returns {Piece[]} from left to right, none narrower than a pixel but where the next one begins
   */
  #pieces(width) {
    const [from, to] = this.range;
    const scale = width / (to - from);
    const { node, weight } = this.report.rows;
    const isTime = this.report.meta.unit === 'ns';
    /** @type {Piece[]} */
    const pieces = [];
    let last = -Infinity;
    for (let i = firstRow(this.timeMs, from); i < this.rows.length; i++) {
      const time = this.timeMs[i];
      const period = isTime ? weight[this.rows[i]] / 1e6 : this.periodMs;
      const begin = Math.max(time - period, i > 0 ? this.timeMs[i - 1] : from, from);
      if (begin > to) break;
      const start = Math.max((begin - from) * scale, last);
      const end = (Math.min(time, to) - from) * scale;
      // Of several in one pixel the first stays.
      if (end <= last) continue;
      const piece = { start, end: Math.max(end, Math.floor(start) + 1), node: node[this.rows[i]] };
      // A gap under half a pixel is none.
      const before = pieces[pieces.length - 1];
      if (before && piece.start - before.end < 0.5) piece.start = before.end;
      pieces.push(piece);
      last = piece.end;
    }
    return pieces;
  }

  /** @param {Surface} surface */
  paint(surface) {
    const { depth, parent } = this.report.nodes;
    const [first, bottom] = surface.visibleRows;
    /** @type {{node: number, start: number}[]} what is open, by depth */
    let open = [];
    let end = 0;
    const close = (/** @type {number} */ keep) => {
      for (let row = Math.max(keep, first); row < open.length && row <= bottom; row++) {
        this.#box(surface, open[row].node, row, open[row].start, end);
      }
      open = open.slice(0, keep);
    };
    for (const piece of this.#pieces(surface.width)) {
      const path = [];
      for (let i = piece.node; i >= 0; i = parent[i]) path.push(i);
      path.reverse();
      let same = 0;
      if (piece.start <= end) while (same < open.length && open[same].node === path[same]) same++;
      close(same);
      for (let row = same; row <= depth[piece.node]; row++) {
        open.push({ node: path[row], start: piece.start });
      }
      end = piece.end;
    }
    close(0);
  }

  /**
   * @param {Surface} surface
   * @param {number} node
   * @param {number} row
   * @param {number} start
   * @param {number} end
   */
  #box(surface, node, row, start, end) {
    const { nodes, color, label, matches } = this.model;
    const [from, to] = this.range;
    const time = (/** @type {number} */ x) => from + (x / surface.width) * (to - from);
    const isFaded = matches !== null && (node === 0 || matches[nodes.func[node]] === 0);
    surface.box(
      { x: start, width: end - start, row, node, from: time(start), to: time(end) },
      {
        color: color(node, isFaded),
        label: (chars) => label(node, chars),
        outline: node === this.selected,
        isFaded,
      },
    );
  }
}

module.exports = { ByTimeView };
