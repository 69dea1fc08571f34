'use strict';
// rspack-prof export: a profile in another tool's format.

const { gzipSync } = require('node:zlib');
const { UsageError, choiceOf, textOf } = require('./args.js');
const { openProfile, writeResult } = require('./files.js');

/** @typedef {import('../profile/profile').Profile} Profile */

/**
 * @typedef {object} Format
 * @property {string} what
 * @property {(profile: Profile, output?: string) => Iterable<string | Uint8Array>} [convert]
 * @property {(profile: Profile, output: string | undefined, world: import('./main.js').World) => Promise<void>} [write]
 *   where it is more than one file
 */

/** @type {Record<string, Format>} */
const FORMATS = {
  folded: {
    what: 'folded stacks, one a line, as flamegraph.pl and speedscope read them',
    convert: (profile) => require('../export/folded.js').foldedLines(profile),
  },
  flamegraph: {
    what: 'a flame graph, one HTML file without anything from outside',
    convert: (profile) => [require('../export/flamegraph.js').flamegraph(profile)],
  },
  firefox: {
    what: "the Firefox Profiler's format; gzipped where OUT ends in .gz",
    convert: (profile, output) => {
      const text = JSON.stringify(require('../export/firefox.js').toFirefox(profile));
      return [output?.endsWith('.gz') ? gzipSync(text) : text];
    },
  },
  pprof: {
    what: "pprof's protobuf, gzipped",
    convert: (profile) => [require('../export/pprof.js').toPprof(profile)],
  },
  speedscope: {
    what: "speedscope's JSON: a profile a thread",
    convert: (profile) => require('../export/speedscope.js').speedscope(profile),
  },
  cpuprofile: {
    what: 'for Chrome DevTools and VS Code: the main thread',
    convert: (profile) => [
      JSON.stringify(require('../export/cpuprofile.js').toCpuprofile(profile)),
    ],
  },
  'perf-script': {
    what: 'the text of perf script, for stackcollapse-perf.pl and its like',
    convert: (profile) => require('../export/perf-script.js').perfScript(profile),
  },
  'perf.data': {
    what: 'for perf report and perf script; the perf-map that names JavaScript is put beside OUT',
    write: (profile, output, world) =>
      require('./perf-data.js').writePerfData(profile, output, world),
  },
};

/** In the contract, with a later version. */
const LATER = ['html', 'perfetto', 'parquet'];

const formats = () => Object.keys(FORMATS);

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'export',
  summary: 'write a profile in another format',
  usage: '[FILE] --to FORMAT [-o OUT]',
  positionals: [0, 1],
  options: {
    to: { type: 'string', value: 'FORMAT', help: 'the format: see below' },
    output: { type: 'string', short: 'o', value: 'OUT', help: "file to write, '-' is stdout" },
  },
  notes: [
    Object.entries(FORMATS)
      .map(([name, { what }]) => `  ${name.padEnd(12)}${what}`)
      .join('\n'),
    'FILE is the newest profile below .rspack-prof/ unless given.',
  ],
};

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const wanted = textOf(parsed, 'to');
  if (wanted === undefined) throw new UsageError(`--to is missing: one of ${formats().join(', ')}`);
  if (LATER.includes(wanted)) {
    throw new UsageError(`--to ${wanted} is not in this version of rspack-prof yet`);
  }
  const format = FORMATS[/** @type {string} */ (choiceOf(parsed, 'to', formats()))];
  const output = textOf(parsed, 'output');
  // The exporters read the columns, which the public type does not show.
  const profile = /** @type {any} */ (openProfile(parsed.positionals[0], world.cwd));
  if (format.write) await format.write(profile, output, world);
  else if (format.convert) await writeResult(format.convert(profile, output), output, world);
  return 0;
}

module.exports = { run, spec };
