'use strict';
// Reads what rspack's `perfetto` layer writes: perfetto's Trace message, of which only the debug binding
// of 2.2.7 makes any. Of each packet the time stamp and the track event are looked at (the field numbers
// are perfetto's, protos/perfetto/trace/*.proto, checked with that file). Its clock begins when the trace
// was registered, and its tracks are of rspack's making, none of them a thread: align.js finds the
// samples' clock.
//
// Refuses what is no such message: it throws.

const { Reader } = require('protobufjs/minimal');

/** @typedef {import('./read-log').Span} Span */

/** TracePacket. */
const TIMESTAMP = 8;
const TRACK_EVENT = 11;
/** TrackEvent. */
const TYPE = 9;
const TRACK = 11;
const NAME = 23;
const SOURCE = 33;
const BEGIN = 1;
const END = 2;
/** Of a message on the wire. */
const VARINT = 0;
const BYTES = 2;

/**
 * @param {Uint8Array} bytes
 * @param {(field: number, wire: number, reader: import('protobufjs').Reader) => boolean} take false: not
 *   wanted, and not read
 */
function eachField(bytes, take) {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!take(tag >>> 3, tag & 7, reader)) reader.skipType(tag & 7);
  }
}

/** @param {import('protobufjs').Reader} reader */
const numberOf = (reader) => Number(reader.uint64());
const utf8 = new TextDecoder();

/** `crates/rspack_core/src/compiler/mod.rs` is `rspack_core::compiler`. @param {string} file */
function targetOf(file) {
  const found = /crates\/(\w+)\/src\/(.+)\.rs$/.exec(file);
  if (!found) return '';
  const modules = found[2].split('/').filter((part) => part !== 'mod' && part !== 'lib');
  return [found[1], ...modules].join('::');
}

/** @param {Uint8Array} bytes of a TrackEvent */
function readEvent(bytes) {
  const event = { type: 0, track: 0, name: '', file: '' };
  eachField(bytes, (field, wire, reader) => {
    if (field === TYPE && wire === VARINT) event.type = numberOf(reader);
    else if (field === TRACK && wire === VARINT) event.track = numberOf(reader);
    else if (field === NAME && wire === BYTES) event.name = reader.string();
    else if (field === SOURCE && wire === BYTES) {
      eachField(reader.bytes(), (inner, kind, more) => {
        if (inner !== 2 || kind !== BYTES) return false;
        event.file = utf8.decode(more.bytes());
        return true;
      });
    } else return false;
    return true;
  });
  return event;
}

/**
 * @param {Uint8Array} bytes of the file
 * @returns {Span[]} on the trace's own clock
 */
function readPftrace(bytes) {
  /** @type {Map<number, {ns: number, order: number, type: number, name: string, file: string}[]>} */
  const tracks = new Map();
  let order = 0;
  eachField(bytes, (field, wire, reader) => {
    if (field !== 1 || wire !== BYTES) throw new Error('this is no perfetto trace');
    let ns = 0;
    /** @type {ReturnType<typeof readEvent> | null} */
    let event = null;
    eachField(reader.bytes(), (inner, kind, more) => {
      if (inner === TIMESTAMP && kind === VARINT) ns = numberOf(more);
      else if (inner === TRACK_EVENT && kind === BYTES) event = readEvent(more.bytes());
      else return false;
      return true;
    });
    const found = /** @type {ReturnType<typeof readEvent> | null} */ (event);
    if (found && (found.type === BEGIN || found.type === END)) {
      const events = tracks.get(found.track) ?? [];
      tracks.set(found.track, events);
      events.push({ ns, order: order++, ...found });
    }
    return true;
  });
  return [...tracks.values()].flatMap(spansOfTrack);
}

/**
 * @param {{ns: number, order: number, type: number, name: string, file: string}[]} events
 * @returns {Span[]} what was begun and ended on a track; both ends have the name
 */
function spansOfTrack(events) {
  /** @type {{name: string, ns: number, file: string}[]} */
  const open = [];
  /** @type {Span[]} */
  const spans = [];
  for (const { ns, type, name, file } of events.sort((a, b) => a.ns - b.ns || a.order - b.order)) {
    if (type === BEGIN) {
      open.push({ name, ns, file });
      continue;
    }
    const at = open.findLastIndex((one) => one.name === name);
    if (at < 0) continue;
    const [begun] = open.splice(at, 1);
    const path = open.slice(0, at).map((one) => one.name);
    const target = targetOf(begun.file);
    spans.push({
      name,
      target,
      path,
      startNs: begun.ns,
      endNs: ns,
      busyNs: ns - begun.ns,
      resource: '',
    });
  }
  return spans;
}

module.exports = { readPftrace, targetOf };
