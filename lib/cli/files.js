'use strict';
// Where profiles lie, and how results are written.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setImmediate } = require('node:timers/promises');
const { ENDING, listen } = require('./signals.js');
const { ProfError } = require('../errors.js');
const { FILE, FOLDER } = require('../folder.js');
const { Writing, gathered, writeError, writeInto } = require('../export/files.js');

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
 * @returns {import('../profile/profile').Profile} with its columns, which the public type does not show
 */
function openProfile(file, cwd) {
  return require('../export/index.js').read(profilePath(file, cwd));
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
 * Work that a signal ends only where nothing half written is left. Then it ends the process, as if nobody had
 * listened.
 * @param {(isEnded: () => Promise<boolean>) => Promise<void>} work asks now and then whether to stop
 */
async function untilSignal(work) {
  /** @type {NodeJS.Signals | undefined} */
  let ended;
  const release = listen(ENDING, (signal) => {
    ended = signal;
  });
  // Signals come with the event loop.
  const isEnded = async () => {
    await setImmediate();
    return ended !== undefined;
  };
  try {
    await work(isEnded);
    await isEnded();
  } finally {
    release();
    if (ended !== undefined) process.kill(process.pid, ended);
  }
}

/**
 * Writes files whole, all of them or none.
 * @param {[file: string, pieces: Iterable<string | Uint8Array>][]} files
 */
async function writeFiles(files) {
  await untilSignal(async (isEnded) => {
    const writing = new Writing();
    try {
      for (const [file, pieces] of files) {
        writing.begin(file);
        for (const chunk of gathered(pieces)) {
          writing.write(chunk);
          if (await isEnded()) return;
        }
      }
      writing.commit();
    } finally {
      writing.discard();
    }
  });
}

/**
 * Writes a result, to a file whole or not at all. A result may be longer than a string can be.
 * @param {Iterable<string | Uint8Array>} pieces
 * @param {string | undefined} file undefined and '-' are standard output
 * @param {import('./main.js').World} world
 * @param {Record<string, Iterable<string | Uint8Array>>} [beside] other files of the same folder
 */
async function writeResult(pieces, file, { stdout, cwd }, beside = {}) {
  if (file === undefined || file === '-') {
    await writeStream(pieces, stdout);
    return;
  }
  const target = path.resolve(cwd, file);
  const others = Object.entries(beside).map(
    /** @returns {[string, Iterable<string | Uint8Array>]} */
    ([name, text]) => [path.join(path.dirname(target), name), text],
  );
  // A device, a fifo or a terminal is written into; only a plain file can be replaced.
  if (isSpecial(target)) {
    writeInto(target, pieces);
    await writeFiles(others);
  } else await writeFiles([[target, pieces], ...others]);
}

/** @param {string} file */
function isSpecial(file) {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === false;
  } catch (error) {
    throw writeError(error, file);
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
  openProfile,
  profilePath,
  untilSignal,
  writeError,
  writeJson,
  writeResult,
};
