'use strict';
// FlameGraph's folded stacks: `root;..;leaf count`, one stack a line, as stackcollapse-perf.pl
// writes them and flamegraph.pl, inferno, speedscope and difffolded.pl read them.

const { ProfError } = require('../errors.js');
const { checkNames } = require('../options.js');
const { sumMerged } = require('../profile/call-tree.js');
const { KINDS } = require('../profile/keys.js');
const { SAMPLE_FILTERS, selectSamples, sumPerNode } = require('../profile/select.js');
const { mergeByName } = require('../profile/tree.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').FoldedOptions} FoldedOptions */

const OPTIONS = [...SAMPLE_FILTERS, 'count', 'byThread', 'annotate'];

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
function annotation({ raw }, func, inlined) {
  if (inlined) return '_[i]';
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind === 'kernel') return '_[k]';
  // Code that V8 wrote at run time belongs to no module; its builtins in the node binary do.
  const isJit = (kind === 'js' || kind === 'v8') && raw.funcs.module[func] < 0;
  return isJit ? '_[j]' : '';
}

/**
 * Line by line, since the whole may be longer than a string can be.
 * @param {Profile} profile
 * @param {FoldedOptions} [options]
 * @returns {Generator<string>}
 */
function* foldedLines(profile, options = {}) {
  checkNames(options, OPTIONS, 'folded()');
  const { count = 'samples', byThread = false, annotate = false } = options;
  if (count !== 'samples' && count !== 'weight') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'count' must be 'samples' or 'weight'`);
  }
  const { raw, threadNames } = profile;
  const { func, inline, parent: nodeParent } = raw.nodes;
  const tree = mergeByName(nodeParent, func, raw.funcs.name, annotate ? inline : undefined);
  const size = tree.parent.length;
  const names = Array.from(tree.node, (node, index) => {
    if (index === 0) return '';
    const own = func[node];
    const name = safeName(raw.strings[raw.funcs.name[own]]);
    return annotate ? name + annotation(profile, own, inline[node] === 1) : name;
  });
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
      const frames = [];
      for (let node = leaf; node > 0; node = tree.parent[node]) frames.push(names[node]);
      if (leaf === 0) frames.push('[no stack]');
      if (prefix !== '') frames.push(prefix);
      yield `${frames.reverse().join(';')} ${value}\n`;
    }
  }
}

/**
 * @param {Profile} profile
 * @param {FoldedOptions} [options]
 */
function folded(profile, options) {
  return [...foldedLines(profile, options)].join('');
}

module.exports = { folded, foldedLines };
