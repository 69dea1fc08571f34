'use strict';
// Runs real builds for the end-to-end tests, and says why a live test cannot run here.

const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { prepareBuild } = require('../../bench/build.js');
const prof = require('../../lib/index.js');
const { loadNative } = require('../../lib/native.js');

/** @returns {string | false} why perf events cannot be had here, for `skip` */
function whyNoEvents() {
  const { ok, message, event, warnings } = loadNative().probe('');
  // What timers can do is chain.test.js's question.
  const why = event === 'cpu-timer' ? warnings?.[0].message : message;
  return ok && event !== 'cpu-timer' ? false : `perf events are refused here: ${why}`;
}

/** @param {import('node:test').TestContext} t */
function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-e2e-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * @typedef {object} Ended
 * @property {string} stdout
 * @property {string} stderr
 * @property {number | null} code
 * @property {NodeJS.Signals | null} signal
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, onOutput?: (child: import('node:child_process').ChildProcess, text: string) => void }} [options]
 * @returns {Promise<Ended>}
 */
function run(command, args, { env, cwd, onOutput } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
      onOutput?.(child, stdout);
    });
    child.stderr.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ stdout, stderr, code, signal }));
  });
}

/**
 * A build of a case, profiled when `options` is given.
 * @param {string} name
 * @param {{ output?: string, prof?: object, config?: string, binding?: string, env?: NodeJS.ProcessEnv }} [options]
 */
async function build(name, { output, prof: options, config, binding, env } = {}) {
  const plan = prepareBuild(name, {
    prof: options ? { ...options, output } : null,
    config,
    binding,
  });
  const ended = await run(plan.command, plan.args, {
    env: { ...plan.env, ...env },
    cwd: plan.folder,
  });
  return { ...ended, folder: plan.folder };
}

/**
 * The one profile that a run left in a folder.
 * @param {string} output
 */
function profileIn(output) {
  const runs = fs.readdirSync(output).filter((name) => !name.startsWith('.'));
  if (runs.length !== 1) throw new Error(`${runs.length} profiles in ${output}`);
  const folder = path.join(output, runs[0]);
  const profile = prof.read(path.join(folder, 'profile.json.gz'));
  // The tests look at the columns too, which the public type does not show.
  return { folder, profile: /** @type {import('../../lib/profile/profile').Profile} */ (profile) };
}

/**
 * Names and contents of all files below a folder, as one hash.
 * @param {string} folder
 */
function hashOf(folder) {
  const hash = crypto.createHash('sha256');
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files) {
    const full = path.join(folder, file);
    if (!fs.statSync(full).isFile()) continue;
    hash.update(`${file}\0`).update(fs.readFileSync(full)).update('\0');
  }
  return hash.digest('hex');
}

/** What rspack says of time differs from run to run. @param {string} text */
const withoutTimes = (text) => text.replace(/[\d.]+ m?s\b/g, 'TIME');

module.exports = {
  build,
  hashOf,
  profileIn,
  run,
  temporaryFolder,
  whyNoEvents,
  withoutTimes,
};
