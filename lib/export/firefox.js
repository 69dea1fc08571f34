'use strict';
// The Firefox Profiler's processed profile, version 62: the version that samply's writer
// (fxprof-processed-profile, by the format's authors) had in 2026; profiler.firefox.com brings older
// versions up to its own. All tables are shared by the threads, so they are our columns nearly as
// they are: a stack is a node of the tree less the root, a function is a function.
//
// What the format has no place for is in `meta.rspackProf` (docs/format.md), so that nothing is
// lost on the way back.

const { KINDS } = require('../profile/keys.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../profile/raw').RawProfile} RawProfile */

const VERSION = 62;
/** Of `meta.rspackProf`; a reader refuses what is newer than it knows. */
const OWN_VERSION = 1;
const NS_PER_MS = 1e6;

const CATEGORIES = [
  { name: 'Other', color: 'grey', subcategories: ['Other'] },
  { name: 'Rust', color: 'orange', subcategories: ['Other'] },
  { name: 'JavaScript', color: 'yellow', subcategories: ['Other'] },
  { name: 'Native', color: 'blue', subcategories: ['Other'] },
  { name: 'V8', color: 'green', subcategories: ['Other'] },
  { name: 'Kernel', color: 'red', subcategories: ['Other'] },
];
/** By funcs.kind. */
const CATEGORY_OF_KIND = [1, 2, 3, 4, 5, 0];

const SPAN = 'rspack-prof span';
const MARK = 'rspack-prof mark';
const MARKER_SCHEMA = [SPAN, MARK].map((name) => ({
  name,
  display: ['marker-chart', 'marker-table', 'timeline-overview'],
  chartLabel: '{marker.name}',
  tooltipLabel: '{marker.name}',
  tableLabel: '{marker.name} {marker.data.data}',
  fields: [{ key: 'data', label: 'Data', format: 'string' }],
}));
/** The format's MarkerPhase. */
const PHASE = { instant: 0, interval: 1, intervalStart: 2 };

/** @param {ArrayLike<number>} column */
const list = (column) => Array.from(column);

/** Strings of the profile and those that the format needs beside them. */
class Strings {
  /** @param {readonly string[]} strings */
  constructor(strings) {
    this.array = [...strings];
    /** @type {Map<string, number>} */
    this.index = new Map();
    this.array.forEach((text, index) => this.index.set(text, index));
  }

  /** @param {string} text */
  add(text) {
    let index = this.index.get(text);
    if (index === undefined) {
      index = this.array.push(text) - 1;
      this.index.set(text, index);
    }
    return index;
  }
}

/**
 * Breakpad's id of an ELF file: the build id's first 16 bytes read as a GUID (its first three
 * fields little-endian), then the age, 0. The layout is that of dump_syms and of samply.
 * @param {string} buildId hex
 */
function breakpadId(buildId) {
  if (buildId === '') return '';
  const bytes = buildId.padEnd(32, '0').slice(0, 32).toUpperCase().match(/../g) ?? [];
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return `${order.map((index) => bytes[index]).join('')}0`;
}

/** @param {RawProfile} raw */
function libsOf({ strings, modules }) {
  return list(modules.path).map((pathIndex, module) => {
    const name = strings[modules.name[module]];
    const path = strings[pathIndex];
    const buildId = strings[modules.buildId[module]];
    return {
      arch: 'x86_64',
      name,
      path,
      debugName: name,
      debugPath: path,
      breakpadId: breakpadId(buildId),
      codeId: buildId === '' ? null : buildId,
    };
  });
}

/**
 * Frames: a function, or a function that was inlined.
 * @param {RawProfile} raw
 */
function framesOf({ funcs, nodes }) {
  const frameOfNode = new Int32Array(nodes.func.length);
  /** @type {Map<number, number>} */
  const known = new Map();
  /** @type {number[]} */
  const func = [];
  /** @type {number[]} */
  const inlineDepth = [];
  for (let node = 1; node < nodes.func.length; node++) {
    const key = nodes.func[node] * 2 + (nodes.inline[node] ? 1 : 0);
    let frame = known.get(key);
    if (frame === undefined) {
      frame = func.push(nodes.func[node]) - 1;
      inlineDepth.push(nodes.inline[node] ? 1 : 0);
      known.set(key, frame);
    }
    frameOfNode[node] = frame;
  }
  const length = func.length;
  const fill = (/** @type {number | null} */ value) => new Array(length).fill(value);
  const frameTable = {
    length,
    address: fill(-1),
    inlineDepth,
    category: func.map((index) => CATEGORY_OF_KIND[funcs.kind[index]]),
    subcategory: fill(0),
    func,
    nativeSymbol: fill(null),
    innerWindowID: fill(0),
    line: fill(null),
    column: fill(null),
  };
  return { frameTable, frameOfNode };
}

/** @param {RawProfile} raw */
function funcsOf({ funcs }) {
  /** @type {number[]} */
  const filename = [];
  /** @type {Map<number, number>} */
  const known = new Map();
  const source = list(funcs.file).map((file) => {
    if (file < 0) return null;
    if (!known.has(file)) known.set(file, filename.push(file) - 1);
    return known.get(file) ?? null;
  });
  const js = KINDS.indexOf('js');
  const length = funcs.name.length;
  const orNull = (/** @type {number} */ value) => (value === 0 ? null : value);
  return {
    funcTable: {
      length,
      name: list(funcs.name),
      isJS: list(funcs.kind).map((kind) => kind === js),
      relevantForJS: new Array(length).fill(false),
      resource: list(funcs.module),
      source,
      lineNumber: list(funcs.line).map(orNull),
      columnNumber: list(funcs.column).map(orNull),
    },
    sources: {
      length: filename.length,
      id: filename.map(() => null),
      filename,
      startLine: filename.map(() => 1),
      startColumn: filename.map(() => 1),
      sourceMapURL: filename.map(() => null),
    },
  };
}

/**
 * @param {RawProfile} raw
 * @returns {number[][]} indices of each thread's samples
 */
function samplesByThread({ samples, threads }) {
  /** @type {number[][]} */
  const lists = Array.from(threads.tid, () => []);
  for (let i = 0; i < samples.thread.length; i++) lists[samples.thread[i]].push(i);
  return lists;
}

/** The format's unit of CPU time per sample; null where the weight is no time. */
const CPU_UNITS = new Map([
  ['ns', 'ns'],
  ['cycles', 'variable CPU cycles'],
]);

/**
 * @param {RawProfile} raw
 * @param {number[]} own indices
 */
function samplesTable({ samples, meta }, own) {
  const weights = own.map((i) => samples.weight[i]);
  let before = meta.startNs;
  const timeDeltas = own.map((i) => {
    // Whole nanoseconds as a decimal fraction of ms: rounding brings them back exactly.
    const delta = (samples.timeNs[i] - before) / NS_PER_MS;
    before = samples.timeNs[i];
    return delta;
  });
  const isTime = CPU_UNITS.has(meta.unit);
  return {
    length: own.length,
    stack: own.map((i) => (samples.node[i] > 0 ? samples.node[i] - 1 : null)),
    timeDeltas,
    weight: isTime ? null : weights,
    weightType: 'samples',
    ...(isTime ? { threadCPUDelta: weights } : {}),
  };
}

/**
 * @param {Profile} profile
 * @param {Strings} strings
 */
function markersTable({ markers, meta }, strings) {
  const ms = (/** @type {number} */ ns) => (ns - meta.startNs) / NS_PER_MS;
  const phaseOf = (/** @type {import('../profile/raw').Marker} */ { type, endNs }) => {
    if (type === 'mark') return PHASE.instant;
    return endNs === null ? PHASE.intervalStart : PHASE.interval;
  };
  return {
    length: markers.length,
    name: markers.map(({ name }) => strings.add(name)),
    startTime: markers.map(({ startNs }) => ms(startNs)),
    endTime: markers.map(({ type, endNs }) =>
      type === 'mark' || endNs === null ? null : ms(endNs),
    ),
    phase: markers.map(phaseOf),
    category: markers.map(() => 0),
    data: markers.map(({ type, data }) => ({
      type: type === 'span' ? SPAN : MARK,
      ...(data === undefined ? {} : { data: JSON.stringify(data) }),
    })),
  };
}

const NO_MARKERS = {
  length: 0,
  name: [],
  startTime: [],
  endTime: [],
  phase: [],
  category: [],
  data: [],
};

/**
 * @param {Profile} profile
 * @param {number[][]} own indices of each thread's samples
 * @param {Strings} strings
 */
function threadsOf(profile, own, strings) {
  const { raw, meta } = profile;
  const tids = list(raw.threads.tid);
  // The web page needs a thread to show, be it an empty one.
  if (tids.length === 0) tids.push(meta.pid);
  const main = Math.max(0, tids.indexOf(meta.pid));
  const ms = (/** @type {number} */ ns) => (ns - meta.startNs) / NS_PER_MS;
  return tids.map((tid, index) => ({
    processType: 'default',
    processName: meta.command.slice(0, 80),
    processStartupTime: 0,
    processShutdownTime: null,
    registerTime: raw.threads.startNs[index] ? ms(raw.threads.startNs[index]) : 0,
    unregisterTime: raw.threads.endNs[index] ? ms(raw.threads.endNs[index]) : null,
    pausedRanges: [],
    name: profile.threadNames[index] ?? 'node',
    isMainThread: index === main,
    pid: String(meta.pid),
    tid: String(tid),
    showMarkersInTimeline: index === main,
    samples: samplesTable(raw, own[index] ?? []),
    markers: index === main ? markersTable(profile, strings) : NO_MARKERS,
  }));
}

/**
 * What the format has no place for. Columns are by the index of the thread, module or function.
 * @param {Profile} profile
 * @param {number[][]} own
 */
function ownData({ raw, meta, quality }, own) {
  const { threads, modules, funcs, samples } = raw;
  const pick = (/** @type {ArrayLike<number>} */ column) =>
    own.map((indices) => indices.map((i) => column[i]));
  return {
    version: OWN_VERSION,
    meta,
    quality,
    threads: { startNs: list(threads.startNs), endNs: list(threads.endNs) },
    modules: { start: list(modules.start), end: list(modules.end), flags: list(modules.flags) },
    funcs: {
      symbol: list(funcs.symbol),
      crate: list(funcs.crate),
      kind: list(funcs.kind),
      tier: list(funcs.tier),
      named: list(funcs.named),
    },
    samples: { cpu: pick(samples.cpu), end: pick(samples.end), flags: pick(samples.flags) },
  };
}

/** @param {Profile} profile */
function extraInfo({ meta, quality }) {
  const entry = (/** @type {string} */ label, /** @type {unknown} */ value) => ({
    label,
    format: 'string',
    value: String(value),
  });
  return [
    {
      label: 'rspack-prof',
      entries: [
        entry('Command', meta.command),
        entry('Event', `${meta.event} at ${meta.frequency} Hz`),
        entry('Samples', quality.samples),
        entry('Lost', quality.lost),
        entry('Complete stacks', `${(quality.completeShare * 100).toFixed(2)} %`),
        ...quality.warnings.map(({ code, message }) => entry(code, message)),
      ],
    },
  ];
}

/**
 * @param {Profile} profile
 * @returns {object} for JSON.stringify
 */
function toFirefox(profile) {
  const { raw, meta } = profile;
  const strings = new Strings(raw.strings);
  const { frameTable, frameOfNode } = framesOf(raw);
  const { funcTable, sources } = funcsOf(raw);
  const own = samplesByThread(raw);
  const threads = threadsOf(profile, own, strings);
  const modules = list(raw.modules.name);
  return {
    meta: {
      product: 'rspack-prof',
      version: 24, // of Gecko's own format; not looked at in a processed profile
      preprocessedProfileVersion: VERSION,
      interval: meta.frequency > 0 ? 1000 / meta.frequency : 1,
      startTime: meta.startUnixMs,
      startTimeAsClockMonotonicNanosecondsSinceBoot: meta.startNs,
      profilingStartTime: 0,
      profilingEndTime: meta.durationMs,
      processType: 0,
      stackwalk: 1,
      debug: false,
      oscpu: `Linux ${meta.kernel} x86_64`,
      logicalCPUs: meta.cpus,
      arguments: meta.command,
      symbolicated: true,
      usesOnlyOneStackType: false,
      sourceCodeIsNotOnSearchfox: true,
      keepProfileThreadOrder: true,
      pausedRanges: [],
      extensions: { length: 0, baseURL: [], id: [], name: [] },
      sampleUnits: {
        time: 'ms',
        eventDelay: 'ms',
        threadCPUDelta: CPU_UNITS.get(meta.unit) ?? 'ns',
      },
      categories: CATEGORIES,
      markerSchema: MARKER_SCHEMA,
      extra: extraInfo(profile),
      rspackProf: ownData(profile, own),
    },
    libs: libsOf(raw),
    pages: [],
    counters: [],
    profilerOverhead: [],
    shared: {
      stackTable: {
        length: raw.nodes.parent.length - 1,
        frame: list(frameOfNode.subarray(1)),
        prefix: list(raw.nodes.parent.subarray(1)).map((parent) =>
          parent > 0 ? parent - 1 : null,
        ),
      },
      frameTable,
      funcTable,
      resourceTable: {
        length: modules.length,
        lib: modules.map((_, index) => index),
        name: modules,
        host: modules.map(() => null),
        type: modules.map(() => 1), // a library
      },
      nativeSymbols: { length: 0, libIndex: [], address: [], name: [], functionSize: [] },
      sources,
      stringArray: strings.array,
    },
    threads,
  };
}

module.exports = { toFirefox, VERSION, OWN_VERSION, SPAN, MARK, CPU_UNITS };
