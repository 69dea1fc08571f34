'use strict';
// A whole comparison: timed runs, then profiled ones, then what follows from them. Gives a result also
// where it was stopped half way: what there is, it says.

const fs = require('node:fs');
const path = require('node:path');
const { FOLDER } = require('../folder.js');
const { environmentOf } = require('./environment.js');
const { compareHotspots, dispersionOf } = require('./hotspots.js');
const { pairLogs, timeRuns } = require('./measure.js');
const { DOUBT, looksFor } = require('./plan.js');
const { profileRuns } = require('./profiles.js');
const { makeRuns } = require('./runs.js');
const { sweepScratch } = require('./scratch.js');
const { machineOf, summarize } = require('./summary.js');
const { verdictOf } = require('./verdict.js');
const { warningsOf } = require('./warnings.js');

/** @typedef {import('./sides').Side} Side */
/** @typedef {import('./plan').SideName} SideName */

/**
 * @typedef {object} CompareOptions
 * @property {{ base: Side, candidate: Side }} sides
 * @property {string} cwd
 * @property {number | 'auto'} runs of each side
 * @property {number} warmup
 * @property {number} margin 0.02
 * @property {import('./measure').Metric} metric
 * @property {'warm' | 'cold'} cache
 * @property {string} [cacheFolder]
 * @property {string} [prepare]
 * @property {number} profiles runs of each side that are profiled
 * @property {number} frequency Hz
 * @property {number} [mostMs]
 * @property {AbortSignal} signal
 * @property {() => number} [random]
 * @property {string} [register]
 * @property {(event: Progress) => void} [tell]
 *
 * @typedef {object} Progress
 * @property {'warm-up' | 'timed' | 'profiled'} stage
 * @property {number} done runs
 * @property {number | null} all of how many, null: nobody knows
 * @property {import('./decide').Judgement | null} judgement the newest
 */

/** @typedef {Awaited<ReturnType<typeof compare>>} Comparison */

/** Recordings that lie in a project. @param {string} cwd */
function recordingsIn(cwd) {
  try {
    return fs.readdirSync(path.join(cwd, FOLDER)).length;
  } catch {
    return 0;
  }
}

/** @param {CompareOptions} options */
async function compare(options) {
  const { sides, cwd, runs: wanted, warmup, margin, metric, cache, profiles: count } = options;
  const { signal, tell = () => {} } = options;
  sweepScratch();
  const environment = environmentOf(sides, cwd);
  const make = makeRuns({ ...options, needsInstructions: metric === 'instructions' });
  const looks = looksFor(wanted);
  const plan = { looks, warmup, margin, metric, mostMs: options.mostMs };
  const startedAt = new Date();
  const recordings = recordingsIn(cwd);
  const outcome = await timeRuns(plan, {
    run: make.timed,
    random: options.random,
    tell: ({ runs, warmups, judgement }) =>
      tell(
        runs.length === 0 && warmups < 2 * warmup
          ? { stage: 'warm-up', done: warmups, all: 2 * warmup, judgement: null }
          : {
              stage: 'timed',
              done: runs.length,
              all: wanted === 'auto' ? null : 2 * wanted,
              judgement,
            },
      ),
  });
  const recorded = recordingsIn(cwd) - recordings;
  const { runs } = outcome;
  const pairs = Math.floor(runs.length / 2);
  const metrics = summarize(plan, outcome);

  const { stopped, failure } = outcome;
  const isWhole = stopped !== 'aborted' && stopped !== 'failed';
  const profiled =
    isWhole && count > 0
      ? await profileRuns({
          count,
          frequency: options.frequency,
          env: { base: sides.base.env, candidate: sides.candidate.env },
          run: make.profiled,
          register: options.register,
          tell: (done, all) => tell({ stage: 'profiled', done, all, judgement: null }),
        })
      : null;
  const merged = profiled?.merged ?? null;
  const dispersion = profiled ? dispersionOf([profiled.runs.base, profiled.runs.candidate]) : null;
  const hot =
    merged && metrics.cpu && dispersion !== null
      ? compareHotspots(merged, { cpu: metrics.cpu, dispersion })
      : null;
  const counts = hot?.counts ?? { significant: 0, withinNoise: 0, moved: 0, halfNamed: [] };
  const machine = machineOf(runs);
  const ratiosOf = (/** @type {'wall' | 'cpu'} */ name) =>
    (pairLogs(runs, name) ?? []).map((log) => Math.exp(log));
  const verdict = verdictOf({
    ...{ metrics, stopped, pairs, metric, margin },
    moved: hot ? hot.counts.moved : null,
    ratios: [ratiosOf('wall'), ratiosOf('cpu')],
  });
  const warnings = [
    ...warningsOf(machine, {
      counter: make.counter(),
      profiled,
      recorded,
      environment,
      runs: runs.length,
    }),
    // Bindings and few samples are told of above, in the words of a comparison.
    ...(hot?.warnings ?? []).filter(({ code }) => !/^diff-(binding|few)/.test(code)),
  ];
  return {
    result: {
      schema: /** @type {1} */ (1),
      verdict,
      confidence: 1 - DOUBT,
      margin,
      startedAt: startedAt.toISOString(),
      metrics,
      runs: {
        pairs,
        planned: wanted,
        warmup,
        cache,
        stopped: signal.aborted ? /** @type {'aborted'} */ ('aborted') : stopped,
        order: runs.map(({ side }) => (side === 'base' ? 'A' : 'B')).join(''),
        looks: outcome.judgements,
        base: runs.filter(({ side }) => side === 'base'),
        candidate: runs.filter(({ side }) => side === 'candidate'),
      },
      sides: {
        base: { title: sides.base.title },
        candidate: { title: sides.candidate.title },
      },
      hotspots: hot?.hotspots ?? [],
      crates: hot?.crates ?? [],
      objects: hot?.objects ?? [],
      phases: hot?.phases ?? [],
      profiled: {
        runs: profiled ? profiled.runs.base.length : 0,
        samples: {
          base: merged?.base.quality.samples ?? 0,
          candidate: merged?.candidate.quality.samples ?? 0,
        },
        event: merged?.base.meta.event ?? null,
        dispersion,
        ...counts,
      },
      machine,
      environment,
      warnings,
    },
    profiles: merged,
    failure,
  };
}

module.exports = { compare };
