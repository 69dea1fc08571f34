'use strict';
// The timed runs: warm-up, then pairs in ABBA blocks until the looks of plan.js have decided, or nothing
// will. Knows no processes: `run` makes a run, so that tests make up thousands of them in a second.

const { isHopeless, judge } = require('./decide.js');
const { doubtLeft, orderOfRuns, reachablePairs } = require('./plan.js');

/** @typedef {import('./plan').SideName} SideName */
/** @typedef {import('./plan').Look} Look */
/** @typedef {import('./decide').Judgement} Judgement */
/** @typedef {'wall' | 'cpu' | 'instructions'} Metric */

/**
 * @typedef {object} Run
 * @property {SideName} side
 * @property {number} order 0 is the first timed run of both sides
 * @property {number} startMs since the first of them
 * @property {number} wallMs
 * @property {number} userMs
 * @property {number} sysMs
 * @property {number | null} instructions
 * @property {number} peakBytes
 * @property {number} majorFaults
 * @property {number} left
 * @property {number | null} othersCpus CPUs that other work kept busy meanwhile
 * @property {number | null} stolenCpus the same of the host's other guests
 *
 * @typedef {Omit<Run, 'side' | 'order' | 'startMs'>} Measured
 *
 * @typedef {object} Plan
 * @property {Look[]} looks
 * @property {number} warmup runs of each side before
 * @property {number} margin 0.02: two per cent are no difference
 * @property {Metric} metric that decides
 * @property {number} [mostMs] after so long no further pair begins
 *
 * @typedef {object} Outcome
 * @property {Run[]} runs in the order in which they were made
 * @property {'decided' | 'planned' | 'most' | 'hopeless' | 'time' | 'aborted' | 'failed'} stopped
 * @property {Judgement[]} judgements one for each look
 * @property {unknown} [failure] what a run threw
 */

/** @type {Record<Metric | 'user' | 'sys' | 'memory', (run: Measured) => number | null>} */
const VALUES = {
  wall: ({ wallMs }) => wallMs,
  cpu: ({ userMs, sysMs }) => userMs + sysMs,
  instructions: ({ instructions }) => instructions,
  user: ({ userMs }) => userMs,
  sys: ({ sysMs }) => sysMs,
  memory: ({ peakBytes }) => peakBytes,
};

/**
 * Logarithms of candidate by base, pair by pair; null where a run has no such figure, or 0 of it.
 * @param {Run[]} runs
 * @param {keyof typeof VALUES} metric
 * @returns {number[] | null}
 */
function pairLogs(runs, metric) {
  /** @type {number[]} */
  const logs = [];
  for (let at = 0; at + 1 < runs.length; at += 2) {
    const pair = [runs[at], runs[at + 1]];
    const [base, candidate] = ['base', 'candidate'].map((side) => {
      const run = pair.find((one) => one.side === side);
      return run ? VALUES[metric](run) : null;
    });
    if (!base || !candidate) return null;
    logs.push(Math.log(candidate / base));
  }
  return logs;
}

/**
 * @param {Plan} plan
 * @param {object} how
 * @param {(side: SideName, what: { warmup: boolean }) => Promise<Measured | null>} how.run null: aborted
 * @param {() => number} [how.random]
 * @param {() => number} [how.now] ms
 * @param {(event: { runs: Run[], warmups: number, judgement: Judgement | null }) => void} [how.tell]
 * @returns {Promise<Outcome>}
 */
async function timeRuns(plan, { run, random = Math.random, now = Date.now, tell = () => {} }) {
  /** @type {Outcome} */
  const outcome = { runs: [], stopped: 'planned', judgements: [] };
  const { runs, judgements } = outcome;
  const { looks, margin, metric } = plan;
  const order = orderOfRuns(random);
  let look = 0;
  try {
    for (let warmups = 0; warmups < 2 * plan.warmup; warmups++) {
      tell({ runs, warmups, judgement: null });
      const side = warmups % 2 === 0 ? 'base' : 'candidate';
      if (!(await run(side, { warmup: true }))) return { ...outcome, stopped: 'aborted' };
    }
    const began = now();
    for (;;) {
      tell({ runs, warmups: 2 * plan.warmup, judgement: judgements.at(-1) ?? null });
      const side = order.next().value;
      const startMs = now() - began;
      const measured = await run(side, { warmup: false });
      if (!measured) return { ...outcome, stopped: 'aborted' };
      runs.push({ side, order: runs.length, startMs, ...measured });
      if (runs.length % 2 === 1) continue;
      const pairs = runs.length / 2;
      const elapsedMs = now() - began;
      const isLate = plan.mostMs !== undefined && elapsedMs >= plan.mostMs;
      if (pairs < looks[look].pairs && !isLate) continue;
      const logs = pairLogs(runs, metric);
      if (!logs) return { ...outcome, stopped: 'planned' };
      const lastPairs = reachablePairs(looks, { pairs, elapsedMs, mostMs: plan.mostMs });
      const next = looks[look + 1];
      // A limit of the user's is used up: until then it may still come to the next look.
      const isMost = !next || (plan.mostMs === undefined && next.pairs > lastPairs);
      const lastDoubt = doubtLeft(judgements);
      const doubt = isMost || isLate ? lastDoubt : looks[look].doubt;
      const judgement = judge(logs, { doubt, margin });
      judgements.push(judgement);
      if (looks.length === 1 && isMost && !isLate) return outcome;
      if (judgement.finding !== 'unclear') return { ...outcome, stopped: 'decided' };
      if (isLate) return { ...outcome, stopped: 'time' };
      if (isMost) return { ...outcome, stopped: 'most' };
      const rule = { margin, lastPairs, lastDoubt: doubtLeft(judgements) };
      if (isHopeless(judgement, rule)) return { ...outcome, stopped: 'hopeless' };
      look++;
    }
  } catch (failure) {
    return { ...outcome, stopped: 'failed', failure };
  }
}

module.exports = { VALUES, pairLogs, timeRuns };
