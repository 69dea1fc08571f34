'use strict';
// Bytes of a Perfetto trace: fields and messages by number, packets of a few sequences, in chunks.

const { Writer } = require('protobufjs/minimal');

/** @typedef {import('protobufjs').Writer} ProtoWriter */
/** @typedef {(writer: ProtoWriter) => void} Fill */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
/** The first writer's; what is interned and taken for granted is each writer's own. */
const SEQUENCE = 1;
/** TracePacket.sequence_flags: SEQ_INCREMENTAL_STATE_CLEARED, SEQ_NEEDS_INCREMENTAL_STATE. */
const CLEARED = 1;
const NEEDS = 2;
/** ClockSnapshot's built-in clocks. */
const CLOCK = { REALTIME: 1, MONOTONIC: 3 };
const CHUNK_PACKETS = 2000;

/** @param {ProtoWriter} writer @param {number} field @param {Fill} fill */
function message(writer, field, fill) {
  writer.uint32((field << 3) | BYTES).fork();
  fill(writer);
  writer.ldelim();
}

/** @param {ProtoWriter} writer @param {number} field @param {number} value */
const number = (writer, field, value) => writer.uint32((field << 3) | VARINT).uint64(value);

/** @param {ProtoWriter} writer @param {number} field @param {string} value */
const text = (writer, field, value) => writer.uint32((field << 3) | BYTES).string(value);

/** @param {ProtoWriter} writer @param {number} field @param {Uint8Array} value */
const bytes = (writer, field, value) => writer.uint32((field << 3) | BYTES).bytes(value);

/** @param {ProtoWriter} writer @param {number} field @param {number} value */
const double = (writer, field, value) => writer.uint32((field << 3) | FIXED64).double(value);

/** @param {ProtoWriter} writer @param {number} field @param {number} value */
const fixed64 = (writer, field, value) => writer.uint32((field << 3) | FIXED64).fixed64(value);

/** The packets of a trace, in chunks of bytes. */
class Packets {
  writer = Writer.create();
  /** Whose packets are added from now on. */
  sequence = SEQUENCE;
  count = 0;
  /** @type {Uint8Array[]} */
  chunks = [];

  /** @param {number | null} timeNs @param {Fill} fill @param {number} [flags] */
  add(timeNs, fill, flags = NEEDS) {
    message(this.writer, 1, (packet) => {
      if (timeNs !== null) {
        number(packet, 8, Math.max(0, Math.round(timeNs)));
        number(packet, 58, CLOCK.MONOTONIC);
      }
      number(packet, 10, this.sequence);
      number(packet, 13, flags);
      fill(packet);
    });
    if (++this.count % CHUNK_PACKETS === 0) this.flush();
  }

  flush() {
    this.chunks.push(this.writer.finish());
    this.writer = Writer.create();
  }
}

module.exports = { CLEARED, CLOCK, Packets, bytes, double, fixed64, message, number, text };
