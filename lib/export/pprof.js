'use strict';
// pprof's profile.proto, gzipped, by pprof-format: samples merged by stack, thread, phase and end,
// which stand as labels. Their values are the count of the first event's, its weight, and the weight of each
// further event. A frame that was inlined is a line of its caller's location, innermost
// first, as the format has it.

const zlib = require('node:zlib');
const pprof = require('pprof-format');
const { bareEvent, eachEvent } = require('../profile/events.js');
const { ENDS, MODULE } = require('../profile/flags.js');
const { NO_STACK } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */

/** pprof's units and sample types by the event's unit. */
const TYPES = new Map([
  ['ns', ['cpu', 'nanoseconds']],
  ['cycles', ['cycles', 'count']],
]);

/**
 * Type and unit of each event's weights. No two have one name: a reader asks for them by it.
 * @param {Profile[]} events
 * @returns {[type: string, unit: string][]}
 */
function weightTypes([first, ...others]) {
  const [type, unit] = TYPES.get(first.meta.unit) ?? [first.meta.event, 'count'];
  /** @type {[string, string][]} */
  const types = [[type, unit]];
  for (const { meta } of others) {
    const own = bareEvent(meta.event);
    const isTaken = types.some(([known]) => known === own);
    const units = new Map([
      ['ns', 'nanoseconds'],
      ['bytes', 'bytes'],
    ]);
    types.push([isTaken ? meta.event : own, units.get(meta.unit) ?? 'count']);
  }
  return types;
}

/** @param {Profile} profile @param {pprof.StringTable} strings */
function mappingsOf({ raw }, strings) {
  const { path, start, end, buildId, flags } = raw.modules;
  return Array.from(path, (name, index) => {
    const hasLines = (flags[index] & MODULE.HAS_LINES) !== 0;
    return new pprof.Mapping({
      id: index + 1,
      memoryStart: start[index],
      memoryLimit: end[index],
      filename: strings.dedup(raw.strings[name]),
      buildId: strings.dedup(raw.strings[buildId[index]]),
      // Or pprof asks for the binary and names the places again.
      hasFunctions: true,
      hasFilenames: hasLines,
      hasLineNumbers: hasLines,
      hasInlineFrames: hasLines,
    });
  });
}

/**
 * pprof takes a function whose two names are equal for one that is to be demangled, and cuts what stands
 * in < > off: all of Rust's `<T as Trait>::method` would be one.
 * @param {string} symbol
 * @param {string} name
 */
const otherName = (symbol, name) => (symbol === name ? '' : symbol);

/** @param {Profile} profile @param {pprof.StringTable} strings */
function functionsOf({ raw, names }, strings) {
  const { file, line, symbol } = raw.funcs;
  const functions = Array.from(
    names.id,
    (name, func) =>
      new pprof.Function({
        id: func + 1,
        name: strings.dedup(names.text[name] || '[unknown]'),
        systemName: strings.dedup(otherName(raw.strings[symbol[func]], names.text[name])),
        filename: strings.dedup(file[func] > 0 ? raw.strings[file[func]] : ''),
        startLine: line[func],
      }),
  );
  // Behind them: what Locations gives an empty stack.
  const name = strings.dedup(NO_STACK);
  functions.push(new pprof.Function({ id: functions.length + 1, name }));
  return functions;
}

/**
 * As it was in memory, inside of its mapping. We have the file's own addresses: those of an
 * executable at a fixed place are its memory's.
 * @param {Profile['raw']} raw
 * @param {number} func
 */
function addressOf({ funcs, modules }, func) {
  const address = Math.round(funcs.address?.[func] ?? 0);
  const module = funcs.module[func];
  const start = module >= 0 ? modules.start[module] : 0;
  // The kernel's addresses are told less 2^64.
  if (address <= 0 || address >= start) return BigInt.asUintN(64, BigInt(address));
  return BigInt(start + address);
}

/** A stack's locations, made when a sample first asks: inlined frames and their caller are one. */
class Locations {
  /** @param {Profile['raw']} raw */
  constructor(raw) {
    this.raw = raw;
    /** @type {pprof.Location[]} */
    this.list = [];
    /** @type {Map<string | number, number>} */
    this.known = new Map();
    /** @type {(number[] | undefined)[]} */
    this.ofNode = [];
  }

  /** @param {number[]} funcs innermost first; the last one is no inlined frame */
  idOf(funcs) {
    // Nearly all are one function alone.
    const key = funcs.length === 1 ? funcs[0] : funcs.join();
    let id = this.known.get(key);
    if (id !== undefined) return id;
    const { module, line } = this.raw.funcs;
    const outer = funcs[funcs.length - 1];
    id = this.list.length + 1;
    this.known.set(key, id);
    this.list.push(
      new pprof.Location({
        id,
        mappingId: module[outer] + 1,
        address: addressOf(this.raw, outer),
        line: funcs.map((func) => new pprof.Line({ functionId: func + 1, line: line[func] })),
      }),
    );
    return id;
  }

  ofNothing() {
    const line = [new pprof.Line({ functionId: this.raw.funcs.name.length + 1 })];
    return this.list.push(new pprof.Location({ id: this.list.length + 1, line }));
  }

  /** @param {number} leaf @returns {number[]} innermost first, as pprof has them */
  ofStack(leaf) {
    const known = this.ofNode[leaf];
    if (known) return known;
    const { parent, func, inline } = this.raw.nodes;
    if (leaf === 0) return (this.ofNode[0] = [this.ofNothing()]);
    const ids = [];
    /** @type {number[]} */
    let group = [];
    for (let node = leaf; node > 0; node = parent[node]) {
      group.push(func[node]);
      if (inline[node] === 1 && parent[node] > 0) continue;
      ids.push(this.idOf(group));
      group = [];
    }
    return (this.ofNode[leaf] = ids);
  }
}

/** @typedef {{own: Profile, sample: number, values: number[]}} Merged one of them, and what all are */

/**
 * @param {Profile[]} events
 * @returns {Merged[]} samples that differ in nothing but time and event
 */
function mergedSamples(events) {
  /** @type {Map<string, Merged>} */
  const merged = new Map();
  for (const [event, own] of events.entries()) {
    const { node, thread, end, weight } = own.raw.samples;
    const { phaseOfSample } = own.phaseColumn;
    for (let sample = 0; sample < node.length; sample++) {
      const key = `${node[sample]} ${thread[sample]} ${phaseOfSample[sample]} ${end[sample]}`;
      let row = merged.get(key);
      if (!row) {
        row = { own, sample, values: new Array(events.length + 1).fill(0) };
        merged.set(key, row);
      }
      if (event === 0) row.values[0]++;
      row.values[event + 1] += weight[sample];
    }
  }
  return [...merged.values()];
}

/** @param {Profile[]} events @param {pprof.StringTable} strings @param {Locations} locations */
function samplesOf(events, strings, locations) {
  const text = (/** @type {string} */ key, /** @type {string} */ value) =>
    new pprof.Label({ key: strings.dedup(key), str: strings.dedup(value) });
  return mergedSamples(events).map(({ own, sample, values }) => {
    const { raw, phaseColumn, threadNames } = own;
    const { node, thread, end } = raw.samples;
    return new pprof.Sample({
      locationId: locations.ofStack(node[sample]),
      value: values.map(Math.round),
      label: [
        text('thread', threadNames[thread[sample]]),
        new pprof.Label({ key: strings.dedup('thread_id'), num: raw.threads.tid[thread[sample]] }),
        text('phase', phaseColumn.names[phaseColumn.phaseOfSample[sample]]),
        ...(end[sample] > 0 ? [text('stack', ENDS[end[sample]])] : []),
      ],
    });
  });
}

/**
 * @param {Profile} profile
 * @returns {Uint8Array} gzipped
 */
function toPprof(profile) {
  const { meta, raw } = profile;
  const strings = new pprof.StringTable();
  const events = eachEvent(profile);
  const types = weightTypes(events);
  const [[type, unit]] = types;
  const valueType = (/** @type {string} */ a, /** @type {string} */ b) =>
    new pprof.ValueType({ type: strings.dedup(a), unit: strings.dedup(b) });
  const locations = new Locations(raw);
  const sample = samplesOf(events, strings, locations);
  const period = meta.unit === 'ns' && meta.frequency > 0 ? Math.round(1e9 / meta.frequency) : 0;
  const message = new pprof.Profile({
    sampleType: [valueType('samples', 'count'), ...types.map(([a, b]) => valueType(a, b))],
    sample,
    mapping: mappingsOf(profile, strings),
    location: locations.list,
    function: functionsOf(profile, strings),
    timeNanos: BigInt(Math.round(meta.startUnixMs)) * 1_000_000n,
    durationNanos: Math.round(meta.durationMs * 1e6),
    periodType: valueType(type, unit),
    period,
    comment: [strings.dedup(meta.command)],
    defaultSampleType: strings.dedup(type),
    stringTable: strings,
  });
  return zlib.gzipSync(message.encode());
}

module.exports = { toPprof };
