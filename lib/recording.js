'use strict';
// The private folder that the processes of one `record` write into, and what is kept of it.
// It lies beside the result, so that keeping one is a rename, and a place that cannot be written is
// known before the command runs.

const fs = require('node:fs');
const path = require('node:path');
const { exitTable } = require('./exit-table.js');
const { writeError } = require('./export/files.js');
const { FILE, FOLDER, shownPath } = require('./folder.js');
const journals = require('./journal.js');
const { loadNative } = require('./native.js');
const { optionsToLoad } = require('./node-options.js');

/** @typedef {import('./profile/profile').Profile} Profile */
/** @typedef {{ folder: string, profile: Profile, isRecovered?: boolean }} Written */
/** @typedef {{ pid: number, command: string[], code: string, message: string }} Failure */

const REGISTER = path.join(__dirname, 'register.js');

/**
 * The profile of the process that built: it loaded an rspack binding, or else worked most.
 * @param {Written[]} written
 * @returns {Written | undefined}
 */
function choose(written) {
  const rank = (/** @type {Written} */ { profile }) => [
    profile.meta.binding ? 1 : 0,
    profile.quality.samples,
  ];
  return [...written].sort((a, b) => {
    const [[bindingA, samplesA], [bindingB, samplesB]] = [rank(a), rank(b)];
    return bindingB - bindingA || samplesB - samplesA;
  })[0];
}

class Recording {
  /**
   * @param {string | undefined} output file to write
   * @param {string} cwd
   * @param {string} [raw] file for the raw records of the kept process
   */
  constructor(output, cwd, raw) {
    this.raw = raw === undefined ? null : path.resolve(cwd, raw);
    this.output = output === undefined ? null : path.resolve(cwd, output);
    this.cwd = cwd;
    /** Where the results go: below it, the folder of this recording. */
    this.root = this.output ? path.dirname(this.output) : path.join(cwd, FOLDER);
    const shown = output ?? `${FOLDER}/`;
    try {
      if (!this.output) {
        fs.mkdirSync(this.root, { recursive: true });
        // As start() does: whoever put it there would choose where the profile goes.
        if (fs.lstatSync(this.root).isSymbolicLink()) {
          throw Object.assign(new Error(), { code: 'ELOOP' });
        }
      }
      if (this.output && fs.statSync(this.output, { throwIfNoEntry: false })?.isDirectory()) {
        throw Object.assign(new Error(), { code: 'EISDIR' });
      }
      // mkdtemp's folder is readable by this user alone.
      this.folder = fs.mkdtempSync(path.join(this.root, '.recording-'));
    } catch (error) {
      throw writeError(error, shown);
    }
  }

  /**
   * @param {NodeJS.ProcessEnv} env
   * @param {import('./index').StartOptions} options
   * @param {string} [register] the file to load into each node process
   * @returns {NodeJS.ProcessEnv} the command's
   */
  environment(env, options, register = REGISTER) {
    return {
      ...env,
      NODE_OPTIONS: optionsToLoad(env, register),
      RSPACK_PROF_OPTIONS: JSON.stringify({
        ...options,
        // A folder here: register.js gives each process a file of its own in it.
        ...(this.raw ? { raw: this.folder } : {}),
        output: this.folder,
        quiet: true,
        failures: this.folder,
      }),
    };
  }

  /**
   * @returns {{ written: Written[], failures: Failure[] }}
   */
  collect() {
    const { read } = require('./export/index.js');
    /** @type {Written[]} */
    const written = [];
    /** @type {Failure[]} */
    const failures = [];
    for (const entry of fs.readdirSync(this.folder).sort()) {
      const full = path.join(this.folder, entry);
      try {
        if (entry.endsWith('.failed')) {
          failures.push(JSON.parse(fs.readFileSync(full, 'utf8')));
        } else if (fs.existsSync(path.join(full, FILE))) {
          written.push({ folder: full, profile: read(path.join(full, FILE)) });
        } else if (fs.existsSync(path.join(full, journals.FILE))) {
          const profile = this.recover(full);
          if (profile) written.push({ folder: full, profile, isRecovered: true });
        }
      } catch (error) {
        // A process that was killed while it wrote: the others' profiles count all the same.
        const { code = 'ERR_PROF_BAD_FILE', message } = /** @type {NodeJS.ErrnoException} */ (
          error
        );
        failures.push({ pid: 0, command: [], code, message });
      }
    }
    return { written, failures };
  }

  /**
   * What a process left that was killed or crashed; null while it lives (a daemon).
   * @param {string} folder
   * @returns {Profile | null}
   */
  recover(folder) {
    const file = path.join(folder, journals.FILE);
    const native = loadNative();
    if (native.isJournalHeld?.(file)) return null;
    const profile = journals.recoverJournal(native, file);
    require('./output.js').writeRecovered(profile, folder);
    fs.rmSync(file, { force: true });
    return profile;
  }

  /**
   * A process that goes on (`record -p`) hands over the profile alone, to be soon at its work again.
   * @param {Written[]} written
   */
  addSides(written) {
    if (this.output) return;
    for (const { folder, profile } of written) {
      if (fs.existsSync(path.join(folder, 'hotspots.txt'))) continue;
      const { writeSides, writeStderr } = require('./output.js');
      writeSides(profile, folder, exitTable(profile)({}), writeStderr);
    }
  }

  /**
   * @param {boolean} all keep the profile of each process
   * @returns {{ kept: { profile: Profile, file: string, raw: string | null, isRecovered?: boolean }[],
   *    failures: Failure[] }}
   */
  finish(all) {
    const { written, failures } = this.collect();
    this.addSides(written);
    const best = choose(written);
    const chosen = all ? written : written.filter((one) => one === best);
    const kept = chosen.map(({ folder, profile, isRecovered }) => ({
      profile,
      isRecovered,
      raw: this.raw ? this.keepRaw(profile.meta.pid, all) : null,
      file: this.keep(folder, all ? profile.meta.pid : null),
    }));
    return { kept, failures };
  }

  /**
   * @param {string} folder
   * @param {number | null} pid to be part of the name
   * @returns {string} the profile's place, relative where that is shorter
   */
  keep(folder, pid) {
    let file;
    if (this.output) {
      const { dir, name, ext } = splitName(this.output);
      file = path.join(dir, pid === null ? name + ext : `${name}-${pid}${ext}`);
      fs.renameSync(path.join(folder, FILE), file);
    } else {
      const target = path.join(this.root, path.basename(folder));
      fs.renameSync(folder, target);
      file = path.join(target, FILE);
    }
    return shownPath(file, this.cwd);
  }

  /**
   * The profile is there by now, and stays whatever happens to the raw file.
   * @param {number} pid
   * @param {boolean} all
   * @returns {string} what is to be said of it
   */
  keepRaw(pid, all) {
    const { dir, name, ext } = path.parse(/** @type {string} */ (this.raw));
    const file = path.join(dir, all ? `${name}-${pid}${ext}` : name + ext);
    try {
      move(path.join(this.folder, `perf-${pid}.data`), file);
      const map = `perf-${pid}.map`; // perf's name for it
      move(path.join(this.folder, map), path.join(dir, map));
      return `raw records: ${file}`;
    } catch (error) {
      return /** @type {Error} */ (writeError(error, file)).message;
    }
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
function move(from, to) {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EXDEV') throw error;
    fs.rmSync(to, { force: true });
    fs.copyFileSync(from, to);
    fs.rmSync(from);
  }
}

/** @param {string} file */
function splitName(file) {
  const base = path.basename(file);
  const ext = /(\.json)?(\.gz)?$/.exec(base)?.[0] ?? '';
  return { dir: path.dirname(file), name: base.slice(0, base.length - ext.length), ext };
}

module.exports = { Recording, choose };
