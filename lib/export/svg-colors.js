'use strict';
// Colours of an SVG flame graph: by kind, or by flamegraph.pl's palettes, the same for the same name; and of
// a difference.

/** Okabe and Ito's palette, which colour-blind people can tell apart. @type {Record<string, string>} */
const KIND_COLORS = {
  rust: '#e69f00',
  js: '#f0e442',
  native: '#7cc6ee',
  v8: '#3fb98f',
  kernel: '#e08050',
};
/** Hues, in degrees, that a palette draws from. @type {Record<string, [number, number]>} */
const HUES = {
  hot: [0, 55],
  mem: [90, 150],
  io: [195, 235],
  red: [0, 8],
  green: [105, 135],
  blue: [205, 225],
  aqua: [172, 190],
  yellow: [52, 60],
  purple: [272, 300],
  orange: [25, 38],
};
const THREAD_COLOR = '#d0d0d0';

/** @param {string} text @returns {number} 0 to 1, the same for the same text (FNV-1a) */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

/** @param {number} hue degrees @param {number} saturation @param {number} light 0 to 1 */
function hexOf(hue, saturation, light) {
  const channel = (/** @type {number} */ n) => {
    const k = (n + hue / 30) % 12;
    const part = light - saturation * Math.min(light, 1 - light) * clamp(Math.min(k - 3, 9 - k));
    return Math.round(part * 255);
  };
  return hex([channel(0), channel(8), channel(4)]);
}
const clamp = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value));
const hex = (/** @type {number[]} */ rgb) =>
  `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

/**
 * @param {string} palette
 * @param {string} name
 * @param {string} kind
 */
function colorOf(palette, name, kind) {
  if (kind === 'thread') return THREAD_COLOR;
  const hash = hashOf(name);
  if (palette === 'kind') {
    // A little lighter or darker by name, so that neighbours stand apart.
    const rgb = [1, 3, 5].map((at) => parseInt(KIND_COLORS[kind].slice(at, at + 2), 16));
    return hex(rgb.map((part) => Math.min(255, Math.round(part * (0.88 + 0.14 * hash)))));
  }
  const [from, to] = HUES[palette];
  return hexOf(from + (to - from) * hash, 0.85, 0.6 + 0.12 * hashOf(`${name} `));
}

/** White to red for more, to blue for less. @param {number} part -1 to 1 */
function deltaColor(part) {
  const other = Math.round(235 * (1 - Math.abs(part)) + 15);
  if (part === 0) return '#e8e8e8';
  return hex(part > 0 ? [250, other, other] : [other, other, 250]);
}

module.exports = { colorOf, deltaColor };
