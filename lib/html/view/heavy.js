'use strict';
// The left-heavy view: each node one box, as wide as its total, siblings by weight. The node that is
// zoomed to has the whole width, with its callers as a path above.

/** @typedef {import('./surface').Surface} Surface */

/** Narrower boxes are not drawn, and nothing below them. */
const LEAST_PX = 0.5;

/**
 * @typedef {object} Model what is drawn
 * @property {import('./types').TreeColumns} nodes
 * @property {Float64Array} total
 * @property {Float64Array} place
 * @property {(node: number, isFaded: boolean) => string} color
 * @property {(node: number, chars: number) => string} label
 * @property {Uint8Array | null} matches by function: what is searched for
 */

class HeavyView {
  zoom = 0;
  selected = -1;

  /** @param {Model} model */
  constructor(model) {
    this.model = model;
  }

  /** @param {Surface} surface after a change of widths, zoom or sums */
  layout(surface) {
    const { nodes, total } = this.model;
    // A filter may have left nothing of what was zoomed to: its nearest caller that is left is shown.
    while (this.zoom > 0 && total[this.zoom] === 0) this.zoom = nodes.parent[this.zoom];
    const least = (LEAST_PX * total[this.zoom]) / surface.width;
    let deepest = nodes.depth[this.zoom];
    for (let i = this.zoom; i < nodes.end[this.zoom];) {
      if (total[i] < least || total[i] === 0) {
        i = nodes.end[i];
        continue;
      }
      if (nodes.depth[i] > deepest) deepest = nodes.depth[i];
      i++;
    }
    surface.setRows(deepest + 1);
  }

  /** @param {Surface} surface */
  paint(surface) {
    const { nodes, total, place } = this.model;
    const [first, last] = surface.visibleRows;
    for (let i = nodes.parent[this.zoom]; i >= 0; i = nodes.parent[i]) {
      this.#box(surface, i, 0, surface.width);
    }
    if (total[this.zoom] === 0) return;
    const scale = surface.width / total[this.zoom];
    const start = place[this.zoom];
    for (let i = this.zoom; i < nodes.end[this.zoom];) {
      const width = total[i] * scale;
      if (width < LEAST_PX || nodes.depth[i] > last) {
        i = nodes.end[i];
        continue;
      }
      if (nodes.depth[i] >= first) this.#box(surface, i, (place[i] - start) * scale, width);
      i++;
    }
  }

  /**
   * @param {Surface} surface
   * @param {number} node
   * @param {number} x
   * @param {number} width
   */
  #box(surface, node, x, width) {
    const { nodes, color, label, matches } = this.model;
    const isFaded = matches !== null && (node === 0 || matches[nodes.func[node]] === 0);
    surface.box(
      { x, width, row: nodes.depth[node], node, from: 0, to: 0 },
      {
        color: color(node, isFaded),
        label: (chars) => label(node, chars),
        outline: node === this.selected,
        isFaded,
      },
    );
  }

  /**
   * The node that an arrow key leads to.
   * @param {'up' | 'down' | 'left' | 'right'} way towards the callers, the calls, a sibling
   */
  step(way) {
    const { nodes, total, place } = this.model;
    const from = this.selected < 0 ? this.zoom : this.selected;
    if (way === 'up') return Math.max(0, nodes.parent[from]);
    const up = way === 'down' ? from : nodes.parent[from];
    if (up < 0) return from;
    const children = [];
    for (let i = up + 1; i < nodes.end[up]; i = nodes.end[i]) if (total[i] > 0) children.push(i);
    children.sort((a, b) => place[a] - place[b]);
    if (way === 'down') return children[0] ?? from;
    const at = children.indexOf(from) + (way === 'right' ? 1 : -1);
    return children[at] ?? from;
  }
}

module.exports = { HeavyView };
