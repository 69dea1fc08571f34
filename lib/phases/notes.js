'use strict';
// What the builds of this process say of themselves, so that a profile can name plugins and loaders:
// each tap with the place of its function (a sample's frame has the same file, line and column), how
// often it was called, and how often each loader ran. Plain counters; follow.js fills them in.
// It grows with the number of different taps and loaders, not with builds or modules.

/** @typedef {import('../index').BuildNotes} BuildNotes */
/** @typedef {import('./places').PlaceOf} PlaceOf */
/** @typedef {BuildNotes['taps'][0]} TapNote */
/** @typedef {{path: string, runs: number, entries: number}} LoaderNote */
/** @typedef {{name?: unknown, fn?: unknown}} Tap one row of a hook's `taps` */
/** @typedef {{root: (root: string) => void, tap: (note: TapNote) => void,
 *    loader: (note: LoaderNote) => void, counted: () => void}} BuildFollower is told of all that a record
 *    is; counts go on in the notes that it got, and counted() says that some have */

class BuildRecord {
  /** @type {Map<string, TapNote>} by hook, plugin and place */
  #taps = new Map();
  /** @type {WeakMap<Tap, TapNote>} */
  #known = new WeakMap();
  /** @type {Map<string, LoaderNote>} */
  #loaders = new Map();
  /** @type {(() => void)[]} asked before a reading: what has come since */
  #sources = [];
  /** @type {PlaceOf | null | undefined} */
  #placeOf;
  #makeReader;
  #root = '';
  /** @type {Set<BuildFollower>} */
  #followers = new Set();

  /** @param {() => PlaceOf | null} makeReader */
  constructor(makeReader) {
    this.#makeReader = makeReader;
  }

  /** The first compiler's context: paths are shown relative to it. */
  get root() {
    return this.#root;
  }

  set root(root) {
    if (root === this.#root) return;
    this.#root = root;
    for (const follower of this.#followers) follower.root(root);
  }

  /**
   * @param {BuildFollower} follower gets what is known, then what comes
   * @returns {() => void} ends that
   */
  follow(follower) {
    if (this.#root !== '') follower.root(this.#root);
    for (const note of this.#taps.values()) follower.tap(note);
    for (const note of this.#loaders.values()) follower.loader(note);
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Some calls or runs have been counted. */
  counted() {
    for (const follower of this.#followers) follower.counted();
  }

  /** Whether functions' places are known at all. */
  get hasPlaces() {
    return this.#reader() !== null;
  }

  #reader() {
    if (this.#placeOf === undefined) this.#placeOf = this.#makeReader();
    return this.#placeOf;
  }

  /**
   * @param {string} hook
   * @param {string} plugin
   * @param {unknown} fn
   * @returns {TapNote}
   */
  #noteOf(hook, plugin, fn) {
    const place = this.#reader()?.(fn) ?? { file: '', line: 0, column: 0 };
    const key = [hook, plugin, place.file, place.line, place.column].join('\0');
    const known = this.#taps.get(key);
    if (known) return known;
    /** @type {TapNote} */
    const note = { plugin, hook, ...place, calls: null };
    this.#taps.set(key, note);
    for (const follower of this.#followers) follower.tap(note);
    return note;
  }

  /**
   * @param {string} hook
   * @param {Tap} tap
   * @returns {TapNote}
   */
  tap(hook, tap) {
    let note = this.#known.get(tap);
    if (!note) this.#known.set(tap, (note = this.#noteOf(hook, String(tap.name), tap.fn)));
    return note;
  }

  /**
   * A function of a plugin's that is no tap: its apply().
   * @param {string} plugin
   * @param {unknown} fn
   */
  apply(plugin, fn) {
    this.#noteOf('apply', plugin, fn);
  }

  /**
   * @param {string} path
   * @returns {LoaderNote}
   */
  loader(path) {
    const known = this.#loaders.get(path);
    if (known) return known;
    const note = { path, runs: 0, entries: 0 };
    this.#loaders.set(path, note);
    for (const follower of this.#followers) follower.loader(note);
    return note;
  }

  /** @param {() => void} source notes what has come since it was asked last */
  addSource(source) {
    this.#sources.push(source);
  }

  /** @returns {BuildNotes} up to now */
  read() {
    for (const source of this.#sources) source();
    return {
      root: this.root,
      taps: [...this.#taps.values()].map((note) => ({ ...note })),
      loaders: [...this.#loaders.values()].map((note) => ({ ...note })),
    };
  }
}

/**
 * What came between two readings of one record.
 * @param {BuildNotes} before
 * @param {BuildNotes} after
 * @returns {BuildNotes}
 */
function notesBetween(before, after) {
  const keyOf = (/** @type {TapNote} */ tap) =>
    [tap.hook, tap.plugin, tap.file, tap.line, tap.column].join('\0');
  const taps = new Map(before.taps.map((tap) => [keyOf(tap), tap]));
  const loaders = new Map(before.loaders.map((loader) => [loader.path, loader]));
  return {
    root: after.root,
    taps: after.taps.map((tap) => {
      const calls = tap.calls === null ? null : tap.calls - (taps.get(keyOf(tap))?.calls ?? 0);
      return { ...tap, calls };
    }),
    loaders: after.loaders.map((loader) => {
      const old = loaders.get(loader.path);
      const since = (/** @type {'runs' | 'entries'} */ name) =>
        (loader[name] ?? 0) - (old?.[name] ?? 0);
      return { path: loader.path, runs: since('runs'), entries: since('entries') };
    }),
  };
}

module.exports = { BuildRecord, notesBetween };
