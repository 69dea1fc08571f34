'use strict';
// Reads a JSON file, gzipped or not, that may come from anybody: what is wrong with it is told in one line.

const fs = require('node:fs');
const zlib = require('node:zlib');
const { ProfError } = require('../errors.js');

/** Longer than any profile of ours, shorter than the longest string: a gzip bomb ends here. */
const MOST_BYTES = 500 * 1024 * 1024;

/** @param {string} file */
function readBytes(file) {
  const fd = fs.openSync(file, 'r');
  try {
    const stat = fs.fstatSync(fd);
    // A device may have no end (/dev/zero). A pipe has one: `report <(ssh build cat p.json.gz)`.
    if (stat.isFile() || stat.isFIFO()) return fs.readFileSync(fd);
    throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is no file');
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * @param {string} file
 * @param {string} why
 * @param {unknown} [cause]
 */
function bad(file, why, cause) {
  const { errno, syscall } = /** @type {NodeJS.ErrnoException} */ (cause ?? {});
  return new ProfError('ERR_PROF_BAD_FILE', `cannot read ${file}: ${why}`, {
    errno,
    syscall,
    cause,
  });
}

/**
 * @param {string} file JSON, gzipped or not
 * @returns {any} what it holds, nothing of it looked at
 */
function readJson(file) {
  let bytes;
  try {
    bytes = readBytes(file);
  } catch (error) {
    // "ENOENT: no such file or directory, open '/…'": the file is named already.
    throw bad(file, /** @type {Error} */ (error).message.replace(/, \w+(?: '.*')?$/, ''), error);
  }
  if (bytes.length === 0) throw bad(file, 'it is empty');
  try {
    // RFC 1952: a gzip member begins with 1f 8b.
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      bytes = zlib.gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
    }
  } catch (error) {
    throw bad(file, `it is no whole gzip file (${/** @type {Error} */ (error).message})`);
  }
  if (bytes.length > MOST_BYTES) throw bad(file, `it is larger than ${MOST_BYTES} bytes`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw bad(file, `it is no JSON (${/** @type {Error} */ (error).message})`);
  }
}

module.exports = { bad, readJson };
