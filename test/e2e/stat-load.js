'use strict';
// A load whose counts are known: CPU time, page faults by the ten thousand, switches by the thousand.
// A MiB of fresh memory is 256 faults; a wait of no length is two switches at most, one at least.

const [megabytes, waits, spins] = process.argv.slice(2).map(Number);
const lock = new Int32Array(new SharedArrayBuffer(4));
let sum = 0;
for (let i = 0; i < megabytes / 64; i++) {
  const fresh = Buffer.allocUnsafeSlow(64 << 20);
  for (let at = 0; at < fresh.length; at += 4096) fresh[at] = 1;
  sum += fresh[4096];
}
for (let i = 0; i < waits; i++) Atomics.wait(lock, 0, 0, 0.05);
for (let i = 0; i < spins * 1e6; i++) sum = (sum * 31 + i) | 0;
process.exitCode = sum === 0.5 ? 1 : 0;
