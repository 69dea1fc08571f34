'use strict';
// The summary of a trace whose tracer was cut off before it could sum up: from the events on disk.

const { KIND, readEvents } = require('./events.js');
const { runtimeOf } = require('./flows.js');
const { eventsFile, readFunctions } = require('./store.js');
const { ordered } = require('./summary.js');

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
    /** @type {import('./summary').FunctionRow[]} */
    this.rows = functions.map(({ name, object, callsOnly, role }) => ({
      symbol: name,
      object: objects[object],
      calls: 0,
      selfNs: 0,
      totalNs: 0,
      meanNs: null,
      minNs: null,
      p50Ns: null,
      p99Ns: null,
      maxNs: null,
      unseen: 0,
      open: 0,
      callsOnly,
      samples: 0,
      spawned: 0,
      spawnedNs: 0,
      runs: runtimeOf(role ?? 0),
      histogram: [],
      callers: [],
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
 * @returns {import('./summary').Summary}
 */
function summaryFromEvents(folder) {
  const functions = readFunctions(folder);
  const tally = new EventTally(functions);
  /** @type {{ cut?: string }} */
  const state = {};
  for (const batch of readEvents(eventsFile(folder), state, functions.functions.length))
    tally.add(batch);
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
    flows: null,
    quality: { events: tally.events, functions: rows.length },
    threads: [],
    sampling: { samples: 0, outside: 0, periodNs: 0 },
    warnings: [{ code: 'trace-cut', message, fix: '' }],
  };
}

module.exports = { summaryFromEvents };
