'use strict';
// What a session needs of the phases: somebody who looks for compilers while it runs, and the markers
// and warnings of its time.

const { reasonOf } = require('../errors.js');
const { NO_NOTES } = require('../profile/build.js');
const { Finder } = require('./find.js');
const { notesBetween } = require('./notes.js');
const { processPhases } = require('./recorder.js');
const { followCompiler } = require('./taps.js');

/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {import('../index').Warning} Warning */
/** @typedef {import('../index').BuildNotes} BuildNotes */
/** @typedef {{stop: () => void, markers: (startNs: number, endNs: number) => Marker[],
 *    warnings: (startNs: number) => Warning[], notes?: () => BuildNotes, exiting?: () => void,
 *    onBuild: (listener: (marker: Marker) => void) => () => void,
 *    follow?: (follower: import('./recorder').PhaseFollower, sinceNs: number) => () => void,
 *    followBuild?: (follower: import('./notes').BuildFollower) => () => void,
 *    onChange?: (listener: () => void) => () => void,
 *    onCompiler?: (listener: (compiler: object) => void) => () => void}} PhaseWatch */

/**
 * @param {(binding: Record<string, any>) => void} [onAddon] gets rspack's binding when it is there
 * @returns {PhaseWatch}
 */
function watchPhases(onAddon = () => {}) {
  const recorder = processPhases();
  const finder = new Finder({
    now: recorder.now,
    onBinding: (interval) => recorder.bindingLoaded(interval),
    onAddon,
    onCompiler: (compiler) => followCompiler(compiler, recorder),
    onProblem: (error) => {
      recorder.problem = reasonOf(error);
    },
  });
  finder.start();
  // Of a recording that begins later (lib/attach): every compiler is known all the same.
  if (!finder.loadedBefore) recorder.watchers = (recorder.watchers ?? 0) + 1;
  const read = () => {
    try {
      return recorder.build.read();
    } catch (error) {
      recorder.problem = reasonOf(error);
      return NO_NOTES;
    }
  };
  const before = read();
  return {
    stop() {
      finder.stop();
      if (!finder.loadedBefore) recorder.watchers--;
    },
    exiting: () => recorder.exiting(),
    notes: () => notesBetween(before, read()),
    markers: (startNs, endNs) => recorder.markers(startNs, endNs),
    onBuild: (listener) => recorder.onBuild(listener),
    // A copy of the package that came first may be an older one, whose recorder has no such things.
    follow: (follower, sinceNs) => recorder.follow?.(follower, sinceNs) ?? (() => {}),
    followBuild: (follower) => recorder.build.follow?.(follower) ?? (() => {}),
    onChange: (listener) => recorder.onChange?.(listener) ?? (() => {}),
    onCompiler: (listener) => recorder.onCompiler?.(listener) ?? (() => {}),
    warnings(startNs) {
      /** @type {Warning[]} */
      const warnings = [];
      if (recorder.problem !== '') {
        const message = `a compiler's phases could not be followed: ${recorder.problem}`;
        warnings.push({ code: 'phases-failed', message, fix: '' });
      }
      if (recorder.sawCompiler(startNs) && !recorder.build.hasPlaces) {
        const message =
          'plugins are not named: this node does not tell where a function stands in its source';
        warnings.push({ code: 'plugins-unnamed', message, fix: '' });
      }
      if (recorder.dropped > 0) {
        const message = `the oldest ${recorder.dropped} phases were dropped`;
        warnings.push({ code: 'phases-dropped', message, fix: '' });
      }
      if (finder.loadedBefore && !recorder.watchers && !recorder.sawCompiler(startNs)) {
        const message =
          "no build phases: @rspack/core was loaded before start(), and no compiler was made after it: call start() before rspack(), or put new RspackProfPlugin() into the configuration's plugins";
        warnings.push({ code: 'phases-missed', message, fix: '' });
      }
      return warnings;
    },
  };
}

module.exports = { watchPhases };
