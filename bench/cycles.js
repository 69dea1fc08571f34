'use strict';
// What start() and stop() leave behind: memory, descriptors, threads and mappings of the process
// after 50 cycles and at the end. Exits with 1 where the process has grown.
//   node bench/cycles.js [--cycles N]

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { loadNative } = require('../lib/native.js');

/** What the allocator keeps goes up and down by 10 MB; 20 KB a cycle would be 19 MB in 950. */
const SLACK_MB = 16;
const FIRST = 50;

/** @returns {Record<string, number>} */
function held() {
  globalThis.gc?.();
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const field = (/** @type {string} */ name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    'resident MB': field('VmRSS') / 1024,
    descriptors: fs.readdirSync('/proc/self/fd').length,
    threads: field('Threads'),
    mappings: fs.readFileSync('/proc/self/maps', 'utf8').split('\n').length,
  };
}

/** @param {number} cycles */
function run(cycles) {
  const native = loadNative();
  let samples = 0;
  for (let i = 0; i < cycles; i += 1) {
    const handle = native.start(/** @type {any} */ ({ frequency: 1000 }));
    const end = performance.now() + 3;
    while (performance.now() < end);
    samples += native.stopSync(handle).samples.timeNs.length;
  }
  return samples;
}

function main() {
  const { values } = parseArgs({ options: { cycles: { type: 'string', default: '1000' } } });
  const cycles = Math.max(FIRST, Number(values.cycles));
  let samples = run(FIRST);
  const before = held();
  samples += run(cycles - FIRST);
  const after = held();
  console.log(`${samples} samples in ${cycles} cycles of start() and stopSync()`);
  for (const [what, count] of Object.entries(before)) {
    const digits = what === 'resident MB' ? 1 : 0;
    const columns = [count, after[what]].map((value) => value.toFixed(digits).padStart(7));
    console.log(
      `${what.padEnd(12)} after ${FIRST}: ${columns[0]}   after ${cycles}: ${columns[1]}`,
    );
  }
  const grown =
    after['resident MB'] > before['resident MB'] + SLACK_MB ||
    after.descriptors > before.descriptors ||
    after.threads > before.threads;
  if (grown) process.exitCode = 1;
}

main();
