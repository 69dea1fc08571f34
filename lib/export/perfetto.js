'use strict';
// Perfetto's trace (Trace of TracePackets, protobuf): samples as PerfSample with interned call stacks,
// phases, spans and marks as track events, CPU usage as a counter. Numbers of fields are those of
// perfetto's protos (trace_packet, interned_data, profile_common, profile_packet, track_event,
// track_descriptor, clock_snapshot) of 2026; fields that a reader does not know it skips.
//
// Each event is a sequence of its own, as if a data source of its own had written it: a timebase, interned data
// and samples. So readers keep them apart; the tracks are the first one's.
//
// What it cannot hold: the samples' weights (PerfSample counts one each), an inlined frame as such.
// No thread state is written: waits are samples like others, and a gap is not said to be sleep.

const { bareEvent, eachEvent } = require('../profile/events.js');
const { SAMPLE } = require('../profile/flags.js');
const { cpuUsage } = require('./cpu-usage.js');
const { internedData } = require('./perfetto-interned.js');
const { CLEARED, CLOCK, Packets, double, message, number, text } = require('./perfetto-packets.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./perfetto-packets').Fill} Fill */

const SLICE = { BEGIN: 1, END: 2, INSTANT: 3, COUNTER: 4 };
const MODE = { KERNEL: 1, USER: 2 };
/** PerfSample.unwind_error by samples.end: none, MAX_FRAMES_EXCEEDED, UNWIND_INFO. */
const UNWIND_ERRORS = [0, 6, 3];
/** PerfEvents.Counter by event. @type {Record<string, number>} */
const COUNTERS = {
  'cpu-clock': 1,
  'page-faults': 2,
  'task-clock': 3,
  'context-switches': 4,
  'minor-faults': 6,
  'major-faults': 7,
  cycles: 10,
  instructions: 11,
  'cache-references': 12,
  'cache-misses': 13,
  branches: 14,
  'branch-misses': 15,
};

/**
 * What a sequence begins with: what its samples count, and the names that they are made of.
 * @param {Packets} packets
 * @param {Profile} profile of one event
 */
function addDefaults(packets, profile) {
  const { meta } = profile;
  packets.add(
    null,
    (packet) => {
      message(packet, 6, (snapshot) => {
        const clocks = [
          [CLOCK.MONOTONIC, meta.startNs],
          [CLOCK.REALTIME, meta.startUnixMs * 1e6],
        ];
        for (const [id, time] of clocks) {
          message(snapshot, 1, (clock) => {
            number(clock, 1, id);
            number(clock, 2, Math.round(time));
          });
        }
        number(snapshot, 2, CLOCK.MONOTONIC); // the trace's own clock
      });
      message(packet, 59, (defaults) => {
        number(defaults, 58, CLOCK.MONOTONIC);
        message(defaults, 12, (perf) => {
          message(perf, 1, (timebase) => {
            const counter = COUNTERS[bareEvent(meta.event)];
            if (meta.frequency > 0) number(timebase, 2, meta.frequency);
            if (counter !== undefined) number(timebase, 4, counter);
            text(timebase, 10, meta.event);
          });
        });
      });
    },
    CLEARED,
  );
  packets.add(null, (packet) => message(packet, 12, internedData(profile)));
}

/** @param {Packets} packets @param {Profile} profile */
function addTracks(packets, { meta, raw, threadNames }) {
  track(packets, TRACKS.process, 0, '', (own) => {
    message(own, 3, (process) => {
      number(process, 1, meta.pid);
      for (const word of meta.command.split(' ')) text(process, 2, word);
      text(process, 6, meta.command);
    });
  });
  raw.threads.tid.forEach((tid, thread) => {
    track(packets, TRACKS.threads + thread, TRACKS.process, '', (own) => {
      message(own, 4, (entry) => {
        number(entry, 1, meta.pid);
        number(entry, 2, tid);
        text(entry, 5, threadNames[thread]);
      });
    });
  });
}

/** Ids of tracks, unique in the trace. */
const TRACKS = { process: 1, phases: 2, marks: 3, cpu: 4, spans: 1000, threads: 1_000_000 };

/**
 * @param {Packets} packets
 * @param {number} id
 * @param {number} parent 0: none
 * @param {string} name '' where it follows from what it is
 * @param {Fill} [fill]
 */
function track(packets, id, parent, name, fill = () => {}) {
  packets.add(null, (packet) => {
    message(packet, 60, (own) => {
      number(own, 1, id);
      if (parent > 0) number(own, 5, parent);
      if (name !== '') text(own, 2, name);
      fill(own);
    });
  });
}

/** @param {Packets} packets @param {number} timeNs @param {number} type @param {number} id @param {string} [name] */
function event(packets, timeNs, type, id, name) {
  packets.add(timeNs, (packet) => {
    message(packet, 11, (own) => {
      number(own, 9, type);
      number(own, 11, id);
      if (name !== undefined) {
        text(own, 22, 'build');
        text(own, 23, name);
      }
    });
  });
}

/**
 * Spans may overlap without being nested, slices of a track may not: each goes to the first track
 * that is free by then.
 * @param {{startNs: number, endNs: number, name: string}[]} spans
 * @returns {{startNs: number, endNs: number, name: string}[][]}
 */
function lanesOf(spans) {
  /** @type {(typeof spans)[]} */
  const lanes = [];
  for (const span of [...spans].sort((a, b) => a.startNs - b.startNs || b.endNs - a.endNs)) {
    const lane = lanes.find((own) => own[own.length - 1].endNs <= span.startNs);
    if (lane) lane.push(span);
    else lanes.push([span]);
  }
  return lanes;
}

/** @param {Packets} packets @param {Profile} profile */
function addEvents(packets, profile) {
  const { meta, markers, phaseColumn } = profile;
  const slices = (
    /** @type {number} */ id,
    /** @type {{startNs: number, endNs: number, name: string}[]} */ list,
  ) => {
    for (const { startNs, endNs, name } of list) {
      event(packets, startNs, SLICE.BEGIN, id, name);
      event(packets, endNs, SLICE.END, id);
    }
  };
  const until = (/** @type {number | null} */ endNs) => Math.min(endNs ?? Infinity, meta.endNs);
  if (markers.length > 0) {
    track(packets, TRACKS.phases, TRACKS.process, 'build phases');
    const phases = phaseColumn.segments.map(({ startNs, endNs, phase }) => {
      const { name, compiler } = phaseColumn.phases[phase];
      return { startNs, endNs: until(endNs), name: compiler ? `${name} (${compiler})` : name };
    });
    slices(
      TRACKS.phases,
      phases.filter(({ startNs, endNs }) => endNs > startNs),
    );
  }
  const spans = markers
    .filter(({ type }) => type === 'span' || type === 'child')
    .map(({ startNs, endNs, name }) => ({ startNs, endNs: until(endNs), name }));
  lanesOf(spans.filter(({ startNs, endNs }) => endNs >= startNs)).forEach((lane, index) => {
    track(packets, TRACKS.spans + index, TRACKS.process, 'spans');
    slices(TRACKS.spans + index, lane);
  });
  const marks = markers.filter(({ type }) => type === 'mark');
  if (marks.length > 0) track(packets, TRACKS.marks, TRACKS.process, 'marks');
  for (const { startNs, name } of marks) event(packets, startNs, SLICE.INSTANT, TRACKS.marks, name);
}

/** @param {Packets} packets @param {Profile} profile */
function addCpu(packets, profile) {
  const usage = cpuUsage(profile);
  if (!usage) return;
  track(packets, TRACKS.cpu, TRACKS.process, 'busy CPUs', (own) => {
    message(own, 8, (counter) => text(counter, 6, 'CPUs'));
  });
  usage.cpuNs.forEach((cpuNs, window) => {
    packets.add(profile.meta.startNs + window * usage.windowNs, (packet) => {
      message(packet, 11, (own) => {
        number(own, 9, SLICE.COUNTER);
        number(own, 11, TRACKS.cpu);
        double(own, 44, cpuNs / usage.windowNs);
      });
    });
  });
}

/** @param {Packets} packets @param {Profile} profile */
function addSamples(packets, { raw, meta }) {
  const { node, thread, cpu, timeNs, end, flags } = raw.samples;
  const { parent, func } = raw.nodes;
  const isKnown = new Uint8Array(parent.length);
  for (let sample = 0; sample < node.length; sample++) {
    const leaf = node[sample];
    packets.add(timeNs[sample], (packet) => {
      if (isKnown[leaf] === 0 && leaf > 0) {
        isKnown[leaf] = 1;
        /** @type {number[]} */
        const path = [];
        for (let at = leaf; at > 0; at = parent[at]) path.push(func[at] + 1);
        message(packet, 12, (data) => {
          message(data, 7, (stack) => {
            number(stack, 1, leaf);
            // Outermost first.
            for (let at = path.length - 1; at >= 0; at--) number(stack, 2, path[at]);
          });
        });
      }
      message(packet, 66, (own) => {
        number(own, 1, cpu[sample]);
        number(own, 2, meta.pid);
        number(own, 3, raw.threads.tid[thread[sample]]);
        if (leaf > 0) number(own, 4, leaf);
        number(own, 5, (flags[sample] & SAMPLE.IN_KERNEL) !== 0 ? MODE.KERNEL : MODE.USER);
        if (end[sample] > 0) number(own, 16, UNWIND_ERRORS[end[sample]]);
      });
    });
  }
}

/**
 * @param {Profile} profile
 * @returns {Uint8Array[]}
 */
function perfettoTrace(profile) {
  const packets = new Packets();
  addDefaults(packets, profile);
  addTracks(packets, profile);
  addEvents(packets, profile);
  addCpu(packets, profile);
  addSamples(packets, profile);
  for (const other of eachEvent(profile).slice(1)) {
    packets.sequence++;
    addDefaults(packets, other);
    addSamples(packets, other);
  }
  packets.flush();
  return packets.chunks;
}

module.exports = { perfettoTrace };
