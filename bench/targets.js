'use strict';
// What the profiler may cost, as ratios and differences of runs of the same round. Pure.

const { spreadOf, verdictOf } = require('./statistics.js');

/** @typedef {import('./overhead.js').Run} Run */
/** @typedef {import('./statistics.js').Spread} Spread */

/** @param {number} value */
const asRatio = (value) => `${value.toFixed(2)} x`;
/** @param {number} value */
const asPercent = (value) => `${(value * 100).toFixed(1)} %`;
/** @param {number} bytes */
const asMegabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
/** @param {number} ms */
const asSeconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** @typedef {(run: Run, peer: Run, others: (key: string) => Run | undefined) => number | null | undefined} Pick */

/**
 * @typedef {object} Target
 * @property {string} about
 * @property {string} of variant
 * @property {string | null} to variant of the same round
 * @property {number} [most] absent: a figure to read others by
 * @property {boolean} [parts] only where the parts were run
 * @property {(value: number) => string} show
 * @property {Pick} pick
 */

/** @type {Target[]} */
const TARGETS = [
  {
    about: 'no profiler, wall, to no profiler once more: what chance alone does here',
    of: 'none-again',
    to: 'none',
    show: asRatio,
    pick: (run, peer) => run.wallMs / peer.wallMs,
  },
  {
    about: 'the same of CPU',
    of: 'none-again',
    to: 'none',
    show: asRatio,
    pick: (run, peer) => run.cpuMs / peer.cpuMs,
  },
  {
    about: '1000 Hz, wall, to no profiler',
    of: 'rspack-prof-1000',
    to: 'none',
    most: 1.05,
    show: asRatio,
    pick: (run, peer) => run.wallMs / peer.wallMs,
  },
  {
    about: '4000 Hz, copies of stacks (dwarf), wall, to whole stacks (full)',
    of: 'dwarf-4000',
    to: 'rspack-prof-4000',
    show: asRatio,
    pick: (run, peer) => run.wallMs / peer.wallMs,
  },
  {
    about: 'the same of CPU',
    of: 'dwarf-4000',
    to: 'rspack-prof-4000',
    show: asRatio,
    pick: (run, peer) => run.cpuMs / peer.cpuMs,
  },
  {
    about: '4000 Hz, wall, to perf dwarf',
    of: 'rspack-prof-4000',
    to: 'perf-dwarf-4000',
    most: 0.85,
    show: asRatio,
    pick: (run, peer) => run.wallMs / peer.wallMs,
  },
  {
    about: '  the same of CPU',
    of: 'rspack-prof-4000',
    to: 'perf-dwarf-4000',
    show: asRatio,
    pick: (run, peer) => run.cpuMs / peer.cpuMs,
  },
  {
    about: '4000 Hz, wall, to perf flat',
    of: 'rspack-prof-4000',
    to: 'perf-flat-4000',
    most: 1,
    show: asRatio,
    pick: (run, peer) => run.wallMs / peer.wallMs,
  },
  {
    about: '  the same of CPU',
    of: 'rspack-prof-4000',
    to: 'perf-flat-4000',
    show: asRatio,
    pick: (run, peer) => run.cpuMs / peer.cpuMs,
  },
  {
    about: '4000 Hz, handlers and own thread, of the build’s CPU',
    of: 'rspack-prof-4000',
    to: 'none',
    most: 0.03,
    show: asPercent,
    pick: (run, peer) => ownMs(run) / peer.cpuMs,
  },
  {
    about: '4000 Hz, peak memory beyond the build’s own',
    of: 'rspack-prof-4000',
    to: 'none',
    most: 64e6,
    show: asMegabytes,
    pick: (run, peer) => run.peakBytes - peer.peakBytes,
  },
  {
    about: '4000 Hz, from the build’s end to the table',
    of: 'rspack-prof-4000',
    to: null,
    most: 300,
    show: asSeconds,
    pick: (run) => run.errorAfterMs,
  },
  {
    about: '4000 Hz, profile.json.gz',
    of: 'rspack-prof-4000',
    to: null,
    most: 3e6,
    show: asMegabytes,
    pick: (run) => run.profileBytes,
  },
  {
    about: 'cpu-clock, 4000 Hz, wall, to the default event',
    of: 'cpu-clock-4000',
    to: 'rspack-prof-4000',
    show: asRatio,
    pick: (run, peer) => run.wallMs / peer.wallMs,
  },
  {
    about: '  the same of CPU',
    of: 'cpu-clock-4000',
    to: 'rspack-prof-4000',
    show: asRatio,
    pick: (run, peer) => run.cpuMs / peer.cpuMs,
  },
  {
    about: 'cpu-clock, 1000 Hz, CPU, to the default event',
    of: 'cpu-clock-1000',
    to: 'rspack-prof-1000',
    show: asRatio,
    pick: (run, peer) => run.cpuMs / peer.cpuMs,
  },
];

/**
 * Where the CPU time goes that a profiled build takes beyond its own; each of one round. A walk's
 * time is read off the clock: on a loaded machine it holds waiting for a CPU.
 * @type {[string, Pick][]}
 */
const PARTS = [
  ['interrupt and record', (_, none, others) => minus(others('events-4000')?.cpuMs, none.cpuMs)],
  [
    'signal and return',
    (_, __, others) => minus(others('signals-4000')?.cpuMs, others('events-4000')?.cpuMs),
  ],
  ['walks in the handlers', (run) => run.handlerMs],
  ['the profiler’s thread', (run) => run.threadMs],
  [
    'the rest: V8’s events, names, writing the profile',
    (run, _, others) => minus(run.cpuMs, others('signals-4000')?.cpuMs) - ownMs(run),
  ],
];

for (const [about, pick] of PARTS) {
  const name = `4000 Hz, CPU: ${about}`;
  TARGETS.push({
    about: name,
    of: 'rspack-prof-4000',
    to: 'none',
    parts: true,
    show: asSeconds,
    pick,
  });
}

/** @param {number | undefined} a @param {number | undefined} b */
function minus(a, b) {
  return a === undefined || b === undefined ? NaN : a - b;
}

/** @param {Run} run */
function ownMs({ handlerMs, threadMs }) {
  return handlerMs === undefined || threadMs === undefined ? NaN : handlerMs + threadMs;
}

/**
 * @param {Run[]} runs of all rounds
 * @param {string} of variant
 * @param {string | null} to variant of the same round; null: each run by itself
 * @param {Pick} pick
 * @returns {Spread | null}
 */
function pairs(runs, of, to, pick) {
  const values = runs
    .filter((run) => run.variant === of)
    .map((run) => {
      const peer = to ? runs.find((r) => r.variant === to && r.round === run.round) : run;
      /** @param {string} key */
      const others = (key) => runs.find((r) => r.variant === key && r.round === run.round);
      return peer && pick(run, peer, others);
    });
  return spreadOf(
    /** @type {number[]} */ (values.filter((v) => typeof v === 'number' && !Number.isNaN(v))),
  );
}

/**
 * @param {Run[]} runs
 * @returns {{ about: string, spread: Spread, most: number | null, verdict: string | null, text: string }[]}
 *   those of which both sides were run
 */
function judge(runs) {
  const hasParts = runs.some(({ variant }) => variant === 'signals-4000');
  return TARGETS.flatMap(({ about, of, to, most, parts, show, pick }) => {
    if (parts && !hasParts) return [];
    const spread = pairs(runs, of, to, pick);
    if (!spread) return [];
    const text = `${show(spread.median)} (${show(spread.low)} to ${show(spread.high)})`;
    if (most === undefined) return { about, spread, most: null, verdict: null, text };
    const verdict = verdictOf(spread, most);
    return { about, spread, most, verdict, text: `${text}; at most ${show(most)}: ${verdict}` };
  });
}

module.exports = { judge, pairs };
