'use strict';
// What a trace found, as `trace --json` prints it, from the addon's columns. (Of a tracer that was cut off
// before it could sum up, events on disk tell: from-events.js.)

const { grouped } = require('../grouped.js');
const { runtimeOf } = require('./flows.js');

/**
 * @typedef {object} FunctionRow
 * @property {string} symbol
 * @property {string} object path of its file
 * @property {number} calls
 * @property {number} selfNs
 * @property {number} totalNs time in which some call of it was open, on each thread
 * @property {number | null} meanNs null: no call's end was seen
 * @property {number | null} minNs
 * @property {number | null} p50Ns
 * @property {number | null} p99Ns
 * @property {number | null} maxNs
 * @property {number} unseen calls that were left by an exception, longjmp, or the thread's end
 * @property {number} open calls that never returned
 * @property {boolean} callsOnly its ends cannot be seen at all
 * @property {number} samples of the clock, taken while it was the innermost traced function
 * @property {number} spawned jobs that its calls handed over, and that ran outside of them
 * @property {number} spawnedNs what those took, on whatever thread
 * @property {'rayon' | 'tokio' | null} runs it runs such jobs
 * @property {[number, number, number][]} histogram from ns, below ns, calls
 * @property {{ symbol: string | null, crossed: boolean, calls: number, selfNs: number, totalNs: number }[]} callers
 *   crossed: by way of a job that the caller handed over
 *
 * @typedef {object} Summary
 * @property {1} schema
 * @property {{ command: string, durationMs: number, startUnixMs: number, method: string }} meta
 * @property {FunctionRow[]} functions most self time first
 * @property {{ emulatedNs: number, steppedNs: number, hits: number, ns: number, cpuNs: number, share: number }} cost
 *   share: of the command's own CPU time, 9 at most
 * @property {{ symbol: string, calls: number, reason: 'limit' | 'budget', atMs: number }[]} dropped
 * @property {Record<string, number>} quality
 * @property {{ jobs: number, matched: number, inside: number, outside: number, unknown: number } | null} flows
 *   jobs of rayon and tokio that ran: handed over by a traced call elsewhere, run inside of the call
 *   that handed it over, handed over outside of traced calls, nobody seen. null: not asked for
 * @property {import('./spans/rows').SpanRow[]} [spans] of JavaScript beside the calls
 * @property {{ file: string, period: number, samples: number, completeShare: number }} [stacks] a profile
 *   whose samples are entries
 * @property {{ pid: number, tid: number, name: string }[]} threads
 * @property {{ samples: number, outside: number, periodNs: number }} sampling
 * @property {{ code: string, message: string, fix: string }[]} warnings
 */

/** @param {FunctionRow[]} rows */
function ordered(rows) {
  return rows.sort(
    (a, b) => b.selfNs - a.selfNs || b.calls - a.calls || (a.symbol < b.symbol ? -1 : 1),
  );
}

/**
 * @param {import('./native').NativeTrace} trace
 * @returns {FunctionRow[]} by id
 */
function rowsOf({ functions, tally, histogram, pairs }) {
  /** @type {FunctionRow[]} */
  const rows = functions.name.map((symbol, i) => {
    const timed = tally.timed[i];
    return {
      symbol,
      object: functions.objects[functions.object[i]],
      calls: tally.calls[i],
      selfNs: tally.selfNs[i],
      totalNs: tally.totalNs[i],
      meanNs: timed > 0 ? Math.round(tally.sumNs[i] / timed) : null,
      minNs: timed > 0 ? tally.minNs[i] : null,
      p50Ns: timed > 0 ? tally.p50Ns[i] : null,
      p99Ns: timed > 0 ? tally.p99Ns[i] : null,
      maxNs: timed > 0 ? tally.maxNs[i] : null,
      unseen: tally.unseen[i],
      open: tally.open[i],
      callsOnly: functions.callsOnly[i] === 1,
      samples: tally.samples[i],
      spawned: tally.spawned[i],
      spawnedNs: tally.spawnedNs[i],
      runs: runtimeOf(functions.role[i]),
      histogram: [],
      callers: [],
    };
  });
  histogram.func.forEach((func, i) => {
    rows[func].histogram.push([histogram.fromNs[i], histogram.toNs[i], histogram.count[i]]);
  });
  pairs.func.forEach((func, i) => {
    const caller = pairs.caller[i];
    rows[func].callers.push({
      symbol: caller < 0 ? null : functions.name[caller],
      crossed: pairs.crossed[i] === 1,
      calls: pairs.calls[i],
      selfNs: pairs.selfNs[i],
      totalNs: pairs.totalNs[i],
    });
  });
  for (const row of rows) row.callers.sort((a, b) => b.calls - a.calls);
  return rows;
}

/** @param {import('./native').NativeTrace} trace */
function warningsOf(trace) {
  /** @type {Summary['warnings']} */
  const warnings = [];
  const say = (/** @type {string} */ code, /** @type {string} */ message, fix = '') =>
    warnings.push({ code, message, fix });
  if (trace.lost > 0) {
    say(
      'lost-records',
      `${grouped(trace.lost)} hits were lost (buffers were full): calls and times are too low`,
      'trace fewer functions',
    );
  }
  if (trace.spillErrno > 0) {
    say(
      'events-cut',
      `${grouped(trace.missedEvents)} events could not be written (errno ${trace.spillErrno}): the ` +
        'figures are whole, the events end there',
      'give -o a place with more room',
    );
  }
  if (trace.tooDeep + trace.noMemory > 0) {
    say(
      'calls-left-out',
      `${grouped(trace.tooDeep + trace.noMemory)} calls were left out (depth, memory)`,
    );
  }
  if (trace.refusedSites > 0) {
    say('probes-refused', `the kernel did not take ${grouped(trace.refusedSites)} of the probes`);
  }
  if (trace.dropFailed) {
    say('drop-failed', 'probes or sleds could not be taken away: they cost on');
  }
  return warnings;
}

/**
 * @param {import('./native').NativeTrace} trace
 * @param {{ command: string, startUnixMs: number }} about
 * @returns {Summary}
 */
function summaryOf(trace, { command, startUnixMs }) {
  const rows = rowsOf(trace);
  const names = rows.map(({ symbol }) => symbol);
  // The price of a hit is a measured one: it can come to more than there was.
  const costNs = Math.min(trace.costNs, trace.cpuNs);
  const own = Math.max(trace.cpuNs - costNs, trace.cpuNs / 10);
  return {
    schema: 1,
    meta: {
      command,
      durationMs: (trace.endNs - trace.startNs) / 1e6,
      startUnixMs,
      method: trace.method,
    },
    functions: ordered(rows.filter(({ calls }) => calls > 0)),
    cost: {
      emulatedNs: Math.round(trace.emulatedNs),
      steppedNs: Math.round(trace.steppedNs),
      hits: trace.hits,
      ns: Math.round(costNs),
      cpuNs: Math.round(trace.cpuNs),
      share: own > 0 ? costNs / own : 0,
    },
    dropped: Array.from(trace.drops.func, (func, i) => ({
      symbol: names[func],
      calls: trace.drops.calls[i],
      reason: trace.drops.reason[i] === 0 ? 'limit' : 'budget',
      atMs: (trace.drops.atNs[i] - trace.startNs) / 1e6,
    })),
    quality: {
      events: trace.events,
      eventBytes: trace.eventBytes,
      missedEvents: trace.missedEvents,
      lost: trace.lost,
      unmatched: trace.unmatched,
      deeper: trace.deeper,
      tooDeep: trace.tooDeep,
      twice: trace.twice,
      // Those that were asked for: what flows are followed by is not among them.
      functions: rows.filter((_, id) => trace.functions.role[id] === 0).length,
      called: rows.filter(({ calls }, id) => calls > 0 && trace.functions.role[id] === 0).length,
    },
    flows: trace.functions.role.some((role) => role > 0)
      ? {
          jobs: trace.jobs,
          matched: trace.jobsCrossed,
          inside: trace.jobsInside,
          outside: trace.jobsOutside,
          unknown: trace.jobs - trace.jobsCrossed - trace.jobsInside - trace.jobsOutside,
        }
      : null,
    threads: trace.threads.name.map((name, i) => ({
      pid: trace.threads.pid[i],
      tid: trace.threads.tid[i],
      name,
    })),
    sampling: {
      samples: trace.samples,
      outside: trace.samplesOutside,
      periodNs: trace.samplePeriodNs,
    },
    warnings: warningsOf(trace),
  };
}

module.exports = { ordered, summaryOf };
