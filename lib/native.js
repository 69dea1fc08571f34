'use strict';
// Finds and loads the addon. `require('rspack-prof')` itself never loads it, so that a config which
// requires the package still works where the addon cannot: only start(), events() and probes ask.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError, reasonOf } = require('./errors.js');

/** @typedef {import('./profile/raw').NativeAddon} NativeAddon */

const ROOT = path.join(__dirname, '..');

/** One built here, else the one that came with the package. @returns {string} */
function findAddon() {
  // @ts-ignore it has no types
  return require('node-gyp-build').path(ROOT);
}

/**
 * Why this machine cannot be profiled at all; '' where it can.
 * @param {string} platform
 * @param {string} arch
 */
function platformProblem(platform, arch) {
  if (platform === 'linux' && arch === 'x64') return '';
  return (
    `rspack-prof records on Linux x64 and this is ${platform} ${arch}: ` +
    'record on a Linux x64 machine (a container or CI will do); reports of a written profile work here'
  );
}

/**
 * Runtimes that load node's addons without being node: neither V8's code nor libuv's loop is in them.
 * @param {Record<string, string | undefined>} versions
 */
function runtimeProblem(versions) {
  const other = ['bun', 'deno'].find((name) => versions[name] !== undefined);
  if (other === undefined) return '';
  return (
    `rspack-prof records in node and this is ${other} ${versions[other]}: run the build with node ` +
    '(without --bun); reports of a written profile work here'
  );
}

/** Where this is there, programs may be linked with musl: it is asked before anything is loaded. */
const MUSL_LOADER = '/lib/ld-musl-x86_64.so.1';
const MUSL_PROBLEM =
  'rspack-prof records on Linux x64 with glibc and this node is linked with musl (Alpine): record with ' +
  'a node for glibc (image node:22-slim in place of node:22-alpine); reports of a written profile work here';

/** @type {boolean | undefined} */
let musl;

/** Alpine's node and its like: the report's header names glibc's version where node is linked with it. */
function isMusl() {
  if (musl !== undefined) return musl;
  // Or it may look up the names of this process's connections, for seconds.
  Object.assign(/** @type {object} */ (process.report), { excludeNetwork: true });
  const report = /** @type {any} */ (process.report.getReport());
  musl = process.platform === 'linux' && !report.header.glibcVersionRuntime;
  return musl;
}

/**
 * Why nothing of ours that is compiled runs here; '' where it does.
 * @param {string} [platform]
 * @param {string} [arch]
 */
function machineProblem(platform = process.platform, arch = process.arch) {
  const problem = platformProblem(platform, arch);
  if (problem !== '') return problem;
  // glibc's addon may load all the same, by a layer that has glibc's names (gcompat), and would not find
  // its thread-local storage as it expects it.
  return fs.existsSync(MUSL_LOADER) && isMusl() ? MUSL_PROBLEM : '';
}

/** node has one error for both. @param {unknown} permission process.permission: of node's permission model */
const addonsRefused = (permission) =>
  permission
    ? "node's permission model refuses addons and the profiler is one: give --allow-addons beside " +
      '--permission, and --allow-fs-write for where the profile goes'
    : 'node runs with --no-addons and the profiler is an addon: leave that flag out, also of NODE_OPTIONS';

/** @param {unknown} cause @returns {ProfError} */
const muslProblem = (cause) =>
  new ProfError('ERR_PROF_UNSUPPORTED_PLATFORM', MUSL_PROBLEM, { cause });

/**
 * @param {{platform?: string, arch?: string, versions?: NodeJS.ProcessVersions | Record<string, string>,
 *   find?: () => string, load?: (file: string) => unknown, permission?: unknown}} [world] what to believe about this machine; tests
 *   invent it
 * @returns {NativeAddon}
 */
function loadNative(world = {}) {
  const { platform = process.platform, arch = process.arch, versions = process.versions } = world;
  const { find = findAddon, load = require } = world;
  const { permission = /** @type {any} */ (process).permission } = world;
  const problem = runtimeProblem(versions) || machineProblem(platform, arch);
  if (problem !== '') throw new ProfError('ERR_PROF_UNSUPPORTED_PLATFORM', problem);

  let file;
  try {
    file = find();
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'MODULE_NOT_FOUND') {
      throw new ProfError(
        'ERR_PROF_UNSUPPORTED_PLATFORM',
        'node-gyp-build, which finds the addon, is not installed: run `npm install`',
        { cause: error },
      );
    }
    if (isMusl()) throw muslProblem(error);
    throw new ProfError(
      'ERR_PROF_UNSUPPORTED_PLATFORM',
      'the addon is not built: run `npm rebuild rspack-prof`, which needs a C compiler and make',
      { cause: error },
    );
  }
  try {
    return /** @type {NativeAddon} */ (load(file));
  } catch (error) {
    const reason = reasonOf(error);
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ERR_DLOPEN_DISABLED') {
      throw new ProfError('ERR_PROF_UNSUPPORTED_PLATFORM', addonsRefused(permission), {
        cause: error,
      });
    }
    if (isMusl()) throw muslProblem(error);
    throw new ProfError(
      'ERR_PROF_UNSUPPORTED_PLATFORM',
      `${file} cannot be loaded (${reason}): run \`npm rebuild rspack-prof\``,
      { cause: error },
    );
  }
}

module.exports = { findAddon, loadNative, machineProblem };
