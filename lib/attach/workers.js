'use strict';
// What of a process must be followed from its start for a recording that begins later: the compilers that
// are made meanwhile (their phases), and worker threads, whose JavaScript only their own thread can name:
// each waits for word that a recording began.

const { BroadcastChannel, getEnvironmentData, setEnvironmentData } = require('node:worker_threads');
const { nameLoaderWorkers } = require('../loader-workers.js');
const { watchPhases } = require('../phases/index.js');

const NAME = 'rspack-prof: a recording began';

/** In the main thread. */
function follow() {
  const phases = watchPhases();
  const leaveWorkers = nameLoaderWorkers();
  setEnvironmentData(NAME, true);
  return {
    stop() {
      setEnvironmentData(NAME, undefined);
      leaveWorkers();
      phases.stop();
    },
  };
}

/** In the main thread: tells the workers. */
function wake() {
  const channel = new BroadcastChannel(NAME);
  channel.postMessage(null);
  channel.close();
}

/**
 * In a worker: waits for it, and keeps nothing alive.
 * @param {() => void} onStart
 */
function onWake(onStart) {
  if (getEnvironmentData(NAME) !== true) return;
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = onStart;
  channel.unref();
}

module.exports = { follow, onWake, wake };
