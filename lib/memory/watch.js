'use strict';
// What a recording of memory needs of node itself: V8's heap over time, by a timer that keeps no process
// alive, and where JavaScript allocates, by V8's own sampling through the inspector. All of the thread
// that started the recording; worker threads have heaps of their own, which are not looked at.

const v8 = require('node:v8');
const { reasonOf } = require('../errors.js');
const { allocationsOf } = require('./allocations.js');

/** @typedef {import('../profile/raw').RawMemory} RawMemory */
/** @typedef {import('../index').Warning} Warning */

/** A loop that is busy turns less often: then there are fewer points. */
const EVERY_MS = 50;
/** Bytes between two samples, in the mean: V8 draws the distances at random. */
const SAMPLE_BYTES = 1 << 16;
const MOST_POINTS = 8192;

class MemoryWatch {
  /** @type {{timeNs: number, used: number, total: number, external: number}[]} */
  #points = [];
  /** @type {any} */
  #inspector = null;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #problem = '';
  #everyMs = EVERY_MS;
  #now;

  /** @param {() => number} now CLOCK_MONOTONIC, ns */
  constructor(now) {
    this.#now = now;
  }

  start() {
    this.#look();
    this.#schedule();
    try {
      const { Session } = require('node:inspector');
      this.#inspector = new Session();
      this.#inspector.connect();
      this.#post('HeapProfiler.enable');
      this.#post('HeapProfiler.startSampling', {
        samplingInterval: SAMPLE_BYTES,
        // Also what is garbage by the end: who allocates is asked, not who keeps. V8 before 10 keeps to that.
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
    } catch (error) {
      this.#problem = reasonOf(error);
    }
  }

  #schedule() {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), this.#everyMs);
    this.#timer.unref();
  }

  #look() {
    const heap = v8.getHeapStatistics();
    this.#points.push({
      timeNs: this.#now(),
      used: heap.used_heap_size,
      total: heap.total_heap_size,
      external: heap.external_memory,
    });
    if (this.#points.length < MOST_POINTS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#everyMs *= 2;
    if (this.#timer) this.#schedule();
  }

  /**
   * In a session of one's own thread the answer comes before post() returns.
   * @param {string} method
   * @param {object} [params]
   * @returns {any}
   */
  #post(method, params = {}) {
    /** @type {any} */
    let answer;
    this.#inspector.post(
      method,
      params,
      (/** @type {Error | null} */ error, /** @type {any} */ it) => {
        if (error) throw error;
        answer = it;
      },
    );
    return answer;
  }

  /**
   * What there is so far.
   * @returns {RawMemory}
   */
  read() {
    this.#look();
    const column = (/** @type {'timeNs' | 'used' | 'total' | 'external'} */ name) =>
      Float64Array.from(this.#points, (point) => point[name]);
    /** @type {RawMemory} */
    const memory = {
      heap: {
        timeNs: column('timeNs'),
        used: column('used'),
        total: column('total'),
        external: column('external'),
      },
      sampleBytes: SAMPLE_BYTES,
      allocations: [],
    };
    if (this.#problem !== '') return memory;
    try {
      const { profile } = this.#post('HeapProfiler.getSamplingProfile');
      return { ...memory, allocations: allocationsOf(profile.head), heapProfile: profile };
    } catch (error) {
      this.#problem = reasonOf(error);
      return memory;
    }
  }

  /** @returns {Warning[]} */
  warnings() {
    if (this.#problem === '') return [];
    const message = `JavaScript's allocations were not sampled: ${this.#problem}`;
    return [{ code: 'no-heap-samples', message, fix: '' }];
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    try {
      this.#inspector?.disconnect(); // ends the sampling too
    } catch {
      // it was not connected
    }
    this.#inspector = null;
  }
}

module.exports = { MemoryWatch };
