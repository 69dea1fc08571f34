'use strict';
// rspack-prof stat: counts events while a command runs. The command owns the streams: the table goes
// to standard error. JSON and CSV are results, and have standard output for themselves: there the
// command prints to standard error, unless -o names a file.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { UsageError, numberOf, textOf } = require('./args.js');
const { writeResult } = require('./files.js');
const { optionsToLoad } = require('../node-options.js');
const { runCommand } = require('./run.js');
const { sayError } = require('./say.js');
const { collect } = require('../stat/child.js');
const { countCommand } = require('../stat/command.js');
const { renderCsv } = require('../stat/csv.js');
const { eventsOption } = require('../stat/index.js');
const { combine } = require('../stat/result.js');
const { renderStat } = require('../stat/table.js');

/** @typedef {import('../stat/result').Run} Run */
/** @typedef {import('../index').Warning} Warning */

const REGISTER = path.join(__dirname, '..', 'register.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'stat',
  summary: 'run a command and count events in it',
  usage: '[OPTIONS] -- COMMAND...',
  positionals: [0, Infinity],
  passThrough: true,
  options: {
    event: {
      type: 'string',
      short: 'e',
      value: 'EVENT,...',
      help: "what to count; {a,b} is a group; see 'list'",
    },
    repeat: { type: 'string', short: 'r', value: 'N', help: 'run the command N times (1)' },
    phases: { type: 'boolean', help: "the build's phases too: loads into its node processes" },
    'all-cpus': { type: 'boolean', short: 'a', help: 'all that runs on the CPUs meanwhile' },
    cpu: { type: 'string', short: 'C', value: 'LIST', help: 'the same on these CPUs: 0-2,5' },
    pid: {
      type: 'string',
      short: 'p',
      value: 'PID',
      help: 'count this process while the command (sleep 10) runs',
    },
    json: { type: 'boolean', help: 'the result as JSON' },
    csv: { type: 'boolean', help: 'the result as CSV' },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'where the result goes' },
  },
  notes: [
    'The table goes to standard error. With --json or --csv the result goes to standard output, and ' +
      'what the command prints to standard error; with -o FILE the result goes there. Exits with the ' +
      'exit code of COMMAND; a run that fails ends the repeats, and counts only where it is the first.',
  ],
};

/**
 * @param {import('./args.js').Parsed} parsed
 * @returns {{scope: 'command' | 'process' | 'cpus', pid?: number, cpus?: string}}
 */
function scopeOf(parsed) {
  const pid = numberOf(parsed, 'pid', { least: 1, most: 2 ** 22, whole: true });
  const cpus = textOf(parsed, 'cpu');
  const isAll = parsed.values['all-cpus'] === true;
  if (pid !== undefined && (isAll || cpus !== undefined)) {
    throw new UsageError('--pid counts one process and --cpu, --all-cpus all of them: give one');
  }
  if (cpus !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(cpus)) {
    throw new UsageError(`--cpu takes a list of CPUs like 0-2,5, not '${cpus}'`);
  }
  if (parsed.values.phases && (pid !== undefined || isAll || cpus !== undefined)) {
    throw new UsageError('--phases are those of the command: leave out --pid, --cpu, --all-cpus');
  }
  if (pid !== undefined) return { scope: 'process', pid };
  if (isAll || cpus !== undefined) return { scope: 'cpus', cpus: cpus ?? '' };
  return { scope: 'command' };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {{events: string, optional: boolean}} wanted
 * @param {string} folder
 * @returns {NodeJS.ProcessEnv}
 */
function phaseEnvironment(env, wanted, folder) {
  return {
    ...env,
    NODE_OPTIONS: optionsToLoad(env, REGISTER),
    RSPACK_PROF_OPTIONS: JSON.stringify({ stat: { ...wanted, folder }, failures: folder }),
  };
}

/**
 * The runs, up to the first that fails.
 * @param {object} what
 * @param {() => ReturnType<typeof countCommand>} what.once
 * @param {number} what.repeat
 */
async function repeatRuns({ once, repeat }) {
  const counted = [await once()];
  while (counted.length < repeat && counted[counted.length - 1].end.ok) {
    counted[counted.length - 1].end.pass();
    counted.push(await once());
  }
  const [first] = counted;
  const last = counted[counted.length - 1];
  const good = counted.filter(({ end }) => end.ok);
  const message = `run ${counted.length} of ${repeat} failed: it is not among those counted`;
  const warnings = [...first.warnings];
  if (good.length > 0 && !last.end.ok) warnings.push({ code: 'run-failed', message, fix: '' });
  const runs = (good.length > 0 ? good : [first]).map(({ run }) => run);
  return { events: first.events, runs, warnings, end: last.end };
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const command = parsed.positionals;
  const { json, csv, phases: withPhases } = parsed.values;
  const repeat = numberOf(parsed, 'repeat', { least: 1, most: 1000, whole: true }) ?? 1;
  const output = textOf(parsed, 'output');
  const target = scopeOf(parsed);
  if (json && csv) throw new UsageError('--json and --csv are two forms of one result: give one');
  if (command.length === 0) {
    throw new UsageError(
      target.scope === 'command'
        ? 'no command given: rspack-prof stat [OPTIONS] -- rspack build'
        : 'no command given: it says how long to count, rspack-prof stat [OPTIONS] -- sleep 10',
    );
  }
  const wanted = eventsOption(textOf(parsed, 'event'));
  const native = /** @type {import('../profile/raw').CountAddon} */ (world.loadNative());
  const isResult = Boolean(json || csv) && (output === undefined || output === '-');
  const folder = withPhases ? fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-stat-')) : null;
  const env = folder ? phaseEnvironment(world.env, wanted, folder) : world.env;
  /** By message: each run has the same to say. @type {Map<string, Warning>} */
  const told = new Map();
  const phases = () => {
    if (!folder) return [];
    const found = collect(folder);
    for (const warning of found.warnings) told.set(warning.message, warning);
    return found.phases;
  };
  try {
    const options = { ...wanted, ...target };
    const start = () =>
      runCommand(command, { env, cwd: world.cwd, ...(isResult ? { stdout: 2 } : {}) });
    const once = () => countCommand({ native, options, run: start, phases });
    const { events, runs, warnings, end } = await repeatRuns({ once, repeat });
    const result = combine({
      ...{ events, runs, scope: target.scope, command: command.join(' ') },
      warnings: [...warnings, ...told.values()],
    });
    try {
      if (json) await writeResult([`${JSON.stringify(result, null, 2)}\n`], output, world);
      else if (csv) await writeResult([renderCsv(result)], output, world);
      else if (output === undefined)
        world.stderr.write(`\n${renderStat(result, { stream: world.stderr })}`);
      else await writeResult([renderStat(result)], output, world);
    } catch (error) {
      // The exit code is the command's all the same.
      sayError(world, error);
    }
    return end.pass();
  } finally {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { run, spec };
