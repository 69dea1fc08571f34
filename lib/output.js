'use strict';
// What a recording leaves behind when the process ends: the table on standard error first, since
// somebody is waiting for it, then the files, then where they are. All synchronous: 'exit' handlers
// get no other chance. Never writes to standard output, never throws, never follows a symbolic link.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { reasonOf } = require('./errors.js');
const { shownPath } = require('./folder.js');
const { exitParts, exitTable } = require('./exit-table.js');
const { writeMade, writeWhole } = require('./export/files.js');
const { removeJournal } = require('./journal.js');

/** @typedef {import('./profile/profile').Profile} Profile */
/** @typedef {{folder: string, files: Record<string, string>}} Written files: what each holds */

const FOLDER_MODE = 0o700;
/** In the order in which they are told. */
const FILES = ['profile.json.gz', 'hotspots.txt', 'profile.folded', 'flamegraph.html'];
/**
 * The whole text may have 700 MB. This much took 30 ms to write where 1.5 MB took 20, and holds each function
 * of a build of 10,000 modules below its callers' crates (folded-most.js).
 */
const FOLDED_BYTES = 6e6;
/** A pipe nobody reads may be full and non-blocking: wait this long in all, then let it go. */
const STDERR_PATIENCE_MS = 2000;

/** @param {number} ms */
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/**
 * @param {string} text
 * @param {(fd: number, bytes: Buffer, offset: number) => number} [write]
 */
function writeStderr(text, write = fs.writeSync) {
  const bytes = Buffer.from(text);
  const deadline = Date.now() + STDERR_PATIENCE_MS;
  for (let at = 0; at < bytes.length;) {
    try {
      at += write(2, bytes, at);
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      // Closed, or full for too long: the files still hold everything.
      if (code !== 'EAGAIN' || Date.now() > deadline) return;
      sleep(5);
    }
  }
}

/**
 * A folder of ours for this recording, not there before.
 * @param {string} parent
 * @param {string} name
 */
function makeFolder(parent, name) {
  try {
    fs.mkdirSync(parent, { recursive: true, mode: FOLDER_MODE });
  } catch {
    // Of a read-only file system that says ENOENT (node 18 to 26); this says what it is.
    fs.mkdirSync(parent, { mode: FOLDER_MODE });
  }
  if (fs.lstatSync(parent).isSymbolicLink()) {
    throw Object.assign(new Error(`${parent} is a symbolic link`), { code: 'ELOOP' });
  }
  // With a leading dot until it is whole: readers skip those.
  const partial = path.join(parent, `.${name}.partial`);
  fs.mkdirSync(partial, { mode: FOLDER_MODE });
  return partial;
}

/**
 * @param {string} partial
 * @param {string} parent
 * @param {string} name
 * @returns {string} its final name
 */
function publishFolder(partial, parent, name) {
  for (let copy = 1; ; copy++) {
    const folder = path.join(parent, copy === 1 ? name : `${name}-${copy}`);
    if (fs.lstatSync(folder, { throwIfNoEntry: false })) continue;
    fs.renameSync(partial, folder);
    return folder;
  }
}

/**
 * A folder that is there when it is whole, and leaves nothing when that fails.
 * @param {string} parent
 * @param {string} name
 * @param {(partial: string) => void} fill
 * @returns {string} the folder
 */
function wholeFolder(parent, name, fill) {
  const partial = makeFolder(parent, name);
  try {
    fill(partial);
    return publishFolder(partial, parent, name);
  } catch (error) {
    fs.rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A folder whose profiles are not for the repository says so itself, as cache folders do.
 * @param {string} parent
 */
function keepOutOfGit(parent) {
  try {
    fs.writeFileSync(path.join(parent, '.gitignore'), '*\n', { flag: 'wx' });
  } catch {
    // There already, or not ours to write in: the profile does not depend on it.
  }
}

/**
 * @param {Profile} profile
 * @param {string} folder
 * @param {string} table
 * @param {(text: string) => void} say
 * @returns {Record<string, string>} the files that are there, and what each holds
 */
function writeFiles(profile, folder, table, say) {
  // The profile first: everything else can be made from it, and nothing else may cost it.
  profile.write(path.join(folder, 'profile.json.gz'));
  return {
    'profile.json.gz': 'open it at https://profiler.firefox.com, or: npx rspack-prof report',
    ...writeSides(profile, folder, table, say),
  };
}

/**
 * What lies beside a profile.
 * @param {Profile} profile
 * @param {string} folder
 * @param {string} table
 * @param {(text: string) => void} say
 * @returns {Record<string, string>}
 */
function writeSides(profile, folder, table, say) {
  /** @type {Record<string, string>} */
  const files = {};
  /** @type {(name: string, write: (file: string) => string) => void} */
  const side = (name, write) => {
    try {
      Object.assign(files, { [name]: write(path.join(folder, name)) });
    } catch (error) {
      // writeWhole's own words name the folder before it has its final name.
      const { cause = error } = /** @type {Error} */ (error);
      say(`rspack-prof: ${name} could not be written: ${reasonOf(cause)}\n`);
    }
  };
  let note = '';
  side('profile.folded', (file) => {
    const { foldedMost } = require('./export/folded-most.js');
    const { whole, share, hidden } = writeMade(file, (write) =>
      foldedMost(profile, FOLDED_BYTES, write),
    );
    if (whole) return 'folded stacks';
    const about = aboutFolded(share, hidden / Math.max(1, profile.quality.samples));
    note = `\nprofile.folded: ${about}\n`;
    return about;
  });
  side('hotspots.txt', (file) => {
    writeWhole(file, [table, note]);
    return 'the table above';
  });
  side('flamegraph.html', (file) => {
    const { htmlReport } = require('./html/report.js');
    writeWhole(file, htmlReport(profile, { atExit: true }));
    return 'a report to look around in: flame graph, hotspots, phases';
  });
  return files;
}

/**
 * @param {number} share 0 to 1
 * @param {number} hidden 0 to 1
 */
function aboutFolded(share, hidden) {
  const percent = (/** @type {number} */ part) => `${Number((part * 100).toPrecision(2))} %`;
  const left =
    hidden > 0
      ? `; paths below ${percent(share)} end in [other] (${percent(hidden)} of the samples)`
      : '';
  return `folded stacks, callers by crate, package or object${left}; by function: npx rspack-prof export --to folded -o FILE`;
}

/**
 * @param {Profile} profile
 * @param {string} parent
 * @param {string} name
 * @param {string} table
 * @param {(text: string) => void} say
 * @param {string} [journal] not needed once the profile is there
 * @returns {Written}
 */
function writeRun(profile, parent, name, table, say, journal) {
  /** @type {Record<string, string>} */
  let files = {};
  const folder = wholeFolder(parent, name, (partial) => {
    files = writeFiles(profile, partial, table, say);
    keepOutOfGit(parent);
    // It lies in the folder that the profile is to have: out of the way, now that all is written.
    removeJournal(journal);
  });
  return { folder, files };
}

/** @param {Profile} profile */
function runName({ meta }) {
  const time = new Date(meta.startUnixMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${time.replace(/:/g, '-')}-${meta.pid}`;
}

/**
 * @param {Profile} profile
 * @param {{output: string, quiet: boolean, giveMemoryBack?: () => void}} options giveMemoryBack: what malloc
 *    keeps of freed memory
 * @param {(text: string) => void} [say]
 * @param {string} [journal] of this recording
 * @returns {string | null} the folder, null where nothing could be written
 */
function writeExitOutput(
  profile,
  { output, quiet, giveMemoryBack },
  say = writeStderr,
  journal = undefined,
) {
  let table = '';
  try {
    const { table: head, below } = exitParts(profile);
    const terminal = { stream: process.stderr };
    if (!quiet) say(`\n${head(terminal)}`);
    const rest = quiet ? '' : below(terminal);
    if (rest !== '') say(rest);
    table = head({}) + below({});
  } catch (error) {
    say(`rspack-prof: no table: ${reasonOf(error)}\n`);
  }

  // 30 MB after a build of 10,000 modules, and writing a profile takes as much.
  giveMemoryBack?.();
  const name = runName(profile);
  const parent = path.resolve(output);
  try {
    const written = writeRun(profile, parent, name, table, say, journal);
    if (!quiet) say(writtenTo(written));
    return written.folder;
  } catch (error) {
    const why = `${parent}: ${reasonOf(error)}`;
    return writeToTemporary(profile, name, table, why, say, journal);
  }
}

/**
 * @param {Profile} profile
 * @param {string} name
 * @param {string} table
 * @param {string} why
 * @param {(text: string) => void} say
 * @param {string} [journal]
 */
function writeToTemporary(profile, name, table, why, say, journal) {
  let reasons = why;
  // The first is TMPDIR, which may name a folder that is not there.
  for (const temporary of new Set([os.tmpdir(), '/tmp'])) {
    let parent = '';
    try {
      // mkdtemp makes a name that nobody can have made before, readable by us alone.
      parent = fs.mkdtempSync(path.join(temporary, 'rspack-prof-'));
      const written = writeRun(profile, parent, name, table, say, journal);
      say(`rspack-prof: could not write to ${reasons}\n${writtenTo(written)}`);
      return written.folder;
    } catch (error) {
      if (parent !== '') removeEmpty(parent, name);
      reasons += `; nor to ${temporary}: ${reasonOf(error)}`;
    }
  }
  say(`rspack-prof: the profile could not be written to ${reasons}\n`);
  if (journal) say(`rspack-prof: its journal is kept: rspack-prof recover ${journal}\n`);
  return null;
}

/**
 * Folders that nothing came to lie in, as on a full disk.
 * @param {string} parent
 * @param {string} name
 */
function removeEmpty(parent, name) {
  for (const folder of [path.join(parent, name), parent]) {
    try {
      fs.rmdirSync(folder);
    } catch {
      // It was not made, or something is in it: that stays.
    }
  }
}

/**
 * A recovered profile in the place of its journal.
 * @param {Profile} profile
 * @param {string} folder
 * @returns {string} it
 */
function writeRecovered(profile, folder) {
  writeFiles(profile, folder, exitTable(profile)({}), writeStderr);
  return folder;
}

/**
 * The profile alone, for somebody who waits for it in a folder of theirs and makes the rest of it.
 * @param {Profile} profile
 * @param {string} parent
 * @param {string} [journal] of this recording
 * @returns {string} its folder
 */
function handOver(profile, parent, journal) {
  return wholeFolder(parent, runName(profile), (partial) => {
    profile.write(path.join(partial, 'profile.json.gz'));
    removeJournal(journal);
  });
}

/** @param {Written} written */
function writtenTo({ folder, files }) {
  const lines = FILES.filter((file) => file in files).map(
    (file) => `  ${file.padEnd(17)}${files[file]}`,
  );
  return `\nprofile written to ${shownPath(folder)}/\n${lines.join('\n')}\n`;
}

module.exports = {
  FOLDED_BYTES,
  handOver,
  writeExitOutput,
  writeRecovered,
  writeSides,
  writeStderr,
};
