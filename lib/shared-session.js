'use strict';
// What start() gives in a process that is recorded already from outside (`rspack-prof record`): a
// session like any other to look at, in front of the recording that goes on until the process ends.
// Marks and spans go into that recording; stop() is a dump of it.

const { DISPOSE, ASYNC_DISPOSE } = require('./dispose.js');
const { ProfError } = require('./errors.js');

/** @typedef {import('./session').Session} Session */
/** @typedef {import('./profile/profile').Profile} Profile */

class SharedSession {
  #open = true;
  #recording;
  #finish;

  /**
   * @param {Session} recording
   * @param {() => Profile} finish where the process's end has stopped the recording and written it:
   *   gives the profile
   */
  constructor(recording, finish) {
    this.#recording = recording;
    this.#finish = finish;
  }

  get running() {
    return this.#open && this.#recording.running;
  }

  /**
   * @param {string} name
   * @param {unknown} [data]
   */
  mark(name, data) {
    if (this.running) this.#recording.mark(name, data);
  }

  /**
   * @param {string} name
   * @param {unknown} [data]
   */
  span(name, data) {
    return this.#recording.span(name, data);
  }

  async dump() {
    this.#mustBeOpen('dump()');
    return this.#recording.running ? this.#recording.dump() : this.#finish();
  }

  rebuilds() {
    return this.#recording.rebuilds();
  }

  /**
   * @param {import('./index').RebuildChoice} which
   * @param {{compiler?: string}} [options]
   */
  async rebuild(which, options) {
    return (await this.dump()).rebuild(which, options);
  }

  async stop() {
    this.#mustBeOpen('stop()');
    this.#open = false;
    return this.#recording.running ? this.#recording.dump() : this.#finish();
  }

  stopSync() {
    this.#mustBeOpen('stopSync()');
    this.#open = false;
    return this.#recording.running ? this.#recording.dumpSync() : this.#finish();
  }

  [DISPOSE]() {
    this.#open = false;
  }

  async [ASYNC_DISPOSE]() {
    this.#open = false;
  }

  /** @param {string} what */
  #mustBeOpen(what) {
    if (this.#open) return;
    throw new ProfError(
      'ERR_PROF_NOT_RUNNING',
      `${what}: this session has ended; start() begins another one`,
    );
  }
}

module.exports = { SharedSession };
