'use strict';
// Spans of JavaScript in a Perfetto trace: what a tap or loader ran itself, on the main thread's own track
// between the traced calls; what overlaps, on tracks apart, by kind: as few as have no overlap.

const { message, number, text } = require('../export/perfetto-packets.js');

/** @typedef {import('./spans/log').Span} Span */

const SLICE = { BEGIN: 1, END: 2 };
const TRACK = {
  phase: 'build phases',
  build: 'builds',
  child: 'child compilers',
  tap: 'taps, to the end of what they began',
  loader: 'loaders, to the end of what they began',
  measure: 'performance.measure()',
  rspack: "rspack's own spans",
};

/**
 * @param {import('../export/perfetto-packets').Packets} packets
 * @param {number} trackId
 * @param {Span} span
 */
function addSlice(packets, trackId, { kind, name, startNs, endNs, detail }) {
  packets.add(startNs, (packet) => {
    message(packet, 11, (own) => {
      number(own, 9, SLICE.BEGIN);
      number(own, 11, trackId);
      text(own, 22, `javascript,${kind}`);
      text(own, 23, name);
      if (detail) {
        message(own, 4, (note) => {
          text(note, 10, 'for');
          text(note, 6, detail);
        });
      }
    });
  });
  packets.add(Math.max(startNs, endNs), (packet) => {
    message(packet, 11, (own) => {
      number(own, 9, SLICE.END);
      number(own, 11, trackId);
    });
  });
}

/**
 * @param {import('../export/perfetto-packets').Packets} packets
 * @param {{ of: (tid: number) => number, apart: (pid: number, name: string) => number }} tracks
 * @param {import('./store').ProcessSpans} found
 */
function addSpans(packets, tracks, { pid, spans }) {
  // A thread's slices nest: an outer one begins first, and ends last.
  const ordered = [...spans].sort((a, b) => a.startNs - b.startNs || b.endNs - a.endNs);
  /** By kind: each track with the end of its last slice. @type {Map<string, { id: number, endNs: number }[]>} */
  const lanes = new Map();
  /** @type {(Span & { track: number })[]} */
  const nested = [];
  for (const span of ordered) {
    if (!span.apart) {
      nested.push({ ...span, track: tracks.of(pid) });
      continue;
    }
    let own = lanes.get(span.kind);
    if (!own) lanes.set(span.kind, (own = []));
    let lane = own.find(({ endNs }) => endNs <= span.startNs);
    if (!lane) own.push((lane = { id: tracks.apart(pid, TRACK[span.kind]), endNs: 0 }));
    lane.endNs = span.endNs;
    addSlice(packets, lane.id, span);
  }
  for (const span of nested) addSlice(packets, span.track, span);
}

module.exports = { addSpans };
