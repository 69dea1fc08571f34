'use strict';
// One run of a command, with all that it took, by the small program that comes with the addon
// (src/runner/main.c). What the command prints goes to a file without a name, so that nobody has to
// read while it is measured; its end is kept for the case that it fails. Nothing of the run stays: neither a
// process nor a file.

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { getSystemErrorName } = require('node:util');
const { ProfError } = require('../errors.js');
const { writeError } = require('../export/files.js');
const { findAddon, machineProblem } = require('../native.js');

const PROGRAM = 'rspack_prof_run';
const TAIL_BYTES = 4096;
const TAIL_LINES = 12;

/**
 * @typedef {object} Figures
 * @property {number} wallMs
 * @property {number} userMs of all processes of the run
 * @property {number} sysMs
 * @property {number | null} instructions in user mode; null where they cannot be counted
 * @property {number} peakBytes resident, of the largest process
 * @property {number} majorFaults pages read from disk
 * @property {number} left processes that outlived the command and were ended
 *
 * @typedef {object} Ended
 * @property {number | null} code null: by a signal, or aborted
 * @property {NodeJS.Signals | null} signal
 * @property {boolean} aborted
 * @property {Figures} figures
 * @property {string} counterProblem why instructions are not counted, '' where they are
 * @property {number} countedShare of the time, 0 to 1, in which they were counted: the rest is made up
 * @property {string} tail the last lines of what it printed
 */

/** Where the runner lies: beside the addon. */
function findRunner() {
  const problem = machineProblem();
  if (problem !== '') throw new ProfError('ERR_PROF_UNSUPPORTED_PLATFORM', problem);
  let file = '';
  try {
    file = path.join(path.dirname(findAddon()), PROGRAM);
  } catch {
    // no addon either
  }
  if (fs.existsSync(file)) return file;
  throw new ProfError(
    'ERR_PROF_UNSUPPORTED_PLATFORM',
    `${PROGRAM} is not built beside the addon: run \`npm rebuild rspack-prof\``,
  );
}

/** A file that is open and has no name: it is gone with the last descriptor. */
function namelessFile() {
  const file = path.join(os.tmpdir(), `rspack-prof-${crypto.randomUUID()}.out`);
  try {
    const fd = fs.openSync(file, 'ax+', 0o600);
    fs.unlinkSync(file);
    return fd;
  } catch (error) {
    const { message } = /** @type {Error} */ (writeError(error, os.tmpdir()));
    throw new ProfError('ERR_PROF_BAD_FILE', `${message}: TMPDIR names the temporary folder`);
  }
}

/** @param {number} fd */
function tailOf(fd) {
  const { size } = fs.fstatSync(fd);
  const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
  fs.readSync(fd, bytes, 0, bytes.length, size - bytes.length);
  const lines = bytes.toString('utf8').trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}

/**
 * perf_event_open(2): what keeps the counter from opening.
 * @param {number} errno positive, 0 for none
 */
function counterProblem(errno) {
  if (errno === 0) return '';
  const name = getSystemErrorName(-errno);
  if (name === 'ENOENT' || name === 'EOPNOTSUPP') return 'this machine has no counter for them';
  if (name === 'EACCES' || name === 'EPERM') {
    return 'not permitted here (kernel.perf_event_paranoid above 2, or a seccomp filter)';
  }
  return name;
}

/**
 * What was started below a runner that is gone, as far as it stayed in its group.
 * @param {number | undefined} leader
 */
function endGroup(leader) {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

/** @param {string} file @param {number} errno positive */
function cannotRun(file, errno) {
  const name = getSystemErrorName(-errno);
  const advice =
    name === 'ENOENT'
      ? `command not found: is it in PATH (npx ${file})?`
      : `cannot be run (${name})`;
  return new ProfError('ERR_PROF_SYSTEM', `${file}: ${advice}`, { errno: -errno });
}

/**
 * @param {string[]} command
 * @param {{ env: NodeJS.ProcessEnv, cwd: string, signal?: AbortSignal, runner?: string }} options
 *   signal: ends the run and all that it started
 * @returns {Promise<Ended>}
 */
function runOnce(command, { env, cwd, signal, runner = findRunner() }) {
  const output = namelessFile();
  return new Promise((resolve, reject) => {
    // In a session of its own: the terminal's Ctrl-C is for us to act on.
    const child = spawn(runner, [String(process.pid), ...command], {
      env,
      cwd,
      detached: true,
      stdio: ['ignore', output, output, 'pipe'],
    });
    let report = '';
    const end = () => child.kill('SIGTERM');
    const done = (/** @type {() => void} */ settle) => {
      signal?.removeEventListener('abort', end);
      settle();
      fs.closeSync(output);
    };
    child.stdio[3]?.on('data', (bytes) => (report += bytes));
    child.once('error', (error) => done(() => reject(error)));
    child.once('close', () =>
      done(() => {
        // Its last character is written last.
        if (!report.endsWith('\n')) {
          endGroup(child.pid);
          reject(new ProfError('ERR_PROF_SYSTEM', `${command[0]}: its runner was killed`));
          return;
        }
        const { errno, code, signal: number, aborted, counterErrno, ...rest } = JSON.parse(report);
        if (errno) {
          reject(cannotRun(command[0], errno));
          return;
        }
        const { countedShare = 1, ...figures } = rest;
        resolve({
          code: code < 0 ? null : code,
          signal: signalName(number),
          aborted,
          figures,
          counterProblem: counterProblem(counterErrno),
          countedShare,
          tail: tailOf(output),
        });
      }),
    );
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end);
  });
}

/** @param {number} number @returns {NodeJS.Signals | null} */
function signalName(number) {
  const found = Object.entries(os.constants.signals).find(([, value]) => value === number);
  return /** @type {NodeJS.Signals | null} */ (found?.[0] ?? null);
}

module.exports = { findRunner, runOnce };
