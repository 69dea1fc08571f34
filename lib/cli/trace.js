'use strict';
// rspack-prof trace: runs a command and records every call of the functions that are asked for. The
// command owns standard input and output (with --json its output goes to stderr); what is said here goes
// to stderr.

const path = require('node:path');
const { UsageError, choiceOf, numberOf, regexOf, shareOf, textOf } = require('./args.js');
const { writeJson } = require('./files.js');
const { runCommand } = require('./run.js');
const { say, sayError } = require('./say.js');
const { FOLDER, shownPath } = require('../folder.js');
const { checkFilter } = require('../trace/filter.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'trace',
  summary: 'run a command and record every call of some functions (as root)',
  usage: '--functions REGEX -- COMMAND... | --read FOLDER',
  positionals: [0, Infinity],
  passThrough: true,
  options: {
    functions: { type: 'string', value: 'REGEX', help: "their names, as 'symbols' shows them" },
    list: { type: 'string', value: 'FILE', help: 'a file with their names, one a line' },
    object: {
      type: 'string',
      value: 'FILE,..',
      help: 'only of these files (binding, command, node, libc)',
    },
    depth: { type: 'string', value: 'N', help: 'keep the events of the N outermost calls' },
    limit: { type: 'string', value: 'CALLS', help: 'drop a function after so many calls' },
    budget: {
      type: 'string',
      value: 'PCT',
      help: "drop the dearest functions above this share of the command's CPU time (100)",
    },
    stacks: {
      type: 'string',
      value: 'N',
      help: 'the whole stack at each N-th entry, as a profile',
    },
    method: {
      type: 'string',
      value: 'NAME',
      help: 'probes, xray (sleds), or auto: sleds where every function has them',
    },
    trace: {
      type: 'string',
      value: 'FILTER',
      help: "spans of rspack's own trace too: stages, OVERVIEW, ..",
    },
    'no-spans': { type: 'boolean', help: 'without the spans of JavaScript beside the calls' },
    flows: {
      type: 'boolean',
      help: 'follow jobs of rayon and tokio from who hands them over to who runs them',
    },
    to: { type: 'string', value: 'FORMAT', help: 'parquet (tables) or perfetto, beside the table' },
    output: { type: 'string', short: 'o', value: 'OUT', help: "where to write (--to's result)" },
    sort: { type: 'string', value: 'KEY', help: 'the table by self, calls or total (self)' },
    callers: { type: 'boolean', help: 'who called each function, below it' },
    rows: { type: 'string', value: 'N', help: 'rows of the table (40)' },
    json: {
      type: 'boolean',
      help: "the result as JSON on standard output (the command's own goes to standard error)",
    },
    read: { type: 'string', value: 'FOLDER', help: 'a trace that was recorded before' },
  },
  notes: [
    'The command runs as it would, with its exit code. Without -o, or with --to, the trace lies in ' +
      `${FOLDER}/trace-<time>-<pid>/. Times hold the cost of the probes of inner calls (docs/function-trace.md).`,
  ],
};

/** Per cent: a command's own calls may well cost many times what it does. */
const BUDGETS = { least: 0.001, most: 100_000 };

/** @param {import('./args.js').Parsed} parsed */
function filterOf(parsed) {
  const filter = textOf(parsed, 'trace');
  return filter === undefined ? null : checkFilter(filter);
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @returns {import('../calls/command').CommandOptions}
 */
function traceOptions(parsed) {
  const objects = textOf(parsed, 'object');
  const functions = regexOf(parsed, 'functions');
  const list = textOf(parsed, 'list');
  if (!functions && list === undefined) {
    throw new UsageError(
      "say which functions with --functions REGEX or --list FILE ('rspack-prof symbols' shows what there is)",
    );
  }
  return {
    functions,
    list,
    objects: objects?.split(',').filter(Boolean),
    depth: numberOf(parsed, 'depth', { least: 1, most: 65536, whole: true }),
    limit: numberOf(parsed, 'limit', { least: 1, whole: true }),
    budget: shareOf(parsed, 'budget', BUDGETS),
    flows: parsed.values.flows === true,
    stacks: numberOf(parsed, 'stacks', { least: 1, whole: true }),
    method: /** @type {'auto' | 'probes' | 'xray'} */ (
      choiceOf(parsed, 'method', ['auto', 'probes', 'xray']) ?? 'auto'
    ),
    spans: parsed.values['no-spans'] !== true,
    filter: filterOf(parsed),
  };
}

/** Where a trace goes unless it is said: as recordings do, by time and process. @param {string} cwd */
function usualFolder(cwd) {
  const time = new Date().toISOString().replace(/\..*/, '').replace(/[:T]/g, '-');
  return path.join(cwd, FOLDER, `trace-${time}-${process.pid}`);
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {import('../calls/summary').Summary} summary
 * @param {string} folder of the trace
 * @param {import('./main.js').World} world
 */
function show(parsed, summary, folder, world) {
  const { renderTrace } = require('../calls/table.js');
  const by = /** @type {'self' | 'calls' | 'total'} */ (
    choiceOf(parsed, 'sort', ['self', 'calls', 'total']) ?? 'self'
  );
  const limit = numberOf(parsed, 'rows', { least: 1, whole: true }) ?? 40;
  const callers = parsed.values.callers === true;
  // Of a finished trace the table is the result; beside a command's own output it is not.
  const stream = textOf(parsed, 'read') === undefined ? world.stderr : world.stdout;
  if (parsed.values.json) writeJson(summary, world);
  else stream.write(renderTrace(summary, { stream, by, limit, callers }));
  const to = textOf(parsed, 'to');
  if (to === undefined) return;
  const { exportTrace } = require('../calls/export.js');
  const output = textOf(parsed, 'output');
  const target = exportTrace(folder, summary, to, output && path.resolve(world.cwd, output));
  say(world, `${to}: ${shownPath(target, world.cwd)}`);
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {string} given
 * @param {import('./main.js').World} world
 */
function read(parsed, given, world) {
  const { readFunctions, readSummary } = require('../calls/store.js');
  const { summaryFromEvents } = require('../calls/from-events.js');
  const folder = path.resolve(world.cwd, given);
  readFunctions(folder);
  show(parsed, readSummary(folder) ?? summaryFromEvents(folder), folder, world);
  return 0;
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const command = parsed.positionals;
  const given = textOf(parsed, 'read');
  const to = choiceOf(parsed, 'to', ['parquet', 'perfetto']);
  choiceOf(parsed, 'sort', ['self', 'calls', 'total']);
  numberOf(parsed, 'rows', { least: 1, whole: true });
  if (given !== undefined) {
    if (command.length > 0) throw new UsageError('--read shows a trace: it takes no command');
    return read(parsed, given, world);
  }
  if (command.length === 0) {
    throw new UsageError(
      'no command given: rspack-prof trace --functions REGEX [OPTIONS] -- rspack build',
    );
  }
  const output = textOf(parsed, 'output');
  const folder =
    output !== undefined && to === undefined
      ? path.resolve(world.cwd, output)
      : usualFolder(world.cwd);
  const options = traceOptions(parsed);
  const { CommandTrace } = require('../calls/command.js');
  const native = /** @type {any} */ (world.loadNative());
  const trace = new CommandTrace(
    options,
    { native, env: world.env, cwd: world.cwd },
    command,
    folder,
  );
  const env = trace.start();
  let end;
  try {
    end = await runCommand(command, {
      env,
      cwd: world.cwd,
      // Standard output is to hold JSON alone.
      stdout: parsed.values.json ? 2 : 'inherit',
      onStart: (pid) => trace.begun(pid),
    });
  } catch (error) {
    trace.abandon();
    throw error;
  }
  // What the trace is worth is told, but the exit code is the command's.
  try {
    const summary = trace.stop();
    if (!parsed.values.json) world.stderr.write('\n');
    show(parsed, summary, folder, world);
    say(world, `trace: ${shownPath(folder, world.cwd)}`);
  } catch (error) {
    sayError(world, error);
  }
  return end.pass();
}

module.exports = { run, spec };
