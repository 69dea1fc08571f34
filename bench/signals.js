'use strict';
// How signals and ring records belong together: a load of user code and system calls, sampled at
// several rates. Prints for each rate how many records the rings held, how many signals came, and
// in which buckets the samples ended. docs/decisions/001 rests on it.
//   node bench/signals.js [--seconds N]

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const prof = require('../lib/index.js');

/** @param {number} ms */
function userWork(ms) {
  const end = Date.now() + ms;
  let sum = 0;
  while (Date.now() < end) for (let i = 0; i < 1e5; i += 1) sum += Math.sqrt(i);
  return sum;
}

/** @param {number} ms */
function systemCalls(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end) fs.readFileSync('/proc/self/stat');
}

async function main() {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
  const part = Number(values.seconds) * 500;
  console.log('    Hz  samples  signals  kernel  complete  broken  in handler  handler us  CPU');
  for (const frequency of [500, 1000, 2000, 4000, 8000]) {
    const session = prof.start({ frequency });
    userWork(part);
    systemCalls(part);
    const { raw, quality } = /** @type {import('../lib/profile/profile').Profile} */ (
      await session.stop()
    );
    const { signals = 0, inHandler, cost } = raw.quality;
    const kernel = raw.samples.flags.filter((flags) => flags & 2).length;
    const share = (cost.handlerMs + cost.cpuMs) / (part * 2);
    console.log(
      [
        String(raw.meta.frequency).padStart(6),
        String(quality.samples).padStart(8),
        String(signals).padStart(8),
        String(kernel).padStart(7),
        `${(quality.completeShare * 100).toFixed(2)} %`.padStart(9),
        String(quality.broken).padStart(7),
        String(inHandler).padStart(11),
        ((cost.handlerMs * 1000) / signals).toFixed(2).padStart(11),
        `${(share * 100).toFixed(1)} %`.padStart(6),
      ].join(' '),
    );
  }
}

main();
