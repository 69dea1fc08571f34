'use strict';
// rspack-prof report: the hotspots of a written profile, as a table or as JSON.

const path = require('node:path');
const { UsageError, choiceOf, numberOf, regexOf, textOf, unknown } = require('./args.js');
const { openProfile, writeJson } = require('./files.js');
const { renderHotspots, usualKeys } = require('../table.js');
const { terminalOf } = require('../terminal.js');
const { IsBundle } = require('../export/firefox-read.js');
const { renderBorder } = require('../border-table.js');
const { renderHints } = require('../hint-table.js');
const { nativeRows } = require('../memory/native-table.js');
const { renderMemory } = require('../memory/table.js');
const { renderPhases } = require('../phase-table.js');
const { renderBuilds, renderSpans } = require('../span-table.js');
const { KEY_NAMES } = require('../profile/keys.js');
const { CHOICES } = require('../profile/view.js');
const { renderTree } = require('./tree.js');

/** @typedef {import('../profile/profile').Profile} Profile */

/** perf's names for the same. */
const ALIASES = new Map([
  ['sym', 'symbol'],
  ['dso', 'object'],
  ['tid', 'thread'],
]);

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'report',
  summary: 'where the time went',
  usage: '[FILE] [OPTIONS]',
  positionals: [0, 1],
  options: {
    sort: { type: 'string', short: 's', value: 'KEY[,KEY]', help: KEY_NAMES.join(', ') },
    children: { type: 'boolean', help: 'order by total: a function with all that it called' },
    'no-children': { type: 'boolean', help: 'order by self (unless --children is given)' },
    'call-graph': {
      type: 'string',
      short: 'g',
      value: 'HOW',
      help: 'none, caller or callee trees',
    },
    'percent-limit': { type: 'string', value: 'P', help: 'leave out what is below P % (0.5)' },
    limit: { type: 'string', value: 'N', help: 'at most N rows (40)' },
    filter: { type: 'string', value: 'REGEX', help: 'only rows whose key matches' },
    phase: { type: 'string', value: 'NAME', help: 'only samples of this phase' },
    event: { type: 'string', short: 'e', value: 'NAME', help: 'of several events, which' },
    phases: { type: 'boolean', help: 'the phases of the build: wall, CPU, busy cores' },
    spans: { type: 'boolean', help: "rspack's own spans: self and total, hottest functions" },
    trace: { type: 'string', value: 'FILE', help: "spans from a log or .pftrace of rspack's" },
    hints: { type: 'boolean', help: 'what is worth a look, with the evidence' },
    memory: { type: 'boolean', help: 'memory at its peak, and who allocates' },
    builds: { type: 'boolean', help: 'the builds of a watch' },
    build: { type: 'string', value: 'N', help: 'only this build: a number, last, or slowest' },
    border: { type: 'boolean', help: 'between JavaScript and Rust: calls, time, conversion' },
    thread: { type: 'string', value: 'NAME', help: 'only samples of this thread' },
    state: {
      type: 'string',
      value: 'STATE',
      help: 'of waits: running, blocked, preempted, waiting (the last two) or all',
    },
    idle: { type: 'boolean', help: 'idle pools too, which are left out of waits' },
    addresses: { type: 'boolean', help: 'places without a symbol apart, by address' },
    json: { type: 'boolean', help: 'everything as JSON, names in full; all rows unless limited' },
  },
  notes: [
    'FILE is the newest profile below .rspack-prof/ unless given.',
    'A watch has many builds, a multi-compiler many compilers: --sort build,phase compiler,phase.',
  ],
};

/**
 * @param {string} text
 * @param {string} [option]
 * @param {string} [command]
 */
function keysOf(text, option = 'sort', command = 'report') {
  const keys = text.split(',').map((key) => ALIASES.get(key.trim()) ?? key.trim());
  for (const key of keys) {
    if (!KEY_NAMES.includes(key))
      throw unknown(`--${option}: unknown key`, key, KEY_NAMES, `rspack-prof ${command} -h`);
  }
  return keys.join(',');
}

/** @param {Profile} profile */
function memoryJson(profile) {
  const { memory } = profile;
  if (!memory?.native) return memory;
  return { ...memory, native: { ...memory.native, rows: nativeRows(profile) } };
}

/**
 * The other tables of a profile.
 * @type {{flag: string, json: (profile: Profile) => unknown,
 *    render: (profile: Profile, options: {stream: any, all: boolean}) => string}[]}
 */
const VIEWS = [
  { flag: 'phases', json: (profile) => profile.phases(), render: renderPhases },
  { flag: 'border', json: (profile) => profile.border(), render: renderBorder },
  { flag: 'spans', json: (profile) => profile.spans(), render: renderSpans },
  { flag: 'hints', json: (profile) => profile.hints(), render: renderHints },
  { flag: 'memory', json: memoryJson, render: renderMemory },
  { flag: 'builds', json: (profile) => profile.rebuilds(), render: renderBuilds },
];

/**
 * What of the profile is asked for: with the spans of a trace, one build of a watch.
 * @param {Profile} whole
 * @param {import('./args.js').Parsed} parsed
 * @param {string} cwd
 */
function part(whole, parsed, cwd) {
  const trace = textOf(parsed, 'trace');
  const build = textOf(parsed, 'build');
  const event = textOf(parsed, 'event');
  const traced = trace === undefined ? whole : whole.withTrace(path.resolve(cwd, trace));
  const profile = event === undefined ? traced : traced.event(event);
  if (build === undefined) return profile;
  return profile.rebuild(/^\d+$/.test(build) ? Number(build) : /** @type {any} */ (build));
}

/** @type {import('./main.js').Command['run']} */
function run(parsed, world) {
  const { values } = parsed;
  const json = values.json === true;
  const graph = choiceOf(parsed, 'call-graph', ['none', 'caller', 'callee']) ?? 'none';
  if (values.children && values['no-children']) {
    throw new UsageError('--children and --no-children exclude each other');
  }
  const sort = textOf(parsed, 'sort');
  const keys = sort === undefined ? undefined : keysOf(sort);
  const asked = {
    children: values.children === true,
    percentLimit: numberOf(parsed, 'percent-limit', { least: 0, most: 100 }),
    limit: numberOf(parsed, 'limit', { least: 0, whole: true }),
    filter: regexOf(parsed, 'filter'),
    phase: textOf(parsed, 'phase'),
    thread: textOf(parsed, 'thread'),
    state: /** @type {import('../index').StateFilter | undefined} */ (
      choiceOf(parsed, 'state', CHOICES)
    ),
    idle: values.idle === true ? true : undefined,
    unnamed: /** @type {import('../index').Unnamed} */ (values.addresses ? 'apart' : 'together'),
  };
  if (json && graph !== 'none') throw new UsageError('-g has no JSON: leave one of both out');
  let opened;
  try {
    opened = openProfile(parsed.positionals[0], world.cwd);
  } catch (error) {
    if (!(error instanceof IsBundle)) throw error;
    require('./compare.js').reportBundle(error, parsed, world);
    return 0;
  }
  const profile = part(opened, parsed, world.cwd);
  const by = keys ?? (graph === 'none' && !json ? usualKeys(profile) : 'symbol');
  const options = { by, ...asked };
  const view = VIEWS.find(({ flag }) => values[flag]);
  if (view) {
    if (json) writeJson({ schema: 1, [view.flag]: view.json(profile) }, world);
    else world.stdout.write(view.render(profile, { stream: world.stdout, all: true }));
    return 0;
  }
  if (json) {
    const { children, ...rest } = options;
    writeJson(
      profile.report({ ...rest, sort: children ? 'total' : 'self', unnamed: 'apart' }),
      world,
    );
    return 0;
  }
  const terminal = terminalOf({ stream: world.stdout });
  if (graph === 'none') {
    world.stdout.write(renderHotspots(profile, { ...options, stream: world.stdout }));
    return 0;
  }
  if (by !== 'symbol') throw new UsageError(`-g ${graph} shows symbols: leave out --sort`);
  world.stdout.write(renderTree(profile, { ...options, graph, ...terminal }));
  return 0;
}

module.exports = { keysOf, run, spec };
