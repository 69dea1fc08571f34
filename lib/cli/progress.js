'use strict';
// What a command is doing, on standard error, from the second second on: one line that is rewritten and
// is gone at the end. Only on a terminal; nothing in a pipe. Reading and converting keep this thread
// busy, so another one writes; before anything else is written the line is removed.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

/** Words of the shared state, which progress-line.js knows too: 32 bits each. */
const STOP = 0;
const BUSY = 1;
const SHOWN = 2;
const WORDS = 3;

/** @param {string} label at most what fits the narrowest terminal */
function start(label) {
  const state = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const worker = new Worker(path.join(__dirname, 'progress-line.js'), {
    workerData: { state, label },
  });
  // A command never fails for its progress, nor waits for it.
  worker.on('error', () => {});
  worker.unref();
  return {
    /** @returns {boolean} whether a line is on the terminal */
    stop() {
      if (Atomics.exchange(state, STOP, 1) === 1) return false;
      Atomics.notify(state, STOP);
      // A write under way is let through: it would come after the line's removal. 1 s at most.
      Atomics.wait(state, BUSY, 1, 1000);
      return Atomics.load(state, SHOWN) === 1;
    },
  };
}

/**
 * @template T
 * @param {string} label
 * @param {Pick<import('./main.js').World, 'stdout' | 'stderr'>} world
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
async function withProgress(label, { stdout, stderr }, work) {
  // The line goes to descriptor 2: a test's own stream is no place for it.
  if (stderr !== process.stderr || stderr.isTTY !== true || process.env.TERM === 'dumb')
    return work();
  const line = start(label);
  const streams = [stdout, stderr].filter(({ isTTY }) => isTTY === true);
  const writes = streams.map((stream) => stream.write);
  const restore = () => streams.forEach((stream, i) => (stream.write = writes[i]));
  const end = () => {
    restore();
    if (line.stop()) stderr.write('\r\u001b[K');
  };
  for (const stream of streams) {
    stream.write = /** @type {any} */ (
      (/** @type {[any]} */ ...args) => {
        end();
        return stream.write(...args);
      }
    );
  }
  try {
    return await work();
  } finally {
    end();
  }
}

module.exports = { withProgress };
