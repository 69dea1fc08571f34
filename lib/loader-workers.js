'use strict';
// Names the JavaScript of loaders with `parallel: true`. They run in worker threads of a pool that
// @rspack/core brings along, and only an isolate's own thread can have its code named. So while a session
// runs, a worker that is made of that pool's file begins with a file of ours (worker-entry.js), which
// goes on with the pool's. Any other worker is made as it was asked for.
// Checked with rspack 2.2.7, whose pool is tinypool and takes `Worker` from node:worker_threads.

const Module = require('node:module');
const path = require('node:path');
const workerThreads = require('node:worker_threads');

const POOL = /[\\/]@rspack[\\/]core[\\/]compiled[\\/]tinypool[\\/]dist[\\/]entry[\\/]worker\.js$/;
const ENTRY = path.join(__dirname, 'worker-entry.js');

/** @returns {() => void} ends it; workers that run go on */
function nameLoaderWorkers() {
  const { Worker } = workerThreads;
  // A Proxy: whoever asks for `instanceof Worker` is told the same as ever.
  /** @type {typeof Worker} */
  const watched = new Proxy(Worker, {
    construct(target, [file, options, ...rest], newTarget) {
      const isPool = typeof file === 'string' && POOL.test(file);
      const given = isPool
        ? [ENTRY, { ...options, argv: [...(options?.argv ?? []), file] }, ...rest]
        : [file, options, ...rest];
      return Reflect.construct(target, given, newTarget === watched ? target : newTarget);
    },
  });
  const set = (/** @type {typeof Worker} */ own) => {
    workerThreads.Worker = own;
    // ES modules have a copy of their own, and the pool is one.
    Module.syncBuiltinESMExports();
  };
  set(watched);
  return () => {
    // What somebody else has put there meanwhile stays.
    if (workerThreads.Worker === watched) set(Worker);
  };
}

module.exports = { nameLoaderWorkers };
