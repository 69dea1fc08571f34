'use strict';
// Baselines: small JSON files beside the tests, kept in the user's repository like snapshots. One is
// written where it is missing, but not in CI; it is replaced when that is asked for, never otherwise.
// A file holds an entry for each check, and one more for each kind of machine that measured it.
// Refuses: what is no baseline, a newer schema, a comparison that would mean nothing.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { differences } = require('./measured-on.js');

/** @typedef {import('./measured-on').MeasuredOn} MeasuredOn */
/** @typedef {{check: string, measuredOn: MeasuredOn, at: string} & Record<string, any>} Entry */
/** @typedef {{schema: 1, what: string, entries: Entry[]}} BaselineFile */
/** @typedef {'all' | 'new' | 'none'} UpdateMode all: replace, new: write what is missing */
/** @typedef {{folder: string, update: UpdateMode, howToUpdate: string, say: (line: string) => void,
 *    cwd: string}} Place */

const SCHEMA = 1;
const WHAT = 'rspack-prof baseline';
const FOLDER = '__baselines__';
const UPDATE = 'RSPACK_PROF_UPDATE_BASELINE';

/** @param {string | undefined} value */
const isSet = (value) => value !== undefined && !['', '0', 'false', 'no'].includes(value);

/** Of node's own test runner (22.3 and later), which hands it on to the processes of its test files. */
const NODE_UPDATE = '--test-update-snapshots';

/**
 * The environment's word goes before the runner's, so that `-u` can be kept from baselines.
 * @param {{env?: NodeJS.ProcessEnv, argv?: readonly string[], snapshots?: UpdateMode}} world snapshots:
 *   what the test runner does with its own (-u, --ci)
 * @returns {UpdateMode}
 */
function updateMode({ env = process.env, argv, snapshots = 'new' }) {
  const words = argv ?? [...process.execArgv, ...process.argv];
  const asked = env[UPDATE] ?? '';
  const isUpdate = snapshots === 'all' || words.includes(NODE_UPDATE);
  if (asked === '' ? isUpdate : isSet(asked)) return 'all';
  if (words.includes('--update-baseline')) return 'all';
  return snapshots === 'none' || isSet(env.CI) ? 'none' : 'new';
}

/**
 * A name stands for a file beside the test: 'app' is __baselines__/app.json; what looks like a path is
 * one, from the test's folder.
 * @param {string} baseline
 * @param {Place} place
 */
function fileOf(baseline, { folder }) {
  if (/[\\/]|\.json$/.test(baseline)) return path.resolve(folder, baseline);
  if (/^[\w][\w .@+-]*$/.test(baseline)) return path.join(folder, FOLDER, `${baseline}.json`);
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `a baseline is a name like 'app' or a path to a .json file, not '${baseline}'`,
  );
}

/**
 * @param {string} file
 * @returns {BaselineFile | null} null: there is none
 */
function readFile(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
    const { message } = /** @type {Error} */ (error);
    throw new ProfError('ERR_PROF_BAD_FILE', `the baseline cannot be read: ${message}`);
  }
  const bad = (/** @type {string} */ why) =>
    new ProfError('ERR_PROF_BAD_FILE', `${file} ${why}: take it from git, or delete it`);
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad(/^[<>=]{7}/m.test(text) ? 'has a merge conflict' : 'is no JSON');
  }
  if (json?.what !== WHAT || !Array.isArray(json.entries)) throw bad('is no baseline');
  if (json.schema !== SCHEMA) {
    throw new ProfError(
      'ERR_PROF_BAD_FILE',
      `${file} has schema ${json.schema}, this rspack-prof reads ${SCHEMA}: update the package`,
    );
  }
  const isEntry = (/** @type {any} */ one) =>
    typeof one?.check === 'string' && typeof one.measuredOn === 'object' && one.measuredOn !== null;
  if (!json.entries.every(isEntry)) throw bad('has an entry without check or measuredOn');
  return json;
}

/**
 * @param {BaselineFile} content
 * @returns {string} lists of numbers on one line, so that a diff of two versions reads well
 */
const textOf = (content) =>
  `${JSON.stringify(content, null, 2).replace(/\[\s+([-\d.,e+\s]+?)\s+\]/g, (_, list) => `[${list.replace(/\s+/g, ' ')}]`)}\n`;

/**
 * Whole or not at all, also with another worker at it.
 * @param {string} file
 * @param {Entry} entry
 * @param {(old: Entry) => boolean} isReplaced
 */
function writeEntry(file, entry, isReplaced) {
  const old = readFile(file)?.entries ?? [];
  const entries = [...old.filter((one) => !isReplaced(one)), entry].sort((a, b) =>
    a.check < b.check ? -1 : a.check > b.check ? 1 : 0,
  );
  const own = `${file}.${process.pid}.${require('node:worker_threads').threadId}.tmp`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(own, textOf({ schema: SCHEMA, what: WHAT, entries }));
    fs.renameSync(own, file);
  } catch (error) {
    fs.rmSync(own, { force: true });
    const { message } = /** @type {Error} */ (error);
    throw new ProfError('ERR_PROF_BAD_FILE', `the baseline cannot be written: ${message}`);
  }
}

/**
 * The entry to compare with; or, where it had to be written first, none. An inconclusive answer is one
 * too: the caller makes a verdict of it.
 * @param {string} baseline
 * @param {Omit<Entry, 'at'>} entry as measured now
 * @param {Place} place
 * @param {{isMachineFree?: boolean}} [options]
 * @returns {{entry?: Entry, written?: string, refused?: string}}
 */
function baselineFor(baseline, entry, place, options) {
  const file = fileOf(baseline, place);
  const shown = path.relative(place.cwd, file);
  const how = `record it with ${place.howToUpdate}`;
  const all = (readFile(file)?.entries ?? []).filter(({ check }) => check === entry.check);
  const differing = all.map((old) => differences(old.measuredOn, entry.measuredOn, options));
  const fitting = differing.findIndex((list) => list.length === 0);
  const write = () => {
    const dated = { ...entry, at: new Date().toISOString() };
    // Another machine's stays, even where only a counter that is the same on both was asked for.
    const isReplaced = (/** @type {Entry} */ old) =>
      old.check === entry.check && differences(old.measuredOn, entry.measuredOn).length === 0;
    writeEntry(file, /** @type {Entry} */ (dated), isReplaced);
    place.say(`rspack-prof: baseline written: ${shown} (${entry.check})\n`);
    return { written: shown };
  };
  if (place.update === 'all') return write();
  if (fitting >= 0) return { entry: all[fitting] };
  if (all.length === 0) {
    if (place.update === 'new') return write();
    return {
      refused: `there is no baseline ${shown} for '${entry.check}', and none is written in CI or for .not: ${how} and commit it`,
    };
  }
  const nearest = differing.reduce((a, b) => (b.length < a.length ? b : a));
  return {
    refused: `the baseline ${shown} cannot be compared with: ${nearest.join(', ')}; ${how} here, which keeps the other one`,
  };
}

module.exports = { UPDATE, baselineFor, fileOf, updateMode };
