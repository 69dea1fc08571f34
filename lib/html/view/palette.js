'use strict';
// Colours of kinds, and of differences. The kinds' are from Okabe and Ito's palette, which people with
// any of the common colour blindnesses can tell apart; JavaScript's tiers are one hue, the better
// optimised the darker. All are light enough for dark text in both themes.

/** By the number that lib/html/encode.js gives a function. */
const COLORS = [
  { label: 'Rust', rgb: [230, 159, 0] },
  { label: 'C and C++', rgb: [106, 184, 232] },
  { label: 'kernel', rgb: [209, 138, 178] },
  { label: 'V8', rgb: [58, 176, 140] },
  { label: 'JS', rgb: [240, 228, 66] },
  { label: 'JS interpreted', rgb: [250, 245, 188] },
  { label: 'JS baseline', rgb: [244, 234, 122] },
  { label: 'JS Maglev', rgb: [232, 214, 56] },
  { label: 'JS TurboFan', rgb: [207, 187, 20] },
];
/** Shades of a colour, so that neighbours of one kind can be told apart. */
const SHADES = 4;
/** Red: more than before, blue: less, grey: within what chance does. ColorBrewer's RdBu, its ends. */
const GREW = [202, 70, 60];
const SHRANK = [67, 130, 190];
const UNCHANGED = [190, 190, 190];

/** @param {number[]} rgb */
const css = ([r, g, b]) => `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`;

/**
 * @param {number[]} from
 * @param {number[]} to
 * @param {number} part 0 to 1
 */
const mix = (from, to, part) => from.map((value, i) => value + (to[i] - value) * part);

/** @param {string} text */
function shadeOf(text) {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return (hash >>> 0) % SHADES;
}

/**
 * @param {import('./types').Funcs} funcs
 * @param {number[]} back the page's background, into which the faded ones go
 * @returns {{full: string[], faded: string[]}} by function
 */
function funcColors(funcs, back) {
  const shades = COLORS.map(({ rgb }) =>
    Array.from({ length: SHADES }, (_, i) => mix(rgb, [255, 255, 255], i * 0.1)),
  );
  const full = shades.map((list) => list.map(css));
  const faded = shades.map((list) => list.map((rgb) => css(mix(rgb, back, 0.72))));
  const shade = funcs.name.map(shadeOf);
  return {
    full: funcs.color.map((color, i) => full[color][shade[i]]),
    faded: funcs.color.map((color, i) => faded[color][shade[i]]),
  };
}

/**
 * @param {number} change -1 to 1
 * @param {number[]} back
 * @param {boolean} isFaded
 */
function changeColor(change, back, isFaded) {
  const end = change > 0 ? GREW : SHRANK;
  // The root, so that a change of a tenth of the largest is still to be seen.
  const rgb =
    change === 0 ? UNCHANGED : mix([232, 232, 232], end, 0.15 + 0.85 * Math.sqrt(Math.abs(change)));
  return css(isFaded ? mix(rgb, back, 0.72) : rgb);
}

const colorOf = (/** @type {number} */ kind) => css(COLORS[kind].rgb);

module.exports = { COLORS, changeColor, colorOf, funcColors };
