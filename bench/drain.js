'use strict';
// What the cadence of draining costs and risks: the same load recorded with several intervals.
// Prints the CPU time of the profiler's thread, what was lost or dropped, and memory.
//   node bench/drain.js [--seconds N] [--frequency HZ]

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { loadNative } = require('../lib/native.js');

/** @param {number} depth @param {number} ms @returns {number} */
function deepWork(depth, ms) {
  if (depth > 0) return deepWork(depth - 1, ms) + 1;
  const end = Date.now() + ms;
  let sum = 0;
  while (Date.now() < end) {
    for (let i = 0; i < 1e5; i += 1) sum += Math.sqrt(i);
    fs.statSync('/');
  }
  return sum;
}

function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '2' },
      frequency: { type: 'string', default: '4000' },
    },
  });
  const native = loadNative();
  const options = { frequency: Number(values.frequency) };
  // The first recording in a process pays for symbol tables that the others find in the page cache.
  for (const drainMs of [50, 5, 10, 20, 50, 100, 200, 500]) {
    const handle = native.start(/** @type {any} */ ({ ...options, drainMs }));
    deepWork(60, Number(values.seconds) * 1000);
    const { quality } = native.stopSync(handle);
    const { cost, lost, handlerDropped, samples } = quality;
    console.log(
      `every ${String(drainMs).padStart(3)} ms: ${samples} samples, ` +
        `${cost.cpuMs.toFixed(0)} ms CPU, ${(cost.peakBytes / 2 ** 20).toFixed(1)} MB, ` +
        `${lost} lost, ${handlerDropped} stacks dropped, finished in ${cost.finishMs.toFixed(0)} ms`,
    );
  }
}

main();
