'use strict';
// rspack's own trace for the time of a recording. It is registered at the moment when rspack's binding
// is there, before any compiler: with the binding's own function, as `experiments.globalTrace.register`
// does, which besides turns V8's CPU profiler on, intercepts every hook (what the log has of it has wrong
// times) and is asynchronous: more than a constructor can wait for, and 1.1 x the CPU (bench/trace.js).
//
// One trace in a process: rspack ignores a second registration, also after the first was cleaned up. A
// trace of the user's own (RSPACK_PROFILE) is not taken from him.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { grouped } = require('../grouped.js');
const { traceMarkers } = require('./markers.js');
const { nestAlone } = require('./nest.js');
const { pinClock } = require('./pin-clock.js');
const { readLog } = require('./read-log.js');
const { reasonOf } = require('../errors.js');

/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {import('../index').Warning} Warning */
/** @typedef {{registerGlobalTrace?: (filter: string, layer: string, file: string) => void,
 *    cleanupGlobalTrace?: () => void}} Binding */

const KEY = Symbol.for('rspack-prof trace 1');
const holder = /** @type {{[KEY]?: true}} */ (globalThis);

class RspackTrace {
  #filter;
  #env;
  /** @type {Binding | null} */
  #binding = null;
  #folder = '';
  /** Why there is no trace. */
  #problem = '';

  /**
   * @param {string} filter of checkFilter()
   * @param {NodeJS.ProcessEnv} [env]
   */
  constructor(filter, env = process.env) {
    this.#filter = filter;
    this.#env = env;
  }

  get #file() {
    return path.join(this.#folder, 'rspack.log');
  }

  /** @param {Binding} binding rspack's, as soon as it is loaded */
  begin(binding) {
    if (this.#binding || this.#problem !== '') return;
    if (this.#env.RSPACK_PROFILE) {
      this.#problem =
        "RSPACK_PROFILE asks for a trace of its own: leave it out, or read its log with 'rspack-prof report --trace FILE'";
    } else if (typeof binding.registerGlobalTrace !== 'function') {
      this.#problem = 'this version of rspack has no registerGlobalTrace()';
    } else if (holder[KEY]) {
      this.#problem = 'rspack registers one trace in a process: an earlier recording had it';
    } else {
      this.#register(binding, binding.registerGlobalTrace);
    }
  }

  /**
   * @param {Binding} binding
   * @param {(filter: string, layer: string, file: string) => void} register
   */
  #register(binding, register) {
    try {
      // Not in the build's folder, which a watcher may look at; readable by this user alone.
      this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-trace-'));
      register(this.#filter, 'logger', this.#file);
      this.#binding = binding;
      Object.defineProperty(holder, KEY, { value: true });
    } catch (error) {
      this.#problem = reasonOf(error);
    }
  }

  /**
   * @param {number} startNs of the recording
   * @param {number} endNs
   * @returns {{markers: Marker[], warnings: Warning[]}}
   */
  read(startNs, endNs) {
    /** @type {(message: string) => Warning[]} */
    const missed = (why) => [
      { code: 'trace-missed', message: `no spans of rspack: ${why}`, fix: '' },
    ];
    if (this.#problem !== '') return { markers: [], warnings: missed(this.#problem) };
    if (!this.#binding) {
      return { markers: [], warnings: missed('its binding was not loaded in this process') };
    }
    try {
      const clock = pinClock();
      const { spans, malformed, bytes } = readLog(this.#file, clock);
      if (spans.length === 0) {
        return { markers: [], warnings: missed(`none matched the filter '${this.#filter}'`) };
      }
      nestAlone(spans, true);
      const { uncertainUs } = clock;
      const about = { filter: this.#filter, layer: 'logger', bytes, malformed, uncertainUs };
      const markers = traceMarkers(spans, { startNs, endNs }, about);
      return { markers, warnings: traceWarnings(markers) };
    } catch (error) {
      return { markers: [], warnings: missed(`its log cannot be read: ${reasonOf(error)}`) };
    }
  }

  /** The recording is over: rspack writes no more, and the log is removed. */
  end() {
    try {
      this.#binding?.cleanupGlobalTrace?.();
      if (this.#folder !== '') fs.rmSync(this.#folder, { recursive: true, force: true });
    } catch {
      // The build's end is not the place to fail: the log stays in the temporary folder.
    }
  }
}

/** Spans from here on cost what shows: 43,000 took 1.2 x the CPU of a build (bench/trace.js). */
const MANY_SPANS = 5_000;

/** @param {Marker[]} markers @returns {Warning[]} */
function traceWarnings([{ data }]) {
  const { spans, dropped, droppedLongestMs, malformed, bytes } =
    /** @type {import('../index').TraceInfo} */ (data);
  /** @type {Warning[]} */
  const warnings = [];
  if (spans >= MANY_SPANS) {
    const message = `rspack's own trace wrote ${grouped(spans)} spans (${(bytes / 1e6).toFixed(1)} MB) in this recording, and what that cost is in it: OVERVIEW takes up to 1.9 x the CPU`;
    const fix = "trace: 'stages'";
    warnings.push({ code: 'trace-cost', message, fix });
  }
  if (dropped > 0) {
    const message = `${grouped(dropped)} of rspack's spans were dropped, the shortest ones (at most ${droppedLongestMs.toFixed(2)} ms)`;
    warnings.push({ code: 'spans-dropped', message, fix: '' });
  }
  if (malformed > 0) {
    const message = `${grouped(malformed)} lines of rspack's log could not be read`;
    warnings.push({ code: 'trace-malformed', message, fix: '' });
  }
  return warnings;
}

module.exports = { RspackTrace, traceWarnings };
