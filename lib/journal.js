'use strict';
// The journal of a recording, seen from JavaScript: what the addon is told to keep in it, its end once
// the profile is safe, and those that builds left behind which ended without their profile.

const fs = require('node:fs');
const path = require('node:path');
const { describeProcess } = require('./context.js');
const { shownPath, workingFolder } = require('./folder.js');

/** @typedef {import('./profile/raw').NativeAddon} NativeAddon */
/** @typedef {import('./profile/raw').RawProfile} RawProfile */

const FILE = 'journal';
/** `record` keeps the journals of its processes one folder deeper. */
const RECORDING = /^\.recording-/;
/** What the addon takes (src/session/session.h); a longer command line is cut. */
const ABOUT_BYTES = 8000;

/**
 * What a profile says of its process, for a recovery in another one.
 * @param {{argv: string[], env: NodeJS.ProcessEnv, version: string}} proc
 * @param {string} cwd
 */
function aboutProcess(proc = process, cwd = workingFolder()) {
  const about = (/** @type {string[]} */ argv) =>
    JSON.stringify({
      argv,
      version: proc.version,
      cwd,
      binding: proc.env.RSPACK_BINDING ?? '',
    });
  const whole = about(proc.argv);
  if (Buffer.byteLength(whole) <= ABOUT_BYTES) return whole;
  return about(proc.argv.slice(0, 2).map((word) => word.slice(0, 500)));
}

/**
 * @param {RawProfile} raw
 * @param {string} text of aboutProcess(); '' or damaged: nothing is known
 * @returns {import('./profile/profile').Context}
 */
function contextOf(raw, text) {
  try {
    const { argv, version, cwd, binding } = JSON.parse(text);
    const env = binding ? { RSPACK_BINDING: binding } : {};
    return describeProcess(raw, { argv, version, env }, cwd);
  } catch {
    return { command: '', node: '', rspack: null, binding: null };
  }
}

/**
 * Takes a journal away whose profile is safe, and the folders that were made for it alone.
 * @param {string | undefined} file
 */
function removeJournal(file) {
  if (!file || path.basename(file) !== FILE) return;
  const folder = path.dirname(file);
  const root = path.dirname(folder);
  try {
    fs.rmSync(file, { force: true });
    fs.rmdirSync(folder);
    const left = fs.readdirSync(root);
    if (left.length === 1 && left[0] === '.gitignore') fs.rmSync(path.join(root, '.gitignore'));
    if (left.length <= 1) fs.rmdirSync(root);
  } catch {
    // Something else is in them: they stay.
  }
}

/** @param {string} folder @returns {string[]} */
function entriesOf(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return []; // not there, or not ours to read
  }
}

/**
 * Journals below a folder of recordings whose process has ended, oldest first.
 * @param {string} root
 * @param {Pick<NativeAddon, 'isJournalHeld'>} addon
 * @returns {string[]}
 */
function leftovers(root, addon) {
  const folders = entriesOf(root).flatMap((name) => {
    const folder = path.join(root, name);
    return RECORDING.test(name)
      ? entriesOf(folder).map((inner) => path.join(folder, inner))
      : [folder];
  });
  return folders
    .map((folder) => path.join(folder, FILE))
    .filter((file) => fs.existsSync(file) && !addon.isJournalHeld?.(file))
    .sort((a, b) => fs.statSync(a).mtimeMs - fs.statSync(b).mtimeMs);
}

/**
 * One line for whoever starts the next recording; '' where nothing was left.
 * @param {string} root
 * @param {NativeAddon} addon
 */
function leftoverLine(root, addon) {
  const files = leftovers(root, addon);
  if (files.length === 0) return '';
  const which =
    files.length === 1
      ? `a build ended without its profile and left ${shownPath(files[0])}`
      : `${files.length} builds ended without their profiles and left journals in ${shownPath(root) || root}`;
  return `rspack-prof: ${which}: run \`npx rspack-prof recover\`, or delete it\n`;
}

/**
 * @param {NativeAddon} addon
 * @param {string} file
 * @returns {import('./profile/profile').Profile}
 */
function recoverJournal(addon, file) {
  const { readNotes } = require('./journal-read.js');
  const { makeProfile } = require('./make-profile.js');
  const { raw, about, notes } = addon.recoverJournal(file);
  return makeProfile(raw, {
    ...readNotes(notes ?? '', raw.meta),
    context: contextOf(raw, about),
  });
}

module.exports = {
  FILE,
  RECORDING,
  aboutProcess,
  leftoverLine,
  leftovers,
  recoverJournal,
  removeJournal,
};
