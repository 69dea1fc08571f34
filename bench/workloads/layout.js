'use strict';
// Where the modules of a case lie and which imports which: a tree of nine children a node, one
// folder for each family, as in the React cases of the bundlers' public benchmarks.

const path = require('node:path/posix');

const CHILDREN = 9;

/**
 * @typedef {object} Place
 * @property {number} index 0 is the root
 * @property {string} folder relative to the case, with forward slashes
 * @property {string} file the same without the ending
 * @property {number[]} children indices, all greater than the own
 */

/**
 * @param {number} count modules
 * @returns {Place[]} parents before children
 */
function layout(count) {
  /** @type {Place[]} */
  const places = [{ index: 0, folder: 'src', file: 'src/App', children: [] }];
  for (let index = 1; index < count; index += 1) {
    const parent = places[Math.floor((index - 1) / CHILDREN)];
    const rank = (index - 1) % CHILDREN;
    // The root has no rank of its own among siblings; its family lies in src/d0.
    const own = parent.index === 0 ? 0 : (parent.index - 1) % CHILDREN;
    const folder = path.join(parent.folder, `d${own}`);
    parent.children.push(index);
    places.push({ index, folder, file: path.join(folder, `f${rank}`), children: [] });
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
