'use strict';
// Reads back what a build said of its plugins and loaders (`rspackProf.build`), checked like the rest of
// a file that may come from anybody.

const { BadProfile, array, object, text } = require('./checks.js');

/** @typedef {Record<string, any>} Json */

/**
 * Taps and loaders; files from before they were noted have none.
 * @param {Json} own
 * @returns {import('../index').BuildNotes | undefined}
 */
function readBuild(own) {
  if (own.build === undefined) return undefined;
  const build = object(own.build, 'rspackProf.build');
  const count = (/** @type {unknown} */ value, /** @type {string} */ name) => {
    if (!Number.isFinite(value)) throw new BadProfile(`${name} is not a number`);
    return Number(value);
  };
  const countOrNull = (/** @type {unknown} */ value, /** @type {string} */ name) =>
    value === null ? null : count(value, name);
  return {
    root: text(build.root, 'build.root'),
    taps: array(build.taps, 'build.taps').map((row) => {
      const tap = object(row, 'build.taps row');
      const [plugin, hook, file] = ['plugin', 'hook', 'file'].map((name) =>
        text(tap[name], `build.taps.${name}`),
      );
      const line = count(tap.line, 'build.taps.line');
      const column = count(tap.column, 'build.taps.column');
      const calls = countOrNull(tap.calls, 'build.taps.calls');
      return { plugin, hook, file, line, column, calls };
    }),
    loaders: array(build.loaders, 'build.loaders').map((row) => {
      const loader = object(row, 'build.loaders row');
      return {
        path: text(loader.path, 'build.loaders.path'),
        runs: countOrNull(loader.runs, 'build.loaders.runs'),
        entries: countOrNull(loader.entries, 'build.loaders.entries'),
      };
    }),
  };
}

module.exports = { readBuild };
