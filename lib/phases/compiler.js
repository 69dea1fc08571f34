'use strict';
// The phases of one compiler, as they happen: recorder.js keeps them.

/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {import('./recorder').PhaseRecorder} PhaseRecorder */

/** Of the files that a rebuild is for, these are named. */
const MOST_CHANGED = 20;

/** One compiler: at any moment it is in one phase or in none. */
class CompilerPhases {
  /** @type {Marker | null} */
  #open = null;
  /** @type {{index: number, build: number} | null} one object per build: what a marker belongs to */
  #data = null;
  #recorder;
  /** On the recorder's clock. */
  madeNs;
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
   * @param {number} madeNs
   */
  constructor(recorder, name, index, madeNs) {
    this.#recorder = recorder;
    this.madeNs = madeNs;
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
    this.#recorder.end(marker, this.#recorder.now());
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
    return () => recorder.end(marker, recorder.now());
  }

  #key() {
    if (this.#data?.build !== this.build) this.#data = { index: this.index, build: this.build };
    return this.#data;
  }

  /** @param {number} now */
  #close(now) {
    if (this.#open) this.#recorder.end(this.#open, now);
    this.#open = null;
  }
}

module.exports = { CompilerPhases };
