'use strict';
// RspackProfPlugin: in a configuration's `plugins` it records the build and marks its phases. Where the
// process is recorded already (start(), `rspack-prof record`, another configuration's plugin) it only
// marks. It wraps nothing: phases/taps.js says what it taps.

const { isMainThread } = require('node:worker_threads');
const { checkStartOptions } = require('./options.js');
const { writeStderr } = require('./output.js');
const { processPhases } = require('./phases/recorder.js');
const { followCompiler } = require('./phases/taps.js');
const profiler = require('./profiler.js');

/** What is wrong with the machine or its settings, and not with the configuration. */
const MACHINE = new Set([
  'ERR_PROF_PERMISSION',
  'ERR_PROF_UNSUPPORTED_PLATFORM',
  'ERR_PROF_NO_PMU',
  'ERR_PROF_TOO_MANY_FILES',
  'ERR_PROF_MEMORY_LOCK',
]);

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
    if (profiler.status().running) return;
    try {
      profiler.start(this.#options);
    } catch (error) {
      if (!MACHINE.has(/** @type {any} */ (error).code)) throw error;
      // The configuration is everybody's: on a machine that cannot record it still builds.
      writeStderr(`rspack-prof: not recorded: ${/** @type {Error} */ (error).message}\n`);
    }
  }
}

module.exports = { RspackProfPlugin };
