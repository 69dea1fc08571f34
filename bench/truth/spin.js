'use strict';
// A known amount of work, with what spin() adds on top: node bench/truth/spin.js ROUNDS. A tenth
// of a second for 500 or so.
// The loop is a function that is called often: one long loop at the top is sometimes never optimised by
// V8 while it runs, and takes four times as long then.

/** @param {number} value */
function round(value) {
  let next = value;
  for (let i = 0; i < 1000; i++) next = (Math.imul(next, 31) + i) | 0;
  return next;
}

/** Milliseconds by the clock TRUTH_CLOCK: the wall's, or the CPU time of all the process's threads. */
const CLOCKS = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/**
 * Spins for TRUTH_SPIN_MS by the clock that is compared: other threads (V8's) run beside it, so that 6.5 ms
 * of the process's CPU time are over after 4.9 ms of wall time in a build.
 */
function spin() {
  const now = CLOCKS[process.env.TRUTH_CLOCK === 'cpu' ? 'cpu' : 'wall'];
  const end = now() + Number(process.env.TRUTH_SPIN_MS ?? 0);
  while (now() < end);
}

if (require.main === module) {
  let value = 0;
  for (let i = 0; i < Number(process.argv[2]) * 100; i++) value = round(value);
  if (value === 1) console.log('it is used');
  spin();
}

module.exports = { spin };
