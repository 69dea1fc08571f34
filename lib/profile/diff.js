'use strict';
// Two profiles side by side. Each is taken as shares of its own whole, so that a longer run or
// another rate does not read as a change.

const { hotspots, limitOf } = require('./hotspots.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').DiffRow} DiffRow */
/** @typedef {import('../index').HotspotRow} HotspotRow */

/**
 * @param {Profile} profile
 */
function sides({ raw, totalWeight, meta }) {
  return { samples: raw.samples.node.length, totalWeight, unit: meta.unit };
}

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @param {import('../index').DiffOptions} [options]
 * @returns {import('../index').Diff}
 */
function diff(base, candidate, options = {}) {
  const { limit: wantedLimit, percentLimit: wantedPercent, ...rest } = options;
  const limit = limitOf(wantedLimit, 'limit', Infinity);
  const percentLimit = limitOf(wantedPercent, 'percentLimit', 0);
  // All rows of both: what is small on one side may be the change.
  const before = new Map(hotspots(base, rest).map((row) => [row.key, row]));
  const after = new Map(hotspots(candidate, rest).map((row) => [row.key, row]));
  const column = options.sort === 'total' ? 'totalDelta' : 'selfDelta';

  const rows = [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => {
      const was = before.get(key);
      const is = after.get(key);
      const { symbol, object, crate, kind } = /** @type {HotspotRow} */ (is ?? was);
      /** @type {DiffRow} */
      const row = {
        key,
        ...(symbol === undefined ? {} : { symbol }),
        ...(object === undefined ? {} : { object }),
        ...(crate === undefined ? {} : { crate }),
        ...(kind === undefined ? {} : { kind }),
        baseSamples: was?.samples ?? 0,
        candidateSamples: is?.samples ?? 0,
        baseSelfShare: was?.selfShare ?? 0,
        candidateSelfShare: is?.selfShare ?? 0,
        selfDelta: (is?.selfShare ?? 0) - (was?.selfShare ?? 0),
        baseTotalShare: was?.totalShare ?? 0,
        candidateTotalShare: is?.totalShare ?? 0,
        totalDelta: (is?.totalShare ?? 0) - (was?.totalShare ?? 0),
      };
      return row;
    })
    .filter((row) => Math.abs(row[column]) * 100 >= percentLimit)
    .sort((a, b) => Math.abs(b[column]) - Math.abs(a[column]) || (a.key < b.key ? -1 : 1))
    .slice(0, limit);
  return { base: sides(base), candidate: sides(candidate), rows };
}

module.exports = { diff };
