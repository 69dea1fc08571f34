'use strict';
// What profileBuild() is given, as a function that runs one build: a config file, a config, a compiler,
// or a function. rspack is the one that the user's folder has.

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { ProfError } = require('../errors.js');
const { hostRequire } = require('./host.js');
const { localize } = require('./localize.js');

/** @typedef {() => Promise<unknown>} Build one run of it */
/** @typedef {{run: (done: (error: unknown, stats: any) => void) => void,
 *    close?: (done: (error: unknown) => void) => void}} Compiler */
/** @typedef {{cwd: string, mode?: string}} Context */

const TYPESCRIPT = /\.[cm]?ts$/;

/** @param {string} message @param {unknown} [cause] */
const refused = (message, cause) => new ProfError('ERR_PROF_BAD_OPTION', message, { cause });
/** @param {string} message @param {unknown} [cause] */
const failed = (message, cause) => new ProfError('ERR_PROF_SYSTEM', message, { cause });
/** @param {unknown} error */
const reasonOf = (error) =>
  /** @type {{message?: string}} */ (error)?.message?.trim().replace(/\s*\n[^]*/, '') ??
  String(error);

/**
 * @param {string} cwd
 * @returns {(config: unknown) => Compiler}
 */
function loadRspack(cwd) {
  let found;
  try {
    found = hostRequire(path.join(cwd, 'package.json'))('@rspack/core');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    const advice =
      code === 'MODULE_NOT_FOUND'
        ? `there is no @rspack/core for ${cwd}: install it, or say where with the option 'cwd'`
        : `@rspack/core cannot be loaded for ${cwd}: ${reasonOf(error)}`;
    throw refused(`profileBuild(): ${advice}`, error);
  }
  const rspack = found.rspack ?? found.default ?? found;
  if (typeof rspack === 'function') return rspack;
  throw refused(`profileBuild(): @rspack/core of ${cwd} has no function rspack()`);
}

/**
 * @param {string} name
 * @param {Context} context
 * @returns {Promise<unknown>}
 */
async function loadConfigFile(name, { cwd, mode }) {
  const file = path.resolve(cwd, name);
  if (!fs.existsSync(file)) throw refused(`profileBuild(): there is no config ${file}`);
  let exported;
  try {
    exported = await loadOutside(file);
  } catch (error) {
    const { typescript } = /** @type {{typescript?: string | false}} */ (process.features);
    const why =
      TYPESCRIPT.test(file) && !typescript
        ? `node ${process.version} reads no TypeScript, 22.18 does: give the config itself, or a function`
        : reasonOf(error);
    throw refused(`profileBuild(): ${file} cannot be loaded: ${why}`, error);
  }
  const config = exported?.default ?? exported;
  return typeof config === 'function' ? config({}, { mode }) : config;
}

/**
 * By require(), which loads ES modules too (node 20.19, as rspack wants), because import() may be missing in a
 * sandbox.
 * @param {string} file
 */
async function loadOutside(file) {
  try {
    return hostRequire(file)(file);
  } catch (error) {
    // A top-level await, or an older node.
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? '';
    if (!/^ERR_REQUIRE_(ESM|ASYNC_MODULE)$/.test(code)) throw error;
    return import(pathToFileURL(file).href);
  }
}

/** @param {any} value @returns {value is Compiler} */
const isCompiler = (value) =>
  typeof value === 'object' &&
  value !== null &&
  typeof value.run === 'function' &&
  'hooks' in value;

/**
 * One build; errors of the build are errors, as a broken build's profile is of something else.
 * @param {Compiler} compiler
 * @returns {Promise<any>} its stats
 */
async function runCompiler(compiler) {
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  }).catch((error) => {
    throw failed(`the build failed: ${reasonOf(error)}`, error);
  });
  if (stats?.hasErrors?.()) {
    const { errors = [] } = stats.toJson({ all: false, errors: true, children: true });
    const all =
      errors.length > 0
        ? errors
        : (stats.stats ?? []).flatMap(
            (/** @type {any} */ one) => one.toJson({ all: false, errors: true }).errors,
          );
    const more = all.length > 1 ? ` (and ${all.length - 1} more errors)` : '';
    const whole = new Error(all.map((/** @type {any} */ one) => one.message).join('\n'));
    throw failed(`the build has errors: ${reasonOf(all[0])}${more}`, whole);
  }
  return stats;
}

/** @param {Compiler} compiler */
const closeCompiler = (compiler) =>
  new Promise((resolve, reject) => {
    if (!compiler.close) resolve(undefined);
    else compiler.close((error) => (error ? reject(error) : resolve(undefined)));
  });

/**
 * @param {(config: any) => Compiler} rspack
 * @param {unknown} config
 */
async function buildOnce(rspack, config) {
  let compiler;
  try {
    compiler = rspack(localize(await config));
  } catch (error) {
    throw refused(`rspack does not take this config: ${reasonOf(error)}`, error);
  }
  try {
    return await runCompiler(compiler);
  } finally {
    await closeCompiler(compiler);
  }
}

/**
 * @param {unknown} what
 * @param {Context} context
 * @returns {Build}
 */
function buildOf(what, context) {
  const { cwd } = context;
  if (isCompiler(what)) return () => runCompiler(what);
  /** @type {((config: any) => Compiler) | undefined} */
  let rspack;
  const rspackHere = () => (rspack ??= loadRspack(cwd));
  if (typeof what === 'string') {
    // Anew for each run: plugins keep state.
    return async () => buildOnce(rspackHere(), await loadConfigFile(what, context));
  }
  if (typeof what === 'function') {
    const tools = {
      get rspack() {
        return rspackHere();
      },
    };
    return async () => {
      const made = await what(tools);
      if (isCompiler(made)) {
        try {
          return await runCompiler(made);
        } finally {
          await closeCompiler(made);
        }
      }
      // Nothing, or a result of its own: the function was the build.
      return isConfig(made) ? buildOnce(rspackHere(), made) : made;
    };
  }
  if (isConfig(what)) return () => buildOnce(rspackHere(), what);
  throw refused(
    'profileBuild() takes a config file, a config, a compiler or a function that builds, not ' +
      String(what),
  );
}

/** @param {any} value */
const isConfig = (value) =>
  (Array.isArray(value) && value.length > 0 && value.every((one) => isConfigObject(one))) ||
  isConfigObject(value);

/** @param {any} value what a function gave may be anything, its stats for one */
const isConfigObject = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  ('entry' in value || 'plugins' in value || 'module' in value || 'output' in value);

module.exports = { buildOf };
