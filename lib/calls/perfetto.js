'use strict';
// A trace as Perfetto's: a track for each thread with its calls as nested slices, and how many calls began
// as a counter. Numbers of fields are those of perfetto's protos (trace_packet, track_event,
// track_descriptor, interned_data, debug_annotation, clock_snapshot) of 2026.

const {
  CLEARED,
  CLOCK,
  Packets,
  double,
  fixed64,
  message,
  number,
  text,
} = require('../export/perfetto-packets.js');
const { KIND, readEvents } = require('./events.js');
const { eventsFile, readFunctions, readSpans } = require('./store.js');
const { addSpans } = require('./perfetto-spans.js');

const SLICE = { BEGIN: 1, END: 2, INSTANT: 3, COUNTER: 4 };
const CALLS_TRACK = 1;
const PROCESSES = 1000;
const THREADS = 1_000_000;
/** Linux has 4,194,304 pids at most. */
const APART = 10_000_000;
const WINDOW_NS = 10e6;

/**
 * @param {Packets} packets
 * @param {number} id
 * @param {number} parent 0: none
 * @param {import('../export/perfetto-packets').Fill} fill
 */
function track(packets, id, parent, fill) {
  packets.add(null, (packet) => {
    message(packet, 60, (own) => {
      number(own, 1, id);
      if (parent > 0) number(own, 5, parent);
      fill(own);
    });
  });
}

/** @param {Packets} packets @param {import('./store').Functions} about */
function addHead(packets, { functions, startUnixMs, startNs }) {
  packets.add(
    null,
    (packet) => {
      message(packet, 6, (snapshot) => {
        for (const [id, time] of [
          [CLOCK.MONOTONIC, startNs],
          [CLOCK.REALTIME, startUnixMs * 1e6],
        ]) {
          message(snapshot, 1, (clock) => {
            number(clock, 1, id);
            number(clock, 2, Math.round(time));
          });
        }
        number(snapshot, 2, CLOCK.MONOTONIC);
      });
      message(packet, 12, (data) => {
        functions.forEach(({ name }, id) => {
          message(data, 2, (entry) => {
            number(entry, 1, id + 1);
            text(entry, 2, name);
          });
        });
      });
    },
    CLEARED,
  );
  track(packets, CALLS_TRACK, 0, (own) => {
    text(own, 2, 'traced calls per 10 ms');
    message(own, 8, (counter) => text(counter, 6, 'calls'));
  });
}

/** The tracks of threads, made when they are met first. */
class Tracks {
  /** @type {Set<number>} */
  known = new Set();

  /** @param {Packets} packets @param {import('./store').Functions} about @param {import('./summary').Summary} summary */
  constructor(packets, { command }, { threads }) {
    this.packets = packets;
    this.command = command;
    this.threads = new Map(threads.map((thread) => [thread.tid, thread]));
  }

  /** Of a process. @param {number} pid */
  process(pid) {
    if (!this.known.has(PROCESSES + pid)) {
      this.known.add(PROCESSES + pid);
      const processName = this.threads.get(pid)?.name || this.command;
      track(this.packets, PROCESSES + pid, 0, (own) => {
        message(own, 3, (process) => {
          number(process, 1, pid);
          text(process, 6, processName);
        });
      });
    }
    return PROCESSES + pid;
  }

  /** A track of its own below a process; those of one name are shown as one. @param {number} pid @param {string} name */
  apart(pid, name) {
    const parent = this.process(pid);
    const id = APART + this.known.size;
    this.known.add(id);
    track(this.packets, id, parent, (own) => text(own, 2, name));
    return id;
  }

  /** @param {number} tid */
  of(tid) {
    const id = THREADS + tid;
    if (this.known.has(id)) return id;
    this.known.add(id);
    const { pid, name } = this.threads.get(tid) ?? { pid: tid, name: '' };
    const parent = this.process(pid);
    track(this.packets, id, parent, (own) => {
      message(own, 4, (thread) => {
        number(thread, 1, pid);
        number(thread, 2, tid);
        if (name) text(thread, 5, name);
      });
    });
    return id;
  }
}

/** @param {Packets} packets @param {number} timeNs @param {number} calls */
function addCount(packets, timeNs, calls) {
  packets.add(timeNs, (packet) => {
    message(packet, 11, (own) => {
      number(own, 9, SLICE.COUNTER);
      number(own, 11, CALLS_TRACK);
      double(own, 44, calls);
    });
  });
}

/**
 * An arrow from where a job was handed over to where it runs: an instant on either track, so that it does
 * not matter which slice was written first.
 * @param {Packets} packets
 * @param {Tracks} tracks
 * @param {import('./events').Flow} flow
 */
function addFlow(packets, tracks, { frame, tid, spawnerTid, timeNs, spawnedNs }) {
  for (const [at, thread, name, field] of /** @type {[number, number, string, number][]} */ ([
    [spawnedNs, spawnerTid, 'hands over a job', 47],
    [timeNs, tid, 'runs it', 48],
  ])) {
    const id = tracks.of(thread);
    packets.add(at, (packet) => {
      message(packet, 11, (own) => {
        number(own, 9, SLICE.INSTANT);
        number(own, 11, id);
        text(own, 23, name);
        fixed64(own, field, frame);
      });
    });
  }
}

/**
 * @param {string} folder of a trace
 * @param {import('./summary').Summary} summary
 * @returns {Generator<Uint8Array>}
 */
function* perfettoTrace(folder, summary) {
  const about = readFunctions(folder);
  const packets = new Packets();
  addHead(packets, about);
  const tracks = new Tracks(packets, about, summary);
  let windowNs = 0;
  let calls = 0;
  const events = readEvents(eventsFile(folder), {}, about.functions.length);
  for (const { length, timeNs, tid, func, kind, flows } of events) {
    for (let i = 0; i < length; i++) {
      const id = tracks.of(tid[i]);
      if (timeNs[i] >= windowNs + WINDOW_NS) {
        if (calls > 0) addCount(packets, windowNs, calls);
        windowNs = timeNs[i];
        calls = 0;
      }
      calls += kind[i] === KIND.ENTRY ? 1 : 0;
      packets.add(timeNs[i], (packet) => {
        message(packet, 11, (own) => {
          number(own, 9, kind[i] === KIND.ENTRY ? SLICE.BEGIN : SLICE.END);
          number(own, 11, id);
          if (kind[i] === KIND.ENTRY) number(own, 10, func[i] + 1);
          if (kind[i] > KIND.EXIT) {
            message(own, 4, (note) => {
              text(note, 10, 'end');
              text(note, 6, kind[i] === KIND.TAIL ? 'tail call' : 'left unseen');
            });
          }
        });
      });
    }
    for (const flow of flows) addFlow(packets, tracks, flow);
    packets.flush();
    yield* packets.chunks.splice(0);
  }
  if (calls > 0) addCount(packets, windowNs, calls);
  for (const found of readSpans(folder)) addSpans(packets, tracks, found);
  packets.flush();
  yield* packets.chunks;
}

module.exports = { perfettoTrace };
