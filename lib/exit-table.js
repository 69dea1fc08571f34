'use strict';
// What a recording's end says for people: phases, hotspots, memory, hints, as one text.

/**
 * @param {import('./profile/profile').Profile} profile
 * @returns {(options: import('./table').TableOptions) => string}
 */
function exitTable(profile) {
  const { renderRows, selectRows } = require('./table.js');
  const { hintsBelow } = require('./hint-table.js');
  const { memoryBelow } = require('./memory/table.js');
  const { phasesAbove } = require('./phase-table.js');
  const rows = selectRows(profile, {});
  return (options) =>
    phasesAbove(profile, options) +
    renderRows(profile, rows, options) +
    memoryBelow(profile, options) +
    hintsBelow(profile, options);
}

module.exports = { exitTable };
