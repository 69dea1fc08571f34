'use strict';
// The Firefox Profiler's processed profile, version 62: the version that samply's writer
// (fxprof-processed-profile, by the format's authors) had in 2026; profiler.firefox.com brings older
// versions up to its own. All tables are shared by the threads, so they are our columns nearly as
// they are: a stack is a node of the tree less the root, a function is a function.
//
// What the format has no place for is in `meta.rspackProf` (docs/format.md), so that nothing is
// lost on the way back.

const { fresh } = require('../profile/scratch.js');
const {
  Strings,
  archOf,
  categoriesWith,
  framesOf,
  funcsOf,
  libsOf,
} = require('./firefox-tables.js');
const { Column, writeJson } = require('./json.js');
const { cpuUsage } = require('./cpu-usage.js');
const { cpuThreadsOf } = require('./firefox-cpus.js');
const { memoryCounters, memoryData } = require('./firefox-memory.js');
const { Gzip } = require('./gzip.js');
const {
  CPU_UNITS,
  MARKER_SCHEMA,
  eventThreadsOf,
  samplesBy,
  threadsOf,
} = require('./firefox-threads.js');

/** @typedef {import('../profile/profile').Profile} Profile */

const list = (/** @type {ArrayLike<number>} */ values) => new Column(values);

/** A profile is written while somebody waits for the build to end. */
const GZIP_LEVEL = 2;
const VERSION = 62;
/** Of Gecko's own format, which a processed profile was made from. */
const GECKO_VERSION = 24;
/** Of `meta.rspackProf`; a reader refuses what is newer than it knows. */
const OWN_VERSION = 1;
/** Of the samples of an event beside the first one. */
const OTHER_COLUMNS = ['thread', 'node', 'cpu', 'weight', 'end', 'flags'];

/**
 * What the format has no place for. Columns are by the index of the thread, module or function.
 * @param {Profile} profile
 * @param {Uint32Array[]} own indices of each thread's samples
 */
function ownData({ raw, meta, quality, build, others }, own) {
  const { threads, modules, funcs, samples } = raw;
  const pick = (/** @type {Uint8Array | Uint16Array} */ column) =>
    own.map((rows) => new Column(column, { rows }));
  return {
    version: OWN_VERSION,
    meta: others.length > 0 ? meta : withoutEvents(meta),
    quality,
    threads: { startNs: list(threads.startNs), endNs: list(threads.endNs) },
    modules: { start: list(modules.start), end: list(modules.end), flags: list(modules.flags) },
    funcs: {
      symbol: list(funcs.symbol),
      crate: list(funcs.crate),
      kind: list(funcs.kind),
      tier: list(funcs.tier),
      named: list(funcs.named),
      ...(funcs.address && { address: list(funcs.address) }),
    },
    ...memoryData(raw),
    ...(build.taps.length + build.loaders.length > 0 && { build }),
    ...(others.length > 0 && { events: others.map((other) => otherEvent(other, meta.startNs)) }),
    samples: {
      cpu: pick(samples.cpu),
      end: pick(samples.end),
      flags: pick(samples.flags),
      ...(meta.switches && samples.state && { state: pick(samples.state) }),
    },
  };
}

/** Of one event alone: those that were recorded with it are not in this file. @param {Profile['meta']} meta */
const withoutEvents = ({ events: _, ...meta }) => meta;

/**
 * An event beside the first one: the format's samples are of one event, and the first one's.
 * @param {import('../profile/events').OtherEvent} other
 * @param {number} startNs
 */
function otherEvent({ about, samples }, startNs) {
  const { timeNs, ...columns } = samples;
  return {
    about,
    samples: {
      sinceStartNs: new Column(timeNs, { add: -startNs }),
      ...Object.fromEntries(
        OTHER_COLUMNS.map((name) => [name, list(columns[/** @type {'node'} */ (name)])]),
      ),
    },
  };
}

/** @param {Profile} profile */
function extraInfo({ meta, quality, others }) {
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
        entry(
          'Event',
          meta.period
            ? `${meta.event} every ${meta.period}`
            : `${meta.event} at ${meta.frequency} Hz`,
        ),
        ...others.map(({ about }) => entry('Event beside it', about.event)),
        entry('Samples', quality.samples),
        entry('Lost', quality.lost),
        entry('Complete stacks', `${(quality.completeShare * 100).toFixed(2)} %`),
        ...quality.warnings.map(({ code, message }) => entry(code, message)),
      ],
    },
  ];
}

/**
 * CPU time by window: the web page draws it as the process's CPU.
 * @param {Profile} profile
 * @param {number} mainThreadIndex
 */
function countersOf(profile, mainThreadIndex) {
  const usage = cpuUsage(profile);
  if (!usage) return [];
  const { windowNs, cpuNs } = usage;
  const length = cpuNs.length;
  return [
    {
      name: 'processCPU',
      category: 'CPU',
      description: 'CPU time of the process, in ns, counted from the samples',
      pid: String(profile.meta.pid),
      mainThreadIndex,
      samples: {
        length,
        // A count stands at the end of its window.
        time: Array.from(cpuNs, (_, window) => ((window + 1) * windowNs) / 1e6),
        count: Array.from(cpuNs, Math.round),
      },
    },
  ];
}

/**
 * @param {Profile} profile
 * @param {{perCpuThreads?: boolean, categories?: boolean}} [options] what makes the file larger
 * @param {import('../profile/scratch').Take} [take] of the columns in it that are not the profile's own
 * @returns {object} for writeJson(), with columns in it
 */
function toFirefox(profile, { perCpuThreads = false, categories = false } = {}, take = fresh) {
  const { raw, meta } = profile;
  const strings = new Strings(raw.strings);
  const work = categories ? profile.categories : undefined;
  const { frameTable, frameOfNode } = framesOf(raw, take, work);
  const { funcTable, sources } = funcsOf(raw);
  const own = samplesBy(raw.samples.thread, raw.threads.tid.length);
  const threads = threadsOf(profile, own, strings);
  const main = threads.findIndex(({ isMainThread }) => isMainThread);
  // Behind the real ones, which the reader counts from the front.
  const cpus = perCpuThreads ? cpuThreadsOf(profile, strings) : [];
  const events = eventThreadsOf(profile);
  return {
    meta: {
      product: 'rspack-prof',
      version: GECKO_VERSION,
      preprocessedProfileVersion: VERSION,
      interval: meta.frequency > 0 ? 1000 / meta.frequency : 1,
      startTime: meta.startUnixMs,
      startTimeAsClockMonotonicNanosecondsSinceBoot: meta.startNs,
      profilingStartTime: 0,
      profilingEndTime: meta.durationMs,
      processType: 0,
      stackwalk: 1,
      debug: false,
      oscpu: `Linux ${meta.kernel} ${archOf(meta)}`,
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
      categories: categoriesWith(work?.names ?? []),
      markerSchema: MARKER_SCHEMA,
      extra: extraInfo(profile),
      rspackProf: ownData(profile, own),
    },
    libs: libsOf(raw),
    pages: [],
    counters: [...countersOf(profile, main), ...memoryCounters(profile, main)],
    profilerOverhead: [],
    shared: {
      stackTable: {
        length: raw.nodes.parent.length - 1,
        frame: list(frameOfNode.subarray(1)),
        prefix: new Column(raw.nodes.parent.subarray(1), { nullAt: 0, add: -1 }),
      },
      frameTable,
      funcTable,
      resourceTable: {
        length: raw.modules.name.length,
        lib: Array.from(raw.modules.name, (_, index) => index),
        name: list(raw.modules.name),
        host: Array.from(raw.modules.name, () => null),
        type: Array.from(raw.modules.name, () => 1), // a library
      },
      nativeSymbols: { length: 0, libIndex: [], address: [], name: [], functionSize: [] },
      sources,
      stringArray: strings.array,
    },
    threads: [...threads, ...events, ...cpus],
  };
}

/**
 * @param {Profile} profile
 * @param {Parameters<typeof toFirefox>[1] & {gzip?: boolean}} [options]
 * @returns {Uint8Array[]} the file
 */
function firefoxFile(profile, { gzip = false, ...options } = {}) {
  return profile.scratch.lend((take) => {
    const table = toFirefox(profile, options, take);
    if (gzip) {
      const file = new Gzip(GZIP_LEVEL);
      writeJson(table, (piece) => file.write(piece));
      return file.end();
    }
    /** @type {Uint8Array[]} */
    const pieces = [];
    writeJson(table, (piece) => pieces.push(Buffer.from(piece)));
    return pieces;
  });
}

module.exports = { firefoxFile, toFirefox, GECKO_VERSION, OTHER_COLUMNS, VERSION, OWN_VERSION };
