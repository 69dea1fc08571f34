'use strict';
// CPU use over the whole recording, by kind, with the build's phases above it, and the range of time
// that is looked at: dragged, moved with the arrow keys, or a phase's own by a click on it.

const { COLORS, colorOf } = require('./palette.js');
const { fitCanvas, perFrame } = require('./dom.js');
const { time } = require('./format.js');

const BAND = 18;
const AXIS = 16;
const HEIGHT = 112;
/** A drag shorter than this is a click. */
const LEAST_DRAG = 4;
const BUCKET_PX = 2;
const FONT = '11px system-ui, "DejaVu Sans", sans-serif';

/** @typedef {import('./types').ProfileReport} ProfileReport */
/**
 * @typedef {object} Owner
 * @property {(range: [number, number] | null) => void} ranged
 * @property {(phase: number) => void} phased
 * @property {(event: MouseEvent | null, lines: string[]) => void} tell
 * @property {() => {text: string, dim: string, line: string, band: string, veil: string, accent: string}} colors
 */

class Timeline {
  /** @type {[number, number] | null} */
  range = null;
  phase = -1;
  /** @type {Float64Array[]} busy CPUs by kind and bucket */
  #usage = [];
  #most = 1;
  #width = 0;
  /** @type {number | null} */
  #dragFrom = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {ProfileReport} report
   * @param {Owner} owner
   */
  constructor(canvas, report, owner) {
    this.canvas = canvas;
    this.report = report;
    this.owner = owner;
    this.redraw = perFrame(() => this.#draw());
    canvas.style.height = `${HEIGHT}px`;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => this.#up(event));
    canvas.addEventListener('pointerleave', () => owner.tell(null, []));
    canvas.addEventListener('dblclick', () => this.owner.ranged(null));
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  get buckets() {
    return Math.max(1, Math.floor(this.#width / BUCKET_PX));
  }

  /**
   * @param {(visit: (row: number) => void) => void} forEach the rows that count, of the whole recording
   */
  setRows(forEach) {
    const { rows, nodes, funcs, meta } = this.report;
    this.#width = /** @type {HTMLElement} */ (this.canvas.parentElement).clientWidth;
    const { buckets } = this;
    const usage = COLORS.map(() => new Float64Array(buckets));
    const perMs = buckets / meta.durationMs;
    // What a sample stands for: its own time, or else a period of the sampling.
    const period = meta.frequency > 0 ? 1000 / meta.frequency : 1;
    const isTime = meta.unit === 'ns';
    forEach((i) => {
      const bucket = Math.min(buckets - 1, Math.floor(rows.timeMs[i] * perMs));
      const kind = rows.node[i] > 0 ? funcs.color[nodes.func[rows.node[i]]] : 1;
      usage[kind][bucket] += (isTime ? rows.weight[i] / 1e6 : period) * perMs;
    });
    this.#usage = usage;
    let most = 0;
    for (let b = 0; b < buckets; b++) {
      let sum = 0;
      for (const kind of usage) sum += kind[b];
      most = Math.max(most, sum);
    }
    // The machine's CPUs are the top of the scale; rounding in short buckets may go beyond.
    this.#most = Math.max(Math.min(most, meta.cpus * 1.1), Math.min(1, meta.cpus));
    this.redraw();
  }

  /** @param {number} ms */
  #x(ms) {
    return (ms / this.report.meta.durationMs) * this.#width;
  }

  /** @param {{clientX: number}} event */
  #time({ clientX }) {
    const x = clientX - this.canvas.getBoundingClientRect().left;
    const { durationMs } = this.report.meta;
    return Math.min(durationMs, Math.max(0, (x / this.#width) * durationMs));
  }

  #draw() {
    const context = fitCanvas(this.canvas, this.#width, HEIGHT);
    const colors = this.owner.colors();
    context.font = FONT;
    context.textBaseline = 'middle';
    this.#drawUsage(context, colors);
    this.#drawPhases(context, colors);
    this.#drawAxis(context, colors);
    if (this.range === null) return;
    const [from, to] = this.range.map((ms) => this.#x(ms));
    context.fillStyle = colors.veil;
    context.fillRect(0, BAND, from, HEIGHT - BAND - AXIS);
    context.fillRect(to, BAND, this.#width - to, HEIGHT - BAND - AXIS);
    context.fillStyle = colors.accent;
    for (const x of [from, to]) context.fillRect(Math.round(x) - 1, BAND, 2, HEIGHT - BAND - AXIS);
  }

  /** @param {CanvasRenderingContext2D} context @param {ReturnType<Owner['colors']>} colors */
  #drawUsage(context, colors) {
    const bottom = HEIGHT - AXIS;
    const scale = (bottom - BAND - 4) / this.#most;
    const below = new Float64Array(this.buckets);
    this.#usage.forEach((values, kind) => {
      context.fillStyle = colorOf(kind);
      values.forEach((value, bucket) => {
        if (value === 0) return;
        const top = Math.min(this.#most, below[bucket] + value);
        const y = bottom - top * scale;
        const height = (top - below[bucket]) * scale;
        below[bucket] = top;
        context.fillRect(bucket * BUCKET_PX, y, BUCKET_PX, height);
      });
    });
    context.fillStyle = colors.dim;
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    const step = Math.max(1, Math.ceil(this.#most / 4));
    for (let cpus = step; cpus <= this.#most; cpus += step) {
      const y = Math.round(bottom - cpus * scale) + 0.5;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(this.#width, y);
      context.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {ReturnType<Owner['colors']>} colors */
  #drawPhases(context, colors) {
    const { segments, phases } = this.report;
    segments.forEach(([from, to, phase], i) => {
      const x = this.#x(from);
      const width = this.#x(to) - x;
      const isChosen = phase === this.phase;
      context.fillStyle = isChosen ? colors.accent : i % 2 ? colors.band : colors.line;
      context.fillRect(x, 0, Math.max(width, 0.5), BAND - 2);
      const { name } = phases[phase];
      if (width > context.measureText(name).width + 8) {
        context.fillStyle = isChosen ? '#fff' : colors.text;
        context.fillText(name, x + 4, BAND / 2 - 0.5);
      }
    });
  }

  /** @param {CanvasRenderingContext2D} context @param {ReturnType<Owner['colors']>} colors */
  #drawAxis(context, colors) {
    const { durationMs } = this.report.meta;
    const rough = (durationMs * 90) / this.#width;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
    context.fillStyle = colors.dim;
    for (let ms = 0; ms < durationMs; ms += step) {
      const text = ms === 0 ? '0' : step >= 1000 ? `${ms / 1000} s` : time(ms);
      const x = this.#x(ms);
      if (x + context.measureText(text).width + 4 > this.#width) break;
      context.fillRect(Math.round(x), HEIGHT - AXIS, 1, 5);
      context.fillText(text, x + 4, HEIGHT - AXIS / 2 + 1);
    }
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.#dragFrom = event.clientX;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#dragFrom !== null && Math.abs(event.clientX - this.#dragFrom) >= LEAST_DRAG) {
      const ends = [this.#time({ clientX: this.#dragFrom }), this.#time(event)];
      this.range = [Math.min(...ends), Math.max(...ends)];
      this.redraw();
    }
    this.owner.tell(event, this.#linesAt(event));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const from = this.#dragFrom;
    this.#dragFrom = null;
    if (from === null) return;
    if (Math.abs(event.clientX - from) >= LEAST_DRAG) {
      this.owner.ranged(this.range);
      return;
    }
    const y = event.clientY - this.canvas.getBoundingClientRect().top;
    const phase = this.#phaseAt(this.#time(event));
    if (y < BAND && phase >= 0) this.owner.phased(phase === this.phase ? -1 : phase);
  }

  /** @param {number} ms */
  #phaseAt(ms) {
    return this.report.segments.find(([from, to]) => ms >= from && ms < to)?.[2] ?? -1;
  }

  /** @param {PointerEvent} event */
  #linesAt(event) {
    const ms = this.#time(event);
    const phase = this.#phaseAt(ms);
    const bucket = Math.min(
      this.buckets - 1,
      Math.floor((ms / this.report.meta.durationMs) * this.buckets),
    );
    const busy = this.#usage.map((values, kind) => ({ kind, value: values[bucket] ?? 0 }));
    const sum = busy.reduce((all, { value }) => all + value, 0);
    const named = phase >= 0 ? [this.report.phases[phase].name] : [];
    const kinds = busy.filter(({ value }) => value > 0.005).sort((a, b) => b.value - a.value);
    return [
      [...named, `at ${time(ms)}`].join(', '),
      `${sum.toFixed(2)} CPUs busy`,
      ...kinds.map(({ kind, value }) => `${value.toFixed(2)} ${COLORS[kind].label}`),
    ];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const { durationMs } = this.report.meta;
    const [from, to] = this.range ?? [0, durationMs];
    const step = (way * durationMs) / 40;
    // With shift the end moves alone, and so the length; else both, as far as there is room.
    const shift = Math.min(Math.max(step, -from), durationMs - to);
    const moved = event.shiftKey
      ? [from, Math.min(durationMs, Math.max(from + durationMs / 100, to + step))]
      : this.range === null
        ? [way > 0 ? durationMs / 20 : 0, way > 0 ? durationMs : (durationMs * 19) / 20]
        : [from + shift, to + shift];
    this.owner.ranged([moved[0], moved[1]]);
  }
}

module.exports = { Timeline };
