'use strict';
// Runs one command and says what it took: wall time, CPU time of everything it started, the most
// memory it had, when its output came, how many bytes it left behind. Linux only.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { getSystemErrorName } = require('node:util');
const { compile } = require('./compile.js');

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
 * @property {number} cpuMs user and system, of the command and all that it waited for
 * @property {number} peakBytes resident, of the largest process among them
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
  const launcher = compile('measure.c');
  const began = performance.now();
  const child = spawn(launcher, [command, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const sinceStart = () => performance.now() - began;
  let output = '';
  let report = '';
  let outputEndMs = 0;
  /** @type {number | null} */
  let errorAfterMs = null;
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
    outputEndMs = sinceStart();
    errorAfterMs = null;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    output += text;
    errorAfterMs ??= sinceStart() - outputEndMs;
  });
  child.stdio[3]?.on('data', (bytes) => {
    report += bytes;
  });

  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      if (!report) return reject(new Error(`${command}: ended with the launcher`));
      const { errno, code, ...took } = JSON.parse(report);
      if (errno) return reject(new Error(`${command}: ${getSystemErrorName(-errno)}`));
      resolve({ code: code < 0 ? null : code, ...took, outputEndMs, errorAfterMs, output });
    });
  });
}

module.exports = { bytesBelow, measure };
