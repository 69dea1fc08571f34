'use strict';
// Finds and loads the addon. `require('rspack-prof')` itself never loads it, so that a config which
// requires the package still works where the addon cannot: only start(), events() and probes ask.

const path = require('node:path');
const { ProfError } = require('./errors.js');

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

/** Alpine's node and its like: the report's header names glibc's version where node is linked with it. */
function isMusl() {
  // Or it may look up the names of this process's connections, for seconds.
  Object.assign(/** @type {object} */ (process.report), { excludeNetwork: true });
  const report = /** @type {any} */ (process.report.getReport());
  return process.platform === 'linux' && !report.header.glibcVersionRuntime;
}

/** @param {unknown} cause @returns {ProfError} */
function muslProblem(cause) {
  return new ProfError(
    'ERR_PROF_UNSUPPORTED_PLATFORM',
    'rspack-prof records on Linux x64 with glibc and this node is linked with musl (Alpine): record with ' +
      'a node for glibc (image node:22-slim in place of node:22-alpine); reports of a written profile work here',
    { cause },
  );
}

/**
 * @param {{platform?: string, arch?: string, find?: () => string, load?: (file: string) => unknown}} [world]
 *   what to believe about this machine; tests invent it
 * @returns {NativeAddon}
 */
function loadNative(world = {}) {
  const { platform = process.platform, arch = process.arch } = world;
  const { find = findAddon, load = require } = world;
  const problem = platformProblem(platform, arch);
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
    const reason = error instanceof Error ? error.message : String(error);
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ERR_DLOPEN_DISABLED') {
      throw new ProfError(
        'ERR_PROF_UNSUPPORTED_PLATFORM',
        'node runs with --no-addons and the profiler is an addon: leave that flag out, also of NODE_OPTIONS',
        { cause: error },
      );
    }
    if (isMusl()) throw muslProblem(error);
    throw new ProfError(
      'ERR_PROF_UNSUPPORTED_PLATFORM',
      `${file} cannot be loaded (${reason}): run \`npm rebuild rspack-prof\``,
      { cause: error },
    );
  }
}

module.exports = { findAddon, loadNative, platformProblem };
