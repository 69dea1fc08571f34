'use strict';
// rspack build -c bench/truth/slower.config.js: the case in the folder TRUTH_CASE, with a plugin whose hook
// spins for TRUTH_SPIN_MS on node's main thread while the rest of the build waits for it.

const path = require('node:path');
const { spin } = require('./spin.js');

class SpinPlugin {
  /** @param {{ hooks: { compile: { tap: (name: string, run: () => void) => void } } }} compiler */
  apply(compiler) {
    compiler.hooks.compile.tap('SpinPlugin', spin);
  }
}

const folder = /** @type {string} */ (process.env.TRUTH_CASE);
const config = require(path.join(folder, 'build.config.js'));
module.exports = { ...config, plugins: [...(config.plugins ?? []), new SpinPlugin()] };
