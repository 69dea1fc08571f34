'use strict';
// What stands before and behind the records of a perf.data: the events' attributes, and the file's features
// (build ids, the machine, the command).

const { bareEvent, eachEvent } = require('../profile/events.js');
const { archOf } = require('./firefox-tables.js');
const { Writer } = require('./perf-bytes.js');
const pkg = require('../../package.json');

/** @typedef {import('../profile/profile').Profile} Profile */

const ATTR_BYTES = 112; // PERF_ATTR_SIZE_VER5: every perf since 4.1 reads it
/** PERF_SAMPLE_IP | TID | TIME | CALLCHAIN | CPU | PERIOD */
const SAMPLE_TYPE = 0x1n | 0x2n | 0x4n | 0x20n | 0x80n | 0x100n;
/** PERF_SAMPLE_IDENTIFIER: which of several events, at the same place in every record. */
const SAMPLE_IDENTIFIER = 0x10000n;
const FEATURES = {
  ...{ BUILD_ID: 2, OSRELEASE: 4, VERSION: 5, ARCH: 6, NRCPUS: 7, CMDLINE: 11 },
  ...{ EVENT_DESC: 12, SAMPLE_TIME: 21 },
};
const MISC_USER = 2;
const MISC_BUILD_ID_SIZE = 0x8000;

/** By the event's name without modifiers: [type, config] of perf_event_attr. */
const EVENTS = new Map([
  ['cycles', [0, 0]],
  ['instructions', [0, 1]],
  ['cache-references', [0, 2]],
  ['cache-misses', [0, 3]],
  ['branches', [0, 4]],
  ['branch-misses', [0, 5]],
  ['cpu-clock', [1, 0]],
  ['task-clock', [1, 1]],
  ['page-faults', [1, 2]],
  ['context-switches', [1, 3]],
  ['minor-faults', [1, 5]],
  ['major-faults', [1, 6]],
]);
const OTHER_EVENT = [4, 0]; // PERF_TYPE_RAW

/** The identifier of each event: any number but 0. @param {number} event */
const idOf = (event) => event + 1;

/**
 * perf_event_attr of what was sampled.
 * @param {Writer} writer
 * @param {Profile['meta']} meta
 * @param {boolean} hasIds it is one of several
 */
function writeAttr(writer, meta, hasIds) {
  const [type, config] = EVENTS.get(bareEvent(meta.event)) ?? OTHER_EVENT;
  const start = writer.size;
  writer.u32(type);
  writer.u32(ATTR_BYTES);
  writer.u64(config);
  writer.u64(meta.period ?? Math.max(1, meta.frequency)); // sample_period, or with the bit 10 sample_freq
  writer.u64(hasIds ? SAMPLE_TYPE | SAMPLE_IDENTIFIER : SAMPLE_TYPE);
  writer.u64(0); // read_format
  // disabled 0, inherit 1, mmap 8, comm 9, freq 10, task 13, sample_id_all 18, mmap2 23, comm_exec 24
  const bits = [1, 8, 9, 13, 18, 23, 24, ...(meta.frequency > 0 ? [10] : [])];
  if (!meta.hasKernel) bits.push(5);
  writer.u64(bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n));
  writer.zeros(ATTR_BYTES - (writer.size - start));
}

/**
 * @param {Profile} profile
 * @param {ReturnType<typeof import('./perf-places').placesOf>} places
 */
function buildIds({ raw, meta }, { mappings }) {
  const writer = new Writer();
  for (const module of new Set(mappings.map((mapping) => mapping.module))) {
    const id = Buffer.from(raw.strings[raw.modules.buildId[module]], 'hex').subarray(0, 20);
    if (id.length < 8) continue;
    const path = Buffer.from(raw.strings[raw.modules.path[module]]);
    const size = (path.length + 64) & ~63;
    writer.u32(67); // PERF_RECORD_HEADER_BUILD_ID
    writer.u16(MISC_USER | MISC_BUILD_ID_SIZE);
    writer.u16(8 + 4 + 24 + size);
    writer.u32(meta.pid);
    writer.text(id, 20);
    writer.u32(id.length);
    writer.text(path, size);
  }
  return writer.whole;
}

/** @param {Profile} profile @param {ReturnType<typeof import('./perf-places').placesOf>} places */
function features(profile, places) {
  const { meta } = profile;
  const events = eachEvent(profile);
  const hasIds = events.length > 1;
  const words = meta.command.split(' ').filter((word) => word !== '');
  const of = (/** @type {(writer: Writer) => void} */ fill) => {
    const writer = new Writer();
    fill(writer);
    return writer.whole;
  };
  /** @type {[number, Buffer][]} */
  const sections = [
    [FEATURES.BUILD_ID, buildIds(profile, places)],
    [FEATURES.OSRELEASE, of((writer) => writer.featureText(meta.kernel))],
    [FEATURES.VERSION, of((writer) => writer.featureText(`rspack-prof ${pkg.version}`))],
    [FEATURES.ARCH, of((writer) => writer.featureText(archOf(meta)))],
    [
      FEATURES.NRCPUS,
      of((writer) => {
        writer.u32(meta.cpus);
        writer.u32(meta.cpus);
      }),
    ],
    [
      FEATURES.CMDLINE,
      of((writer) => {
        writer.u32(words.length);
        for (const word of words) writer.featureText(word);
      }),
    ],
    [
      FEATURES.EVENT_DESC,
      of((writer) => {
        writer.u32(events.length);
        writer.u32(ATTR_BYTES);
        events.forEach((own, event) => {
          writeAttr(writer, own.meta, hasIds);
          writer.u32(hasIds ? 1 : 0);
          writer.featureText(own.meta.event);
          if (hasIds) writer.u64(idOf(event));
        });
      }),
    ],
    [
      FEATURES.SAMPLE_TIME,
      of((writer) => {
        const times = events.map((own) => own.raw.samples.timeNs);
        const [first, last] = [0, -1].map((at) => times.map((list) => list.at(at) ?? meta.startNs));
        writer.u64(Math.min(...first));
        writer.u64(Math.max(...last));
      }),
    ],
  ];
  return sections.filter(([, bytes]) => bytes.length > 0);
}

module.exports = { ATTR_BYTES, features, idOf, writeAttr };
