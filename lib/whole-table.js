'use strict';
// What is shown of a recording that has just been made: phases, hotspots, memory, hints.

const { hintsBelow } = require('./hint-table.js');
const { memoryBelow } = require('./memory/table.js');
const { phasesAbove } = require('./phase-table.js');
const { renderHotspots } = require('./table.js');

/**
 * @param {any} profile
 * @param {import('./table').TableOptions} options
 */
function wholeTable(profile, options) {
  return (
    phasesAbove(profile, options) +
    renderHotspots(profile, options) +
    memoryBelow(profile, options) +
    hintsBelow(profile, options)
  );
}

module.exports = { wholeTable };
