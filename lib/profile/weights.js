'use strict';
// Several events side by side: the rows of one table, each with what every event weighs in it. A row that
// only another event has (a function that faults and takes no time) is there too, with zeros of its own.

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').HotspotRow} HotspotRow */
/** @typedef {import('../index').HotspotOptions} HotspotOptions */
/** @typedef {import('../index').TopHotspots} Top */

/** @param {HotspotRow} row */
const weightOf = ({ samples, self, total, selfShare, totalShare }) => ({
  ...{ samples, self, total, selfShare, totalShare },
});

const NOTHING = { samples: 0, self: 0, total: 0, selfShare: 0, totalShare: 0 };

/**
 * The most that any event has of a row.
 * @param {{weights?: Record<string, {selfShare: number, totalShare: number}>, selfShare: number,
 *    totalShare: number}} row
 * @param {'selfShare' | 'totalShare'} column
 */
function mostShare(row, column) {
  const all = Object.values(row.weights ?? {}).map((weight) => weight[column]);
  return Math.max(row[column], ...all);
}

/**
 * @param {Profile} profile of the first event, with others
 * @param {HotspotOptions} options
 * @returns {HotspotRow[]} by the first event's weight, what it has nothing of by the most of the others'
 */
function hotspotsOfAll(profile, options) {
  const { hotspots, limitOf } = require('./hotspots.js');
  const { limit, percentLimit, ...rest } = options;
  const most = limitOf(limit, 'limit', Infinity);
  const least = limitOf(percentLimit, 'percentLimit', 0);
  const first = hotspots(profile, rest);
  /** @type {Map<string, HotspotRow>} */
  const rows = new Map(first.map((row) => [row.key, row]));
  const events = [profile.meta.event, ...profile.others.map(({ about }) => about.event)];
  for (const row of first) row.weights = { [events[0]]: weightOf(row) };
  for (const event of events.slice(1)) {
    for (const other of hotspots(profile.event(event), rest)) {
      let row = rows.get(other.key);
      if (!row) {
        row = { ...other, ...NOTHING, weights: {} };
        rows.set(other.key, row);
      }
      row.weights = { ...row.weights, [event]: weightOf(other) };
    }
  }
  for (const row of rows.values()) {
    const has = row.weights ?? {};
    row.weights = Object.fromEntries(events.map((event) => [event, has[event] ?? { ...NOTHING }]));
  }
  const column = options.sort === 'total' ? 'totalShare' : 'selfShare';
  return [...rows.values()]
    .filter((row) => mostShare(row, column) * 100 >= least)
    .sort(
      (a, b) =>
        b[column] - a[column] ||
        b.totalShare - a.totalShare ||
        mostShare(b, column) - mostShare(a, column) ||
        (a.key < b.key ? -1 : 1),
    )
    .slice(0, most);
}

/**
 * The rows that a table shows, and what it leaves out.
 * @param {Profile} profile of the first event, with others
 * @param {HotspotOptions} options
 * @returns {Top}
 */
function topOfAll(profile, { limit, percentLimit = 0, ...options }) {
  const isTotal = options.sort === 'total';
  const column = isTotal ? 'totalShare' : 'selfShare';
  const all = hotspotsOfAll(profile, options);
  const shown = all.filter((row) => mostShare(row, column) * 100 >= percentLimit).slice(0, limit);
  const isShown = new Set(shown);
  const hidden = all.filter((row) => !isShown.has(row) && (isTotal || row.self > 0));
  const selfShare = hidden.reduce((sum, row) => sum + row.selfShare, 0);
  return { shown, rest: { count: hidden.length, selfShare }, isEmpty: all.length === 0 };
}

module.exports = { hotspotsOfAll, topOfAll };
