'use strict';
// Writes a file whole or not at all, for the user's eyes only: a profile tells paths and names.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { getSystemErrorMap } = require('node:util');
const { ProfError } = require('../errors.js');

const { constants } = fs;
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
  let fd;
  try {
    fd = fs.openSync(file, 'w');
    writePieces(fd, pieces);
  } catch (error) {
    throw writeError(error, file);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** @typedef {{file: string, temporary: string, fd: number | null}} Part */

/**
 * Files that are there whole, all of them, or not at all: each is written beside its place, and put there at
 * the end. Whoever begins must commit() or discard().
 */
class Writing {
  /** @type {Part[]} */
  #parts = [];

  /** @param {string} file what is written from now on */
  begin(file) {
    this.#close();
    // O_EXCL refuses whatever is there, a symbolic link too; the rename replaces a link at `file`
    // instead of following it.
    const temporary = `${file}.${process.pid}.tmp`;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    this.#do(file, () => {
      this.#parts.push({ file, temporary, fd: fs.openSync(temporary, flags, FILE_MODE) });
    });
  }

  /** @param {string | Uint8Array} chunk */
  write(chunk) {
    const { file, fd } = this.#parts[this.#parts.length - 1];
    this.#do(file, () => fs.writeFileSync(/** @type {number} */ (fd), chunk));
  }

  commit() {
    this.#close();
    for (let part = this.#parts.shift(); part; part = this.#parts.shift()) {
      const { file, temporary } = part;
      try {
        fs.renameSync(temporary, file);
      } catch (error) {
        fs.rmSync(temporary, { force: true });
        throw writeError(error, file);
      }
    }
  }

  /** Nothing happens behind a commit(). */
  discard() {
    for (const { fd, temporary } of this.#parts.splice(0)) {
      if (fd !== null) fs.closeSync(fd);
      fs.rmSync(temporary, { force: true });
    }
  }

  #close() {
    const last = this.#parts[this.#parts.length - 1];
    if (!last || last.fd === null) return;
    const { fd } = last;
    last.fd = null;
    // A full disk may be told only now.
    this.#do(last.file, () => fs.closeSync(fd));
  }

  /**
   * @param {string} file
   * @param {() => void} work
   */
  #do(file, work) {
    try {
      work();
    } catch (error) {
      throw writeError(error, file);
    }
  }
}

/**
 * @param {[file: string, pieces: Iterable<string | Uint8Array>][]} files
 */
function writeTogether(files) {
  const writing = new Writing();
  try {
    for (const [file, pieces] of files) {
      writing.begin(file);
      for (const chunk of gathered(pieces)) writing.write(chunk);
    }
    writing.commit();
  } finally {
    writing.discard();
  }
}

/**
 * One file, by whoever makes it piece by piece.
 * @template T
 * @param {string} file
 * @param {(write: (chunk: string | Uint8Array) => void) => T} make
 * @returns {T} what that says of it
 */
function writeMade(file, make) {
  const writing = new Writing();
  try {
    writing.begin(file);
    const made = make((chunk) => writing.write(chunk));
    writing.commit();
    return made;
  } finally {
    writing.discard();
  }
}

/**
 * @param {string} file
 * @param {Iterable<string | Uint8Array>} pieces
 */
const writeWhole = (file, pieces) => writeTogether([[file, pieces]]);

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

/** Where the system's words say nothing to somebody who wants a file. @type {Record<string, (file: string) => string>} */
const REASONS = {
  EISDIR: () => 'it is a folder',
  ELOOP: () => 'it is a symbolic link',
  ENOENT: (file) => `there is no folder ${path.dirname(file)}`,
  ENOTDIR: (file) => `${path.dirname(file)} is no folder`,
};

/**
 * In the user's words: the name is that of the file to be, not of what it is written as.
 * @param {unknown} error
 * @param {string} file
 */
function writeError(error, file) {
  const { code = '', syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  const errno = -(/** @type {Record<string, number>} */ (os.constants.errno)[code]);
  if (error instanceof ProfError || Number.isNaN(errno)) return error;
  const isThere = code === 'ENOENT' && fs.existsSync(path.dirname(file));
  const reason =
    (isThere ? undefined : REASONS[code]?.(file)) ?? getSystemErrorMap().get(errno)?.[1];
  return new ProfError('ERR_PROF_BAD_FILE', `cannot write ${file}: ${reason} (${code})`, {
    errno,
    syscall,
    cause: error,
  });
}

module.exports = {
  Writing,
  gathered,
  writeError,
  writeFolder,
  writeInto,
  writeMade,
  writeTogether,
  writeWhole,
};
