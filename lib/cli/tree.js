'use strict';
// Call trees for a terminal: from the threads' starts down (`caller`), or from each hot function up
// to those that called it (`callee`). Only branches indent: stacks are hundreds of frames deep.

const { NO_SAMPLES, headline, selectRows } = require('../table.js');
const { PIPE_COLUMNS, percent, printable, wrap } = require('../terminal.js');
const { shorten } = require('../shorten.js');

/**
 * @typedef {import('../index').CallTreeNode} CallTreeNode
 *
 * @typedef {object} Branch
 * @property {string} name
 * @property {string} kind
 * @property {number} weight
 * @property {Branch[]} children
 */

/** Deeper branches than this stand below each other: a terminal has no room to the right. */
const MOST_INDENT = 30;

/**
 * The tree as lines, depth first and without recursion (a stack may be 4,096 frames).
 * @param {Branch[]} roots
 * @param {{ whole: number, least: number, width: number }} options least: of weight, to be shown
 * @returns {string[]}
 */
function treeLines(roots, { whole, least, width }) {
  const columns = width === Infinity ? PIPE_COLUMNS : width;
  /** @type {string[]} */
  const lines = [];
  const stack = [...roots].reverse().map((branch) => ({ branch, indent: 0 }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { branch, indent } = top;
    const head = `${percent(branch.weight / whole).padStart(6)}%  ${' '.repeat(indent)}`;
    const name = printable(branch.name);
    lines.push(head + shorten(name, Math.max(16, columns - head.length), branch.kind));
    const shown = branch.children.filter(({ weight }) => weight >= least && weight > 0);
    const deeper = shown.length > 1 ? Math.min(indent + 2, MOST_INDENT) : indent;
    for (const child of shown.reverse()) stack.push({ branch: child, indent: deeper });
  }
  return lines;
}

/**
 * @param {CallTreeNode} root
 * @returns {Branch[]}
 */
function downward(root) {
  // The nodes are ours: each gets its weight in place, without recursion.
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    Object.assign(node, { weight: node.total });
    pending.push(...node.children);
  }
  return /** @type {Branch[]} */ (/** @type {unknown} */ (root.children));
}

/**
 * For each of the functions, the tree of those that called it, weighed by its self weight.
 * @param {CallTreeNode} root
 * @param {ReadonlySet<string>} wanted names
 * @returns {Map<string, Branch>}
 */
function upward(root, wanted) {
  /** @type {Map<string, Branch>} */
  const found = new Map();
  /** @type {CallTreeNode[]} the frames around the one that is looked at */
  const path = [];
  const pending = root.children.map((node) => ({ node, depth: 0 }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, depth } = next;
    path.length = depth;
    path.push(node);
    for (const child of node.children) pending.push({ node: child, depth: depth + 1 });
    if (node.self === 0 || !wanted.has(node.name)) continue;
    let branch = found.get(node.name);
    if (!branch) {
      branch = { name: node.name, kind: node.kind, weight: 0, children: [] };
      found.set(node.name, branch);
    }
    branch.weight += node.self;
    for (let i = depth - 1; i >= 0; i--) branch = addCaller(branch, path[i], node.self);
  }
  return found;
}

/**
 * @param {Branch} branch
 * @param {CallTreeNode} caller
 * @param {number} weight
 * @returns {Branch}
 */
function addCaller(branch, { name, kind }, weight) {
  let next = branch.children.find((child) => child.name === name);
  if (!next) {
    next = { name, kind, weight: 0, children: [] };
    branch.children.push(next);
  }
  next.weight += weight;
  return next;
}

/**
 * @param {Map<string, Branch>} branches
 */
function sortBranches(branches) {
  const pending = [...branches.values()];
  for (let branch = pending.pop(); branch; branch = pending.pop()) {
    branch.children.sort((a, b) => b.weight - a.weight);
    pending.push(...branch.children);
  }
}

/**
 * @param {import('../index').Profile} profile
 * @param {import('../table.js').TableOptions & { graph: string, width: number }} options
 * @returns {string} ends in a newline
 */
function renderTree(profile, options) {
  const { graph, phase, thread, filter, width, percentLimit = 0.5, unnamed } = options;
  const caller = graph === 'caller';
  const through = caller ? filter : undefined;
  const root = profile.callTree({ phase, thread, through, unnamed });
  const least = (root.total * percentLimit) / 100;
  const lines = [...wrap(headline(profile), Math.min(width, 120)), ''];
  if (profile.quality.samples === 0) {
    lines.push(NO_SAMPLES);
  } else if (root.total === 0) {
    lines.push('no sample matches');
  } else if (caller) {
    lines.push(...treeLines(downward(root), { whole: root.total, least, width }));
  } else {
    const { shown } = selectRows(profile, { ...options, by: 'symbol', limit: options.limit ?? 20 });
    if (shown.length === 0) lines.push(`no row matches, or all are below ${percentLimit}%`);
    const branches = upward(root, new Set(shown.map(({ key }) => key)));
    sortBranches(branches);
    for (const { key } of shown) {
      const branch = branches.get(key);
      if (branch) lines.push(...treeLines([branch], { whole: root.total, least, width }), '');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

module.exports = { renderTree };
