'use strict';
// perf.data: a profile's samples with their whole stacks as callchains, for perf report, perf script
// and whatever else reads perf's files; the names that perf cannot find itself stand in a perf-map
// (perf-places.js says which). Layout: perf.data-file-format.txt and linux/perf_event.h, as perf 6.1
// reads them.
//
// What it cannot hold: phases, marks, losses, inlining (an inlined function is a frame like others).

const { eachEvent, inTime } = require('../profile/events.js');
const { Writer } = require('./perf-bytes.js');
const { ATTR_BYTES, features, idOf, writeAttr } = require('./perf-features.js');
const { placesOf } = require('./perf-places.js');

/** @typedef {import('../profile/profile').Profile} Profile */

const HEAD_BYTES = 104;
const MAGIC = 0x32454c4946524550n; // PERFILE2
const RECORD = { MMAP: 1, MMAP2: 10, COMM: 3, SAMPLE: 9, FINISHED_ROUND: 68 };
const MISC = { KERNEL: 1, USER: 2 };
const CONTEXT = { KERNEL: BigInt.asUintN(64, -128n), USER: BigInt.asUintN(64, -512n) };
const TRAILER_BYTES = 24; // sample_id_all: pid, tid; time; cpu, reserved; of several events the identifier
const ID_BYTES = 8;
const ATTR_ROW_BYTES = ATTR_BYTES + 16; // and where its ids are
const ALL = 0xffffffff;
/** A record's size is a u16: deeper stacks lose their outermost frames (and say so). */
const FRAMES_MOST = 8000;

const pad8 = (/** @type {number} */ size) => (size + 7) & ~7;

class Records {
  /** @param {Profile} profile @param {ReturnType<typeof placesOf>} places */
  constructor(profile, places) {
    this.writer = new Writer();
    this.profile = profile;
    this.places = places;
    this.pid = profile.meta.pid;
    this.startNs = profile.meta.startNs;
    this.truncated = 0;
    /** Each record tells its event where there are several. */
    this.hasIds = profile.others.length > 0;
    this.trailerBytes = TRAILER_BYTES + (this.hasIds ? ID_BYTES : 0);
  }

  /** The addresses from a node to its root, kernel and user apart. @param {number} leaf */
  chainOf(leaf) {
    const { nodes } = this.profile.raw;
    const { addresses, inKernel } = this.places;
    /** @type {bigint[]} */
    const kernel = [];
    /** @type {bigint[]} */
    const user = [];
    for (let node = leaf; node > 0; node = nodes.parent[node]) {
      const func = nodes.func[node];
      (inKernel[func] ? kernel : user).push(addresses[func]);
    }
    return { kernel, user };
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
    if (this.hasIds) this.writer.u64(idOf(0));
  }

  /** @param {number} tid @param {string} name @param {number} timeNs */
  comm(tid, name, timeNs) {
    const text = Buffer.from(name).subarray(0, 15);
    const size = pad8(text.length + 1);
    this.head(RECORD.COMM, 0, 8 + 8 + size + this.trailerBytes);
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
    this.head(RECORD.MMAP, MISC.KERNEL, 8 + 32 + size + this.trailerBytes);
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
    this.head(RECORD.MMAP2, MISC.USER, 8 + 64 + size + this.trailerBytes);
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

  /** @param {Profile} own of its event @param {number} event @param {number} index */
  sample({ raw: { samples, threads } }, event, index) {
    const { kernel, user } = this.chainOf(samples.node[index]);
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
    const ids = this.hasIds ? [idOf(event)] : [];
    this.head(RECORD.SAMPLE, misc, 8 * (7 + ids.length + chain.length));
    for (const id of ids) writer.u64(id);
    writer.u64(chain[1]);
    writer.u32(this.pid);
    writer.u32(threads.tid[samples.thread[index]]);
    writer.u64(samples.timeNs[index]);
    writer.u64(samples.cpu[index]);
    writer.u64(Math.max(0, samples.weight[index]));
    writer.u64(chain.length);
    for (const address of chain) writer.u64(address);
  }

  build() {
    const { raw } = this.profile;
    const { strings, threads, modules } = raw;
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
    const events = eachEvent(this.profile);
    for (const [own, index] of inTime(this.profile)) this.sample(own, events.indexOf(own), index);
    this.head(RECORD.FINISHED_ROUND, 0, 8);
    return this.writer.whole;
  }
}

/**
 * Each event's attributes and where its ids are; the ids behind them. One event needs none.
 * @param {Profile} profile
 */
function attrsOf(profile) {
  const events = eachEvent(profile);
  const hasIds = events.length > 1;
  const attrs = new Writer();
  events.forEach(({ meta }, event) => {
    writeAttr(attrs, meta, hasIds);
    attrs.u64(hasIds ? HEAD_BYTES + ATTR_ROW_BYTES * events.length + ID_BYTES * event : 0);
    attrs.u64(hasIds ? ID_BYTES : 0);
  });
  if (hasIds) events.forEach((_, event) => attrs.u64(idOf(event)));
  return attrs;
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
  const attr = attrsOf(profile);
  const attrBytes = ATTR_ROW_BYTES * (1 + profile.others.length);

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
  head.u64(ATTR_ROW_BYTES);
  for (const value of [HEAD_BYTES, attrBytes, dataAt, records.length, 0, 0]) head.u64(value);
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
