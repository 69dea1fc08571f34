'use strict';
// A flame graph as one SVG, for a pull request, a wiki or a browser: the boxes of flamegraph.pl, with
// its options by their names, and a script inside for zoom and search (svg-script.js). Viewers that run
// no scripts show it all the same. Names come from anybody: each goes through xml().

const fs = require('node:fs');
const path = require('node:path');
const { KINDS } = require('../profile/keys.js');
const { colorOf, deltaColor } = require('./svg-colors.js');
const { byTime, fromLeaves, fromRoots, layOut, matched } = require('./svg-tree.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./svg-tree').Frames} Frames */
/**
 * @typedef {object} SvgOptions
 * @property {boolean} [inverted]
 * @property {boolean} [reverse]
 * @property {boolean} [flamechart]
 * @property {string} [title]
 * @property {string} [subtitle]
 * @property {string} [colors]
 * @property {number} [width] px
 * @property {number} [minwidth] px
 * @property {Profile} [base]
 */

const FRAME_PX = 16;
const FONT_PX = 12;
const HEADING_PX = 17;
/** Of a character of the font below, in widths of FONT_PX: DejaVu Sans Mono and its like have 0.6. */
const CHAR_WIDTH = 0.6;
const SIDE_PX = 10;
/** Heading and subheading above, details and search below. */
const HEAD_PX = 54;
const FOOT_PX = 40;
/** Rust's names reach 22,000 characters. */
const MOST_NAME = 400;

/**
 * Text and attribute values. XML 1.0 has no way to write most control characters, lone surrogates
 * and U+FFFE, U+FFFF.
 * @param {string} text
 */
function xml(text) {
  /** @type {Record<string, string>} */
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
      .replace(/[&<>"]/g, (char) => entities[char])
  );
}

/** @param {Profile} profile @param {Frames} frames */
function labeller({ namesByObject, threadKeys, raw }, { func }) {
  const { id, text } = namesByObject;
  const nameOf = (/** @type {number} */ row) => {
    if (row === 0) return 'all';
    return func[row] < 0 ? threadKeys[~func[row]] : text[id[func[row]]] || '[unknown]';
  };
  const kindOf = (/** @type {number} */ row) =>
    func[row] < 0 ? 'thread' : KINDS[raw.funcs.kind[func[row]]];
  return { nameOf, kindOf };
}

/** @param {Profile} profile @param {SvgOptions} options @returns {Frames} */
function framesOf(profile, { flamechart, reverse }) {
  if (flamechart) return byTime(profile);
  return reverse ? fromLeaves(profile) : fromRoots(profile);
}

/**
 * @param {Frames} frames
 * @param {(row: number) => string} nameOf
 * @param {SvgOptions} options
 */
function differenceOf(frames, nameOf, options) {
  if (!options.base) return null;
  const base = framesOf(options.base, options);
  const { value, missing } = matched(frames, nameOf, base, labeller(options.base, base).nameOf);
  const whole = frames.value[0];
  const baseWhole = base.value[0];
  const delta = Array.from(
    value,
    (was, row) => frames.value[row] / whole - (baseWhole > 0 ? was / baseWhole : 0),
  );
  const most = delta.reduce((high, one) => Math.max(high, Math.abs(one)), 0);
  return { delta, most, missing: baseWhole > 0 ? missing / baseWhole : 0 };
}

/**
 * @param {Frames} frames
 * @param {number} least weight below which a frame and all in it is left out
 */
function shownRows({ parent, value }, least) {
  const depth = new Int32Array(parent.length).fill(-1);
  depth[0] = 0;
  /** @type {number[]} */
  const rows = [0];
  let deepest = 0;
  for (let row = 1; row < parent.length; row++) {
    if (depth[parent[row]] < 0 || value[row] < least || value[row] === 0) continue;
    depth[row] = depth[parent[row]] + 1;
    deepest = Math.max(deepest, depth[row]);
    rows.push(row);
  }
  return { rows, depth, deepest };
}

/** @param {number} share 0 to 1 */
const percent = (share) => `${(share * 100).toFixed(2)} %`;

/**
 * @param {Profile} profile
 * @param {SvgOptions} options
 * @param {{missing: number} | null} difference
 */
function headings({ meta, quality }, options, difference) {
  const kind = options.flamechart
    ? 'Flame chart'
    : options.inverted
      ? 'Icicle graph'
      : 'Flame graph';
  const title = options.title ?? `${kind}: ${meta.command}`;
  const facts =
    `${quality.samples} samples of ${meta.event} in ${(meta.durationMs / 1000).toFixed(2)} s, ` +
    `${percent(quality.completeShare)} of the stacks complete, ${quality.lost} lost`;
  const compared = difference
    ? `red has a larger share than in the base, blue a smaller one; ${percent(difference.missing)} ` +
      'of the base is on paths that are not here; '
    : '';
  return { title, subtitle: options.subtitle ?? compared + facts };
}

/**
 * @param {Profile} profile
 * @param {SvgOptions} [options]
 * @returns {Generator<string>}
 */
function* svgFlamegraph(profile, options = {}) {
  const { width = 1200, minwidth = 0.1, colors = 'kind', inverted = false } = options;
  const frames = framesOf(profile, options);
  const { nameOf, kindOf } = labeller(profile, frames);
  layOut(frames, options.flamechart ? null : nameOf);
  const difference = differenceOf(frames, nameOf, options);
  const whole = frames.value[0];
  const scale = (width - 2 * SIDE_PX) / whole;
  const { rows, depth, deepest } = shownRows(frames, minwidth / scale);
  const height = HEAD_PX + (deepest + 1) * FRAME_PX + FOOT_PX;
  const { title, subtitle } = headings(profile, options, difference);
  const heading = {
    title: xml(title),
    // Between the two buttons.
    shown: xml(fitted(title, (width - 220) / (HEADING_PX * CHAR_WIDTH))),
    subtitle: xml(fitted(subtitle, (width - 2 * SIDE_PX) / (FONT_PX * CHAR_WIDTH))),
  };

  yield header(width, height, heading, inverted);
  for (const row of rows) {
    const name = nameOf(row).slice(0, MOST_NAME);
    const level = inverted ? depth[row] : deepest - depth[row];
    const share = `${frames.count[row]} samples, ${percent(frames.value[row] / whole)}`;
    const change = difference?.delta[row] ?? 0;
    const signed = `${change < 0 ? '' : '+'}${percent(change)}`;
    const fill = difference
      ? deltaColor(difference.most > 0 ? change / difference.most : 0)
      : colorOf(colors, name, kindOf(row));
    yield box({
      label: xml(`${name} (${share}${difference ? `; ${signed}` : ''})`),
      name,
      x: SIDE_PX + frames.start[row] * scale,
      y: HEAD_PX + level * FRAME_PX,
      width: frames.value[row] * scale,
      fill,
    });
  }
  yield '</g>\n</svg>\n';
}

/** @param {string} text @param {number} room characters */
const fitted = (text, room) =>
  text.length <= room ? text : `${text.slice(0, Math.max(0, Math.floor(room) - 2))}..`;

/** @param {{label: string, name: string, x: number, y: number, width: number, fill: string}} box */
function box({ label, name, x, y, width, fill }) {
  const number = (/** @type {number} */ value) => String(Math.round(value * 100) / 100);
  const room = Math.floor((width - 6) / (FONT_PX * CHAR_WIDTH));
  const shown = xml(fitted(name, room));
  const text = room < 3 ? '' : `<text x="${number(x + 3)}" y="${number(y + 11.5)}">${shown}</text>`;
  return (
    `<g><title>${label}</title><rect x="${number(x)}" y="${y}" width="${number(width)}" ` +
    `height="${FRAME_PX - 1}" fill="${fill}"/>${text}</g>\n`
  );
}

/**
 * @param {number} width
 * @param {number} height
 * @param {{title: string, shown: string, subtitle: string}} heading
 * @param {boolean} inverted
 */
function header(width, height, { title, shown, subtitle }, inverted) {
  const script = fs.readFileSync(path.join(__dirname, 'svg-script.js'), 'utf8');
  const settings = { side: SIDE_PX, width, charPx: FONT_PX * CHAR_WIDTH, inverted };
  const foot = height - 14;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${title}</title>
<style>
text { font: ${FONT_PX}px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #111 }
#frames rect { stroke: #fff; stroke-width: 0.5; cursor: pointer }
#frames rect:hover { stroke: #000 }
#frames g.dim { opacity: 0.5 }
#frames g.hit rect { fill: #d02fd0 }
#frames text { pointer-events: none }
.button { cursor: pointer; text-decoration: underline }
</style>
<script type="text/ecmascript"><![CDATA[
const settings = ${JSON.stringify(settings)};
${script.replace(/\]\]>/g, ']] >')}
]]></script>
<rect width="100%" height="100%" fill="#fbfbfb"/>
<text x="${width / 2}" y="24" text-anchor="middle" style="font-size:${HEADING_PX}px">${shown}</text>
<text x="${width / 2}" y="42" text-anchor="middle" style="fill:#555">${subtitle}</text>
<text id="reset" class="button" x="${SIDE_PX}" y="24" visibility="hidden">reset zoom</text>
<text id="search" class="button" x="${width - SIDE_PX}" y="24" text-anchor="end">search</text>
<text id="details" x="${SIDE_PX}" y="${foot}"> </text>
<text id="matched" x="${width - SIDE_PX}" y="${foot}" text-anchor="end"> </text>
<g id="frames">
`;
}

module.exports = { svgFlamegraph };
