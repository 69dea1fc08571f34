'use strict';
// perf.data: a profile's samples with their whole stacks as callchains, for perf report, perf script
// and whatever else reads perf's files; the names that perf cannot find itself stand in a perf-map
// (perf-places.js says which). Layout: perf.data-file-format.txt and linux/perf_event.h, as perf 6.1
// reads them.
//
// What it cannot hold: phases, marks, losses, inlining (an inlined function is a frame like others).

const { placesOf } = require('./perf-places.js');
const pkg = require('../../package.json');

/** @typedef {import('../profile/profile').Profile} Profile */

const HEAD_BYTES = 104;
const ATTR_BYTES = 112; // PERF_ATTR_SIZE_VER5: every perf since 4.1 reads it
const MAGIC = 0x32454c4946524550n; // PERFILE2
const RECORD = { MMAP: 1, MMAP2: 10, COMM: 3, SAMPLE: 9, FINISHED_ROUND: 68 };
const MISC = { KERNEL: 1, USER: 2, BUILD_ID_SIZE: 0x8000 };
const CONTEXT = { KERNEL: BigInt.asUintN(64, -128n), USER: BigInt.asUintN(64, -512n) };
/** PERF_SAMPLE_IP | TID | TIME | CALLCHAIN | CPU | PERIOD */
const SAMPLE_TYPE = 0x1n | 0x2n | 0x4n | 0x20n | 0x80n | 0x100n;
const TRAILER_BYTES = 24; // sample_id_all: pid, tid; time; cpu, reserved
const ALL = 0xffffffff;
/** A record's size is a u16: deeper stacks lose their outermost frames (and say so). */
const FRAMES_MOST = 8000;
const FEATURES = { BUILD_ID: 2, OSRELEASE: 4, VERSION: 5, ARCH: 6, NRCPUS: 7, CMDLINE: 11 };
const LATE_FEATURES = { EVENT_DESC: 12, SAMPLE_TIME: 21 };
const CHUNK_BYTES = 1 << 20;

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

const pad8 = (/** @type {number} */ size) => (size + 7) & ~7;

/** Bytes that grow, little-endian. */
class Writer {
  constructor() {
    this.bytes = Buffer.alloc(CHUNK_BYTES);
    this.size = 0;
  }

  /** @param {number} size */
  need(size) {
    if (this.size + size <= this.bytes.length) return;
    const wider = Buffer.alloc(Math.max(this.bytes.length * 2, this.size + size));
    this.bytes.copy(wider, 0, 0, this.size);
    this.bytes = wider;
  }

  /** @param {number} value */
  u16(value) {
    this.need(2);
    this.size = this.bytes.writeUInt16LE(value, this.size);
  }

  /** @param {number} value */
  u32(value) {
    this.need(4);
    this.size = this.bytes.writeUInt32LE(value >>> 0, this.size);
  }

  /** @param {bigint | number} value */
  u64(value) {
    this.need(8);
    this.size = this.bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.size);
  }

  /** @param {number} size */
  zeros(size) {
    this.need(size);
    this.bytes.fill(0, this.size, (this.size += size));
  }

  /**
   * With at least one NUL, `size` bytes in all.
   * @param {Buffer} text
   * @param {number} size
   */
  text(text, size) {
    this.need(size);
    text.copy(this.bytes, this.size);
    this.bytes.fill(0, this.size + text.length, (this.size += size));
  }

  /** @param {string} text perf's own strings: length, then text with its padding */
  featureText(text) {
    const bytes = Buffer.from(text);
    const size = (bytes.length + 64) & ~63; // NAME_ALIGN
    this.u32(size);
    this.text(bytes, size);
  }

  get whole() {
    return this.bytes.subarray(0, this.size);
  }
}

/** @param {Profile['meta']} meta */
function writeAttr(writer = new Writer(), meta) {
  const name = meta.event.replace(/:[a-zA-Z]*$/, '');
  const [type, config] = EVENTS.get(name) ?? OTHER_EVENT;
  const start = writer.size;
  writer.u32(type);
  writer.u32(ATTR_BYTES);
  writer.u64(config);
  writer.u64(Math.max(1, Math.round(meta.frequency))); // sample_freq
  writer.u64(SAMPLE_TYPE);
  writer.u64(0); // read_format
  // disabled 0, inherit 1, mmap 8, comm 9, freq 10, task 13, sample_id_all 18, mmap2 23, comm_exec 24
  const bits = [1, 8, 9, 13, 18, 23, 24, ...(meta.frequency > 0 ? [10] : [])];
  if (!meta.hasKernel) bits.push(5);
  writer.u64(bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n));
  writer.zeros(ATTR_BYTES - (writer.size - start));
}

class Records {
  /** @param {Profile} profile @param {ReturnType<typeof placesOf>} places */
  constructor(profile, places) {
    this.writer = new Writer();
    this.profile = profile;
    this.places = places;
    this.pid = profile.meta.pid;
    this.startNs = Math.round(profile.meta.startNs);
    this.truncated = 0;
    this.parentFirst = this.chains();
  }

  /** The addresses from a node to its root, kernel and user apart, of the nodes that are leaves. */
  chains() {
    const { nodes } = this.profile.raw;
    const { addresses, inKernel } = this.places;
    return (/** @type {number} */ leaf) => {
      /** @type {bigint[]} */
      const kernel = [];
      /** @type {bigint[]} */
      const user = [];
      for (let node = leaf; node > 0; node = nodes.parent[node]) {
        const func = nodes.func[node];
        (inKernel[func] ? kernel : user).push(addresses[func]);
      }
      return { kernel, user };
    };
  }

  /**
   * @param {number} type
   * @param {number} misc
   * @param {number} size of the whole
   */
  head(type, misc, size) {
    this.writer.u32(type);
    this.writer.u16(misc);
    this.writer.u16(size);
  }

  /** @param {number} tid @param {number} timeNs */
  trailer(tid, timeNs) {
    this.writer.u32(this.pid);
    this.writer.u32(tid);
    this.writer.u64(timeNs);
    this.writer.u64(0);
  }

  /** @param {number} tid @param {string} name @param {number} timeNs */
  comm(tid, name, timeNs) {
    const text = Buffer.from(name).subarray(0, 15);
    const size = pad8(text.length + 1);
    this.head(RECORD.COMM, 0, 8 + 8 + size + TRAILER_BYTES);
    this.writer.u32(this.pid);
    this.writer.u32(tid);
    this.writer.text(text, size);
    this.trailer(tid, timeNs);
  }

  /** Of everybody, with its reference symbol, as perf's own record has it. */
  mmapKernel() {
    const { kernel } = this.places;
    if (!kernel) return;
    const text = Buffer.from('[kernel.kallsyms]_text');
    const size = pad8(text.length + 1);
    this.head(RECORD.MMAP, MISC.KERNEL, 8 + 32 + size + TRAILER_BYTES);
    this.writer.u32(ALL);
    this.writer.u32(0);
    for (const value of [kernel.start, kernel.size, kernel.start]) this.writer.u64(value);
    this.writer.text(text, size);
    this.trailer(0, 0);
  }

  /** @param {string} path @param {bigint} start @param {bigint} length @param {bigint} offset */
  mmap(path, start, length, offset) {
    const text = Buffer.from(path);
    const size = pad8(text.length + 1);
    this.head(RECORD.MMAP2, MISC.USER, 8 + 64 + size + TRAILER_BYTES);
    this.writer.u32(this.pid);
    this.writer.u32(this.pid);
    this.writer.u64(start);
    this.writer.u64(length);
    this.writer.u64(offset);
    this.writer.zeros(24); // device and inode: not known, build ids stand at the end of the file
    this.writer.u32(5); // PROT_READ | PROT_EXEC
    this.writer.u32(2); // MAP_PRIVATE
    this.writer.text(text, size);
    this.trailer(this.pid, this.startNs);
  }

  /** @param {number} index */
  sample(index) {
    const { samples, threads } = this.profile.raw;
    const { kernel, user } = this.parentFirst(samples.node[index]);
    if (kernel.length + user.length === 0) user.push(0n); // weight without a place
    if (user.length + kernel.length > FRAMES_MOST) {
      user.length = Math.max(0, FRAMES_MOST - kernel.length);
      kernel.length = Math.min(kernel.length, FRAMES_MOST);
      this.truncated++;
    }
    const chain = [];
    if (kernel.length > 0) chain.push(CONTEXT.KERNEL, ...kernel);
    if (user.length > 0) chain.push(CONTEXT.USER, ...user);
    const misc = kernel.length > 0 ? MISC.KERNEL : MISC.USER;
    const { writer } = this;
    this.head(RECORD.SAMPLE, misc, 8 + 8 + 8 + 8 + 8 + 8 + 8 + 8 * chain.length);
    writer.u64(chain[1]);
    writer.u32(this.pid);
    writer.u32(threads.tid[samples.thread[index]]);
    writer.u64(Math.round(samples.timeNs[index]));
    writer.u64(samples.cpu[index]);
    writer.u64(Math.max(0, Math.round(samples.weight[index])));
    writer.u64(chain.length);
    for (const address of chain) writer.u64(address);
  }

  build() {
    const { raw } = this.profile;
    const { strings, threads, modules, samples } = raw;
    const { made, mappings } = this.places;
    const mainRow = threads.tid.indexOf(this.pid);
    this.mmapKernel();
    this.comm(this.pid, mainRow < 0 ? 'node' : strings[threads.name[mainRow]], this.startNs);
    for (let row = 0; row < threads.tid.length; row++) {
      if (row !== mainRow) {
        this.comm(
          threads.tid[row],
          strings[threads.name[row]],
          threads.startNs[row] || this.startNs,
        );
      }
    }
    if (made.size > 0n) this.mmap('//anon', made.start, made.size, 0n);
    for (const { module, start, size, offset } of mappings) {
      this.mmap(strings[modules.path[module]], start, size, offset);
    }
    for (let index = 0; index < samples.timeNs.length; index++) this.sample(index);
    this.head(RECORD.FINISHED_ROUND, 0, 8);
    return this.writer.whole;
  }
}

/**
 * @param {Profile} profile
 * @param {ReturnType<typeof placesOf>} places
 */
function buildIds({ raw, meta }, { mappings }) {
  const writer = new Writer();
  for (const module of new Set(mappings.map((mapping) => mapping.module))) {
    const id = Buffer.from(raw.strings[raw.modules.buildId[module]], 'hex').subarray(0, 20);
    if (id.length < 8) continue;
    const path = Buffer.from(raw.strings[raw.modules.path[module]]);
    const size = (path.length + 64) & ~63;
    writer.u32(67); // PERF_RECORD_HEADER_BUILD_ID
    writer.u16(MISC.USER | MISC.BUILD_ID_SIZE);
    writer.u16(8 + 4 + 24 + size);
    writer.u32(meta.pid);
    writer.text(id, 20);
    writer.u32(id.length);
    writer.text(path, size);
  }
  return writer.whole;
}

/** @param {Profile} profile @param {ReturnType<typeof placesOf>} places */
function features(profile, places) {
  const { meta, raw } = profile;
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
    [FEATURES.ARCH, of((writer) => writer.featureText('x86_64'))],
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
      LATE_FEATURES.EVENT_DESC,
      of((writer) => {
        writer.u32(1);
        writer.u32(ATTR_BYTES);
        writeAttr(writer, meta);
        writer.u32(0);
        writer.featureText(meta.event);
      }),
    ],
    [
      LATE_FEATURES.SAMPLE_TIME,
      of((writer) => {
        writer.u64(Math.round(raw.samples.timeNs.at(0) ?? meta.startNs));
        writer.u64(Math.round(raw.samples.timeNs.at(-1) ?? meta.endNs));
      }),
    ],
  ];
  return sections.filter(([, bytes]) => bytes.length > 0);
}

/**
 * @param {Profile} profile
 * @param {import('./perf-places').Disk} [disk] tests pass their own
 * @returns {{ data: Uint8Array[], perfMap: string, perfMapName: string, truncated: number }}
 */
function toPerfData(profile, disk) {
  const places = placesOf(profile.raw, disk);
  const builder = new Records(profile, places);
  const records = builder.build();
  const sections = features(profile, places);
  const attr = new Writer();
  writeAttr(attr, profile.meta);
  attr.zeros(16); // its ids: none, there is one event

  const dataAt = HEAD_BYTES + attr.size;
  const tableAt = dataAt + records.length;
  const table = new Writer();
  let at = tableAt + 16 * sections.length;
  for (const [, bytes] of sections) {
    table.u64(at);
    table.u64(bytes.length);
    at += bytes.length;
  }
  const head = new Writer();
  head.u64(MAGIC);
  head.u64(HEAD_BYTES);
  head.u64(attr.size);
  for (const value of [HEAD_BYTES, attr.size, dataAt, records.length, 0, 0]) head.u64(value);
  head.u64(sections.reduce((bits, [feature]) => bits | (1n << BigInt(feature)), 0n));
  head.zeros(24);
  return {
    data: [head.whole, attr.whole, records, table.whole, ...sections.map(([, bytes]) => bytes)],
    perfMap: places.perfMap,
    perfMapName: `perf-${profile.meta.pid}.map`,
    truncated: builder.truncated,
  };
}

module.exports = { toPerfData };
