'use strict';
// A known amount of work, with spinMs() of CPU time on top: node bench/truth/spin.js ROUNDS. A tenth
// of a second for 500 or so.
// The loop is a function that is called often: one long loop at the top is sometimes never optimised by
// V8 while it runs, and takes four times as long then.

/** @param {number} value */
function round(value) {
  let next = value;
  for (let i = 0; i < 1000; i++) next = (Math.imul(next, 31) + i) | 0;
  return next;
}

/**
 * Burns the CPU time that the environment asks for: TRUTH_SPIN_MS.
 */
function spin() {
  const wantedUs = Number(process.env.TRUTH_SPIN_MS ?? 0) * 1000;
  const start = process.cpuUsage();
  const spentUs = () => {
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  while (spentUs() < wantedUs);
}

if (require.main === module) {
  let value = 0;
  for (let i = 0; i < Number(process.argv[2]) * 100; i++) value = round(value);
  if (value === 1) console.log('it is used');
  spin();
}

module.exports = { spin };
