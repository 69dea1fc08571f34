'use strict';
// Writes a file whole or not at all, for the user's eyes only: a profile tells paths and names.

const fs = require('node:fs');
const { constants } = fs;
const { ProfError } = require('../errors.js');

const FILE_MODE = 0o600;
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

module.exports = { gathered, writeInto, writeWhole };
