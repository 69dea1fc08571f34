'use strict';
// What follows from the figures, by the rules of those who work on rspack's speed: wall time decides, and
// percentages of a profile alone never do; one run may reject what is obviously bad, and nothing is
// kept after fewer than three; a flat wall time with a clearly better profile may be kept; a change that
// only moves percentages about is rejected. Pure.

const { plural } = require('../grouped.js');
const { changeText, intervalText } = require('./words.js');

/** @typedef {import('./summary').MetricSummary} MetricSummary */
/** @typedef {import('./measure').Outcome} Outcome */
/** @typedef {import('./measure').Metric} Metric */

const LEAST_PAIRS_TO_KEEP = 3;
/**
 * With one or two pairs nothing is bounded: obviously bad is what no machine's mood explains, in each
 * pair, and more than a few processes' starts. Two builds that were the same took 1.63 x the wall and 1.36 x
 * the CPU time of one another on a busy virtual machine; a neighbour on the core's other thread alone makes
 * the same loop take 1.5 x.
 */
const OBVIOUS = { wall: 2, cpu: 1.6, cpuMs: 50 };

/** @type {Record<Metric, string>} */
const METRIC_NAMES = { wall: 'wall time', cpu: 'CPU time', instructions: 'instructions' };

/** @type {Record<Outcome['stopped'], string>} */
const STOPS = {
  decided: '',
  planned: 'these runs do not decide',
  most: 'as many pairs as auto makes at most do not decide',
  hopeless: 'this machine is too noisy for more pairs to decide',
  time: 'the time is up before it was decided',
  aborted: 'stopped before it was decided',
  failed: 'stopped by a run that failed',
};

/**
 * @typedef {object} Verdict
 * @property {'faster' | 'slower' | 'no-difference' | 'inconclusive'} decision
 * @property {boolean | null} keep
 * @property {string} reason
 * @property {number | null} wallRatio candidate by base
 * @property {[number, number] | null} interval of wallRatio
 * @property {Metric} metric that decided
 */

/** @param {MetricSummary} summary @param {Metric} metric @param {number} pairs */
const figure = ({ ratio, interval }, metric, pairs) =>
  `${METRIC_NAMES[metric]} ${changeText(/** @type {number} */ (ratio))} ` +
  `(95 % interval ${intervalText(interval)}, ${plural(pairs, 'pair')} of runs)`;

/**
 * A flat main metric: what the others say.
 * @param {Record<string, MetricSummary | null>} metrics
 * @param {Metric} metric
 * @param {number | null} moved hotspots whose share changed; null: not profiled
 */
function flat(metrics, metric, moved) {
  const others = /** @type {const} */ (['wall', 'cpu', 'instructions'])
    .filter((name) => name !== metric)
    .flatMap((name) => {
      const summary = metrics[name];
      const isClear = summary?.finding === 'faster' || summary?.finding === 'slower';
      return summary && isClear ? [{ name, finding: summary.finding, ratio: summary.ratio }] : [];
    });
  const text = others
    .map(({ name, ratio }) => `${METRIC_NAMES[name]} ${changeText(/** @type {number} */ (ratio))}`)
    .join(', ');
  const has = (/** @type {string} */ finding) => others.some((one) => one.finding === finding);
  if (has('faster') && has('slower')) {
    return { keep: null, reason: `the other figures disagree (${text})` };
  }
  if (has('faster')) return { keep: true, reason: `but clearly less work: ${text}` };
  if (has('slower')) return { keep: false, reason: `but more work: ${text}` };
  if (moved) {
    const what = `${plural(moved, 'hotspot')} changed ${moved === 1 ? 'its share' : 'their shares'}`;
    return { keep: false, reason: `it only moves percentages about (${what})` };
  }
  return { keep: null, reason: 'speed is no reason to keep it, nor to reject it' };
}

/**
 * @param {object} measured
 * @param {Record<string, MetricSummary | null>} measured.metrics
 * @param {Outcome['stopped']} measured.stopped
 * @param {number} measured.pairs
 * @param {Metric} measured.metric
 * @param {number} measured.margin
 * @param {number | null} measured.moved
 * @param {[wall: number[], cpu: number[]]} measured.ratios of each pair
 * @returns {Verdict}
 */
function verdictOf({ metrics, stopped, pairs, metric, margin, moved, ratios }) {
  const { wall, cpu } = metrics;
  const main = metrics[metric];
  const base = { wallRatio: wall?.ratio ?? null, interval: wall?.interval ?? null, metric };
  const inconclusive = (/** @type {string} */ reason) =>
    /** @type {Verdict} */ ({ decision: 'inconclusive', keep: null, reason, ...base });
  if (!main || main.ratio === null || pairs === 0) {
    return inconclusive(`${STOPS[stopped] || 'nothing was measured'}: no pair of runs is whole`);
  }
  const said = figure(main, metric, pairs);
  const [walls, cpus] = ratios;
  if (stopped === 'aborted' || stopped === 'failed') {
    return inconclusive(`${STOPS[stopped]}; so far ${said}`);
  }
  const isObvious =
    pairs < LEAST_PAIRS_TO_KEEP &&
    walls.length > 0 &&
    cpu &&
    cpu.candidate - cpu.base >= OBVIOUS.cpuMs &&
    walls.every((ratio) => ratio >= OBVIOUS.wall) &&
    cpus.every((ratio) => ratio >= OBVIOUS.cpu);
  if (isObvious) {
    const reason = `obviously: wall time ${changeText(Math.min(...walls))} or worse in each pair`;
    return { decision: 'slower', keep: false, reason, ...base };
  }
  switch (main.finding) {
    case 'slower':
      return { decision: 'slower', keep: false, reason: said, ...base };
    case 'faster': {
      const isEnough = pairs >= LEAST_PAIRS_TO_KEEP;
      const more = isEnough ? '' : '; nothing is kept after fewer than three runs';
      return {
        decision: 'faster',
        keep: isEnough || null,
        reason: `${said}${more}`,
        ...base,
      };
    }
    case 'no-difference': {
      const { keep, reason } = flat(metrics, metric, moved);
      const within = `less than ${+(margin * 100).toFixed(2)} % either way: ${said}`;
      return { decision: 'no-difference', keep, reason: `${within}; ${reason}`, ...base };
    }
    default: {
      const told = metric === 'wall' && cpu && cpu.ratio !== null ? `; ${cpuText(cpu)}` : '';
      return inconclusive(`${STOPS[stopped] || STOPS.planned}: ${said}${told}`);
    }
  }
}

/** @param {MetricSummary} cpu */
function cpuText(cpu) {
  const clear = {
    faster: 'is lower',
    slower: 'is higher',
    'no-difference': 'is the same',
    unclear: 'does not tell either',
  }[cpu.finding];
  const change = changeText(/** @type {number} */ (cpu.ratio));
  return `CPU time ${clear}: ${change} (${intervalText(cpu.interval)})`;
}

/**
 * 0: the candidate is not slower. 1: it is, or nobody knows.
 * @param {Verdict} verdict
 */
const exitCodeOf = ({ decision }) =>
  decision === 'faster' || decision === 'no-difference' ? 0 : 1;

module.exports = { exitCodeOf, verdictOf };
