'use strict';
// What goes along with a recording: the phases of the builds, rspack's own trace where it is asked for,
// and who keeps a watch bounded.

const path = require('node:path');
const { nameLoaderWorkers } = require('./loader-workers.js');
const { WatchKeeper } = require('./watch/keeper.js');

/** @typedef {import('./profile/raw').RawProfile} RawProfile */
/** @typedef {import('./profile/raw').Marker} Marker */
/** @typedef {import('./profile/profile').Profile} Profile */
/** @typedef {import('./index').Warning} Warning */
/** @typedef {import('./index').BuildNotes} BuildNotes */
/** @typedef {ReturnType<typeof follow>} Followers */

/**
 * @param {ReturnType<typeof import('./options').checkStartOptions>} options
 * @param {{notes: import('./journal-notes').JournalNotes | null, startNs: number,
 *    phases: typeof import('./phases/index').watchPhases, forget: (beforeNs: number) => void,
 *    dump: () => Promise<Profile>, isRunning: () => boolean, say: (line: string) => void}} world
 */
function follow(options, { notes, startNs, phases, forget, dump, isRunning, say }) {
  /** @param {NonNullable<typeof options.trace>} wanted */
  const traceOf = (wanted) => new (require('./trace/index.js').RspackTrace)(wanted);
  const trace = options.trace === null ? null : traceOf(options.trace);
  const watch = phases((binding) => trace?.begin(binding));
  const memoryOf = () => {
    const { MemoryWatch } = require('./memory/watch.js');
    return new MemoryWatch(() => Number(process.hrtime.bigint()));
  };
  const memory = options.memory ? memoryOf() : null;
  memory?.start();
  const keeper = new WatchKeeper(options.watch, {
    // A raw file keeps all records, and is of one stretch.
    forget: (beforeNs) => {
      if (!isRunning()) return;
      forget(beforeNs);
      notes?.forget(beforeNs);
    },
    dump,
    say,
    folder: path.resolve(options.output, `watch-${process.pid}`),
  });
  const leave = watch.onBuild?.((marker) => keeper.ended(marker));
  const leavePhases = notes ? watch.follow?.(notes, startNs) : undefined;
  const leaveBuild = notes ? watch.followBuild?.(notes.build) : undefined;
  const leaveWorkers = nameLoaderWorkers();
  return {
    /** @param {RawProfile} raw @returns {RawProfile} without what a watch has let go */
    recent(raw) {
      const { startNs, endNs } = raw.meta;
      if (options.view) raw.meta.view = options.view;
      if (memory) raw.memory = memory.read();
      if (keeper.beforeNs <= startNs) return raw;
      return require('./profile/slice.js').sliceRaw(raw, keeper.beforeNs, endNs, raw.quality);
    },

    /**
     * @param {number} startNs
     * @param {number} endNs
     * @param {{trace?: boolean}} [which]
     * @returns {{markers: Marker[], warnings: Warning[], notes: BuildNotes | undefined}}
     */
    see(startNs, endNs, which = {}) {
      const from = Math.max(startNs, keeper.beforeNs);
      const spans = which.trace === false ? null : trace?.read(from, endNs);
      return {
        markers: [...watch.markers(from, endNs), ...(spans?.markers ?? [])],
        notes: which.trace === false ? undefined : watch.notes?.(),
        warnings: [
          ...watch.warnings(startNs),
          ...keeper.warnings(),
          ...(spans?.warnings ?? []),
          ...(memory?.warnings() ?? []),
        ],
      };
    },

    /** @param {Profile} profile of the whole recording, which has ended */
    finish: (profile) => keeper.finish(profile),

    /** The recording ends with the process. */
    exiting: () => watch.exiting?.(),

    stop() {
      leave?.();
      leavePhases?.();
      leaveBuild?.();
      leaveWorkers();
      watch.stop();
      memory?.stop();
      trace?.end();
    },
  };
}

module.exports = { follow };
