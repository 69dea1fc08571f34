'use strict';
// The thread that writes progress.js's line; the words of the state are named there.

const fs = require('node:fs');
const { workerData } = require('node:worker_threads');

const STOP = 0;
const BUSY = 1;
const SHOWN = 2;
const FIRST_MS = 1000;
const NEXT_MS = 200;

/** @param {{ state: Int32Array, label: string }} shared */
function show({ state, label }) {
  const began = Date.now();
  let wait = FIRST_MS;
  while (Atomics.wait(state, STOP, 0, wait) === 'timed-out') {
    Atomics.store(state, BUSY, 1);
    if (Atomics.load(state, STOP) === 0) {
      Atomics.store(state, SHOWN, 1);
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      try {
        fs.writeSync(2, `\r${label} .. ${seconds} s\u001b[K`);
      } catch {
        // A terminal that takes nothing just now: the next one may come through.
      }
    }
    Atomics.store(state, BUSY, 0);
    Atomics.notify(state, BUSY);
    wait = NEXT_MS;
  }
}

show(workerData);
