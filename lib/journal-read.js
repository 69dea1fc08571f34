'use strict';
// The lines of journal-notes.js -> markers of a profile, its plugins and loaders. Whoever wrote them: what
// makes no sense is left out and counted.

const { BuildReader } = require('./journal-build.js');
const { PhaseRecorder } = require('./phases/recorder.js');

/** @typedef {import('./profile/raw').Marker} Marker */
/** @typedef {import('./index').Warning} Warning */
/** @typedef {Map<number, Marker>} Begun by the id in the journal */

const OF_PROGRAM = ['mark', 'span'];
const OF_BUILD = ['phase', 'child', 'build'];

/** @param {unknown} value @returns {value is number} */
const isTime = (value) => typeof value === 'number' && Number.isFinite(value);

/** @param {any} data @param {number} compilers @returns {boolean} whether it is of one of them */
function isOfCompiler(data, compilers) {
  return (
    typeof data === 'object' &&
    data !== null &&
    Number.isInteger(data.index) &&
    data.index >= 0 &&
    data.index < compilers &&
    Number.isInteger(data.build)
  );
}

class NotesReader {
  recorder = new PhaseRecorder(() => 0);
  build = new BuildReader();
  /** Of the program's own. @type {Marker[]} */
  own = [];
  /** @type {Begun} */
  #begun = new Map();
  #compilers = 0;
  /** Lines that make no sense. */
  bad = 0;
  /** From here on some are missing. @type {number | null} */
  missedNs = null;

  /** @param {any} row @returns {boolean} whether it made sense */
  #read(row) {
    if (!Array.isArray(row)) return false;
    const [what, first, second] = row;
    if (what === 'c' && typeof first === 'string' && isTime(second)) {
      this.recorder.compiler(first, second);
      this.#compilers += 1;
      return true;
    }
    if (what === 'l' && isTime(first) && isTime(second)) {
      this.recorder.bindingLoaded({ startNs: first, endNs: second });
      return true;
    }
    if (what === 'd' && isTime(first)) {
      this.missedNs ??= first;
      return true;
    }
    if (what === 'e') return this.#end(first, second);
    if (what === 'b') return this.#begin(row);
    return this.build.read(row);
  }

  /** @param {any[]} row */
  #begin([, id, type, name, startNs, endNs, data]) {
    const isEnd = endNs === null || isTime(endNs);
    if (!Number.isInteger(id) || typeof name !== 'string' || !isTime(startNs) || !isEnd)
      return false;
    if (OF_PROGRAM.includes(type)) {
      const marker = { type, name, startNs, endNs, data: data ?? undefined };
      this.own.push(marker);
      this.#begun.set(id, marker);
      return true;
    }
    if (!OF_BUILD.includes(type) || !isOfCompiler(data, this.#compilers)) return false;
    const marker = this.recorder.add(type, name, startNs, data);
    marker.endNs = endNs;
    this.#begun.set(id, marker);
    return true;
  }

  /** @param {unknown} id @param {unknown} endNs */
  #end(id, endNs) {
    const marker = this.#begun.get(Number(id));
    if (!marker || !isTime(endNs) || endNs < marker.startNs) return false;
    marker.endNs = endNs;
    return true;
  }

  /** @param {string} text */
  read(text) {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      let row = null;
      try {
        row = JSON.parse(line);
      } catch {
        // Counted below.
      }
      if (!this.#read(row)) this.bad += 1;
    }
  }
}

/**
 * @param {string} text
 * @param {{startNs: number, endNs: number}} recording
 * @returns {{markers: Marker[], build: import('./index').BuildNotes, warnings: Warning[]}} what had not
 *   ended is open
 */
function readNotes(text, { startNs, endNs }) {
  const reader = new NotesReader();
  reader.read(text);
  const own = reader.own.filter(
    (marker) => marker.startNs <= endNs && (marker.endNs ?? endNs) >= startNs,
  );
  /** @type {Warning[]} */
  const warnings = [];
  const warn = (/** @type {string} */ code, /** @type {string} */ message) =>
    warnings.push({ code, message, fix: '' });
  if (reader.missedNs !== null) {
    const seconds = ((reader.missedNs - startNs) / 1e9).toFixed(1);
    warn(
      'journal-notes-cut',
      `marks and phases are missing from second ${seconds} on: the journal keeps 4 MB of them`,
    );
  }
  if (reader.bad > 0) {
    warn('journal-notes-bad', `${reader.bad} lines of the journal make no sense`);
  }
  const markers = [...own, ...reader.recorder.markers(startNs, endNs)];
  return { markers, build: reader.build.notes, warnings };
}

module.exports = { readNotes };
