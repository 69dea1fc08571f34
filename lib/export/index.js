'use strict';
// Exports: which format, with which options, of which samples; and reading a profile back.

const path = require('node:path');
const { ProfError, nearMatches } = require('../errors.js');
const { checkNames } = require('../check-options.js');
const { FILTERS, subset } = require('../profile/subset.js');
const { writeFolder, writeTogether } = require('./files.js');
const { BY_NAME, FORMATS } = require('./formats.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./formats').OptionRule} OptionRule */
/** @typedef {Record<string, unknown>} Options */

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
    `'${file}' does not tell its format: name it .json.gz, .folded, .svg or .html, or give 'format'`,
  );
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {OptionRule} rule
 * @returns {string} what is wrong with it, '' where nothing is
 */
function problemWith(name, value, { type, oneOf, min = -Infinity }) {
  if (type === 'profile') {
    const { Profile } = require('../profile/profile.js');
    return value instanceof Profile ? '' : `'${name}' must be a profile`;
  }
  if (typeof value !== type) return `'${name}' must be a ${type}`;
  if (oneOf && !oneOf.includes(/** @type {string} */ (value))) {
    return `'${name}' must be one of ${oneOf.join(', ')}, not '${value}'`;
  }
  if (typeof value === 'number' && !(value >= min && value < Infinity)) {
    return `'${name}' must be a number of at least ${min}`;
  }
  return '';
}

/**
 * @param {Profile} profile
 * @param {string} format of FORMATS
 * @param {Options} options the format's own, FILTERS, and `event`
 * @param {string} file its name may matter: '.gz'
 * @returns {import('./formats').Output}
 */
function convert(profile, format, options, file) {
  const { options: rules = {}, isWhole, oneEvent, convert: write } = FORMATS[format];
  checkNames(options, [...Object.keys(rules), ...FILTERS, 'event'], `format '${format}'`);
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  for (const [name, value] of Object.entries(given)) {
    const problem = Object.hasOwn(rules, name) ? problemWith(name, value, rules[name]) : '';
    if (problem !== '') throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  const { event, ...own } = given;
  const whole = event === undefined ? profile : profile.event(String(event));
  checkSamples(whole, format);
  const filter = Object.fromEntries(FILTERS.map((name) => [name, own[name]]));
  // Data stays whole unless something is asked for; what is for the eye shows what tables show.
  const isAsked = Object.values(filter).some((value) => value !== undefined);
  const part = isWhole && !isAsked ? whole : subset(whole, filter);
  if (isAsked) checkSamples(part, format);
  const made = write(part, own, file);
  if (!oneEvent || part.others.length === 0) return made;
  const others = part.others.map(({ about }) => about.event).join(', ');
  const note = `'${format}' holds one event: this is ${part.meta.event}, without ${others} (--event NAME for another)`;
  return { ...made, notes: [...(made.notes ?? []), note] };
}

/**
 * Throws where there is nothing to write.
 * @param {Profile} profile
 * @param {string} format
 */
function checkSamples({ quality, meta, others }, format) {
  const { takesEmpty, oneEvent } = FORMATS[format];
  if (quality.samples > 0 || takesEmpty) return;
  const other = others.find(({ samples }) => samples.node.length > 0)?.about;
  if (other && !oneEvent) return;
  throw new ProfError(
    'ERR_PROF_BAD_FILE',
    other
      ? `there are no samples of ${meta.event} to write as '${format}': take --event ${other.requestedEvent}, with ${other.samples}`
      : `the profile has no samples: there is nothing to write as '${format}'`,
  );
}

/**
 * @param {Profile} profile
 * @param {string} file
 * @param {import('../index').ExportOptions} [options]
 * @returns {string[]} what the user should know of the file
 */
function writeProfile(profile, file, options = {}) {
  const { format, ...rest } = /** @type {Options} */ (options);
  const made = convert(profile, formatOf(file, format), rest, file);
  const { pieces, folder, beside = {} } = made;
  if (folder) writeFolder(file, folder);
  else {
    const others = Object.entries(beside).map(
      /** @returns {[string, import('./formats').Pieces]} */
      ([name, text]) => [path.join(path.dirname(file), name), text],
    );
    writeTogether([[file, pieces ?? []], ...others]);
  }
  return notesOf(made, file);
}

/**
 * @param {import('./formats').Output} made
 * @param {string} file where it lies
 * @returns {string[]}
 */
function notesOf({ beside = {}, notes = [] }, file) {
  const [name = ''] = Object.keys(beside);
  return notes.map((note) => note.replace('FILE', path.join(path.dirname(file), name)));
}

/**
 * @param {string} file
 * @returns {Profile}
 */
function read(file) {
  return require('./firefox-read.js').readFirefox(file);
}

module.exports = { convert, notesOf, read, writeProfile };
