'use strict';
// The threads of a Firefox profile: each with its samples in order, the main one with the markers.

const { eachEvent } = require('../profile/events.js');
const { PHASE_CATEGORY } = require('./firefox-tables.js');
const { Column } = require('./json.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {import('./firefox-tables').Strings} Strings */

const NS_PER_MS = 1e6;
/** The same as a column has it. */
const MS_DECIMALS = 6;

/** @typedef {import('../profile/raw').Marker['type']} MarkerType */

/** The format's name of each type of marker of ours. @type {Record<MarkerType, string>} */
const MARKER_TYPES = {
  span: 'rspack-prof span',
  mark: 'rspack-prof mark',
  phase: 'rspack-prof phase',
  child: 'rspack-prof child',
  build: 'rspack-prof build',
  rspack: 'rspack span',
  trace: 'rspack trace',
};
const MARKER_SCHEMA = Object.values(MARKER_TYPES).map((name) => ({
  name,
  display: ['marker-chart', 'marker-table', 'timeline-overview'],
  chartLabel: '{marker.name}',
  tooltipLabel: '{marker.name}',
  tableLabel: '{marker.name} {marker.data.data}',
  fields: [{ key: 'data', label: 'Data', format: 'string' }],
}));
/** The format's MarkerPhase. */
const PHASE = { instant: 0, interval: 1, intervalStart: 2 };

/**
 * The samples of each thread, or of each CPU.
 * @param {ArrayLike<number>} groups by sample
 * @param {number} count of them
 * @returns {Uint32Array[]} indices of each group's samples
 */
function samplesBy(groups, count) {
  const ends = new Uint32Array(count);
  for (let i = 0; i < groups.length; i++) ends[groups[i]]++;
  const lists = Array.from(ends, (size) => new Uint32Array(size));
  ends.fill(0);
  for (let i = 0; i < groups.length; i++) lists[groups[i]][ends[groups[i]]++] = i;
  return lists;
}

/** The format's unit of CPU time per sample, by ours; none where the weight is no time. */
const CPU_UNITS = new Map([
  ['ns', 'ns'],
  ['cycles', 'variable CPU cycles'],
]);

/**
 * @param {RawProfile} raw
 * @param {Uint32Array} own indices
 */
const stacksInTime = ({ samples, meta }, own) => ({
  length: own.length,
  stack: new Column(samples.node, { rows: own, nullAt: 0, add: -1 }),
  // Whole nanoseconds as a decimal fraction of ms: rounding brings them back exactly.
  timeDeltas: new Column(samples.timeNs, { rows: own, since: meta.startNs, decimals: MS_DECIMALS }),
});

/**
 * Samples of an event that is no time of the thread's, whatever its unit: the format has it once.
 * @param {RawProfile} raw
 * @param {Uint32Array} own indices
 */
const countedSamples = (raw, own) => ({
  ...stacksInTime(raw, own),
  weight: new Column(raw.samples.weight, { rows: own }),
  weightType: raw.meta.unit === 'bytes' ? 'bytes' : 'samples',
});

/**
 * @param {RawProfile} raw
 * @param {Uint32Array} own indices
 */
function samplesTable(raw, own) {
  const { samples, meta } = raw;
  const { weight, state } = samples;
  const weights = new Column(weight, { rows: own });
  const isTime = CPU_UNITS.has(meta.unit);
  const columns = stacksInTime(raw, own);
  if (meta.switches && state) {
    const ran = Float64Array.from(own, (i) => (state[i] === 0 ? weight[i] : 0));
    return {
      ...columns,
      weight: new Column(weight, { rows: own, decimals: MS_DECIMALS }),
      weightType: 'tracing-ms',
      threadCPUDelta: new Column(ran),
    };
  }
  return {
    ...columns,
    weight: isTime ? null : weights,
    weightType: 'samples',
    ...(isTime ? { threadCPUDelta: weights } : {}),
  };
}

/**
 * @param {Profile} profile
 * @param {Strings} strings
 */
function markersTable({ markers, meta }, strings) {
  const ms = (/** @type {number} */ ns) => (ns - meta.startNs) / NS_PER_MS;
  const phaseOf = (/** @type {import('../profile/raw').Marker} */ { type, endNs }) => {
    if (type === 'mark') return PHASE.instant;
    return endNs === null ? PHASE.intervalStart : PHASE.interval;
  };
  return {
    length: markers.length,
    name: markers.map(({ name }) => strings.add(name)),
    startTime: markers.map(({ startNs }) => ms(startNs)),
    endTime: markers.map(({ type, endNs }) =>
      type === 'mark' || endNs === null ? null : ms(endNs),
    ),
    phase: markers.map(phaseOf),
    category: markers.map(({ type }) => (type === 'span' || type === 'mark' ? 0 : PHASE_CATEGORY)),
    data: markers.map(({ type, data }) => ({
      type: MARKER_TYPES[type],
      ...(data === undefined ? {} : { data: JSON.stringify(data) }),
    })),
  };
}

const NO_MARKERS = {
  length: 0,
  name: [],
  startTime: [],
  endTime: [],
  phase: [],
  category: [],
  data: [],
};

/**
 * @param {Profile} profile
 * @param {Uint32Array[]} own indices of each thread's samples
 * @param {Strings} strings
 */
function threadsOf(profile, own, strings) {
  const { raw, meta } = profile;
  const tids = Array.from(raw.threads.tid);
  // The web page needs a thread to show, be it an empty one.
  if (tids.length === 0) tids.push(meta.pid);
  const main = Math.max(0, tids.indexOf(meta.pid));
  const ms = (/** @type {number} */ ns) => (ns - meta.startNs) / NS_PER_MS;
  return tids.map((tid, index) => ({
    processType: 'default',
    processName: meta.command.slice(0, 80),
    processStartupTime: 0,
    processShutdownTime: null,
    registerTime: raw.threads.startNs[index] ? ms(raw.threads.startNs[index]) : 0,
    unregisterTime: raw.threads.endNs[index] ? ms(raw.threads.endNs[index]) : null,
    pausedRanges: [],
    name: profile.threadNames[index] ?? 'node',
    isMainThread: index === main,
    pid: String(meta.pid),
    tid: String(tid),
    showMarkersInTimeline: index === main,
    samples: samplesTable(raw, own[index] ?? new Uint32Array()),
    markers: index === main ? markersTable(profile, strings) : NO_MARKERS,
  }));
}

/**
 * A thread beside the real ones.
 * @param {string} process that it is shown in
 * @param {string} name unique there
 */
const madeThread = (process, name) => ({
  processType: 'default',
  processName: process,
  processStartupTime: 0,
  processShutdownTime: null,
  registerTime: 0,
  unregisterTime: null,
  pausedRanges: [],
  name,
  isMainThread: false,
  pid: process,
  tid: name,
  showMarkersInTimeline: false,
});

/**
 * The events beside the first one, for the web page: a process for each, with the threads that have samples
 * of it. What is read back is in `meta.rspackProf.events`.
 * @param {Profile} profile
 */
function eventThreadsOf(profile) {
  return eachEvent(profile)
    .slice(1)
    .flatMap(({ raw, meta, threadKeys }) =>
      samplesBy(raw.samples.thread, threadKeys.length).flatMap((own, thread) =>
        own.length === 0
          ? []
          : {
              ...madeThread(meta.event, threadKeys[thread]),
              samples: countedSamples(raw, own),
              markers: NO_MARKERS,
            },
      ),
    );
}

module.exports = {
  CPU_UNITS,
  MARKER_SCHEMA,
  MARKER_TYPES,
  eventThreadsOf,
  madeThread,
  samplesBy,
  samplesTable,
  threadsOf,
};
