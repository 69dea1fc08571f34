'use strict';
// Runs one command and says what it took: wall time, CPU time of everything it started, when its
// output came, how much memory it had, how many bytes it left behind.
// Linux only. One command at a time: the CPU time is the growth of this process's children's sum.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** proc(5) counts in ticks; user space has seen 100 a second on every Linux since 2.4. */
const TICK_MS = 10;
const MEMORY_EVERY_MS = 50;

/**
 * User and system time of all children that were waited for, and of theirs.
 * @param {string} stat the text of /proc/self/stat
 */
function childrenCpuMs(stat) {
  // The command's name, in parentheses, may hold spaces; the third field comes after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [cutime, cstime] = fields.slice(16 - 3, 18 - 3).map(Number);
  return (cutime + cstime) * TICK_MS;
}

/** @param {string} status the text of /proc/PID/status */
function peakBytes(status) {
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** @param {string} file @returns {string} '' where the process is gone */
function readProc(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} folder */
function bytesBelow(folder) {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => fs.lstatSync(path.join(folder, file)))
    .filter((stat) => stat.isFile())
    .reduce((sum, stat) => sum + stat.size, 0);
}

/**
 * @typedef {object} Measured
 * @property {number | null} code null after a signal
 * @property {number} wallMs to the process's end
 * @property {number} cpuMs in steps of 10 ms
 * @property {number} peakBytes resident, of the command itself and not of its children
 * @property {number} outputEndMs when the last of standard output came, which is rspack's summary
 * @property {number | null} errorAfterMs from then to the first of standard error, null if none came
 * @property {string} output both streams
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<Measured>}
 */
function measure(command, args, { cwd, env = process.env }) {
  const cpuBefore = childrenCpuMs(readProc('/proc/self/stat'));
  const began = performance.now();
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const sinceStart = () => performance.now() - began;
  let output = '';
  let outputEndMs = 0;
  let peak = 0;
  /** @type {number | null} */
  let errorAfterMs = null;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    outputEndMs = sinceStart();
    errorAfterMs = null;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text;
    errorAfterMs ??= sinceStart() - outputEndMs;
  });
  const watch = setInterval(() => {
    peak = Math.max(peak, peakBytes(readProc(`/proc/${child.pid}/status`)));
  }, MEMORY_EVERY_MS);

  return new Promise((resolve, reject) => {
    let wallMs = 0;
    child.on('exit', () => {
      wallMs = sinceStart();
    });
    child.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
    child.on('close', (code) => {
      clearInterval(watch);
      const cpuMs = childrenCpuMs(readProc('/proc/self/stat')) - cpuBefore;
      resolve({ code, wallMs, cpuMs, peakBytes: peak, outputEndMs, errorAfterMs, output });
    });
  });
}

module.exports = { bytesBelow, childrenCpuMs, measure, peakBytes };
