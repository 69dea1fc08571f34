'use strict';
// What a recording's end says for people: phases, hotspots, memory, hints. Each is worked out once, when it
// is first asked for, and laid out as often as wanted: for a terminal, for a file.

/** @typedef {import('./terminal').TerminalOptions} TerminalOptions */

/**
 * @param {import('./profile/profile').Profile} profile
 * @returns {{table: (options: TerminalOptions) => string, below: (options: TerminalOptions) => string}} the table at
 *   once; what stands below it takes longer, and is '' where there is nothing to say
 */
function exitParts(profile) {
  const { renderRows, selectRows } = require('./table.js');
  const { phasesAbove } = require('./phase-table.js');
  const { markers } = profile;
  const rows = selectRows(profile, {});
  /** @type {ReturnType<typeof profile.phases> | undefined} */
  let phases;
  /** @type {ReturnType<typeof profile.hints> | undefined} */
  let hints;
  const phased = { markers, phases: () => (phases ??= profile.phases()) };
  const hinted = { hints: () => (hints ??= profile.hints()) };
  return {
    table: (options) => phasesAbove(phased, options) + renderRows(profile, rows, options),
    below(options) {
      const { hintsBelow } = require('./hint-table.js');
      const { memoryBelow } = require('./memory/table.js');
      return memoryBelow(profile, options) + hintsBelow(hinted, options);
    },
  };
}

/**
 * @param {import('./profile/profile').Profile} profile
 * @returns {(options: TerminalOptions) => string} all of it as one text
 */
function exitTable(profile) {
  const { table, below } = exitParts(profile);
  return (options) => table(options) + below(options);
}

module.exports = { exitParts, exitTable };
