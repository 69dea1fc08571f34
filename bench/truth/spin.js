'use strict';
// A known amount of work: node bench/truth/spin.js ROUNDS. A tenth of a second for 500 or so.
// The loop is a function that is called often: one long loop at the top is sometimes never optimised by
// V8 while it runs, and takes four times as long then.

/** @param {number} value */
function round(value) {
  let next = value;
  for (let i = 0; i < 1000; i++) next = (Math.imul(next, 31) + i) | 0;
  return next;
}

let value = 0;
for (let i = 0; i < Number(process.argv[2]) * 100; i++) value = round(value);
if (value === 1) console.log('it is used');
