'use strict';
// Signals that a command of ours listens to while it works.

/** What ends a command at a terminal, by kill, and with its terminal. */
const ENDING = Object.freeze(/** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']));

/**
 * @param {readonly NodeJS.Signals[]} signals
 * @param {(signal: NodeJS.Signals) => void} listener
 * @returns {() => void} takes it off again
 */
function listen(signals, listener) {
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.removeListener(signal, listener);
  };
}

module.exports = { ENDING, listen };
