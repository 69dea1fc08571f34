'use strict';
// rspack-prof record: runs a command, profiles every node process in it, keeps the profile of the
// one that built. The command owns standard input and output; what is said here goes to stderr.

const { recordProcess } = require('./attach.js');
const { UsageError, choiceOf, numberOf, shareOf, textOf } = require('./args.js');
const { Recording } = require('../recording.js');
const { runCommand } = require('./run.js');
const { say, sayError } = require('./say.js');
const { recordSystem } = require('./system.js');
const { ProfError } = require('../errors.js');
const { exitTable } = require('../exit-table.js');
const { checkStartOptions, rangeOf } = require('../options.js');
const { ALLOCATION_RANGE, CAP_RANGE } = require('../options-allocations.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'record',
  summary: 'run a command and profile it',
  usage: '[OPTIONS] -- COMMAND... | -p PID | -a',
  // How many words the command has is checked here: `no command` wants its own message.
  positionals: [0, Infinity],
  passThrough: true,
  options: {
    event: {
      type: 'string',
      short: 'e',
      value: 'EVENT,...',
      help: "cycles:uk unless given; several at once; see 'list'",
    },
    freq: {
      type: 'string',
      short: 'F',
      value: 'HZ',
      help: 'samples per second and CPU (1000), or max',
    },
    count: { type: 'string', short: 'c', value: 'N', help: 'instead: a sample after N events' },
    cpu: { type: 'string', short: 'C', value: 'LIST', help: 'on these CPUs alone: 0-2,5' },
    'call-graph': {
      type: 'string',
      value: 'HOW',
      help: 'full: threads walk their own stacks; dwarf: copies of stacks; none',
    },
    'stack-bytes': { type: 'string', value: 'N', help: 'bytes of stack to copy with dwarf' },
    budget: {
      type: 'string',
      value: 'PCT',
      help: 'stay below this per cent of CPU time, by fewer samples',
    },
    'off-cpu': { type: 'boolean', help: 'where threads wait, and for what' },
    wall: { type: 'boolean', help: 'where they run and where they wait, in one table' },
    memory: { type: 'boolean', help: 'page faults, memory over time, who allocates' },
    allocations: { type: 'boolean', help: 'native allocations: who makes them, what stays live' },
    'allocation-bytes': {
      type: 'string',
      value: 'N',
      help: 'bytes between two samples of them (131072)',
    },
    'allocation-cap': {
      type: 'string',
      value: 'PCT',
      help: 'per cent of CPU time above which they end (10)',
    },
    raw: {
      type: 'string',
      value: 'FILE',
      help: 'keep the raw records in a perf.data too (with --call-graph dwarf)',
    },
    trace: {
      type: 'string',
      value: 'FILTER',
      help: "rspack's own spans too: stages, OVERVIEW, or target=level,..",
    },
    pid: { type: 'string', short: 'p', value: 'PID', help: 'a process that runs (attachable)' },
    duration: {
      type: 'string',
      value: 'SECONDS',
      help: 'with -p and -a: so long, not until Ctrl-C',
    },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'the profile to write' },
    'all-processes': { type: 'boolean', help: 'keep the profile of each node process' },
    'all-cpus': {
      type: 'boolean',
      short: 'a',
      help: 'all processes of the machine, where allowed',
    },
  },
  notes: [
    'Of several node processes (npx, pnpm) the one that loaded an rspack binding is kept, else the ' +
      'one with the most samples. Unless -o is given, profile, table, folded stacks and flame graph ' +
      'go to .rspack-prof/<time>-<pid>/. Exits with the exit code of COMMAND.',
    'A process for -p was started with NODE_OPTIONS=--require=rspack-prof/attachable, or has called ' +
      "attachable(): 'rspack-prof processes' lists them. Its profile is taken at Ctrl-C.",
  ],
};

/**
 * Asks before the command runs what would fail in it: nobody wants that after a long build.
 * @param {import('../index').StartOptions} options
 * @param {import('./main.js').World} world
 */
function checkEvent({ event, period, cpus }, world) {
  const { ok, code, message } = world
    .loadNative()
    .probe(String(event ?? 'cycles:uk'), period, cpus);
  if (ok) return;
  throw new ProfError(/** @type {import('../index').ProfErrorCode} */ (code), message);
}

/** @param {import('./args.js').Parsed} parsed */
function allocationsOf(parsed) {
  const bytes = numberOf(parsed, 'allocation-bytes', ALLOCATION_RANGE);
  const cap = numberOf(parsed, 'allocation-cap', CAP_RANGE);
  if (bytes === undefined && cap === undefined)
    return parsed.values.allocations === true ? true : undefined;
  return { ...(bytes !== undefined && { bytes }), ...(cap !== undefined && { cap }) };
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @returns {import('../index').StartOptions}
 */
function startOptions(parsed) {
  const options = {
    event: textOf(parsed, 'event'),
    frequency:
      textOf(parsed, 'freq') === 'max' ? 'max' : numberOf(parsed, 'freq', rangeOf('frequency')),
    period: numberOf(parsed, 'count', rangeOf('period')),
    cpus: textOf(parsed, 'cpu'),
    callGraph:
      choiceOf(parsed, 'call-graph', ['full', 'dwarf', 'none']) ??
      (parsed.values['all-cpus'] === true ? 'dwarf' : undefined),
    stackBytes: numberOf(parsed, 'stack-bytes', rangeOf('stackBytes')),
    budget: shareOf(parsed, 'budget', rangeOf('budget')),
    offCpu: parsed.values['off-cpu'] === true ? true : undefined,
    wall: parsed.values.wall === true ? true : undefined,
    memory: parsed.values.memory === true ? true : undefined,
    allocations: allocationsOf(parsed),
    raw: textOf(parsed, 'raw'),
    trace: textOf(parsed, 'trace'),
  };
  // What start() would refuse in each process of the command is refused before it runs.
  checkStartOptions(options);
  return /** @type {import('../index').StartOptions} */ (options);
}

/**
 * @param {Recording} recording
 * @param {boolean} all
 * @param {import('./main.js').World} world
 */
function tellResult(recording, all, world) {
  const { kept, failures } = recording.finish(all);
  if (kept.length === 0) {
    const [failure] = failures;
    if (failure) say(world, `not profiled: ${failure.message} (${failure.code})`);
    else say(world, 'no profile: the command ran no node process that ended by itself');
    return;
  }
  tellKept(kept, world);
  if (!kept.some(({ profile }) => profile.meta.binding)) {
    say(world, 'no process loaded an rspack binding: the one with the most samples was kept');
  }
}

/**
 * @param {ReturnType<Recording['finish']>['kept']} kept
 * @param {import('./main.js').World} world
 * @param {string} [above] the table
 */
function tellKept(kept, world, above = '') {
  for (const { profile, file, raw, isRecovered } of kept) {
    if (above) world.stderr.write(`\n${above}`);
    world.stderr.write(`\n${exitTable(profile)({ stream: world.stderr })}\n`);
    if (isRecovered) {
      const what = `process ${profile.meta.pid} was killed or crashed`;
      say(world, `${what}: its profile comes from its journal, without its last second`);
    }
    say(world, `profile: ${file}`);
    if (raw) say(world, raw);
  }
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const command = parsed.positionals;
  if (parsed.values.pid !== undefined && parsed.values['all-cpus'] === true)
    throw new UsageError('-p and -a exclude each other: one process, or all');
  const isOther = parsed.values.pid !== undefined || parsed.values['all-cpus'] === true;
  if (isOther && parsed.values['all-processes'] === true)
    throw new UsageError(
      '--all-processes keeps each node process of a command: with -p and -a there is none',
    );
  if (parsed.values.pid !== undefined) {
    const options = startOptions(parsed);
    return recordProcess(parsed, options, world, (kept) => tellKept(kept, world));
  }
  if (parsed.values['all-cpus'] === true) {
    const options = startOptions(parsed);
    return recordSystem(parsed, options, world, (kept, above) => tellKept(kept, world, above));
  }
  if (parsed.values.duration !== undefined) {
    throw new UsageError('--duration goes with -p and -a: a command ends by itself');
  }
  if (command.length === 0) {
    throw new UsageError('no command given: rspack-prof record [OPTIONS] -- rspack build');
  }
  const options = startOptions(parsed);
  checkEvent(options, world);
  const recording = new Recording(textOf(parsed, 'output'), world.cwd, options.raw);
  try {
    const env = recording.environment(world.env, options, world.register);
    const end = await runCommand(command, { env, cwd: world.cwd });
    // What the profile is worth is told, but the exit code is the command's.
    try {
      tellResult(recording, parsed.values['all-processes'] === true, world);
    } catch (error) {
      sayError(world, error);
    }
    recording.remove();
    return end.pass();
  } finally {
    recording.remove();
  }
}

module.exports = { run, spec };
