'use strict';
// What a trace found, as `trace --json` prints it: from the addon's columns, or, where the tracer was cut
// off before it could sum up, from the events on disk.

const { grouped } = require('../grouped.js');
const { KIND, readEvents } = require('./events.js');
const { eventsFile, readFunctions } = require('./store.js');

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
 * @property {[number, number, number][]} histogram from ns, below ns, calls
 * @property {{ symbol: string | null, calls: number, selfNs: number, totalNs: number }[]} callers
 *
 * @typedef {object} Summary
 * @property {1} schema
 * @property {{ command: string, durationMs: number, startUnixMs: number, method: string }} meta
 * @property {FunctionRow[]} functions most self time first
 * @property {{ emulatedNs: number, steppedNs: number, hits: number, ns: number, cpuNs: number, share: number }} cost
 *   share: of the command's own CPU time, 9 at most
 * @property {{ symbol: string, calls: number, reason: 'limit' | 'budget', atMs: number }[]} dropped
 * @property {Record<string, number>} quality
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
      histogram: /** @type {[number, number, number][]} */ ([]),
      callers: /** @type {FunctionRow['callers']} */ ([]),
    };
  });
  histogram.func.forEach((func, i) => {
    rows[func].histogram.push([histogram.fromNs[i], histogram.toNs[i], histogram.count[i]]);
  });
  pairs.func.forEach((func, i) => {
    const caller = pairs.caller[i];
    rows[func].callers.push({
      symbol: caller < 0 ? null : functions.name[caller],
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
      functions: names.length,
      called: rows.filter(({ calls }) => calls > 0).length,
    },
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

/** The steps of the addon's histograms (src/trace/tally.c). @param {number} ns */
function bucketOf(ns) {
  if (ns < 8) return [ns, ns + 1];
  const step = 2 ** (Math.floor(Math.log2(ns)) - 3);
  const from = Math.floor(ns / step) * step;
  return [from, from + step];
}

/** Calls, self and total time from events alone. */
class EventTally {
  /** @param {import('./store').Functions} functions */
  constructor({ functions, objects }) {
    this.rows = functions.map(({ name, object, callsOnly }) => ({
      symbol: name,
      object: objects[object],
      calls: 0,
      selfNs: 0,
      totalNs: 0,
      meanNs: /** @type {number | null} */ (null),
      minNs: /** @type {number | null} */ (null),
      p50Ns: /** @type {number | null} */ (null),
      p99Ns: /** @type {number | null} */ (null),
      maxNs: /** @type {number | null} */ (null),
      unseen: 0,
      open: 0,
      callsOnly,
      samples: 0,
      histogram: /** @type {[number, number, number][]} */ ([]),
      callers: /** @type {FunctionRow['callers']} */ ([]),
    }));
    this.sum = this.rows.map(() => 0);
    this.buckets = this.rows.map(() => /** @type {Map<number, number>} */ (new Map()));
    /** @type {Map<number, { func: number, startNs: number, childNs: number, outermost: boolean }[]>} */
    this.open = new Map();
    this.events = 0;
    this.firstNs = NaN;
    this.lastNs = NaN;
  }

  /** @param {import('./events').Batch} batch */
  add({ length, timeNs, tid, func, kind }) {
    for (let i = 0; i < length; i++) {
      let calls = this.open.get(tid[i]);
      if (!calls) this.open.set(tid[i], (calls = []));
      const row = this.rows[func[i]];
      if (this.events++ === 0) this.firstNs = timeNs[i];
      this.lastNs = timeNs[i];
      if (kind[i] === KIND.ENTRY) {
        const outermost = !calls.some((call) => call.func === func[i]);
        calls.push({ func: func[i], startNs: timeNs[i], childNs: 0, outermost });
        row.calls++;
        continue;
      }
      const call = /** @type {NonNullable<ReturnType<typeof calls.pop>>} */ (calls.pop());
      const caller = calls.at(-1);
      if (kind[i] === KIND.UNSEEN) {
        row.unseen++;
        if (caller) caller.childNs += call.childNs;
        continue;
      }
      const ns = timeNs[i] - call.startNs;
      if (caller) caller.childNs += ns;
      row.selfNs += Math.max(0, ns - call.childNs);
      if (call.outermost) row.totalNs += ns;
      this.sum[func[i]] += ns;
      row.minNs = Math.min(row.minNs ?? Infinity, ns);
      row.maxNs = Math.max(row.maxNs ?? 0, ns);
      const [from] = bucketOf(ns);
      this.buckets[func[i]].set(from, (this.buckets[func[i]].get(from) ?? 0) + 1);
    }
  }

  finish() {
    for (const calls of this.open.values()) for (const { func } of calls) this.rows[func].open++;
    this.rows.forEach((row, func) => {
      const steps = [...this.buckets[func]].sort(([a], [b]) => a - b);
      const timed = steps.reduce((sum, [, count]) => sum + count, 0);
      if (timed === 0) return;
      row.histogram = steps.map(([from, count]) => [from, bucketOf(from)[1], count]);
      row.meanNs = Math.round(this.sum[func] / timed);
      const quantile = (/** @type {number} */ share) => {
        let seen = 0;
        const wanted = Math.max(1, Math.round(share * timed));
        const [from, to] = /** @type {[number, number, number]} */ (
          row.histogram.find(([, , count]) => (seen += count) >= wanted)
        );
        const middle = from + Math.floor((to - from) / 2);
        return Math.min(row.maxNs ?? 0, Math.max(row.minNs ?? 0, middle));
      };
      row.p50Ns = quantile(0.5);
      row.p99Ns = quantile(0.99);
    });
    return this.rows;
  }
}

/**
 * The summary of a trace that was cut off.
 * @param {string} folder
 * @returns {Summary}
 */
function summaryFromEvents(folder) {
  const functions = readFunctions(folder);
  const tally = new EventTally(functions);
  /** @type {{ cut?: string }} */
  const state = {};
  for (const batch of readEvents(eventsFile(folder), state)) tally.add(batch);
  const rows = tally.finish();
  const message =
    'the tracer ended before it could sum up: this is what the events on disk tell, without callers, ' +
    `samples and cost${state.cut ? `; ${state.cut}` : ''}`;
  return {
    schema: 1,
    meta: {
      command: functions.command,
      durationMs: tally.events > 0 ? (tally.lastNs - tally.firstNs) / 1e6 : 0,
      startUnixMs: functions.startUnixMs,
      method: 'uprobe',
    },
    functions: ordered(rows.filter(({ calls }) => calls > 0)),
    cost: { emulatedNs: 0, steppedNs: 0, hits: 0, ns: 0, cpuNs: 0, share: 0 },
    dropped: [],
    quality: { events: tally.events, functions: rows.length },
    threads: [],
    sampling: { samples: 0, outside: 0, periodNs: 0 },
    warnings: [{ code: 'trace-cut', message, fix: '' }],
  };
}

module.exports = { summaryFromEvents, summaryOf };
