'use strict';
// Worker threads are sampled by the main thread's session, but only their own isolate can tell the
// names of its code: whoever loads the package in a worker has them told, at once and at the begin of
// each recording from outside (lib/attach).

const { isMainThread } = require('node:worker_threads');
const { loadNative } = require('./native.js');

function attachIsolate() {
  try {
    loadNative().attachIsolate?.();
  } catch {
    // No addon for this machine, or not built: start() says so to whoever wants to record.
  }
}

let isWaiting = false;

/** Does nothing in the main thread, where no session runs, or where there is no addon. */
function nameThisThread() {
  if (isMainThread) return;
  attachIsolate();
  if (isWaiting) return;
  isWaiting = true;
  require('./attach/workers.js').onWake(attachIsolate);
}

module.exports = { nameThisThread };
