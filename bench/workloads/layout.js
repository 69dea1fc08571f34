'use strict';
// Where the modules of a case lie and which imports which: a tree of nine children a node, one
// folder for each family, as in the React cases of the bundlers' public benchmarks. The first one or
// two levels load their children lazily, as an application loads its pages: some 100 modules a chunk.

const path = require('node:path/posix');

const CHILDREN = 9;

/**
 * @typedef {object} Place
 * @property {number} index 0 is the root
 * @property {string} folder relative to the case, with forward slashes
 * @property {string} file the same without the ending
 * @property {number} depth 0 for the root
 * @property {number} page index of the module that heads its chunk: itself, or one above it
 * @property {boolean} isLazy its children are loaded by import(), so each of them heads a chunk
 * @property {number[]} children indices, all greater than the own
 */

/**
 * @param {number} count modules
 * @returns {Place[]} parents before children
 */
function layout(count) {
  const lazyLevels = count > 2000 ? 2 : 1;
  /** @type {Place[]} */
  const places = [
    { index: 0, folder: 'src', file: 'src/App', depth: 0, page: 0, isLazy: true, children: [] },
  ];
  for (let index = 1; index < count; index += 1) {
    const parent = places[Math.floor((index - 1) / CHILDREN)];
    const rank = (index - 1) % CHILDREN;
    // The root has no rank of its own among siblings; its family lies in src/d0.
    const own = parent.index === 0 ? 0 : (parent.index - 1) % CHILDREN;
    const folder = path.join(parent.folder, `d${own}`);
    const depth = parent.depth + 1;
    parent.children.push(index);
    places.push({
      index,
      folder,
      file: path.join(folder, `f${rank}`),
      depth,
      page: parent.isLazy ? index : parent.page,
      isLazy: depth < lazyLevels,
      children: [],
    });
  }
  return places;
}

/**
 * @param {Place} from
 * @param {string} to file without ending
 * @returns {string} an import path without ending, so that the resolver has work to do
 */
function importPath(from, to) {
  const relative = path.relative(from.folder, to);
  return relative.startsWith('.') ? relative : `./${relative}`;
}

module.exports = { importPath, layout };
