'use strict';
// A recording, from start() to stop(). The addon records; marks and spans are kept here, on the
// clock of the samples (process.hrtime is CLOCK_MONOTONIC, as perf's samples are asked to be).

const { describeProcess } = require('./context.js');
const { DISPOSE, ASYNC_DISPOSE } = require('./dispose.js');
const { ProfError, fromNative, reasonOf } = require('./errors.js');
const { removeJournal } = require('./journal.js');
const { makeProfile } = require('./make-profile.js');

/** @typedef {import('./profile/raw').NativeAddon} NativeAddon */
/** @typedef {import('./profile/raw').RawProfile} RawProfile */
/** @typedef {import('./profile/raw').Marker} Marker */
/** @typedef {import('./profile/profile').Profile} Profile */
/** @typedef {import('./followers').Followers} Followers */

/** @param {Marker[]} markers as they are now: open spans stay open in the copy */
const snapshot = (markers) => markers.map((marker) => ({ ...marker }));

/**
 * @param {unknown} name
 * @param {unknown} data
 * @returns {{name: string, data: unknown}} a copy that later changes of the caller's do not reach
 */
function checkMarker(name, data) {
  if (typeof name !== 'string' || name === '') {
    throw new ProfError('ERR_PROF_BAD_OPTION', 'a mark or span needs a name, a string');
  }
  if (data === undefined) return { name, data: undefined };
  try {
    const text = JSON.stringify(data);
    return { name, data: text === undefined ? undefined : JSON.parse(text) };
  } catch (error) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `data of '${name}' is not for JSON: ${reasonOf(error)}`,
    );
  }
}

/**
 * @param {RawProfile} recorded
 * @param {Marker[]} markers the program's own
 * @param {Followers} followers
 */
function profileOf(recorded, markers, followers) {
  const kept = followers.recent(recorded);
  const { startNs, endNs } = kept.meta;
  const seen = followers.see(startNs, endNs);
  const own = markers.filter((marker) => (marker.endNs ?? endNs) >= startNs);
  return makeProfile(recorded, {
    kept,
    markers: [...own, ...seen.markers],
    context: describeProcess(kept),
    build: seen.notes,
    warnings: seen.warnings,
  });
}

/**
 * Where the journal is, is no part of a profile.
 * @param {RawProfile} raw
 */
function withoutJournal(raw) {
  delete raw.meta.journal;
  return raw;
}

class Session {
  /** @type {'running' | 'stopping' | 'ended'} */
  #state = 'running';
  /** Of a session that the process's end has stopped. @type {Profile | null} */
  #final = null;
  /** @type {Marker[]} */
  #markers = [];
  #native;
  #handle;
  #now;
  #startNs;
  #followers;
  #notes;
  #onEnd;
  /** What is to be removed once the profile is safe. @type {string | undefined} */
  journal = undefined;
  /** @type {Profile | null} */
  handedOver = null;
  /** Whether the program has a part in this recording from outside. */
  hasParts = false;

  /**
   * @param {{native: NativeAddon, handle: unknown, now: () => number, followers: Followers,
   *    notes: import('./journal-notes').JournalNotes | null, onEnd: () => void}} parts notes: of its journal
   */
  constructor({ native, handle, now, followers, notes, onEnd }) {
    this.#native = native;
    this.#handle = handle;
    this.#now = now;
    this.#startNs = now();
    this.#followers = followers;
    this.#notes = notes;
    this.#onEnd = onEnd;
  }

  get running() {
    return this.#state === 'running';
  }

  /**
   * @param {string} name
   * @param {unknown} [data]
   */
  mark(name, data) {
    const marker = checkMarker(name, data);
    if (!this.running) return;
    const startNs = this.#now();
    this.#keep({ type: 'mark', ...marker, startNs, endNs: startNs });
  }

  /**
   * @param {string} name
   * @param {unknown} [data]
   */
  span(name, data) {
    /** @type {Marker} */
    const span = { type: 'span', ...checkMarker(name, data), startNs: this.#now(), endNs: null };
    if (this.running) this.#keep(span);
    const end = () => {
      if (span.endNs !== null) return;
      span.endNs = this.#now();
      this.#notes?.end(span);
    };
    return { name: span.name, end, [DISPOSE]: end };
  }

  /** @param {Marker} marker */
  #keep(marker) {
    this.#markers.push(marker);
    this.#notes?.begin(marker);
  }

  async dump() {
    this.#mustRun('dump()');
    const raw = withoutJournal(await this.#callAsync(() => this.#native.dump(this.#handle)));
    return profileOf(raw, snapshot(this.#markers), this.#followers);
  }

  dumpSync() {
    this.#mustRun('dumpSync()');
    try {
      const raw = withoutJournal(this.#native.dumpSync(this.#handle));
      return profileOf(raw, snapshot(this.#markers), this.#followers);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /** The builds that are kept and have ended. */
  rebuilds() {
    const { markers } = this.#followers.see(this.#startNs, Infinity, { trace: false });
    return require('./profile/rebuilds.js').rebuilds(markers, this.#startNs);
  }

  /**
   * The profile of one of them; recording goes on.
   * @param {import('./index').RebuildChoice} which
   * @param {{compiler?: string}} [options]
   */
  async rebuild(which, options) {
    return (await this.dump()).rebuild(which, options);
  }

  async stop() {
    return this.#stopAsync((journal) => removeJournal(journal));
  }

  /**
   * For a recording from outside (lib/attach): the journal stays until the profile is written. Who has a
   * part in the recording gets the same profile.
   */
  async handOver() {
    this.handedOver = await this.#stopAsync(() => {});
    return this.handedOver;
  }

  /** @param {(journal: string | undefined) => void} onRaw the samples are in memory */
  async #stopAsync(onRaw) {
    this.#mustRun('stop()');
    this.#state = 'stopping';
    try {
      const raw = this.#ended(await this.#callAsync(() => this.#native.stop(this.#handle)));
      onRaw(this.journal);
      return this.#whole(raw);
    } finally {
      this.#end();
    }
  }

  /**
   * The profile is in memory: as safe as the caller is.
   * @returns {Profile}
   */
  stopSync() {
    if (this.#final) {
      // An 'exit' handler of the program's: ours, which came first, has stopped and written.
      const profile = this.#final;
      this.#final = null;
      return profile;
    }
    const profile = this.#stopNow();
    removeJournal(this.journal);
    return profile;
  }

  #stopNow() {
    this.#mustRun('stopSync()');
    this.#state = 'stopping';
    try {
      return this.#whole(this.#ended(this.#native.stopSync(this.#handle)));
    } catch (error) {
      throw fromNative(error);
    } finally {
      this.#end();
    }
  }

  /** At the end of the process; a later stopSync() gives the same profile, once. */
  stopAtExit() {
    this.#followers.exiting();
    return (this.#final ??= this.#stopNow());
  }

  /**
   * The profile of the recording from start() to stop().
   * @param {RawProfile} raw
   */
  #whole(raw) {
    const profile = profileOf(raw, snapshot(this.#markers), this.#followers);
    this.#followers.finish(profile);
    return profile;
  }

  /**
   * The last raw profile: its journal is not the profile's to tell.
   * @param {RawProfile} raw
   */
  #ended(raw) {
    this.journal = raw.meta.journal;
    return withoutJournal(raw);
  }

  [DISPOSE]() {
    this.#discard();
  }

  #discard() {
    if (!this.running) return;
    this.#state = 'stopping';
    try {
      this.#native.discard(this.#handle);
    } catch (error) {
      throw fromNative(error);
    } finally {
      this.#end();
    }
  }

  async [ASYNC_DISPOSE]() {
    this.#discard();
  }

  #end() {
    this.#state = 'ended';
    this.#onEnd();
  }

  /** @param {string} what */
  #mustRun(what) {
    if (this.running) return;
    throw new ProfError(
      'ERR_PROF_NOT_RUNNING',
      `${what}: this session has ended; start() begins another one`,
    );
  }

  /**
   * @template T
   * @param {() => Promise<T>} call
   * @returns {Promise<T>}
   */
  async #callAsync(call) {
    try {
      return await call();
    } catch (error) {
      throw fromNative(error);
    }
  }
}

module.exports = { Session };
