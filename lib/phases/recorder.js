'use strict';
// The phases of this process's builds, as they happen: who is in which phase since when, on the clock
// of the samples. Nothing here knows rspack: taps.js tells it what begins, a session asks it for the
// phases of its time. It hangs on the global object for the reason that profiler.js gives: the plugin
// in a config and `rspack-prof record` may be two copies of the package.
//
// Refuses to grow for ever: of a watch that runs for days the oldest phases are dropped, and counted.

const { CompilerPhases } = require('./compiler.js');
const { BuildRecord } = require('./notes.js');
const { placeReader } = require('./places.js');

/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {{startNs: number, endNs: number}} Interval */
/** @typedef {{compiler: (name: string, madeNs: number) => void, load: (interval: Interval) => void,
 *    begin: (marker: Marker) => void, end: (marker: Marker) => void}} PhaseFollower is told of all that
 *    a recorder is; markers have their compiler's index */

/** Some 4,000 rebuilds. */
const MOST_PHASES = 65_536;

class PhaseRecorder {
  /** @type {Marker[]} */
  #markers = [];
  /** @type {CompilerPhases[]} */
  #compilers = [];
  /** @type {Interval[]} */
  #bindingLoads = [];
  /** When the first compiler was made. */
  #firstNs = Infinity;
  /** When the last one was. */
  #lastNs = -Infinity;

  /** @type {Set<(marker: Marker) => void>} */
  #listeners = new Set();

  /** @type {Set<() => void>} */
  #changeListeners = new Set();

  /** @type {Set<PhaseFollower>} */
  #followers = new Set();
  /** @type {Set<(compiler: object) => void>} */
  #compilerListeners = new Set();

  dropped = 0;
  /** Those that are closed. @type {Set<CompilerPhases>} */
  #closed = new Set();
  /** When the last of them was, and since when the process ends. */
  #closedNs = Infinity;
  #exitNs = Infinity;

  /** Why a compiler could not be followed. */
  problem = '';
  /** Who has looked for compilers since before there could be one, and does still. */
  watchers = 0;
  /** Its plugins and loaders. */
  build = new BuildRecord(placeReader);

  /** @param {() => number} now CLOCK_MONOTONIC, ns */
  constructor(now) {
    this.now = now;
  }

  /**
   * @param {'phase' | 'child' | 'build'} type
   * @param {string} name
   * @param {number} startNs
   * @param {unknown} data
   * @returns {Marker}
   */
  add(type, name, startNs, data) {
    if (this.#markers.length >= MOST_PHASES) {
      this.dropped += MOST_PHASES / 2;
      this.#markers.splice(0, MOST_PHASES / 2);
    }
    /** @type {Marker} */
    const marker = { type, name, startNs, endNs: null, data };
    this.#markers.push(marker);
    for (const follower of this.#followers) follower.begin(marker);
    return marker;
  }

  /**
   * Nothing happens where it has ended already.
   * @param {Marker} marker
   * @param {number} endNs
   */
  end(marker, endNs) {
    if (marker.endNs !== null) return;
    marker.endNs = endNs;
    for (const follower of this.#followers) follower.end(marker);
  }

  /**
   * @param {string} name of a compiler that is being made
   * @param {number} [madeNs]
   */
  compiler(name, madeNs = this.now()) {
    const phases = new CompilerPhases(this, name, this.#compilers.length, madeNs);
    this.#compilers.push(phases);
    this.#lastNs = madeNs;
    this.#firstNs = Math.min(this.#firstNs, madeNs);
    for (const follower of this.#followers) follower.compiler(name, madeNs);
    return phases;
  }

  /**
   * @param {PhaseFollower} follower gets all compilers, and what has not ended before this moment, then
   *   what comes
   * @param {number} sinceNs
   * @returns {() => void} ends that
   */
  follow(follower, sinceNs) {
    for (const { name, madeNs } of this.#compilers) follower.compiler(name, madeNs);
    for (const load of this.#bindingLoads) follower.load(load);
    for (const marker of this.#markers) {
      if ((marker.endNs ?? Infinity) > sinceNs) follower.begin(marker);
    }
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /**
   * @param {(marker: Marker) => void} listener gets the 'build' marker of each build that ends
   * @returns {() => void} ends that
   */
  onBuild(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Marker} marker of a build */
  ended(marker) {
    for (const listener of this.#listeners) listener(this.#named(marker));
  }

  /**
   * @param {() => void} listener called when a phase of any compiler has begun or ended
   * @returns {() => void} ends that
   */
  onChange(listener) {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /**
   * @param {(compiler: object) => void} listener gets each compiler that is followed from now on, with its
   *   plugins still to come
   * @returns {() => void} ends that
   */
  onCompiler(listener) {
    this.#compilerListeners.add(listener);
    return () => this.#compilerListeners.delete(listener);
  }

  /** @param {object} compiler */
  followed(compiler) {
    for (const listener of this.#compilerListeners) listener(compiler);
  }

  changed() {
    for (const listener of this.#changeListeners) listener();
  }

  /** @param {CompilerPhases} compiler */
  closed(compiler) {
    this.#closed.add(compiler);
    this.#closedNs = this.now();
  }

  /** The process ends: what has come since every compiler was closed is its exit. */
  exiting() {
    const isAll = this.#compilers.every((compiler) => this.#closed.has(compiler));
    if (isAll) this.#exitNs = this.#closedNs;
  }

  /** @param {Interval} interval in which rspack's binding was loaded */
  bindingLoaded(interval) {
    this.#bindingLoads.push(interval);
    for (const follower of this.#followers) follower.load(interval);
  }

  /**
   * Whether a compiler was made at or after this moment, or has been in a phase since.
   * @param {number} startNs
   */
  sawCompiler(startNs) {
    return (
      this.#lastNs >= startNs || this.#markers.some(({ endNs }) => (endNs ?? Infinity) > startNs)
    );
  }

  /**
   * The phases of a recording, as markers of its own.
   * @param {number} startNs
   * @param {number} endNs
   * @returns {Marker[]}
   */
  markers(startNs, endNs) {
    const names = this.#names();
    const compilers = this.#markers
      .filter((m) => m.startNs < endNs && (m.endNs ?? Infinity) > startNs)
      .map((marker) => this.#named(marker, names));
    const clipped = [
      ...this.#beforeCompilers(startNs),
      ...compilers,
      ...this.#afterCompilers(endNs),
    ].map((marker) => ({
      ...marker,
      startNs: Math.max(marker.startNs, startNs),
    }));
    return clipped.sort((a, b) => a.startNs - b.startNs);
  }

  /**
   * What comes before the first compiler, where the recording has it.
   * @param {number} startNs
   * @returns {Marker[]}
   */
  #beforeCompilers(startNs) {
    if (this.#firstNs <= startNs || this.#firstNs === Infinity) return [];
    const loads = this.#bindingLoads.filter((load) => load.startNs >= startNs);
    const load = loads.find((one) => one.endNs <= this.#firstNs);
    const parts = load
      ? [
          { name: 'node start', startNs, endNs: load.startNs },
          { name: 'binding load', ...load },
          { name: 'config load', startNs: load.endNs, endNs: this.#firstNs },
        ]
      : [{ name: 'config load', startNs, endNs: this.#firstNs }];
    return parts.map((part) => ({ type: 'phase', ...part, data: undefined }));
  }

  /**
   * @param {number} endNs
   * @returns {Marker[]}
   */
  #afterCompilers(endNs) {
    const startNs = this.#exitNs;
    return startNs < endNs
      ? [{ type: 'phase', name: 'exit', startNs, endNs, data: undefined }]
      : [];
  }

  /**
   * A marker as others see it: with its compiler's name.
   * @param {Marker} marker
   * @returns {Marker}
   */
  #named(marker, names = this.#names()) {
    const { index, ...rest } = /** @type {{index: number}} */ (marker.data);
    return { ...marker, data: { compiler: names[index], ...rest } };
  }

  /** Names that tell the compilers apart: a lone one without a name needs none. */
  #names() {
    const given = this.#compilers.map(({ name }) => name);
    if (given.length === 1) return given;
    return given.map((name, index) =>
      name !== '' && given.indexOf(name) === given.lastIndexOf(name)
        ? name
        : `${name || 'compiler'} #${index + 1}`,
    );
  }
}

const KEY = Symbol.for('rspack-prof phases 1');
const holder = /** @type {{[KEY]?: PhaseRecorder}} */ (globalThis);

/** @returns {PhaseRecorder} this process's */
function processPhases() {
  if (!holder[KEY]) {
    const recorder = new PhaseRecorder(() => Number(process.hrtime.bigint()));
    Object.defineProperty(holder, KEY, { value: recorder });
  }
  return /** @type {PhaseRecorder} */ (holder[KEY]);
}

module.exports = { PhaseRecorder, processPhases };
