'use strict';
// Folded stacks that fit a number of bytes: the whole text of a build is 700 MB (a line is some 80
// frames of 100 characters) where its profile is 1.5 MB. The first of these forms that fits is taken:
//   1. the whole text;
//   2. each function that has samples of its own below those that called it by owner: a stretch of frames
//      of one crate, npm package or object is one frame, in brackets. Every sample stays with its function;
//   3. the same with names over 120 characters shortened, each to another name than all others;
//   4. the same, and paths that few samples took are summed up under their caller as `[other]`. The
//      threshold is the lowest at which it fits. No function has more samples than its own.

const { KINDS, crateOf, objectOf, packageOf } = require('../profile/keys.js');
const { selectSamples } = require('../profile/select.js');
const { Children, addUp } = require('../profile/tree.js');
const { shorten } = require('../shorten.js');
const { NO_STACK, safeName } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../profile/scratch').Scratch} Scratch */
/** @typedef {import('../profile/scratch').Take} Take */
/** @typedef {Tree & {func: Int32Array}} NamedTree func: one of the functions that have a name, by that */
/** @typedef {{size: number, parent: Int32Array, name: Int32Array, text: string[], self: Uint32Array}} Tree size: of
 *    the columns' nodes; name: index into text; self: samples that end in a node; parents stand before their
 *    children */

const OTHER = '[other]';
const LONG_NAME = 120;
/** Of a write. */
const CHUNK_BYTES = 1 << 18;
/** The separator before [other], a blank, any count, the line's end. */
const LINE_END_BYTES = OTHER.length + 32;
const SEMICOLON = 0x3b;

/**
 * @param {Profile} profile
 * @param {Take} take
 * @returns {NamedTree}
 */
function wholeTree(profile, take) {
  const { id, text } = profile.namesByObject;
  const { parent, node, merged } = profile.mergedBy(profile.namesByObject);
  const { nodes, samples } = profile.raw;
  const size = parent.length;
  const name = take(Int32Array, size);
  const func = new Int32Array(text.length).fill(-1);
  for (let i = 1; i < size; i++) {
    name[i] = id[nodes.func[node[i]]];
    func[name[i]] = nodes.func[node[i]];
  }
  const selected = selectSamples(profile, {});
  const self = take(Uint32Array, size);
  for (let i = 0; i < samples.node.length; i++)
    if (selected === null || selected[i] === 1) self[merged[samples.node[i]]]++;
  const safe = text.map((own, i) => (func[i] < 0 ? '' : safeName(own)));
  return { size, parent, name, text: safe, self, func };
}

/**
 * Whose code a function is.
 * @param {Profile} profile
 * @param {number} func
 */
function ownerOf(profile, func) {
  const { kind, crate } = profile.raw.funcs;
  if (KINDS[kind[func]] === 'js') return packageOf(profile, func);
  return crate[func] >= 0 ? crateOf(profile, func) : objectOf(profile, func);
}

/**
 * @param {Profile} profile
 * @param {NamedTree} whole
 * @param {Take} take of what is not kept
 * @returns {NamedTree} with columns of its own
 */
function ownersTree(profile, whole, take) {
  const text = [...whole.text];
  /** @type {Map<string, number>} */
  const known = new Map();
  const owner = whole.func.map((func) => {
    if (func < 0) return -1;
    const own = safeName(ownerOf(profile, func));
    const shown = own.startsWith('[') ? own : `[${own}]`;
    const id = known.get(shown) ?? text.push(shown) - 1;
    known.set(shown, id);
    return id;
  });
  // A node for each change of owner, and one more for samples of its own.
  let most = whole.size;
  for (let node = 1; node < whole.size; node++) if (whole.self[node] > 0) most++;
  const nodes = new Children(most, take);
  const self = take(Uint32Array, most + 1);
  const place = take(Int32Array, whole.size);
  self[0] = whole.self[0];
  for (let node = 1; node < whole.size; node++) {
    const up = place[whole.parent[node]];
    const own = owner[whole.name[node]];
    place[node] = up > 0 && nodes.name[up] === own ? up : nodes.child(up, own);
    if (whole.self[node] === 0) continue;
    self[nodes.child(place[node], whole.name[node])] += whole.self[node];
  }
  const { size } = nodes;
  const own = (/** @type {any} */ column) => column.slice(0, size);
  const [parent, name] = [own(nodes.parent), own(nodes.name)];
  return { size, parent, name, text, self: own(self), func: whole.func };
}

/**
 * @param {Tree} tree of functions with samples
 * @param {(name: number) => string} kindOf
 * @returns {string[]} long names shortened; two that would be the same get numbers
 */
function shortNames({ size, name, text }, kindOf) {
  const short = [...text];
  const shown = new Uint8Array(text.length);
  for (let node = 1; node < size; node++) shown[name[node]] = 1;
  const taken = new Set(text.filter((_, id) => shown[id] === 1));
  text.forEach((own, id) => {
    if (shown[id] === 0 || own.length <= LONG_NAME) return;
    const base = shorten(own, LONG_NAME, kindOf(id));
    short[id] = base;
    for (let copy = 2; taken.has(short[id]); copy++) short[id] = `${base} #${copy}`;
    taken.add(short[id]);
  });
  return short;
}

/** What the lines are made of: of each name its bytes, of each node the length of its line. */
class Lines {
  /**
   * @param {Tree} tree
   * @param {Take} take
   */
  constructor(tree, take) {
    const { size, parent, name, text } = tree;
    this.tree = tree;
    /** Where each name begins in `names`, and the last one ends. */
    this.starts = take(Uint32Array, text.length + 1);
    for (let id = 0; id < text.length; id++)
      this.starts[id + 1] = this.starts[id] + Buffer.byteLength(text[id]);
    /** Of each node's line, without the count. */
    this.bytes = take(Uint32Array, size);
    this.longest = NO_STACK.length;
    this.bytes[0] = NO_STACK.length;
    for (let node = 1; node < size; node++) {
      const up = parent[node];
      const own = this.starts[name[node] + 1] - this.starts[name[node]];
      this.bytes[node] = own + (up > 0 ? this.bytes[up] + 1 : 0);
      if (this.bytes[node] > this.longest) this.longest = this.bytes[node];
    }
    /** Samples of each subtree. */
    this.total = take(Uint32Array, size);
    for (let node = 0; node < size; node++) this.total[node] = tree.self[node];
    addUp(parent, this.total);
  }

  /**
   * The lowest threshold, in samples of a subtree, at which the text fits.
   * A node is shown from its first sample up to its total; its own line stands there with it, its line
   * `[other]` once the smallest of its children is below the threshold: two ranges of thresholds for
   * each node, whose bytes are added up in one pass.
   * @param {number} mostBytes
   * @param {Scratch} scratch
   * @returns {number} a node is shown if it has at least so many samples; 1: everything fits
   */
  leastSamples(mostBytes, scratch) {
    return scratch.lend((take) => this.#least(mostBytes, take));
  }

  /** @param {number} mostBytes @param {Take} take */
  #least(mostBytes, take) {
    const { bytes, total } = this;
    const { size, parent, self } = this.tree;
    const NONE = 2 ** 32 - 1;
    const smallest = take(Uint32Array, size).fill(NONE);
    for (let node = 1; node < size; node++) {
      const up = parent[node];
      if (total[node] > 0 && total[node] < smallest[up]) smallest[up] = total[node];
    }
    const change = take(Float64Array, total[0] + 2);
    const countBytes = String(total[0]).length + 2; // the blank and the line's end
    for (let node = 0; node < size; node++) {
      if (self[node] > 0) {
        change[1] += bytes[node] + countBytes;
        change[total[node] + 1] -= bytes[node] + countBytes;
      }
      if (smallest[node] < total[node]) {
        const other = (node > 0 ? bytes[node] + 1 : 0) + OTHER.length + countBytes;
        change[smallest[node] + 1] += other;
        change[total[node] + 1] -= other;
      }
    }
    let sum = 0;
    for (let least = 1; least <= total[0]; least++) {
      sum += change[least];
      if (sum <= mostBytes) return least;
    }
    return total[0] + 1;
  }

  /**
   * The samples that the threshold hides, at the node that is shown above them.
   * @param {number} least
   * @param {Take} take
   * @returns {Uint32Array} by node
   */
  hidden(least, take) {
    const { total } = this;
    const { size, parent } = this.tree;
    const other = take(Uint32Array, size);
    for (let node = 1; node < size; node++) {
      const up = parent[node];
      if (total[node] < least && (up === 0 || total[up] >= least)) other[up] += total[node];
    }
    return other;
  }

  /**
   * @param {number} least
   * @param {Uint32Array} other of hidden()
   * @param {(chunk: Uint8Array) => void} write a chunk of whole lines, which is its own until it returns
   * @param {Take} take
   */
  write(least, other, write, take) {
    const { bytes, total, starts } = this;
    const { size, self, text } = this.tree;
    const names = take(Uint8Array, starts[text.length]);
    const encoder = Buffer.from(names.buffer, names.byteOffset, names.length);
    for (let id = 0; id < text.length; id++) encoder.write(text[id], starts[id]);
    const room = Math.max(CHUNK_BYTES, this.longest + LINE_END_BYTES);
    const chunk = take(Uint8Array, room);
    const lines = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    const line = (/** @type {number} */ node, /** @type {string} */ end) => {
      if (at + bytes[node] + LINE_END_BYTES > room) {
        write(lines.subarray(0, at));
        at = 0;
      }
      if (node > 0) this.#path(node, names, chunk, at);
      at += node > 0 ? bytes[node] : 0;
      at += lines.write(end, at, 'latin1');
    };
    for (let node = 0; node < size; node++) {
      if (node > 0 && total[node] < least) continue;
      if (self[node] > 0) line(node, `${node === 0 ? NO_STACK : ''} ${self[node]}\n`);
      if (other[node] > 0) line(node, `${node === 0 ? '' : ';'}${OTHER} ${other[node]}\n`);
    }
    if (at > 0) write(lines.subarray(0, at));
  }

  /**
   * A node's line without the count, from its end to its start.
   * @param {number} node
   * @param {Uint8Array} names
   * @param {Uint8Array} chunk written
   * @param {number} at
   */
  #path(node, names, chunk, at) {
    const { starts } = this;
    const { parent, name } = this.tree;
    let end = at + this.bytes[node];
    for (let own = node; own > 0; own = parent[own]) {
      if (own !== node) chunk[--end] = SEMICOLON;
      const first = starts[name[own]];
      for (let i = starts[name[own] + 1] - 1; i >= first; i--) chunk[--end] = names[i];
    }
  }
}

/**
 * @param {Profile} profile
 * @param {number} mostBytes
 * @param {(chunk: Uint8Array) => void} write what it keeps of a chunk, it copies
 * @returns {{whole: boolean, share: number, hidden: number}} share: of all samples, paths below it are
 *   summed up; hidden: the samples that are counted as [other]
 */
function foldedMost(profile, mostBytes, write) {
  const { scratch } = profile;
  const byOwner = scratch.lend((take) => {
    const whole = wholeTree(profile, take);
    const fits = scratch.lend((own) => {
      return new Lines(whole, own).leastSamples(mostBytes, scratch) === 1;
    });
    return fits ? null : ownersTree(profile, whole, take);
  });
  return scratch.lend((take) => {
    const tree = byOwner ?? wholeTree(profile, take);
    let lines = new Lines(tree, take);
    let least = lines.leastSamples(mostBytes, scratch);
    if (least > 1) {
      const { kind } = profile.raw.funcs;
      const text = shortNames(tree, (name) => KINDS[kind[tree.func[name]]]);
      lines = new Lines({ ...tree, text }, take);
      least = lines.leastSamples(mostBytes, scratch);
    }
    const other = lines.hidden(least, take);
    lines.write(least, other, write, take);
    return {
      whole: byOwner === null,
      share: least > 1 ? least / lines.total[0] : 0,
      hidden: other.reduce((sum, count) => sum + count, 0),
    };
  });
}

module.exports = { foldedMost };
