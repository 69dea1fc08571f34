'use strict';
// The figures of all runs, as a reader wants them: each metric's two medians, the ratio and its interval,
// and what is odd about the runs: outliers, a machine that grew slower, other work. Pure.

const {
  linearRegression,
  median,
  medianAbsoluteDeviation,
  sampleRankCorrelation,
} = require('simple-statistics');
const { judge } = require('./decide.js');
const { VALUES, pairLogs } = require('./measure.js');
const { doubtLeft } = require('./plan.js');

/** @typedef {import('./measure').Run} Run */
/** @typedef {import('./measure').Outcome} Outcome */
/** @typedef {import('./measure').Plan} Plan */

/** @type {Record<keyof typeof VALUES, string>} */
const UNITS = {
  wall: 'ms',
  cpu: 'ms',
  user: 'ms',
  sys: 'ms',
  instructions: 'instructions',
  memory: 'bytes',
};

/** Modified z-score from which on a run is an outlier (Iglewicz and Hoaglin, ASQC vol. 16, 1993). */
const OUTLIER_SCORE = 3.5;
/** Standard deviations of normal noise in one median absolute deviation, inverted. */
const MAD_TO_SIGMA = 1.4826;
/** Drift is told where it is more than this from the first run to the last, and no chance. */
const LEAST_DRIFT = 0.05;
const LEAST_RUNS_FOR_DRIFT = 8;
/** CPUs that other work may use before it is worth a word. */
const BUSY_CPUS = 0.25;

/**
 * The doubt that holds for what was measured: the last look's; where runs were stopped between two looks
 * what is left.
 * @param {Outcome} outcome
 */
function doubtOf({ judgements, runs }) {
  const last = judgements[judgements.length - 1];
  if (last && last.pairs === Math.floor(runs.length / 2)) return 1 - last.confidence;
  return doubtLeft(judgements);
}

/**
 * @typedef {object} MetricSummary
 * @property {string} unit
 * @property {number} base median of its runs
 * @property {number} candidate
 * @property {number | null} ratio candidate by base, from the pairs
 * @property {[number, number] | null} interval of the ratio, 95 % or better
 * @property {import('./decide').Finding} finding
 */

/**
 * @param {Plan} plan
 * @param {Outcome} outcome
 * @returns {Record<keyof typeof VALUES, MetricSummary | null>} null: not measured
 */
function summarize(plan, outcome) {
  const { runs } = outcome;
  const doubt = doubtOf(outcome);
  const whole = runs.slice(0, runs.length - (runs.length % 2));
  /** @type {any} */
  const metrics = {};
  for (const metric of /** @type {(keyof typeof VALUES)[]} */ (Object.keys(VALUES))) {
    const of = (/** @type {string} */ side) =>
      whole.filter((run) => run.side === side).map(VALUES[metric]);
    const [base, candidate] = [of('base'), of('candidate')];
    const isWhole = [...base, ...candidate].every((value) => value !== null);
    if (whole.length === 0 || !isWhole) {
      metrics[metric] = null;
      continue;
    }
    const medians = [base, candidate].map((values) => median(/** @type {number[]} */ (values)));
    const logs = pairLogs(whole, metric);
    const judged = logs && judge(logs, { doubt, margin: plan.margin });
    metrics[metric] = {
      unit: UNITS[metric],
      base: medians[0],
      candidate: medians[1],
      ratio: judged ? judged.ratio : null,
      interval: judged ? judged.interval : null,
      finding: judged ? judged.finding : 'unclear',
    };
  }
  return metrics;
}

/**
 * Runs whose wall time is far from their side's median. They stay in: the interval bears them.
 * @param {Run[]} runs
 */
function outliersOf(runs) {
  return ['base', 'candidate'].flatMap((side) => {
    const own = runs.filter((run) => run.side === side);
    if (own.length < 5) return [];
    const logs = own.map(({ wallMs }) => Math.log(wallMs));
    const middle = median(logs);
    const sigma = MAD_TO_SIGMA * medianAbsoluteDeviation(logs);
    return own
      .filter((_, i) => sigma > 0 && Math.abs(logs[i] - middle) > OUTLIER_SCORE * sigma)
      .map(({ side: name, order, wallMs }) => ({
        side: name,
        order,
        wallMs,
        ratio: Math.exp(Math.log(wallMs) - middle),
      }));
  });
}

/**
 * How much slower the machine was at the end than at the beginning: 0.1 is ten per cent.
 * @param {Run[]} runs
 * @returns {number | null} null: none that is more than noise
 */
function driftOf(runs) {
  if (runs.length < LEAST_RUNS_FOR_DRIFT) return null;
  const middles = Object.fromEntries(
    ['base', 'candidate'].map((side) => [
      side,
      median(runs.filter((run) => run.side === side).map(({ wallMs }) => Math.log(wallMs))),
    ]),
  );
  const points = runs.map(({ order, side, wallMs }) => [order, Math.log(wallMs) - middles[side]]);
  const [orders, rests] = [0, 1].map((column) => points.map((point) => point[column]));
  // Three standard errors of a rank correlation without any drift, 1 / sqrt(n - 1).
  const isChance = Math.abs(sampleRankCorrelation(orders, rests)) < 3 / Math.sqrt(runs.length - 1);
  const drift = Math.expm1(linearRegression(points).m * (runs.length - 1));
  return isChance || Math.abs(drift) < LEAST_DRIFT ? null : drift;
}

/**
 * @param {Run[]} runs
 * @param {'othersCpus' | 'stolenCpus'} what
 * @returns {number | null} CPUs on the average of all runs' time
 */
function meanCpus(runs, what) {
  const known = runs.filter((run) => run[what] !== null);
  const time = known.reduce((sum, { wallMs }) => sum + wallMs, 0);
  if (time === 0) return null;
  return known.reduce((sum, run) => sum + /** @type {number} */ (run[what]) * run.wallMs, 0) / time;
}

/** @param {Run[]} runs */
function machineOf(runs) {
  return {
    othersCpus: meanCpus(runs, 'othersCpus'),
    stolenCpus: meanCpus(runs, 'stolenCpus'),
    drift: driftOf(runs),
    outliers: outliersOf(runs),
    leftProcesses: runs.reduce((sum, { left }) => sum + left, 0),
  };
}

module.exports = { BUSY_CPUS, driftOf, machineOf, outliersOf, summarize };
