'use strict';
// pprof's profile.proto, gzipped, by pprof-format: samples merged by stack, thread, phase and end,
// which stand as labels. A frame that was inlined is a line of its caller's location, innermost
// first, as the format has it.

const zlib = require('node:zlib');
const pprof = require('pprof-format');
const { ENDS, MODULE } = require('../profile/flags.js');
const { NO_STACK } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */

/** pprof's units and sample types by the event's unit. */
const TYPES = new Map([
  ['ns', ['cpu', 'nanoseconds']],
  ['cycles', ['cycles', 'count']],
]);

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

/**
 * @param {Profile} profile
 * @returns {{sample: number, count: number, weight: number}[]} samples that differ in nothing but time
 */
function mergedSamples({ raw, phaseColumn }) {
  const { node, thread, end, weight } = raw.samples;
  /** @type {Map<string, {sample: number, count: number, weight: number}>} */
  const merged = new Map();
  for (let sample = 0; sample < node.length; sample++) {
    const phase = phaseColumn.phaseOfSample[sample];
    const key = `${node[sample]} ${thread[sample]} ${phase} ${end[sample]}`;
    const known = merged.get(key);
    if (known) {
      known.count++;
      known.weight += weight[sample];
    } else {
      merged.set(key, { sample, count: 1, weight: weight[sample] });
    }
  }
  return [...merged.values()];
}

/** @param {Profile} profile @param {pprof.StringTable} strings @param {Locations} locations */
function samplesOf(profile, strings, locations) {
  const { raw, phaseColumn, threadNames } = profile;
  const { node, thread, end } = raw.samples;
  const text = (/** @type {string} */ key, /** @type {string} */ value) =>
    new pprof.Label({ key: strings.dedup(key), str: strings.dedup(value) });
  return mergedSamples(profile).map(
    ({ sample, count, weight }) =>
      new pprof.Sample({
        locationId: locations.ofStack(node[sample]),
        value: [count, Math.round(weight)],
        label: [
          text('thread', threadNames[thread[sample]]),
          new pprof.Label({
            key: strings.dedup('thread_id'),
            num: raw.threads.tid[thread[sample]],
          }),
          text('phase', phaseColumn.names[phaseColumn.phaseOfSample[sample]]),
          ...(end[sample] > 0 ? [text('stack', ENDS[end[sample]])] : []),
        ],
      }),
  );
}

/**
 * @param {Profile} profile
 * @returns {Uint8Array} gzipped
 */
function toPprof(profile) {
  const { meta, raw } = profile;
  const strings = new pprof.StringTable();
  const [type, unit] = TYPES.get(meta.unit) ?? [meta.event, 'count'];
  const valueType = (/** @type {string} */ a, /** @type {string} */ b) =>
    new pprof.ValueType({ type: strings.dedup(a), unit: strings.dedup(b) });
  const locations = new Locations(raw);
  const sample = samplesOf(profile, strings, locations);
  const period = meta.unit === 'ns' && meta.frequency > 0 ? Math.round(1e9 / meta.frequency) : 0;
  const message = new pprof.Profile({
    sampleType: [valueType('samples', 'count'), valueType(type, unit)],
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
