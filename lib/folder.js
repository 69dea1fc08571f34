'use strict';
// Where a recording lies (`.rspack-prof/<time>-<pid>/profile.json.gz`), and how its place is told.

const path = require('node:path');

const FOLDER = '.rspack-prof';
const FILE = 'profile.json.gz';

/** @returns {string} '' where it has been removed: a build may clean up below its own feet */
function workingFolder() {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

/**
 * @param {string} file
 * @param {string} [cwd]
 * @returns {string} relative to it where it lies below
 */
function shownPath(file, cwd = workingFolder()) {
  if (cwd === '') return file;
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') ? file : relative;
}

module.exports = { FILE, FOLDER, shownPath, workingFolder };
