'use strict';
// Runs node's test runner on the *.test.js files of folders, and on single files.
//   node .ci/node-test.js FOLDER|FILE ..
// The files are listed here because node 18 and 20 take a folder and node 22 takes a glob.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
/** For one file. One that hangs must not take the whole run's time; a busy machine may take five times as long. */
const TIMEOUT_MS = 400_000;

/** @param {string} given @returns {string[]} */
function filesOf(given) {
  const where = path.join(ROOT, given);
  if (given.endsWith('.test.js')) return [given];
  if (!fs.existsSync(where)) return [];
  return fs
    .readdirSync(where, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => path.join(given, file))
    .sort();
}

/** @param {string[]} given */
function main(given) {
  const files = given.flatMap(filesOf);
  if (files.length === 0) {
    console.error(`no *.test.js files in ${given.join(' ')}`);
    return 1;
  }
  // One file at a time: live tests share the machine's counters, and timings its two cores.
  // One reporter everywhere: node 20 reports in another form to a pipe than to a terminal.
  const options = ['--test-concurrency=1', '--test-reporter=spec', `--test-timeout=${TIMEOUT_MS}`];
  const args = ['--test', ...options, ...files];
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
}

process.exitCode = main(process.argv.slice(2));
