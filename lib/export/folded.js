'use strict';
// FlameGraph's folded stacks: `root;..;leaf count`, one stack a line, as stackcollapse-perf.pl
// writes them and flamegraph.pl, inferno, speedscope and difffolded.pl read them.

const { ProfError } = require('../errors.js');
const { checkNames } = require('../check-options.js');
const { KINDS, objectOf } = require('../profile/keys.js');
const { isTogether } = require('../profile/names.js');
const { SAMPLE_FILTERS, selectSamples } = require('../profile/select.js');
const { mergeByName, subtreeSums, walkSteps } = require('../profile/tree.js');
const { ByteLines } = require('./byte-lines.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').FoldedOptions} FoldedOptions */

const NO_STACK = '[no stack]';
/** A blank, any whole number of a double, the line's end. */
const LONGEST_COUNT = 32;
const OPTIONS = [...SAMPLE_FILTERS, 'count', 'byThread', 'annotate', 'unnamed'];

/**
 * A name that cannot end its frame or its line. The space before the count is the last one of the
 * line, so spaces may stay.
 * @param {string} name
 */
function safeName(name) {
  const clean = name.replace(/;/g, ':').replace(/[\r\n\u2028\u2029]+/g, ' ');
  return clean === '' ? '[unknown]' : clean;
}

const MARKS = ['kernel', 'jit', 'inline'];

/**
 * @param {unknown} value of the option `annotate`
 * @returns {Set<string>} of MARKS
 */
function marksOf(value = false) {
  if (typeof value === 'boolean') return new Set(value ? MARKS : []);
  const wrong = Array.isArray(value) ? value.find((mark) => !MARKS.includes(mark)) : value;
  if (wrong === undefined) return new Set(/** @type {string[]} */ (value));
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `'annotate' must be true, false or a list of ${MARKS.join(', ')}, not '${wrong}'`,
  );
}

/**
 * FlameGraph's suffixes, as stackcollapse-perf.pl appends them.
 * @param {Profile} profile
 * @param {number} func
 * @param {boolean} inlined
 * @param {Set<string>} marks
 */
function annotation(profile, func, inlined, marks) {
  if (inlined && marks.has('inline')) return '_[i]';
  if (marks.has('kernel') && KINDS[profile.raw.funcs.kind[func]] === 'kernel') return '_[k]';
  return marks.has('jit') && objectOf(profile, func) === '[jit]' ? '_[j]' : '';
}

/**
 * What begins a line: stackcollapse-perf.pl's words for its options --pid and --tid.
 * @type {Record<string, (profile: Profile, thread: number) => string>}
 */
const PREFIXES = {
  comm: ({ threadNames }, thread) => threadNames[thread],
  pid: ({ threadNames, meta }, thread) => `${threadNames[thread]}-${meta.pid}`,
  tid: ({ threadNames, meta, raw }, thread) =>
    `${threadNames[thread]}-${meta.pid}/${raw.threads.tid[thread]}`,
};

/**
 * @param {Profile} profile
 * @param {unknown} byThread
 * @returns {string[]} by thread, '' for none
 */
function prefixesOf(profile, byThread) {
  if (byThread === false) return profile.threadNames.map(() => '');
  const wanted = byThread === true ? 'comm' : byThread;
  if (typeof wanted !== 'string' || !Object.hasOwn(PREFIXES, wanted)) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `'byThread' must be true, false, ${Object.keys(PREFIXES).join(', ')}, not '${byThread}'`,
    );
  }
  return profile.threadNames.map((_, thread) => safeName(PREFIXES[wanted](profile, thread)));
}

/**
 * The tree that the lines spell out, and the names of its nodes.
 * @param {Profile} profile
 * @param {{annotate?: unknown, unnamed?: unknown}} options
 */
function foldedTree(profile, { annotate, unnamed }) {
  const marks = marksOf(annotate);
  const { func, inline, parent } = profile.raw.nodes;
  const wanted = isTogether(unnamed) ? profile.namesByObject : profile.names;
  const { id, text } = wanted;
  const tree = marks.has('inline')
    ? mergeByName(parent, func, id, inline)
    : profile.mergedBy(wanted);
  // Each name is looked at once: there are some 30 nodes for each.
  /** @type {string[]} */
  const safe = [];
  const names = Array.from(tree.node, (node, index) => {
    if (index === 0) return '';
    const own = func[node];
    const name = (safe[id[own]] ??= safeName(text[id[own]]));
    return marks.size > 0 ? name + annotation(profile, own, inline[node] === 1, marks) : name;
  });
  return { ...tree, names };
}

/**
 * A sample of allocations says little until it is weighed: one is of 16 bytes, one of megabytes.
 * @param {Profile} profile
 */
const usualCount = ({ meta }) => (/^alloc-/.test(meta.event) ? 'weight' : 'samples');

/**
 * Line by line, since the whole may be longer than a string can be. Depth first: what a line has in common with
 * the one before is there already.
 * @param {Profile} profile
 * @param {FoldedOptions} [options]
 * @returns {Generator<Buffer>} each ends with a line
 */
function* foldedLines(profile, options = {}) {
  checkNames(options, OPTIONS, 'folded()');
  const { count = usualCount(profile), byThread = false } = options;
  if (count !== 'samples' && count !== 'weight') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'count' must be 'samples' or 'weight'`);
  }
  const { parent, names, merged } = foldedTree(profile, options);
  const prefixes = prefixesOf(profile, byThread);
  const steps = walkSteps(parent);
  const lines = new ByteLines();
  const path = new PathBytes(names);
  const asked = { ...options, count };
  for (const [prefix, values] of sumsByPrefix(profile, asked, prefixes, merged, parent.length)) {
    const isUsed = subtreeSums(parent, values);
    const begin = prefix === '' ? '' : `${prefix};`;
    if (values[0] > 0) {
      const text = `${begin}${NO_STACK} ${values[0]}\n`;
      const full = lines.room(text.length * 3);
      if (full) yield full;
      lines.text(text);
    }
    path.begin(begin);
    for (const step of steps) {
      if (step < 0) {
        if (isUsed[~step] > 0) path.leave();
        continue;
      }
      if (isUsed[step] === 0) continue;
      path.enter(step);
      if (values[step] === 0) continue;
      const full = lines.room(path.size + LONGEST_COUNT);
      if (full) yield full;
      // Without the separator behind it.
      lines.copy(path.bytes, path.size - 1);
      lines.text(` ${values[step]}\n`);
    }
  }
  const rest = lines.take();
  if (rest) yield rest;
}

/** The frames on the way to a node, each with the separator behind it. */
class PathBytes {
  bytes = Buffer.allocUnsafe(1 << 16);
  size = 0;
  /** Before each frame. @type {number[]} */
  #sizes = [];
  /** @type {Map<string, Buffer>} */
  #encoded = new Map();
  #names;

  /** @param {string[]} names by node */
  constructor(names) {
    this.#names = names;
  }

  /** @param {string} text in front of all frames */
  begin(text) {
    this.#sizes = [];
    this.size = 0;
    if (text !== '') this.#append(Buffer.from(text));
  }

  /** @param {number} node */
  enter(node) {
    const name = this.#names[node];
    let own = this.#encoded.get(name);
    if (!own) this.#encoded.set(name, (own = Buffer.from(`${name};`)));
    this.#sizes.push(this.size);
    this.#append(own);
  }

  leave() {
    this.size = this.#sizes.pop() ?? 0;
  }

  /** @param {Buffer} own */
  #append(own) {
    if (this.size + own.length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(2 * (this.size + own.length));
      this.bytes.copy(larger, 0, 0, this.size);
      this.bytes = larger;
    }
    own.copy(this.bytes, this.size);
    this.size += own.length;
  }
}

/**
 * @param {Profile} profile
 * @param {FoldedOptions} options
 * @param {string[]} prefixes by thread
 * @param {Int32Array} merged
 * @param {number} size of the merged tree
 * @returns {Map<string, Float64Array>} by prefix, by merged leaf: its value, a whole number
 */
function sumsByPrefix(profile, options, prefixes, merged, size) {
  const { node, thread, weight } = profile.raw.samples;
  const selected = selectSamples(profile, options);
  /** @type {Map<string, Float64Array>} */
  const sums = new Map();
  for (let sample = 0; sample < node.length; sample++) {
    if (selected && selected[sample] === 0) continue;
    const prefix = prefixes[thread[sample]];
    let own = sums.get(prefix);
    if (!own) sums.set(prefix, (own = new Float64Array(size)));
    own[merged[node[sample]]] += options.count === 'weight' ? weight[sample] : 1;
  }
  for (const own of sums.values()) own.forEach((value, leaf) => (own[leaf] = Math.round(value)));
  return sums;
}

/**
 * @param {Profile} profile
 * @param {FoldedOptions} [options]
 */
function folded(profile, options) {
  try {
    return Array.from(foldedLines(profile, options), (lines) => lines.toString()).join('');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProfError(
      'ERR_PROF_NO_MEMORY',
      "folded stacks of this profile are longer than a string can be: write(file, { format: 'folded' })",
      { cause: error },
    );
  }
}

module.exports = { NO_STACK, folded, foldedLines, safeName };
