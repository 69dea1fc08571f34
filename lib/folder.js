'use strict';
// Where a recording lies (`.rspack-prof/<time>-<pid>/profile.json.gz`), and how its place is told.

const path = require('node:path');

const FOLDER = '.rspack-prof';
const FILE = 'profile.json.gz';

/**
 * @param {string} file
 * @param {string} [cwd]
 * @returns {string} relative to it where it lies below
 */
function shownPath(file, cwd = process.cwd()) {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') ? file : relative;
}

module.exports = { FILE, FOLDER, shownPath };
