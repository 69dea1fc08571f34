'use strict';
// In which order the runs are made, and after how many the figures are looked at. Pure.

/**
 * Pairs of runs after which `auto` looks at its figures, and the doubt that each look may use up. Whoever
 * looks often and stops at what pleases is wrong more often than one look is; but never more often than
 * the doubts' sum (Boole's inequality), whatever the looks have in common: 0.05, so the interval of the look
 * at which it stopped still holds the truth in at least 19 of 20. Early looks get little: they are for what
 * is obvious at once. The look that turns out to be the last takes all that is left (doubtLeft): which one
 * that is depends on how long the runs take, which says nothing of the difference between the sides.
 */
const LOOKS = [
  { pairs: 3, doubt: 0.0005 },
  { pairs: 6, doubt: 0.001 },
  { pairs: 10, doubt: 0.002 },
  { pairs: 16, doubt: 0.003 },
  { pairs: 24, doubt: 0.0035 },
  { pairs: 36, doubt: 0.004 },
  { pairs: 54, doubt: 0.005 },
  { pairs: 80, doubt: 0.005 },
  { pairs: 120, doubt: 0.005 },
  { pairs: 180, doubt: 0.005 },
  { pairs: 270, doubt: 0.005 },
  { pairs: 400, doubt: 0.011 },
];
const DOUBT = 0.05;

/** So many pairs are made for a build of any length; */
const PATIENT_PAIRS = 54;
/** and more only as long as all timed runs together stay below this: where builds are short. */
const PATIENCE_MS = 300_000;

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
 * How many pairs there can be in all, as far as those until now tell.
 * @param {Look[]} looks
 * @param {{ pairs: number, elapsedMs: number, mostMs?: number }} so far; mostMs: what the user allows
 */
function reachablePairs(looks, { pairs, elapsedMs, mostMs }) {
  const most = looks[looks.length - 1].pairs;
  const inTime = elapsedMs > 0 ? (pairs * (mostMs ?? PATIENCE_MS)) / elapsedMs : most;
  return Math.min(most, Math.max(mostMs === undefined ? PATIENT_PAIRS : pairs, inTime));
}

/**
 * What those looks have left of the doubt.
 * @param {{ confidence: number }[]} judgements
 */
const doubtLeft = (judgements) =>
  judgements.reduce((left, { confidence }) => left - (1 - confidence), DOUBT);

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

module.exports = { DOUBT, LOOKS, doubtLeft, looksFor, orderOfRuns, reachablePairs };
