'use strict';
// The tries of bench/compare-truth.js in a file, one line of JSON each, so that they can be made a few at
// a time. A try is written down before it begins: one that was cut off stays in the count, as
// not right, or else the long undecided ones would drop out.

const fs = require('node:fs');

/** @typedef {'equal' | 'slower'} Kind */

/**
 * @typedef {object} Try
 * @property {Kind} kind
 * @property {string} decision
 * @property {boolean} isRight
 * @property {boolean} isOpposite faster where it is slower, either where it is equal
 * @property {number} ratio
 * @property {[number, number] | null} interval
 * @property {number} truth
 * @property {number} [baseMs] median of the base's runs
 * @property {boolean} holds whether the interval holds the truth
 * @property {number} pairs
 * @property {string} stopped
 * @property {number} othersCpus
 * @property {number} seconds
 *
 * @typedef {{ baseMs: number, key: string }} Settings
 */

class Journal {
  /** @param {string | undefined} file none: what is added is forgotten with the process */
  constructor(file) {
    this.file = file;
    /** @type {Settings | null} */
    this.settings = null;
    /** @type {Try[]} */
    this.tries = [];
    /** Of those that began and never ended. @type {Record<Kind, number>} */
    this.cutOff = { equal: 0, slower: 0 };
    const text = file && fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    for (const line of text.split('\n').filter((one) => one !== '')) this.take(JSON.parse(line));
  }

  /** @param {{ settings?: Settings, begins?: Kind, ended?: Try }} entry */
  take({ settings, begins, ended }) {
    if (settings) this.settings = settings;
    if (begins) this.cutOff[begins]++;
    if (!ended) return;
    this.cutOff[ended.kind]--;
    this.tries.push(ended);
  }

  /** @param {{ settings?: Settings, begins?: Kind, ended?: Try }} entry */
  add(entry) {
    this.take(entry);
    if (this.file) fs.appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }

  /** @param {Kind} kind */
  count(kind) {
    return this.tries.filter((one) => one.kind === kind).length + this.cutOff[kind];
  }
}

module.exports = { Journal };
