'use strict';
// Figures as a person reads them, for the verdict, the table and the Markdown.

/** @type {[least: number, unit: string, scale: number, digits: number][]} */
const TIME_UNITS = [
  [60_000, 'min', 60_000, 1],
  [10_000, 's', 1000, 1],
  [1000, 's', 1000, 2],
  [100, 'ms', 1, 0],
  [1, 'ms', 1, 1],
  [-Infinity, 'ms', 1, 2],
];

/** @param {number} ms */
function timeText(ms) {
  const found = TIME_UNITS.find(([least]) => ms >= least);
  const [, unit, scale, digits] = found ?? TIME_UNITS[TIME_UNITS.length - 1];
  return `${(ms / scale).toFixed(digits)} ${unit}`;
}

/** @param {number} value @param {string} unit of a metric */
function valueText(value, unit) {
  if (unit === 'ms') return timeText(value);
  if (unit === 'bytes') return `${(value / 2 ** 20).toFixed(1)} MB`;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : String(value);
}

/**
 * A ratio as a change: 1.031 is "+3.1 %".
 * @param {number} ratio
 */
function changeText(ratio) {
  if (ratio > 100) return 'over 100 x';
  if (ratio >= 3) return `${ratio.toFixed(1)} x`;
  const percent = (ratio - 1) * 100;
  const text = Math.abs(percent).toFixed(Math.abs(percent) < 9.95 ? 2 : 1);
  return `${percent < 0 ? '-' : '+'}${text} %`;
}

/** @param {[number, number] | null} interval */
function intervalText(interval) {
  if (interval === null) return 'unknown';
  const [low, high] = interval;
  // One way of saying it for both ends.
  if (high >= 3 && high <= 100) return `${low.toFixed(2)} x to ${high.toFixed(2)} x`;
  return `${changeText(low)} to ${changeText(high)}`;
}

module.exports = { changeText, intervalText, timeText, valueText };
