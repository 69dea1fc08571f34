'use strict';
// Writes a file whole or not at all, for the user's eyes only: a profile tells paths and names.

const fs = require('node:fs');
const path = require('node:path');
const { constants } = fs;
const { ProfError } = require('../errors.js');

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Text comes line by line; this much is gathered per write. */
const CHUNK_CHARS = 1 << 20;

/**
 * Lines as chunks that are worth a write.
 * @param {Iterable<string | Uint8Array>} pieces
 * @returns {Generator<string | Uint8Array>}
 */
function* gathered(pieces) {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      text += piece;
      if (text.length < CHUNK_CHARS) continue;
    }
    if (text !== '') yield text;
    text = '';
    if (typeof piece !== 'string') yield piece;
  }
  if (text !== '') yield text;
}

/**
 * @param {number} fd
 * @param {Iterable<string | Uint8Array>} pieces
 */
function writePieces(fd, pieces) {
  for (const chunk of gathered(pieces)) fs.writeFileSync(fd, chunk);
}

/**
 * Into what is there: a device, a fifo.
 * @param {string} file
 * @param {Iterable<string | Uint8Array>} pieces
 */
function writeInto(file, pieces) {
  const fd = fs.openSync(file, 'w');
  try {
    writePieces(fd, pieces);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * @param {string} file
 * @param {Iterable<string | Uint8Array>} pieces
 */
function writeWhole(file, pieces) {
  // O_EXCL refuses whatever is there, a symbolic link too; the rename replaces a link at `file`
  // instead of following it.
  const temporary = `${file}.${process.pid}.tmp`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  let fd;
  try {
    fd = fs.openSync(temporary, flags, FILE_MODE);
    writePieces(fd, pieces);
    fs.closeSync(fd);
    fd = undefined;
    fs.renameSync(temporary, file);
  } catch (error) {
    const opened = /** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST';
    if (fd !== undefined) fs.closeSync(fd);
    if (opened) fs.rmSync(temporary, { force: true });
    throw writeError(error, file);
  }
}

/**
 * A folder of files, all of them or none. What is there already is replaced only if it is such a
 * folder: nothing but files of these names.
 * @param {string} folder
 * @param {Record<string, Iterable<string | Uint8Array>>} files
 */
function writeFolder(folder, files) {
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    refuseForeign(folder, Object.keys(files));
    fs.mkdirSync(temporary, { mode: FOLDER_MODE });
  } catch (error) {
    throw writeError(error, folder);
  }
  try {
    for (const [name, pieces] of Object.entries(files)) {
      writeWhole(path.join(temporary, name), pieces);
    }
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(temporary, folder);
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    throw writeError(error, folder);
  }
}

/**
 * @param {string} folder
 * @param {string[]} names
 */
function refuseForeign(folder, names) {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return;
  const foreign = stat.isDirectory()
    ? fs.readdirSync(folder).find((name) => !names.includes(name))
    : 'it is no folder';
  if (foreign === undefined) return;
  throw new ProfError(
    'ERR_PROF_BAD_FILE',
    `cannot write ${folder}: it is there and no export of ours (${foreign}); name another folder`,
  );
}

/**
 * @param {unknown} error
 * @param {string} file
 */
function writeError(error, file) {
  const { code, errno, syscall, message } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === undefined || error instanceof ProfError) return error;
  return new ProfError('ERR_PROF_BAD_FILE', `cannot write ${file}: ${message}`, {
    errno,
    syscall,
    cause: error,
  });
}

module.exports = { gathered, writeFolder, writeInto, writeWhole };
