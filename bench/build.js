'use strict';
// How a case is built: which rspack, which binding, which environment. Shared by the demo, the
// benchmark and the end-to-end tests. Nothing is run here.

const fs = require('node:fs');
const path = require('node:path');
const { CaseError, generate } = require('./workloads/generate.js');

const DEBUG_PACKAGE = '@rspack-debug/binding-linux-x64-gnu';

/** @param {string} name of an installed package */
function packageOf(name) {
  const file = require.resolve(`${name}/package.json`);
  return { folder: path.dirname(file), ...JSON.parse(fs.readFileSync(file, 'utf8')) };
}

/**
 * The file for RSPACK_BINDING, or null where @rspack/core is to load its own release binding.
 * @param {string} binding 'release', 'debug' (the same version with symbols) or a .node file
 * @returns {string | null}
 */
function bindingFile(binding) {
  if (binding === 'release') return null;
  if (binding !== 'debug') {
    const file = path.resolve(binding);
    if (!fs.existsSync(file))
      throw new CaseError(`no binding '${binding}': debug, release or a file`);
    return file;
  }
  const debug = packageOf(DEBUG_PACKAGE);
  const core = packageOf('@rspack/core');
  if (debug.version !== core.version) {
    // Rspack itself ends in "Cannot read properties of undefined" then.
    throw new CaseError(
      `${DEBUG_PACKAGE} is ${debug.version} and @rspack/core is ${core.version}: ` +
        'they must be of one version, run `npm ci`',
    );
  }
  return path.join(debug.folder, debug.main);
}

/**
 * This process's, with the binding that is asked for.
 * @param {string} binding as of bindingFile()
 * @returns {NodeJS.ProcessEnv}
 */
function environment(binding) {
  const env = { ...process.env };
  const file = bindingFile(binding);
  delete env.RSPACK_BINDING;
  if (file) env.RSPACK_BINDING = file;
  return env;
}

/**
 * @typedef {object} Build
 * @property {string} command
 * @property {string[]} args
 * @property {NodeJS.ProcessEnv} env
 * @property {string} folder the case's; the build may be started anywhere
 */

/**
 * A `rspack build` of a case, which is generated if it is not there.
 * @param {string} name
 * @param {{ binding?: string, prof?: object | null, nodeFlags?: string[], config?: string }} options
 *   prof: the profiler's options, null or absent for a build without it
 * @returns {Build}
 */
function prepareBuild(name, options = {}) {
  const { binding = 'debug', prof = null, nodeFlags = [], config = 'rspack.config.js' } = options;
  const { folder } = generate(name);
  const rspack = path.join(packageOf('@rspack/cli').folder, 'bin', 'rspack.js');
  const env = environment(binding);
  delete env.CASE_PROF;
  if (prof) env.CASE_PROF = JSON.stringify(prof);
  return {
    command: process.execPath,
    args: [...nodeFlags, rspack, 'build', '-c', path.join(folder, config)],
    env,
    folder,
  };
}

module.exports = { bindingFile, environment, prepareBuild };
