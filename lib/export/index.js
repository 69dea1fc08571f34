'use strict';
// The formats: what writes each, and which one a file's name asks for.

const zlib = require('node:zlib');
const { ProfError, nearMatches } = require('../errors.js');
const { checkNames } = require('../options.js');
const { writeWhole } = require('./files.js');
const { foldedLines } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {Iterable<string | Uint8Array>} Pieces */

/**
 * Level 2 on purpose: a profile is written while somebody waits for the build to end.
 * @param {string} text
 */
const gzip = (text) => zlib.gzipSync(text, { level: 2 });

/** @type {Record<string, (profile: Profile, file: string) => Pieces>} */
const FORMATS = {
  firefox: (profile, file) => {
    const text = JSON.stringify(require('./firefox.js').toFirefox(profile));
    return [file.endsWith('.gz') ? gzip(text) : text];
  },
  folded: (profile) => foldedLines(profile),
  flamegraph: (profile) => [require('./flamegraph.js').flamegraph(profile)],
  json: (profile) => [`${JSON.stringify(profile.report(), null, 2)}\n`],
};

/** @type {[RegExp, string][]} */
const BY_NAME = [
  [/\.json(\.gz)?$/, 'firefox'],
  [/\.(folded|txt)$/, 'folded'],
  [/\.html?$/, 'flamegraph'],
];

/**
 * @param {string} file
 * @param {unknown} wanted
 */
function formatOf(file, wanted) {
  const known = Object.keys(FORMATS);
  if (wanted !== undefined) {
    if (typeof wanted === 'string' && known.includes(wanted)) return wanted;
    const near = nearMatches(String(wanted), known);
    const hint = near.length > 0 ? `did you mean '${near[0]}'?` : `it can be ${known.join(', ')}`;
    throw new ProfError('ERR_PROF_BAD_OPTION', `there is no format '${wanted}': ${hint}`);
  }
  const found = BY_NAME.find(([pattern]) => pattern.test(file));
  if (found) return found[1];
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `'${file}' does not tell its format: name it .json.gz, .folded or .html, or give 'format'`,
  );
}

/**
 * @param {Profile} profile
 * @param {string} file
 * @param {{format?: string}} [options]
 */
function writeProfile(profile, file, options = {}) {
  checkNames(options, ['format'], 'write()');
  writeWhole(file, FORMATS[formatOf(file, options.format)](profile, file));
}

/**
 * @param {string} file
 * @returns {Profile}
 */
function read(file) {
  return require('./firefox-read.js').readFirefox(file);
}

module.exports = { writeProfile, read };
