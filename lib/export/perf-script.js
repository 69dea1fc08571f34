'use strict';
// What `perf script` prints (6.1's default fields with pid and CPU), for stackcollapse-perf.pl,
// inferno, speedscope and whatever else reads that text. An address is its function's: the text
// gives no offset behind a name. Of several events all samples are there, in the order of time, each with its
// event's name, as perf has them: stackcollapse-perf.pl takes the first event unless told by --event-filter.

/** @typedef {import('../profile/profile').Profile} Profile */

const { inTime } = require('../profile/events.js');
const { KINDS } = require('../profile/keys.js');
const { ByteLines } = require('./byte-lines.js');

/** Frames that are copied at once. */
const BLOCK = 8;

/** @param {string} name */
const oneLine = (name) => name.replace(/[\r\n\u2028\u2029]+/g, ' ').trim() || '[unknown]';

/** stackcollapse-perf.pl takes a frame in parentheses for a process's name and skips it. */
const frameName = (/** @type {string} */ name) =>
  oneLine(name)
    .replace(/^\(([^()]*)\)/, '<$1>')
    .replace(/^\(/, '<');

/** Readers look for a place without blanks in it. */
const placeName = (/** @type {string} */ name) => oneLine(name).replace(/\s/g, '_');

/**
 * perf's word for where a function's code is.
 * @param {Profile} profile
 * @param {number} func
 */
function placeOf({ raw, meta, nodeObject }, func) {
  const module = raw.funcs.module[func];
  if (module >= 0) return placeName(raw.strings[raw.modules.path[module]]);
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind === 'kernel') return '[kernel.kallsyms]';
  if (kind === 'js') return `/tmp/perf-${meta.pid}.map`;
  return kind === 'v8' ? placeName(nodeObject) : '[unknown]';
}

/** The lines of frames, from a node to the thread's start, as bytes. */
class StackBytes {
  /** By function: as called, as inlined. @type {Buffer[][]} */
  #lines = [[], []];
  /** By node at each multiple of BLOCK frames: those down to the multiple before. */
  #blocks;
  #depth;
  #profile;

  /** @param {Profile} profile */
  constructor(profile) {
    const { parent } = profile.raw.nodes;
    this.#profile = profile;
    this.#blocks = /** @type {Buffer[]} */ (new Array(parent.length));
    this.#depth = new Uint32Array(parent.length);
    for (let i = 1; i < parent.length; i++) this.#depth[i] = this.#depth[parent[i]] + 1;
  }

  /**
   * @param {number} node
   * @returns {Buffer}
   */
  #line(node) {
    const { raw, names } = this.#profile;
    const inlined = raw.nodes.inline[node];
    const own = raw.nodes.func[node];
    let line = this.#lines[inlined][own];
    if (!line) {
      const address = raw.funcs.address?.[own] ?? 0;
      const hex = BigInt.asUintN(64, BigInt(Math.round(address))).toString(16);
      const place = inlined === 1 ? 'inlined' : placeOf(this.#profile, own);
      const name = frameName(names.text[names.id[own]]);
      line = Buffer.from(`\t${hex.padStart(16)} ${name} (${place})\n`);
      this.#lines[inlined][own] = line;
    }
    return line;
  }

  /**
   * @param {number} node whose depth is a multiple of BLOCK
   * @returns {Buffer}
   */
  #block(node) {
    let block = this.#blocks[node];
    if (!block) {
      const { parent } = this.#profile.raw.nodes;
      const lines = [];
      for (let at = node; lines.length < BLOCK; at = parent[at]) lines.push(this.#line(at));
      this.#blocks[node] = block = Buffer.concat(lines);
    }
    return block;
  }

  /**
   * @param {number} leaf
   * @param {Buffer[]} into
   * @returns {number} bytes
   */
  collect(leaf, into) {
    const { parent } = this.#profile.raw.nodes;
    let size = 0;
    for (let at = leaf; at > 0;) {
      const isBlock = this.#depth[at] % BLOCK === 0;
      const piece = isBlock ? this.#block(at) : this.#line(at);
      size += piece.length;
      into.push(piece);
      if (isBlock) for (let i = 0; i < BLOCK; i++) at = parent[at];
      else at = parent[at];
    }
    return size;
  }
}

/**
 * @param {Profile} profile
 * @returns {Generator<Uint8Array>} each ends with a sample
 */
function* perfScript(profile) {
  const { raw, meta, threadNames } = profile;
  const stacks = new StackBytes(profile);
  const text = new ByteLines();
  for (const [{ raw: own, meta: about }, sample] of inTime(profile)) {
    const { node, thread, cpu, timeNs, weight } = own.samples;
    const micros = Math.round(timeNs[sample] / 1e3);
    const time = `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
    const comm = oneLine(threadNames[thread[sample]]);
    const ids = `${meta.pid}/${raw.threads.tid[thread[sample]]}`;
    const onCpu = `[${String(cpu[sample]).padStart(3, '0')}]`;
    const head = `${comm} ${ids} ${onCpu} ${time}: ${Math.round(weight[sample])} ${about.event}: \n`;
    /** @type {Buffer[]} */
    const pieces = [];
    const full = text.room(head.length * 3 + stacks.collect(node[sample], pieces) + 1);
    if (full) yield full;
    text.text(head);
    for (const piece of pieces) text.copy(piece);
    text.text('\n');
  }
  const rest = text.take();
  if (rest) yield rest;
}

module.exports = { perfScript };
