'use strict';
// The threads of a Firefox profile: each with its samples in order, the main one with the markers.

const { PHASE_CATEGORY, list } = require('./firefox-tables.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {import('./firefox-tables').Strings} Strings */

const NS_PER_MS = 1e6;

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
 * @param {RawProfile} raw
 * @returns {number[][]} indices of each thread's samples
 */
function samplesByThread({ samples, threads }) {
  /** @type {number[][]} */
  const lists = Array.from(threads.tid, () => []);
  for (let i = 0; i < samples.thread.length; i++) lists[samples.thread[i]].push(i);
  return lists;
}

/** The format's unit of CPU time per sample; null where the weight is no time. */
const CPU_UNITS = new Map([
  ['ns', 'ns'],
  ['cycles', 'variable CPU cycles'],
]);

/**
 * @param {RawProfile} raw
 * @param {number[]} own indices
 */
function samplesTable({ samples, meta }, own) {
  const weights = own.map((i) => samples.weight[i]);
  let before = meta.startNs;
  const timeDeltas = own.map((i) => {
    // Whole nanoseconds as a decimal fraction of ms: rounding brings them back exactly.
    const delta = (samples.timeNs[i] - before) / NS_PER_MS;
    before = samples.timeNs[i];
    return delta;
  });
  const isTime = CPU_UNITS.has(meta.unit);
  return {
    length: own.length,
    stack: own.map((i) => (samples.node[i] > 0 ? samples.node[i] - 1 : null)),
    timeDeltas,
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
 * @param {number[][]} own indices of each thread's samples
 * @param {Strings} strings
 */
function threadsOf(profile, own, strings) {
  const { raw, meta } = profile;
  const tids = list(raw.threads.tid);
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
    samples: samplesTable(raw, own[index] ?? []),
    markers: index === main ? markersTable(profile, strings) : NO_MARKERS,
  }));
}

module.exports = {
  CPU_UNITS,
  MARKER_SCHEMA,
  MARKER_TYPES,
  NO_MARKERS,
  samplesByThread,
  samplesTable,
  threadsOf,
};
