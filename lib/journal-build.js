'use strict';
// What a build says of its plugins and loaders (phases/notes.js), as lines in the journal of a recording,
// and those lines read back: a build that crashes has them up to its last half second.
//
// One JSON array a line:
//   ["r", root]                                       the first compiler's context
//   ["t", id, plugin, hook, file, line, column]       a tap
//   ["o", id, path]                                   a loader
//   ["n", [id, calls, ..], [id, runs, entries, ..]]   counts since the recording began, of taps and of
//                                                     loaders, where they have changed; calls: null where
//                                                     nobody counts

/** @typedef {import('./index').BuildNotes} BuildNotes */
/** @typedef {BuildNotes['taps'][0]} TapNote */
/** @typedef {import('./phases/notes').LoaderNote} LoaderNote */
/** @typedef {{runs: number, entries: number}} Runs */
/** @typedef {{note: TapNote, before: number, written: number | null}} TapRow before: the recording began */
/** @typedef {{note: LoaderNote, before: Runs, written: Runs}} LoaderRow */

/** The clock is asked with each call of a tap; rows are written so often. */
const COUNT_EVERY_MS = 400;
/** @type {Readonly<Runs>} */
const NONE = { runs: 0, entries: 0 };

/** Follows a BuildRecord. */
class BuildLines {
  #tell;
  #count;
  /** @type {TapRow[]} by id */
  #taps = [];
  /** @type {LoaderRow[]} by id */
  #loaders = [];
  #countedMs = -Infinity;

  /**
   * @param {(row: unknown[]) => void} tell a line that holds from now on
   * @param {() => void} count it is time to write counts()
   */
  constructor(tell, count) {
    this.#tell = tell;
    this.#count = count;
  }

  /** @param {string} root */
  root(root) {
    this.#tell(['r', root]);
  }

  /** @param {TapNote} note whose calls go on to be counted in it */
  tap(note) {
    const { plugin, hook, file, line, column } = note;
    this.#tell(['t', this.#taps.length, plugin, hook, file, line, column]);
    this.#taps.push({ note, before: note.calls ?? 0, written: null });
  }

  /** @param {LoaderNote} note as above */
  loader(note) {
    this.#tell(['o', this.#loaders.length, note.path]);
    this.#loaders.push({ note, before: { ...note }, written: NONE });
  }

  /** Called with each call of a tap and each run of a loader. */
  counted() {
    const nowMs = performance.now();
    if (nowMs - this.#countedMs < COUNT_EVERY_MS) return;
    this.#countedMs = nowMs;
    this.#count();
  }

  /** What counts() gave did not reach the journal. */
  unwritten() {
    for (const row of this.#taps) row.written = null;
    for (const row of this.#loaders) row.written = NONE;
  }

  /** @returns {unknown[] | null} the row of those that have changed since the last one */
  counts() {
    /** @type {(number | null)[]} */
    const taps = [];
    /** @type {number[]} */
    const loaders = [];
    this.#taps.forEach((row, id) => {
      const calls = row.note.calls === null ? null : row.note.calls - row.before;
      if (calls === row.written) return;
      taps.push(id, calls);
      row.written = calls;
    });
    this.#loaders.forEach((row, id) => {
      const { before, written } = row;
      const runs = row.note.runs - before.runs;
      const entries = row.note.entries - before.entries;
      if (runs === written.runs && entries === written.entries) return;
      loaders.push(id, runs, entries);
      row.written = { runs, entries };
    });
    return taps.length + loaders.length > 0 ? ['n', taps, loaders] : null;
  }
}

/** @param {unknown} value @returns {value is number} */
const isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/** The rows again, whoever wrote them. */
class BuildReader {
  #root = '';
  /** @type {Map<unknown, TapNote>} */
  #taps = new Map();
  /** @type {Map<unknown, {path: string, runs: number, entries: number}>} */
  #loaders = new Map();

  /** @returns {BuildNotes} */
  get notes() {
    return {
      root: this.#root,
      taps: [...this.#taps.values()],
      loaders: [...this.#loaders.values()],
    };
  }

  /** @param {any[]} row @returns {boolean} whether it made sense */
  read([what, ...rest]) {
    if (what === 'r') return this.#readRoot(rest[0]);
    if (what === 't') return this.#readTap(rest);
    if (what === 'o') return this.#readLoader(rest);
    return what === 'n' && this.#readCounts(rest);
  }

  /** @param {unknown} root */
  #readRoot(root) {
    if (typeof root !== 'string') return false;
    this.#root = root;
    return true;
  }

  /** @param {any[]} row */
  #readTap([id, plugin, hook, file, line, column]) {
    const isText = [plugin, hook, file].every((one) => typeof one === 'string');
    if (!isText || ![id, line, column].every(isCount)) return false;
    this.#taps.set(id, { plugin, hook, file, line, column, calls: null });
    return true;
  }

  /** @param {any[]} row */
  #readLoader([id, path]) {
    if (!isCount(id) || typeof path !== 'string') return false;
    this.#loaders.set(id, { path, runs: 0, entries: 0 });
    return true;
  }

  /** @param {any[]} row what it says before it stops to make sense, it says */
  #readCounts([taps, loaders]) {
    if (!Array.isArray(taps) || !Array.isArray(loaders)) return false;
    for (let i = 0; i < taps.length; i += 2) {
      const tap = this.#taps.get(taps[i]);
      if (!tap || !(taps[i + 1] === null || isCount(taps[i + 1]))) return false;
      tap.calls = taps[i + 1];
    }
    for (let i = 0; i < loaders.length; i += 3) {
      const [id, runs, entries] = loaders.slice(i, i + 3);
      const loader = this.#loaders.get(id);
      if (!loader || !isCount(runs) || !isCount(entries)) return false;
      loader.runs = runs;
      loader.entries = entries;
    }
    return true;
  }
}

module.exports = { BuildLines, BuildReader };
