'use strict';
// What is searched for and which function is chosen: both are marked in the graph; callers and calls of the
// chosen one stand beside the table.

const { byId, measured } = require('./dom.js');
const { showRelated } = require('./related.js');
const { maskOf, patternOf } = require('./search.js');
const { relatedOf } = require('./tree.js');

/** Of names in the lists of callers and calls. */
const NAME_CHARS = 56;

/**
 * @typedef {object} Owner what a page shows, as it is now
 * @property {() => {self: Float64Array, total: Float64Array}} sums by node
 * @property {(mask: Uint8Array) => string} shareOf what passes through functions, in words
 * @property {(total: number) => string} partOf a function's total, in words
 * @property {(func: number) => string} colorOf
 * @property {(func: number, chars: number) => string} labelOf
 * @property {() => void} showTable
 */

class Choice {
  #search = '';
  /** A function, or -1. */
  #func = -1;
  /** What a click in the table marks. @type {Uint8Array | null} by function */
  #marked = null;
  #report;
  #graph;
  #owner;

  /**
   * @param {import('./types').Report} report
   * @param {import('./graph').Graph} graph
   * @param {Owner} owner
   */
  constructor(report, graph, owner) {
    this.#report = report;
    this.#graph = graph;
    this.#owner = owner;
  }

  /** What is searched for; null: nothing, or what is no expression. */
  get pattern() {
    const pattern = patternOf(this.#search);
    return pattern instanceof RegExp ? pattern : null;
  }

  /** After a change of what is drawn. */
  show() {
    this.#showMatches();
    this.#showRelated();
  }

  #showMatches() {
    const wanted = patternOf(this.#search);
    const found = wanted instanceof RegExp ? maskOf(this.#report.funcs.name, wanted) : null;
    this.#graph.model.matches = found ?? this.#marked;
    const problem = typeof wanted === 'string' ? wanted : '';
    byId('matched').textContent = found ? `matched ${this.#owner.shareOf(found)}` : problem;
    this.#graph.surface.redraw();
  }

  #showRelated() {
    const func = this.#func;
    const root = byId('related');
    root.hidden = func < 0;
    byId('related-hint').hidden = func >= 0;
    if (func < 0) return;
    const { nodes, funcs } = this.#report;
    const related = relatedOf(nodes, func, this.#owner.sums());
    const title = `${funcs.name[func]}: ${this.#owner.partOf(related.total)}`;
    showRelated(
      root,
      { ...related, title },
      {
        name: (one) => this.#owner.labelOf(one, NAME_CHARS),
        full: (one) => funcs.name[one],
        color: (one) => this.#owner.colorOf(one),
        pick: (one) => this.choose(one, true),
      },
    );
  }

  /** @param {string} text */
  search(text) {
    measured('search', () => {
      this.#search = text;
      this.#showMatches();
      this.#owner.showTable();
    });
    if (text !== '') this.#graph.showMatch();
  }

  /**
   * @param {number} func -1: none
   * @param {boolean} isMarked in the graph too
   */
  choose(func, isMarked) {
    this.#func = func;
    this.#marked = isMarked && func >= 0 ? new Uint8Array(this.#report.funcs.name.length) : null;
    if (this.#marked) this.#marked[func] = 1;
    this.show();
    if (this.#marked) this.#graph.showMatch();
  }

  /** @param {Uint8Array} mask of functions */
  mark(mask) {
    this.#marked = mask;
    this.#showMatches();
    this.#graph.showMatch();
  }

  /** Takes the search back, or else what is marked. @returns {boolean} whether there was any */
  back() {
    if (this.#search !== '') {
      byId('search').value = '';
      this.search('');
    } else if (this.#marked) this.choose(-1, false);
    else return false;
    return true;
  }
}

module.exports = { Choice };
