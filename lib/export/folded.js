'use strict';
// FlameGraph's folded stacks: `root;..;leaf count`, one stack a line, as stackcollapse-perf.pl
// writes them and flamegraph.pl, inferno, speedscope and difffolded.pl read them.

const { ProfError } = require('../errors.js');
const { checkNames } = require('../options.js');
const { sumMerged } = require('../profile/call-tree.js');
const { KINDS, objectOf } = require('../profile/keys.js');
const { isTogether } = require('../profile/names.js');
const { SAMPLE_FILTERS, selectSamples, sumPerNode } = require('../profile/select.js');
const { mergeByName } = require('../profile/tree.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').FoldedOptions} FoldedOptions */

const NO_STACK = '[no stack]';
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

/**
 * @param {Profile} profile
 * @param {number} func
 * @param {boolean} inlined
 */
function annotation(profile, func, inlined) {
  if (inlined) return '_[i]';
  if (KINDS[profile.raw.funcs.kind[func]] === 'kernel') return '_[k]';
  return objectOf(profile, func) === '[jit]' ? '_[j]' : '';
}

/**
 * The tree that the lines spell out, and the names of its nodes.
 * @param {Profile} profile
 * @param {{annotate?: boolean, unnamed?: unknown}} options
 */
function foldedTree(profile, { annotate = false, unnamed }) {
  const { func, inline, parent } = profile.raw.nodes;
  const wanted = isTogether(unnamed) ? profile.namesByObject : profile.names;
  const { id, text } = wanted;
  const tree = annotate ? mergeByName(parent, func, id, inline) : profile.mergedBy(wanted);
  // Each name is looked at once: there are some 30 nodes for each.
  /** @type {string[]} */
  const safe = [];
  const names = Array.from(tree.node, (node, index) => {
    if (index === 0) return '';
    const own = func[node];
    const name = (safe[id[own]] ??= safeName(text[id[own]]));
    return annotate ? name + annotation(profile, own, inline[node] === 1) : name;
  });
  return { ...tree, names };
}

/**
 * The frames of a node, outermost first.
 * @param {Int32Array} parent
 * @param {string[]} names
 * @param {number} leaf
 */
function pathOf(parent, names, leaf) {
  const frames = [];
  for (let node = leaf; node > 0; node = parent[node]) frames.push(names[node]);
  return frames.reverse();
}

/**
 * Line by line, since the whole may be longer than a string can be.
 * @param {Profile} profile
 * @param {FoldedOptions} [options]
 * @returns {Generator<string>}
 */
function* foldedLines(profile, options = {}) {
  checkNames(options, OPTIONS, 'folded()');
  const { count = 'samples', byThread = false } = options;
  if (count !== 'samples' && count !== 'weight') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'count' must be 'samples' or 'weight'`);
  }
  const { raw, threadNames } = profile;
  const tree = foldedTree(profile, options);
  const size = tree.parent.length;
  const selected = selectSamples(profile, options);
  const threads = byThread ? [...new Set(threadNames)] : [''];
  for (const thread of threads) {
    const sums = sumPerNode(
      profile,
      (sample) =>
        (!selected || selected[sample] === 1) &&
        (!byThread || threadNames[raw.samples.thread[sample]] === thread),
    );
    const counts = sumMerged(count === 'samples' ? sums.count : sums.weight, tree.merged, size);
    const prefix = byThread ? safeName(thread) : '';
    for (let leaf = 0; leaf < size; leaf++) {
      const value = Math.round(counts[leaf]);
      if (value === 0) continue;
      const frames = leaf === 0 ? [NO_STACK] : pathOf(tree.parent, tree.names, leaf);
      if (prefix !== '') frames.unshift(prefix);
      yield `${frames.join(';')} ${value}\n`;
    }
  }
}

/**
 * @param {Profile} profile
 * @param {FoldedOptions} [options]
 */
function folded(profile, options) {
  try {
    return [...foldedLines(profile, options)].join('');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProfError(
      'ERR_PROF_NO_MEMORY',
      "folded stacks of this profile are longer than a string can be: write(file, { format: 'folded' })",
      { cause: error },
    );
  }
}

module.exports = { NO_STACK, folded, foldedLines, foldedTree, pathOf };
