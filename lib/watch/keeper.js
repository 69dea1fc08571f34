'use strict';
// Keeps a watch of hours bounded: of each compiler's builds the last `keep` stay in the recording, the
// samples of older ones are dropped when a build ends. On request it says a line about each build and
// writes each one's profile, with as many files as builds are kept.
//
// Everything from outside is passed in. Refuses to drop anything outside of a watch: a program that
// calls run() a hundred times has one profile of all.

const path = require('node:path');
const { reasonOf } = require('../errors.js');

/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../options').WatchOptions} WatchOptions */
/** @typedef {{compiler: string, build: number, watching: boolean, changed: string[], changedCount: number}} BuildData */
/** @typedef {{forget: (beforeNs: number) => void, dump: () => Promise<Profile>,
 *    say: (line: string) => void, folder: string, files?: Files}} World folder: of the written profiles */
/** @typedef {{make: (folder: string) => void, remove: (file: string) => void}} Files */

/** @type {Files} */
const FILES = {
  make: (folder) => require('node:fs').mkdirSync(folder, { recursive: true, mode: 0o700 }),
  remove: (file) => require('node:fs').rmSync(file, { force: true }),
};
const NS_PER_MS = 1e6;

/** @param {Marker} marker */
const dataOf = ({ data }) => /** @type {BuildData} */ (data);
/** @param {Marker} marker */
const msOf = ({ startNs, endNs }) => (Number(endNs) - startNs) / NS_PER_MS;

/** @param {number} ms */
const shown = (ms) => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** @param {BuildData} data */
function changedText({ changed, changedCount }) {
  if (changedCount === 0) return '';
  const name = path.basename(changed[0]);
  return changedCount === 1 ? ` (${name})` : ` (${name} and ${changedCount - 1} more)`;
}

class WatchKeeper {
  /** By compiler, the oldest first. @type {Map<string, Marker[]>} */
  #builds = new Map();
  /** Builds that wait for their file. @type {BuildData[]} */
  #unwritten = [];
  /** Builds that have a file. @type {BuildData[]} */
  #written = [];
  #options;
  #world;
  /** What lies before is not in the recording any more. */
  beforeNs = 0;
  /** Builds whose samples were dropped. */
  dropped = 0;
  /** Of the last write, where one failed. */
  problem = '';
  /** Writing goes on; for tests. */
  writing = Promise.resolve();

  /**
   * @param {WatchOptions} options
   * @param {World} world
   */
  constructor(options, world) {
    this.#options = options;
    this.#world = world;
  }

  /** @param {Marker} marker of a build that has ended */
  ended(marker) {
    const data = dataOf(marker);
    if (!data.watching) return;
    const builds = this.#builds.get(data.compiler) ?? [];
    this.#builds.set(data.compiler, builds);
    builds.push(marker);
    const { keep, write, print } = this.#options;
    const old = builds.length > keep ? builds.splice(0, builds.length - keep) : [];
    if (print) this.#print(marker, builds);
    this.dropped += old.length;
    if (old.length > 0) this.#forget();
    if (!write) return;
    this.#unwritten.push(data);
    this.writing = this.writing.then(() => this.#writeFromDump(data));
  }

  /**
   * The recording has ended: what still waits is written of its last profile, in which every kept
   * build is.
   * @param {Profile} profile
   */
  finish(profile) {
    for (const data of [...this.#unwritten]) this.#write(data, profile);
  }

  /** @param {Marker} marker @param {Marker[]} builds */
  #print(marker, builds) {
    const data = dataOf(marker);
    const slowest = builds.reduce((a, b) => (msOf(b) > msOf(a) ? b : a));
    const name = data.compiler === '' ? '' : `${data.compiler}: `;
    const most =
      builds.length > 1
        ? `; slowest of the last ${builds.length}: build ${dataOf(slowest).build}, ${shown(msOf(slowest))}`
        : '';
    this.#world.say(
      `rspack-prof: ${name}build ${data.build}: ${shown(msOf(marker))}${changedText(data)}${most}\n`,
    );
  }

  #forget() {
    const firsts = [...this.#builds.values()].map(([first]) => first.startNs);
    this.beforeNs = Math.max(this.beforeNs, Math.min(...firsts));
    this.#world.forget(this.beforeNs);
  }

  /** @param {BuildData} data */
  #fileOf({ compiler, build }) {
    const name = compiler.replace(/[^\w.-]+/g, '_');
    return path.join(this.#world.folder, `${name ? `${name}-` : ''}build-${build}.json.gz`);
  }

  /** @param {BuildData} data */
  #isKept({ compiler, build }) {
    return this.#builds.get(compiler)?.some((marker) => dataOf(marker).build === build);
  }

  /** @param {BuildData} data */
  async #writeFromDump(data) {
    if (!this.#unwritten.includes(data)) return;
    // Builds may end faster than they are written: one that is not kept any more has no file either.
    if (!this.#isKept(data)) {
      this.#done(data);
      return;
    }
    try {
      const profile = await this.#world.dump();
      if (this.#unwritten.includes(data)) this.#write(data, profile);
    } catch (error) {
      // Where stop() was faster than the dump, finish() writes it.
      const hasEnded = /** @type {{code?: string}} */ (error).code === 'ERR_PROF_NOT_RUNNING';
      if (!hasEnded && this.#unwritten.includes(data)) this.#failed(data, error);
    }
  }

  /** @param {BuildData} data @param {Profile} profile with it */
  #write(data, profile) {
    const files = this.#world.files ?? FILES;
    if (this.#isKept(data)) {
      try {
        files.make(this.#world.folder);
        profile.rebuild(data.build, { compiler: data.compiler }).write(this.#fileOf(data));
        this.#written.push(data);
      } catch (error) {
        this.#failed(data, error);
        return;
      }
    }
    this.#done(data);
  }

  /** @param {BuildData} data that waits no longer; files of builds that are not kept go */
  #done(data) {
    const files = this.#world.files ?? FILES;
    this.#unwritten = this.#unwritten.filter((one) => one !== data);
    this.#written = this.#written.filter((one) => {
      if (this.#isKept(one)) return true;
      files.remove(this.#fileOf(one));
      return false;
    });
  }

  /** @param {BuildData} data @param {unknown} error */
  #failed(data, error) {
    this.#done(data);
    if (!this.#isKept(data)) return;
    const reason = reasonOf(error);
    if (this.problem === '') {
      this.#world.say(`rspack-prof: build ${data.build} was not written: ${reason}\n`);
    }
    this.problem = reason;
  }

  /** @returns {import('../index').Warning[]} */
  warnings() {
    if (this.dropped === 0) return [];
    const message = `the samples of ${this.dropped} builds were dropped: a watch keeps the last ${this.#options.keep} (start()'s option 'watch': { keep })`;
    return [{ code: 'builds-dropped', message, fix: '' }];
  }
}

module.exports = { WatchKeeper };
