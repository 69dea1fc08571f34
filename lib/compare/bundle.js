'use strict';
// A comparison as one file to attach to an issue: its figures, what they were measured on, and both merged
// profiles, gzipped JSON. Places without a name keep their module's build id and their address in its file, so
// that `rspack-prof symbolize` names them later, on a machine that has the file with the symbols.

const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { ProfError } = require('../errors.js');
const { writeWhole } = require('../export/files.js');
const { toFirefox } = require('../export/firefox.js');
const { fromJson } = require('../export/firefox-read.js');
const { readJson } = require('../export/json-file.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./plan').SideName} SideName */

/** Of the outer object; a reader refuses any other. */
const VERSION = 1;

/**
 * Throws where the file could not be written.
 * @param {string} file
 */
function checkPlace(file) {
  if (fs.statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  }
  fs.accessSync(path.dirname(file), fs.constants.W_OK);
}

/**
 * @param {string} file written whole or not at all
 * @param {object} result what `compare --json` prints
 * @param {{ base: Profile, candidate: Profile } | null} profiles
 * @returns {number} bytes
 */
function writeBundle(file, result, profiles) {
  const text = JSON.stringify({
    rspackProfBundle: VERSION,
    compare: result,
    profiles: profiles && {
      base: toFirefox(profiles.base),
      candidate: toFirefox(profiles.candidate),
    },
  });
  const bytes = zlib.gzipSync(text, { level: 9 });
  writeWhole(file, [bytes]);
  return bytes.length;
}

/**
 * @param {string} file for messages
 * @param {any} json
 */
function openBundle(file, json) {
  const bad = (/** @type {string} */ why) =>
    new ProfError('ERR_PROF_BAD_FILE', `cannot read ${file}: ${why}`);
  if (json?.rspackProfBundle !== VERSION) {
    throw bad(`it is a bundle of version ${json?.rspackProfBundle}, this reads ${VERSION}`);
  }
  const { compare, profiles } = json;
  if (compare?.schema !== 1) throw bad('it has no comparison in it');
  return {
    /** What `compare --json` printed; nobody has looked at its fields. */
    result: compare,
    hasProfiles: Boolean(profiles),
    /** @param {SideName} side @returns {Profile} */
    profile(side) {
      if (!profiles?.[side]) throw bad(`it has no profile of the ${side}`);
      return fromJson(profiles[side], file);
    },
  };
}

/**
 * @param {string} file
 * @returns {ReturnType<typeof openBundle> | null} null: it is something else
 */
function readBundle(file) {
  const json = readJson(file);
  return json?.rspackProfBundle === undefined ? null : openBundle(file, json);
}

/**
 * The report of a bundle that may come from anybody.
 * @template T
 * @param {string} file
 * @param {() => T} render
 * @returns {T}
 */
function rendered(file, render) {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new ProfError('ERR_PROF_BAD_FILE', `cannot read ${file}: its figures are malformed`, {
      cause: error,
    });
  }
}

module.exports = { checkPlace, openBundle, readBundle, rendered, writeBundle };
