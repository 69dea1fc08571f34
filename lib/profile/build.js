'use strict';
// What a build said of its plugins and loaders, for profiles: none, and of a part of a recording.

/** @typedef {import('../index').BuildNotes} BuildNotes */

/** Of a process whose build nobody followed. @type {BuildNotes} */
const NO_NOTES = { root: '', taps: [], loaders: [] };

/**
 * Names hold for a part too; counts are the whole recording's.
 * @param {BuildNotes} notes
 * @returns {BuildNotes}
 */
const withoutCounts = ({ root, taps, loaders }) => ({
  root,
  taps: taps.map((tap) => ({ ...tap, calls: null })),
  loaders: loaders.map((loader) => ({ ...loader, runs: null, entries: null })),
});

module.exports = { NO_NOTES, withoutCounts };
