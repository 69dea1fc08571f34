'use strict';
// Counters of the addon, and what lies between two readings of them.

const { fromNative } = require('../errors.js');

/** @typedef {import('../profile/raw').CountAddon} CountAddon */
/** @typedef {import('../profile/raw').CountedEvent} CountedEvent */
/** @typedef {import('../index').Warning} Warning */
/** @typedef {{name: string, value: number | null, scaledBy: number}} Count value: null where the event
 *    had no turn on a counter; scaledBy: wanted time / counted time */
/** @typedef {{atNs: number, words: Float64Array}} Reading */

/** Of each event in a reading: value, ns that it was wanted, ns that it was counted. */
const WORDS = 3;

/**
 * Multiplexed events were on a counter for a part of the time: what they would have counted in all of
 * it is value x wanted / counted (perf's rule; prof_count_scale of src/perf/count.h).
 * @param {number} value
 * @param {number} wantedNs
 * @param {number} countedNs
 * @returns {{value: number | null, scaledBy: number}}
 */
function scale(value, wantedNs, countedNs) {
  // Nothing ran that could be counted: of an interval without any CPU time that is a count of 0.
  if (countedNs <= 0) return { value: wantedNs > 0 ? null : 0, scaledBy: 1 };
  const scaledBy = Math.max(1, wantedNs / countedNs);
  return { value: value * scaledBy, scaledBy };
}

class Counters {
  #native;
  #handle;
  /** @type {CountedEvent[]} */
  events;
  /** @type {Warning[]} */
  warnings;

  /**
   * @param {Partial<CountAddon>} addon
   * @param {Parameters<CountAddon['countOpen']>[0]} options
   * @param {() => number} now ns
   */
  constructor(addon, options, now) {
    const native = /** @type {CountAddon} */ (addon);
    this.#native = native;
    this.now = now;
    try {
      const { handle, events, warnings } = native.countOpen(options);
      this.#handle = handle;
      this.events = events;
      this.warnings = warnings;
    } catch (error) {
      throw fromNative(error);
    }
  }

  enable() {
    this.#native.countEnable(this.#handle);
  }

  disable() {
    this.#native.countDisable(this.#handle);
  }

  /**
   * @param {{ending?: boolean}} [which] ending: an interval ends here, whose own cost should be small
   * @returns {Reading}
   */
  read({ ending = false } = {}) {
    // The clock inside of the counters: a figure per second is never of too short a time.
    if (ending) {
      const atNs = this.now();
      return { words: this.#native.countRead(this.#handle, true), atNs };
    }
    return { words: this.#native.countRead(this.#handle, false), atNs: this.now() };
  }

  close() {
    this.#native.countClose(this.#handle);
  }

  /**
   * @param {Reading} from
   * @param {Reading} to
   * @returns {Count[]} of the events that are counted here
   */
  between(from, to) {
    const words = to.words.map((word, i) => word - from.words[i]);
    return countsOf(this.events, words);
  }
}

/**
 * @param {CountedEvent[]} events
 * @param {ArrayLike<number>} words of one interval
 * @returns {Count[]}
 */
function countsOf(events, words) {
  return events.flatMap(({ name, reason }, i) => {
    if (reason !== '') return [];
    const at = i * WORDS;
    return [{ name, ...scale(words[at], words[at + 1], words[at + 2]) }];
  });
}

module.exports = { Counters, countsOf, scale };
