'use strict';
// What the tests of function tracing share: programs that are built, and the command line.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const prof = require('../../lib/index.js');

const CLI = path.join(__dirname, '../../lib/cli/main.js');
const LIVE = path.join(__dirname, '../live');

/**
 * @param {string} compiler
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {string | false} why it cannot be built here
 */
function build(compiler, args, env) {
  const options = /** @type {const} */ ({ encoding: 'utf8', env: { ...process.env, ...env } });
  const built = spawnSync(compiler, args, options);
  return built.status === 0 ? false : `no ${compiler}: ${built.error?.message ?? built.stderr}`;
}

/** @returns {string | false} why there are no probes here */
function noProbes() {
  try {
    prof.trace({ functions: /^uv_fs_stat$/, objects: [process.execPath] }).stop();
    return false;
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ERR_PROF_PERMISSION' || code === 'ERR_PROF_UNSUPPORTED_PLATFORM') {
      return `no probes here: ${message}`;
    }
    throw error;
  }
}

/** @param {string} cwd */
const cliIn =
  (cwd) =>
  /** @param {string[]} args @param {{ env?: NodeJS.ProcessEnv, uid?: number }} [more] */
  (args, more = {}) =>
    spawnSync(process.execPath, [CLI, ...args], {
      encoding: 'utf8',
      cwd,
      input: '',
      timeout: 300_000,
      maxBuffer: 64 << 20,
      ...more,
    });

/** @param {string} stdout @returns {import('../../lib/index').TraceSummary} */
const parsed = (stdout) => JSON.parse(stdout);

/**
 * Calls, and those left unseen or open, by function.
 * @param {import('../../lib/index').TraceSummary} summary
 * @returns {Record<string, [number, number, number]>}
 */
const callsOf = ({ functions }) =>
  Object.fromEntries(
    functions.map(({ symbol, calls, unseen, open }) => [symbol, [calls, unseen, open]]),
  );

/** Callers of a function, by name. @param {import('../../lib/index').TraceSummary} summary @param {string} name */
function callersOf(summary, name) {
  const row = summary.functions.find(({ symbol }) => symbol === name);
  const callers = row?.callers ?? [];
  return Object.fromEntries(
    callers.map(({ symbol, crossed, calls }) => [`${symbol}${crossed ? ' by a job' : ''}`, calls]),
  );
}

/** @param {string} folder @param {string} name @param {string} text @returns {string} its path */
function script(folder, name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

module.exports = { CLI, LIVE, build, callersOf, callsOf, cliIn, noProbes, parsed, script };
