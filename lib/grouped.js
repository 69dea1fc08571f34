'use strict';
// Figures for people, in sentences and tables.

/**
 * By hand: toLocaleString() loads ICU, 40 ms of CPU and 8 MB while somebody waits for a build to end.
 * @param {number} count
 * @returns {string} to the nearest whole number: 1234567 as 1,234,567
 */
const grouped = (count) => String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ',');

/**
 * @param {number} count
 * @param {string} noun that takes an s
 */
const plural = (count, noun) => `${grouped(count)} ${noun}${Math.round(count) === 1 ? '' : 's'}`;

/** @param {number} share 0 to 1 */
const inPercent = (share) => `${(share * 100).toFixed(1)} %`;

module.exports = { grouped, inPercent, plural };
