'use strict';
// Every format there is: what it is for, its own options, what writes it. The command line and
// profile.write() have no other list.

const { ProfError } = require('../errors.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {Iterable<string | Uint8Array>} Pieces */
/**
 * @typedef {object} OptionRule
 * @property {'boolean' | 'string' | 'number' | 'profile'} type
 * @property {string} help
 * @property {string} [value] what stands for the value in the help
 * @property {readonly string[]} [oneOf]
 * @property {number} [min]
 *
 * @typedef {object} Output
 * @property {Pieces} [pieces] of the one file
 * @property {Record<string, Pieces>} [folder] files of a folder, where it is more than one
 * @property {Record<string, Pieces>} [beside] what goes into the same folder as the file
 * @property {string[]} [notes] what the user should know of it; FILE stands for the path of the
 *   file that lies beside
 *
 * @typedef {object} Format
 * @property {string} what one line
 * @property {boolean} [takesEmpty] an output without samples says so by itself
 * @property {boolean} [oneEvent] it has no place for a second event: the first one, or the one that was asked for
 * @property {boolean} [isWhole] data: all of a recording of waits, unless something is asked for
 * @property {Record<string, OptionRule>} [options]
 * @property {(profile: Profile, options: any, file: string) => Output} convert
 */

const COLORS = /** @type {const} */ ([
  ...['kind', 'hot', 'mem', 'io', 'red', 'green', 'blue', 'aqua', 'yellow', 'purple', 'orange'],
]);

/** @param {any} value @returns {Pieces} */
const json = (value) => [`${JSON.stringify(value, null, 2)}\n`];

/** All that the public type names: tsc compares. @type {Record<import('../index').ExportFormat, Format>} */
const BY_FORMAT = {
  folded: {
    what: 'folded stacks, one a line, as flamegraph.pl and inferno read them',
    oneEvent: true,
    options: {
      count: {
        type: 'string',
        value: 'WHAT',
        help: 'samples or weight',
        oneOf: ['samples', 'weight'],
      },
      kernel: { type: 'boolean', help: 'mark kernel frames with _[k]' },
      jit: { type: 'boolean', help: 'mark JIT frames with _[j]' },
      inline: { type: 'boolean', help: 'mark inlined frames with _[i]' },
      all: { type: 'boolean', help: 'all three marks' },
      comm: { type: 'boolean', help: "begin each line with the thread's name" },
      pid: { type: 'boolean', help: 'begin each line with name-PID' },
      tid: { type: 'boolean', help: 'begin each line with name-PID/TID' },
    },
    convert(profile, { count, kernel, jit, inline, all, comm, pid, tid }) {
      const marks = Object.entries({ kernel, jit, inline }).filter(([, on]) => on || all);
      const prefixes = Object.entries({ comm, pid, tid }).filter(([, on]) => on);
      if (prefixes.length > 1) {
        const names = prefixes.map(([name]) => `'${name}'`).join(' and ');
        throw new ProfError('ERR_PROF_BAD_OPTION', `${names} exclude each other: give one`);
      }
      const { foldedLines } = require('./folded.js');
      return {
        pieces: foldedLines(profile, {
          ...(count && { count }),
          annotate: /** @type {any} */ (marks.map(([name]) => name)),
          ...(prefixes.length > 0 && { byThread: /** @type {any} */ (prefixes[0][0]) }),
        }),
      };
    },
  },
  flamegraph: {
    what: 'a flame graph, one SVG with search and zoom',
    oneEvent: true,
    options: {
      inverted: { type: 'boolean', help: 'icicle: the roots at the top' },
      reverse: { type: 'boolean', help: 'from the leaf on: who calls what is hot' },
      flamechart: { type: 'boolean', help: 'by time and thread instead of merged' },
      title: { type: 'string', value: 'TEXT', help: 'the heading' },
      subtitle: { type: 'string', value: 'TEXT', help: 'a line below it' },
      colors: { type: 'string', value: 'PALETTE', help: COLORS.join(' '), oneOf: COLORS },
      width: { type: 'number', value: 'PX', help: 'of the picture; 1200', min: 200 },
      minwidth: { type: 'number', value: 'PX', help: 'frames below are left out; 0.1', min: 0 },
      base: { type: 'profile', value: 'FILE', help: 'difference to it: red grew, blue shrank' },
    },
    convert: (profile, options) => ({
      pieces: require('./svg.js').svgFlamegraph(profile, options),
    }),
  },
  html: {
    what: 'a report to look around in: one HTML file without anything from outside',
    oneEvent: true,
    takesEmpty: true,
    convert: (profile) => ({ pieces: require('../html/report.js').htmlReport(profile) }),
  },
  firefox: {
    what: "the Firefox Profiler's format, our own; gzipped where OUT ends in .gz",
    isWhole: true,
    takesEmpty: true,
    options: {
      categories: { type: 'boolean', help: 'kinds of work (parsing, GC) as subcategories' },
      perCpuThreads: { type: 'boolean', help: 'a thread for each CPU too, with what ran on it' },
    },
    convert(profile, options, file) {
      const { firefoxFile } = require('./firefox.js');
      return { pieces: firefoxFile(profile, { ...options, gzip: file.endsWith('.gz') }) };
    },
  },
  pprof: {
    what: "pprof's protobuf, gzipped: go tool pprof, Pyroscope, Polar Signals",
    convert: (profile) => ({ pieces: [require('./pprof.js').toPprof(profile)] }),
  },
  speedscope: {
    what: "speedscope's JSON: a profile a thread",
    convert: (profile) => ({ pieces: require('./speedscope.js').speedscope(profile) }),
  },
  perfetto: {
    what: 'a trace for ui.perfetto.dev: samples, phases, threads, CPU',
    convert: (profile) => ({ pieces: require('./perfetto.js').perfettoTrace(profile) }),
  },
  cpuprofile: {
    what: 'for Chrome DevTools and VS Code: the main thread, or --thread',
    oneEvent: true,
    convert: (profile, { thread }) => ({
      pieces: [JSON.stringify(require('./cpuprofile.js').toCpuprofile(profile, { thread }))],
    }),
  },
  heapprofile: {
    what: 'who allocates in JavaScript, for Chrome DevTools: of a recording with --memory',
    takesEmpty: true,
    isWhole: true,
    convert({ raw }) {
      const head = raw.memory?.heapProfile?.head;
      if (head) return { pieces: [JSON.stringify({ head, samples: [] })] };
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        "no allocations of JavaScript's in this profile: record it with --memory",
      );
    },
  },
  'perf.data': {
    what: 'for perf report and perf script; the perf-map that names JavaScript is put beside OUT',
    convert(profile) {
      const { toPerfData } = require('./perf-data.js');
      const { data, perfMap, perfMapName, truncated } = toPerfData(profile);
      const cut = `${truncated} stacks are deeper than a record of perf.data: cut at the outer end`;
      const map = "perf looks for names in /tmp: cp FILE /tmp/ before 'perf report'";
      return {
        pieces: data,
        beside: perfMap === '' ? {} : { [perfMapName]: [perfMap] },
        notes: [...(truncated > 0 ? [cut] : []), ...(perfMap === '' ? [] : [map])],
      };
    },
  },
  'perf-script': {
    what: 'the text of perf script, for stackcollapse-perf.pl and its like',
    convert: (profile) => ({ pieces: require('./perf-script.js').perfScript(profile) }),
  },
  parquet: {
    what: 'tables for DuckDB, polars, pandas: OUT is a folder of five .parquet files',
    isWhole: true,
    convert(profile) {
      const { meta, others } = profile;
      const note = `the samples are of ${others.length + 1} events: WHERE event = '${meta.event}', or GROUP BY event`;
      return {
        folder: require('./parquet.js').parquetTables(profile),
        notes: others.length > 0 ? [note] : [],
      };
    },
  },
  json: {
    what: 'what report --json prints',
    isWhole: true,
    takesEmpty: true,
    convert: (profile) => ({ pieces: json(profile.report()) }),
  },
};

/** By any word: a caller looks whether it is one. @type {Record<string, Format>} */
const FORMATS = BY_FORMAT;

/** @type {[RegExp, import('../index').ExportFormat][]} the first that fits */
const BY_NAME = [
  [/\.speedscope\.json$/, 'speedscope'],
  [/\.json(\.gz)?$/, 'firefox'],
  [/\.(folded|txt)$/, 'folded'],
  [/\.html?$/, 'html'],
  [/\.svg$/, 'flamegraph'],
  [/\.(pprof|pb|pb\.gz)$/, 'pprof'],
  [/\.(pftrace|perfetto-trace)$/, 'perfetto'],
  [/\.cpuprofile$/, 'cpuprofile'],
  [/\.heapprofile$/, 'heapprofile'],
  [/perf\.data$/, 'perf.data'],
];

module.exports = { BY_NAME, FORMATS };
