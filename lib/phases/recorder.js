'use strict';
// The phases of this process's builds, as they happen: who is in which phase since when, on the clock
// of the samples. Nothing here knows rspack: taps.js tells it what begins, a session asks it for the
// phases of its time. It hangs on the global object for the reason that profiler.js gives: the plugin
// in a config and `rspack-prof record` may be two copies of the package.
//
// Refuses to grow for ever: of a watch that runs for days the oldest phases are dropped, and counted.

const { BuildRecord } = require('./notes.js');
const { placeReader } = require('./places.js');

/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {{startNs: number, endNs: number}} Interval */

/** Of the files that a rebuild is for, these are named. */
const MOST_CHANGED = 20;
/** Some 4,000 rebuilds. */
const MOST_PHASES = 65_536;

/** One compiler: at any moment it is in one phase or in none. */
class CompilerPhases {
  /** @type {Marker | null} */
  #open = null;
  /** @type {{index: number, build: number} | null} one object per build: what a marker belongs to */
  #data = null;
  #recorder;
  /** Of the build that runs, or ran last; what comes before the first is its setup. */
  build = 1;
  /** Whether a build has begun. */
  #ran = false;
  /** The build that runs. @type {Marker | null} */
  #building = null;

  /**
   * @param {PhaseRecorder} recorder
   * @param {string} name the configuration's, '' where it has none
   * @param {number} index of this compiler
   */
  constructor(recorder, name, index) {
    this.#recorder = recorder;
    this.name = name;
    this.index = index;
  }

  /**
   * A build or rebuild begins.
   * @param {{watching: boolean, changed: string[]}} [why] changed: the files that it is for, where known
   */
  begin({ watching, changed } = { watching: false, changed: [] }) {
    if (this.#ran) this.build++;
    this.#ran = true;
    this.end();
    const { build, index } = this;
    const data = {
      ...{ index, build, watching, changedCount: changed.length },
      changed: changed.slice(0, MOST_CHANGED),
    };
    this.#building = this.#recorder.add('build', `build ${build}`, this.#recorder.now(), data);
  }

  /** It has ended; nothing happens where it has already. */
  end() {
    const marker = this.#building;
    if (!marker) return;
    this.#building = null;
    marker.endNs = this.#recorder.now();
    this.#recorder.ended(marker);
  }

  /** @param {string} name */
  enter(name) {
    if (this.#open?.name === name && this.#open.data === this.#key()) return;
    const now = this.#recorder.now();
    this.#close(now);
    this.#open = this.#recorder.add('phase', name, now, this.#key());
    this.#recorder.changed();
  }

  leave() {
    this.#close(this.#recorder.now());
    this.#recorder.changed();
  }

  /** The compiler is closed: what comes now is no build's. */
  closed() {
    this.leave();
    this.#recorder.closed(this);
  }

  /**
   * @param {string} name
   * @returns {() => void} to be called when it has ended
   */
  child(name) {
    const recorder = this.#recorder;
    const marker = recorder.add('child', `child compiler ${name}`, recorder.now(), this.#key());
    return () => {
      marker.endNs ??= recorder.now();
    };
  }

  #key() {
    if (this.#data?.build !== this.build) this.#data = { index: this.index, build: this.build };
    return this.#data;
  }

  /** @param {number} now */
  #close(now) {
    if (this.#open) this.#open.endNs = now;
    this.#open = null;
  }
}

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

  dropped = 0;
  /** Those that are closed. @type {Set<CompilerPhases>} */
  #closed = new Set();
  /** When the last of them was, and since when the process ends. */
  #closedNs = Infinity;
  #exitNs = Infinity;

  /** Why a compiler could not be followed. */
  problem = '';
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
    return marker;
  }

  /** @param {string} name of a compiler that is being made */
  compiler(name) {
    const phases = new CompilerPhases(this, name, this.#compilers.length);
    this.#compilers.push(phases);
    this.#lastNs = this.now();
    this.#firstNs = Math.min(this.#firstNs, this.#lastNs);
    return phases;
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

module.exports = { CompilerPhases, PhaseRecorder, processPhases };
