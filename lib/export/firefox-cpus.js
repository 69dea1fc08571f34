'use strict';
// A thread for each CPU, as `samply import --per-cpu-threads` has them: the same samples once more, by
// where they ran, and a marker for each stretch of one thread. They stand in a process of their own.

const { MARKER_TYPES, madeThread, samplesBy, samplesTable } = require('./firefox-threads.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./firefox-tables').Strings} Strings */

const NS_PER_MS = 1e6;
const INTERVAL = 1; // the format's MarkerPhase

/**
 * @param {Profile} profile
 * @param {Uint32Array} own samples of one CPU
 * @param {Strings} strings
 */
function runsOf({ raw, meta, threadKeys }, own, strings) {
  const { thread, timeNs } = raw.samples;
  const markers = {
    length: 0,
    name: /** @type {number[]} */ ([]),
    startTime: /** @type {number[]} */ ([]),
    endTime: /** @type {number[]} */ ([]),
    phase: /** @type {number[]} */ ([]),
    category: /** @type {number[]} */ ([]),
    data: /** @type {object[]} */ ([]),
  };
  const ms = (/** @type {number} */ sample) => (timeNs[sample] - meta.startNs) / NS_PER_MS;
  for (let first = 0; first < own.length;) {
    let last = first;
    while (last + 1 < own.length && thread[own[last + 1]] === thread[own[first]]) last++;
    markers.length++;
    markers.name.push(strings.add(threadKeys[thread[own[first]]]));
    markers.startTime.push(ms(own[first]));
    markers.endTime.push(ms(own[last]));
    markers.phase.push(INTERVAL);
    markers.category.push(0);
    markers.data.push({ type: MARKER_TYPES.span });
    first = last + 1;
  }
  return markers;
}

/**
 * @param {Profile} profile
 * @param {Strings} strings
 */
function cpuThreadsOf(profile, strings) {
  const { raw } = profile;
  const { cpu: cpus } = raw.samples;
  const count = cpus.reduce((most, cpu) => Math.max(most, cpu + 1), 0);
  return [...samplesBy(cpus, count).entries()]
    .filter(([, own]) => own.length > 0)
    .map(([cpu, own]) => ({
      ...madeThread('CPUs', `CPU ${cpu}`),
      showMarkersInTimeline: true,
      samples: samplesTable(raw, own),
      markers: runsOf(profile, own, strings),
    }));
}

module.exports = { cpuThreadsOf };
