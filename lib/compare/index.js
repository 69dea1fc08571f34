'use strict';
// prof.compare(): a whole comparison for programs. The command line (lib/cli/compare.js) does the same.

const { ProfError } = require('../errors.js');

/** @typedef {import('../types/compare').CompareOptions} Options */

/** @param {Options} options whose types no rule tells */
function checkObjects({ env, signal, onProgress }) {
  const refused = (/** @type {string} */ message) => new ProfError('ERR_PROF_BAD_OPTION', message);
  if (env !== undefined && (typeof env !== 'object' || env === null)) {
    throw refused("option 'env' must be an object like process.env");
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw refused("option 'signal' must be an AbortSignal");
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw refused("option 'onProgress' must be a function");
  }
}

/**
 * @param {Options} [options]
 * @returns {Promise<import('../types/compare').Compared>}
 */
async function compareSides(options = {}) {
  const { planOf } = require('./options.js');
  const { OPTIONS } = require('./sides.js');
  const { env = process.env, signal = new AbortController().signal, onProgress } = options ?? {};
  checkObjects({ env, signal, onProgress });
  const plan = planOf(options, { env, cwd: process.cwd() }, OPTIONS);
  require('./run.js').findRunner();
  const compared = await require('./compare.js').compare({ ...plan, signal, tell: onProgress });
  const { result, profiles, failure } = compared;
  if (failure !== undefined) throw Object.assign(/** @type {Error} */ (failure), { result });
  return { result, profiles };
}

module.exports = { compareSides };
