'use strict';
// RspackProfPlugin: in a configuration's `plugins` it records the build and marks its phases. Where the
// process is recorded already (start(), `rspack-prof record`, another configuration's plugin) it only
// marks. It wraps nothing: phases/taps.js says what it taps.

const { isMainThread } = require('node:worker_threads');
const { checkStartOptions } = require('./options.js');
const { processPhases } = require('./phases/recorder.js');
const { followCompiler } = require('./phases/taps.js');
const profiler = require('./profiler.js');

class RspackProfPlugin {
  #options;

  /** @param {import('./index').StartOptions} [options] those of start() */
  constructor(options) {
    checkStartOptions(options); // a wrong one is an error where it was written
    this.#options = options;
  }

  /** @param {any} compiler one, or a MultiCompiler */
  apply(compiler) {
    if (Array.isArray(compiler.compilers)) {
      for (const one of compiler.compilers) this.apply(one);
      return;
    }
    // A child is part of its parent's build; a worker's build is recorded by the main thread, whose
    // clock its phases do not reach.
    if (!isMainThread || (compiler.root !== undefined && compiler.root !== compiler)) return;
    followCompiler(compiler, processPhases());
    if (!profiler.status().running) profiler.start(this.#options);
  }
}

module.exports = { RspackProfPlugin };
