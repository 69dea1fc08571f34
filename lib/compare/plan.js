'use strict';
// In which order the runs are made, and after how many the figures are looked at. Pure.

/**
 * Pairs of runs after which `auto` looks at its figures, and the doubt that each look may use up. Whoever
 * looks often and stops at what pleases is wrong more often than one look is; but never more often than
 * the doubts' sum (Boole's inequality), whatever the looks have in common: 0.05, so the interval of the look
 * at which it stopped still holds the truth in at least 19 of 20. Early looks get little: they are for what
 * is obvious at once.
 */
const LOOKS = [
  { pairs: 3, doubt: 0.0005 },
  { pairs: 6, doubt: 0.0015 },
  { pairs: 10, doubt: 0.004 },
  { pairs: 16, doubt: 0.006 },
  { pairs: 24, doubt: 0.008 },
  { pairs: 36, doubt: 0.01 },
  { pairs: 54, doubt: 0.02 },
];
const DOUBT = 0.05;

/** @typedef {{ pairs: number, doubt: number }} Look */
/** @typedef {'base' | 'candidate'} SideName */

/**
 * @param {number | 'auto'} runs of each side
 * @returns {Look[]}
 */
function looksFor(runs) {
  return runs === 'auto' ? LOOKS : [{ pairs: runs, doubt: DOUBT }];
}

/**
 * Sides in the order of their runs, endlessly: blocks ABBA or BAAB, which a machine that grows slower
 * at a steady rate treats alike. A coin for each block: what comes around with the blocks' rhythm, or with
 * the first run after a pause, is on either side as often.
 * @param {() => number} random 0 to 1
 * @returns {Generator<SideName, never>}
 */
function* orderOfRuns(random) {
  for (;;) {
    /** @type {[SideName, SideName]} */
    const [first, second] = random() < 0.5 ? ['base', 'candidate'] : ['candidate', 'base'];
    yield* [first, second, second, first];
  }
}

module.exports = { DOUBT, LOOKS, looksFor, orderOfRuns };
