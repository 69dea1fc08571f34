'use strict';
// rspack-prof record -a: all processes of the machine while a command runs, for --duration, or until
// Ctrl-C.

const path = require('node:path');
const { UsageError, numberOf, textOf } = require('./args.js');
const { catchSignals, MOST_SECONDS } = require('./attach.js');
const { runCommand } = require('./run.js');
const { say, sayError } = require('./say.js');
const { ProfError } = require('../errors.js');
const { checkStartOptions } = require('../options.js');
const { handOver } = require('../output.js');
const { Recording } = require('../recording.js');
const { profileOfAll } = require('../system/profile.js');
const { percent, printable } = require('../terminal.js');

/** @typedef {import('./main.js').World} World */

/** What only a process itself can do. */
const NOT_HERE = ['budget', 'offCpu', 'wall', 'memory', 'allocations', 'trace'];
const MOST_ROWS = 10;

/**
 * @param {import('../index').StartOptions} options
 */
function nativeOptions(options) {
  const given = /** @type {Record<string, unknown>} */ (options);
  const wrong = NOT_HERE.find((name) => given[name] !== undefined);
  if (wrong) {
    const flag = wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(
      `--${flag} is of the build's own process, and -a records all from outside: leave one of both out`,
    );
  }
  if (options.callGraph === 'full') {
    throw new UsageError(
      '--call-graph full: threads of other processes do not walk their stacks for us: with -a it is dwarf or none',
    );
  }
  return checkStartOptions({ ...options, raw: undefined }).native;
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {ReturnType<typeof catchSignals>} signals
 * @param {World} world
 */
async function untilSignal(parsed, signals, world) {
  const seconds = numberOf(parsed, 'duration', { least: 0.001, most: MOST_SECONDS });
  const over = new Promise((resolve) => {
    const timer = setTimeout(resolve, (seconds ?? MOST_SECONDS) * 1000);
    signals.interrupted.then(() => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
  const how = seconds === undefined ? 'until Ctrl-C' : `for ${seconds} s`;
  say(world, `recording all processes ${how}`);
  await over;
}

/** @param {import('../system/profile.js').ProcessRow[]} rows */
function processTable(rows) {
  const cells = rows
    .slice(0, MOST_ROWS)
    .map(({ pid, name, samples, share, completeShare }) => [
      percent(share),
      String(samples),
      `${percent(completeShare)}`,
      String(pid),
      printable(name),
    ]);
  const head = ['SHARE%', 'SAMPLES', 'COMPLETE%', 'PID', 'PROCESS'];
  const widths = head.map((text, i) => Math.max(text.length, ...cells.map((row) => row[i].length)));
  const lines = [head, ...cells].map((row) =>
    row.map((cell, i) => (i < 4 ? cell.padStart(widths[i]) : cell)).join('  '),
  );
  const more = rows.length - cells.length;
  return `${[...lines, ...(more > 0 ? [`${more} more processes`] : [])].join('\n')}\n`;
}

/**
 * @param {{recording: Recording, file: string, native: Required<import('../profile/raw').NativeAddon>,
 *    warnings: import('../index').Warning[], command: string[], impatient?: Promise<unknown>}} made
 *    impatient: nobody waits for it any more
 * @param {(kept: any[], above?: string) => void} tell
 */
async function tellOfAll({ recording, file, native, warnings, command, impatient }, tell) {
  let isWanted = true;
  const about = { command: command.join(' '), warnings, isWanted: () => isWanted };
  const work = profileOfAll(file, native, about);
  const gaveUp = impatient?.then(() => {
    isWanted = false;
    throw new ProfError('ERR_PROF_NOT_RUNNING', 'given up: the recording is dropped');
  });
  const made = await (gaveUp ? Promise.race([work, gaveUp]) : work);
  if (!made)
    throw new ProfError(
      'ERR_PROF_BAD_FILE',
      'no process used the CPU meanwhile: record for longer',
    );
  handOver(made.profile, recording.folder);
  const raw = recording.raw ? `raw records: ${recording.raw}` : null;
  recording.raw = null;
  const { kept } = recording.finish(false);
  tell(
    kept.map((one) => ({ ...one, raw })),
    processTable(made.processes),
  );
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {import('../index').StartOptions} options
 * @param {World} world
 * @param {(kept: any[], above?: string) => void} tell
 */
async function recordSystem(parsed, options, world, tell) {
  const asked = nativeOptions(options);
  const command = parsed.positionals;
  if (command.length > 0 && parsed.values.duration !== undefined) {
    throw new UsageError('--duration and a command exclude each other: the command ends by itself');
  }
  const native = /** @type {Required<import('../profile/raw').NativeAddon>} */ (world.loadNative());
  const recording = new Recording(textOf(parsed, 'output'), world.cwd, options.raw);
  const file = recording.raw ?? path.join(recording.folder, 'perf.data');
  // The command's own are runCommand()'s.
  const signals = command.length > 0 ? null : catchSignals();
  try {
    const { warnings } = native.systemStart({ ...asked, path: file });
    let pass = () => 0;
    try {
      if (signals) await untilSignal(parsed, signals, world);
      else pass = (await runCommand(command, { env: world.env, cwd: world.cwd })).pass;
    } catch (error) {
      native.systemStop();
      throw error;
    }
    try {
      native.systemStop();
      const { impatient } = signals ?? {};
      await tellOfAll({ recording, file, native, warnings, command, impatient }, tell);
    } catch (error) {
      // What the profile is worth is told, but the exit code is the command's.
      if (command.length === 0) throw error;
      sayError(world, error);
    }
    recording.remove();
    return pass();
  } finally {
    signals?.release();
    recording.remove();
  }
}

module.exports = { recordSystem };
