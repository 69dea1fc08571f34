'use strict';
// Finds and loads the addon. `require('rspack-prof')` itself never loads it, so that a config which
// requires the package still works where the addon cannot: only start(), events() and probes ask.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('./errors.js');

/** @typedef {import('./profile/raw').NativeAddon} NativeAddon */

const ROOT = path.join(__dirname, '..');

/**
 * Where the addon may be, best first: one built here, then one that came with the package.
 * @param {string} platform
 * @param {string} arch
 */
function candidates(platform, arch) {
  return [
    path.join(ROOT, 'build', 'Release', 'rspack_prof.node'),
    path.join(ROOT, 'prebuilds', `${platform}-${arch}`, 'rspack_prof.node'),
  ];
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
 * @param {{platform?: string, arch?: string, files?: string[], load?: (file: string) => unknown}} [world]
 *   what to believe about this machine; tests invent it
 * @returns {NativeAddon}
 */
function loadNative(world = {}) {
  const { platform = process.platform, arch = process.arch } = world;
  const { files = candidates(platform, arch), load = require } = world;
  const problem = platformProblem(platform, arch);
  if (problem !== '') throw new ProfError('ERR_PROF_UNSUPPORTED_PLATFORM', problem);

  const file = files.find((candidate) => fs.existsSync(candidate));
  if (file === undefined) {
    throw new ProfError(
      'ERR_PROF_UNSUPPORTED_PLATFORM',
      `the addon is not built (looked for ${files[0]}): run \`npm rebuild rspack-prof\`, ` +
        'which needs a C compiler and make',
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
    throw new ProfError(
      'ERR_PROF_UNSUPPORTED_PLATFORM',
      `${file} cannot be loaded (${reason}): run \`npm rebuild rspack-prof\``,
      { cause: error },
    );
  }
}

module.exports = { loadNative, platformProblem, candidates };
