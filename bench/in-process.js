'use strict';
// One build of a generated case in this very process, by rspack's JavaScript interface.

const path = require('node:path');

/**
 * @param {string} folder of the case
 * @returns {Promise<import('@rspack/core').Compiler | import('@rspack/core').MultiCompiler>} closed
 * @throws where the build failed
 */
async function buildHere(folder) {
  const { rspack } = await import('@rspack/core');
  const compiler = rspack(require(path.join(folder, 'build.config.js')));
  await new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error || stats?.hasErrors()) reject(error ?? new Error(stats?.toString({})));
      else compiler.close(() => resolve(null));
    });
  });
  return compiler;
}

module.exports = { buildHere };
