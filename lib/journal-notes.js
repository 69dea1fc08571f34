'use strict';
// Marks, spans and the phases of the builds, as lines in the journal of a recording: what a build that
// crashes had done so far. Written as they begin and as they end; journal-read.js reads them back. Its
// plugins and loaders are journal-build.js's lines, with counts every now and then.
//
// One JSON array a line, times in ns on the clock of the samples:
//   ["c", name, made]                             a compiler; the first is number 0
//   ["l", start, end]                             rspack's binding was loaded
//   ["b", id, type, name, start, end, data]       a marker begins; end: null while it is open
//   ["e", id, end]                                it has ended
//   ["d", at]                                     from here on some are missing: there was no room
//
// Refuses to grow for ever: 4 MB are kept (some 30,000 markers), less what a watch has forgotten.

const { BuildLines } = require('./journal-build.js');

/** @typedef {import('./profile/raw').NativeAddon} NativeAddon */
/** @typedef {import('./profile/raw').Marker} Marker */
/** @typedef {(text: string, replaces: boolean) => boolean} Send false: there was no room */

/** What the addon takes (PROF_JOURNAL_NOTES_BYTES), less room for the line that says that more came. */
const MOST_BYTES = 4 * 2 ** 20 - 64;
/** Fewer are not worth to be written anew without what was forgotten, or is counted anew. */
const WORTH_BYTES = 2 ** 18;

/** @param {unknown[]} row */
const line = (row) => `${JSON.stringify(row)}\n`;

/** Is told of phases as recorder.js's PhaseFollower. */
class JournalNotes {
  #send;
  #bytes = 0;
  /** Of them those of counts, of which the last ones hold. */
  #countBytes = 0;
  /** Of compilers, the binding, plugins and loaders. @type {string[]} */
  #about = [];
  /** Those that are in it. @type {Map<Marker, number>} */
  #ids = new Map();
  #next = 0;
  #isFull = false;
  #isStopped = false;
  /** When the last thing happened. */
  #lastNs = 0;

  /** @param {Send} send */
  constructor(send) {
    this.#send = send;
    /** Of plugins and loaders. */
    this.build = new BuildLines(
      (row) => this.#tell(line(row), this.#lastNs),
      () => this.#count(),
    );
  }

  /**
   * @param {boolean} hasJournal
   * @param {NativeAddon} addon
   * @param {unknown} handle of the recording
   * @returns {JournalNotes | null}
   */
  static of(hasJournal, addon, handle) {
    if (!hasJournal || !addon.note) return null;
    return new JournalNotes((text, replaces) => addon.note?.(handle, text, replaces) ?? false);
  }

  /** @param {string} text @param {number} [most] @returns {boolean} whether it is in */
  #add(text, most = MOST_BYTES) {
    const bytes = Buffer.byteLength(text);
    if (this.#isStopped || this.#bytes + bytes > most || !this.#trySend(text, false)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Never throws: we are called out of rspack's hooks. @param {string} text @param {boolean} replaces */
  #trySend(text, replaces) {
    try {
      return this.#send(text, replaces);
    } catch {
      // The recording is being stopped: its profile will have them.
      this.stop();
      return false;
    }
  }

  /** @param {number} atNs of what has no room */
  #missed(atNs) {
    if (!this.#isFull) this.#add(line(['d', atNs]), Infinity);
    this.#isFull = true;
  }

  /** @param {string} text of what holds from now on @param {number} atNs */
  #tell(text, atNs) {
    this.#lastNs = atNs;
    if (!this.#add(text)) return this.#missed(atNs);
    this.#about.push(text);
  }

  /** @param {string} name @param {number} madeNs */
  compiler(name, madeNs) {
    this.#tell(line(['c', name, madeNs]), madeNs);
  }

  /** @param {{startNs: number, endNs: number}} interval */
  load({ startNs, endNs }) {
    this.#tell(line(['l', startNs, endNs]), startNs);
  }

  /** @param {Marker} marker @param {number} id */
  #row({ type, name, startNs, endNs, data }, id) {
    return line(['b', id, type, name, startNs, endNs, data]);
  }

  /** Counts take the place of those before: of a long build, what these took is given back. */
  #count() {
    if (this.#isStopped) return;
    const row = this.build.counts();
    if (row === null) return;
    const text = line(row);
    const isWorth = this.#countBytes > Math.max(WORTH_BYTES, this.#bytes / 2);
    if (!isWorth && this.#add(text)) this.#countBytes += Buffer.byteLength(text);
    else if (this.#countBytes < WORTH_BYTES || !this.#anew()) {
      this.build.unwritten();
      this.#missed(this.#lastNs);
    }
  }

  /** All of it once more, without what does not hold any more. @returns {boolean} whether it is in */
  #anew() {
    this.build.unwritten();
    const row = this.build.counts();
    const counts = row === null ? '' : line(row);
    const markers = [...this.#ids].map(([marker, id]) => this.#row(marker, id));
    const text = [...this.#about, ...markers, counts].join('');
    if (!this.#trySend(text, true)) return false;
    this.#bytes = Buffer.byteLength(text);
    this.#countBytes = Buffer.byteLength(counts);
    return true;
  }

  /** @param {Marker} marker */
  begin(marker) {
    this.#lastNs = marker.startNs;
    const id = this.#next;
    if (!this.#add(this.#row(marker, id))) return this.#missed(marker.startNs);
    this.#next += 1;
    this.#ids.set(marker, id);
  }

  /** @param {Marker} marker */
  end(marker) {
    const id = this.#ids.get(marker);
    // The place of an end is not kept free: it is as if the process had died before it.
    if (id !== undefined) this.#add(line(['e', id, marker.endNs]));
    if (marker.type === 'phase') this.#count();
  }

  /** @param {number} beforeNs what has ended by then is not in the recording any more */
  forget(beforeNs) {
    for (const marker of this.#ids.keys()) {
      if ((marker.endNs ?? Infinity) < beforeNs) this.#ids.delete(marker);
    }
    if (this.#bytes < WORTH_BYTES || this.#isStopped || !this.#anew()) return;
    this.#isFull = false;
  }

  /** The recording ends: its profile has them all. */
  stop() {
    this.#isStopped = true;
    this.#ids.clear();
  }
}

module.exports = { JournalNotes };
