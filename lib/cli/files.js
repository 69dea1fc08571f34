'use strict';
// Where profiles lie, and how results are written.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { gathered, writeInto, writeWhole } = require('../export/files.js');

/** As start() writes them: `.rspack-prof/<time>-<pid>/profile.json.gz`. */
const FOLDER = '.rspack-prof';
const FILE = 'profile.json.gz';

/**
 * @param {string} cwd
 * @returns {string | null} the profile written last below .rspack-prof/
 */
function newestProfile(cwd) {
  const root = path.join(cwd, FOLDER);
  if (!fs.existsSync(root)) return null;
  let newest = null;
  let time = -Infinity;
  let entries;
  try {
    entries = fs.readdirSync(root);
  } catch (error) {
    const { code, errno, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
    const why = code === 'ENOTDIR' ? 'it is no folder' : code;
    throw new ProfError('ERR_PROF_BAD_FILE', `cannot look into ${FOLDER}/ here: ${why}`, {
      errno,
      syscall,
      cause: error,
    });
  }
  for (const entry of entries) {
    // A leading dot: a recording that is not finished.
    if (entry.startsWith('.')) continue;
    const file = path.join(root, entry, FILE);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() && stat.mtimeMs > time) [newest, time] = [file, stat.mtimeMs];
  }
  return newest;
}

/**
 * @param {string | undefined} file
 * @param {string} cwd
 * @returns {string} a path
 */
function profilePath(file, cwd) {
  if (file === undefined) {
    const newest = newestProfile(cwd);
    if (newest) return newest;
    throw new ProfError(
      'ERR_PROF_BAD_FILE',
      `no profile below ${FOLDER}/ here: record one with 'rspack-prof record -- rspack build'`,
    );
  }
  const full = path.resolve(cwd, file);
  // The folder that a recording wrote stands for the profile inside it.
  const inside = path.join(full, FILE);
  return fs.existsSync(inside) ? inside : full;
}

/**
 * @param {string | undefined} file the newest unless given
 * @param {string} cwd
 */
function openProfile(file, cwd) {
  return require('../index.js').read(profilePath(file, cwd));
}

/**
 * @param {unknown} error of a write
 * @param {string} file
 */
function writeError(error, file) {
  const { code, errno, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  return new ProfError(
    'ERR_PROF_BAD_FILE',
    `cannot write ${file} (${code}): name a writable place with -o`,
    { errno, syscall, cause: error },
  );
}

/**
 * Waits for a slow reader: what it has not taken would pile up in memory.
 * @param {Iterable<string | Uint8Array>} pieces
 * @param {import('./main.js').Output} stdout
 */
async function writeStream(pieces, stdout) {
  for (const chunk of gathered(pieces)) {
    if (!stdout.write(chunk)) await once(stdout, 'drain');
  }
}

/**
 * Writes a result, to a file whole or not at all. A result may be longer than a string can be.
 * @param {Iterable<string | Uint8Array>} pieces
 * @param {string | undefined} file undefined and '-' are standard output
 * @param {import('./main.js').World} world
 */
async function writeResult(pieces, file, { stdout, cwd }) {
  if (file === undefined || file === '-') {
    await writeStream(pieces, stdout);
    return;
  }
  const target = path.resolve(cwd, file);
  try {
    const existing = fs.statSync(target, { throwIfNoEntry: false });
    // A device, a fifo or a terminal is written into; only a plain file can be replaced.
    if (existing && !existing.isFile()) writeInto(target, pieces);
    else writeWhole(target, pieces);
  } catch (error) {
    throw error instanceof ProfError ? error : writeError(error, file);
  }
}

/**
 * @param {unknown} value
 * @param {import('./main.js').World} world
 */
function writeJson(value, { stdout }) {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

module.exports = {
  FILE,
  FOLDER,
  newestProfile,
  openProfile,
  profilePath,
  writeError,
  writeJson,
  writeResult,
};
