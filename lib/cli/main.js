#!/usr/bin/env node
'use strict';
// The command line: finds the command, reads its arguments, turns what it throws into one line on
// standard error and an exit code: 0 fine, 1 failed, 2 bad usage, 3 no permission.

const { UsageError, parse, unknown } = require('./args.js');
const { commandsText, helpText } = require('./help.js');
const { withProgress } = require('./progress.js');
const { writeError } = require('../export/files.js');
const { workingFolder } = require('../folder.js');
const pkg = require('../../package.json');

/**
 * @typedef {NodeJS.WritableStream & { isTTY?: boolean, columns?: number, hasColors?: () => boolean }} Output
 *
 * @typedef {object} World what a command may touch; tests pass their own
 * @property {Output} stdout results only
 * @property {Output} stderr everything else
 * @property {NodeJS.ProcessEnv} env
 * @property {string} cwd
 * @property {() => import('../profile/raw').NativeAddon} loadNative
 * @property {string} [register] what `record` loads into each node process
 * @property {Partial<import('../doctor/facts.js').Reader>} [reader] what the doctor asks
 *
 * @typedef {object} Command
 * @property {import('./args.js').CommandSpec} spec
 * @property {(parsed: import('./args.js').Parsed, world: World) => number | Promise<number>} run
 *   gives the exit code
 */

/** @type {Record<string, () => Command>} each is loaded only when it is called */
const COMMANDS = {
  record: () => require('./record.js'),
  stat: () => require('./stat.js'),
  report: () => require('./report.js'),
  export: () => require('./export.js'),
  import: () => require('./import.js'),
  recover: () => require('./recover.js'),
  diff: () => require('./diff.js'),
  compare: () => require('./compare.js'),
  symbolize: () => require('./symbolize.js'),
  open: () => require('./open.js'),
  list: () => require('./list.js'),
  processes: () => require('./processes.js'),
  trace: () => require('./trace.js'),
  symbols: () => require('./symbols.js'),
  doctor: () => require('./doctor.js'),
};

/** What may take more than a second on a big profile. */
const SLOW = ['report', 'export', 'import', 'recover', 'diff', 'symbolize', 'open'];

/** @type {Record<string, number>} */
const EXIT_CODES = {
  ERR_PROF_BAD_EVENT: 2,
  ERR_PROF_BAD_OPTION: 2,
  ERR_PROF_PERMISSION: 3,
};

/**
 * @param {string[]} argv
 * @param {World} world
 * @returns {Promise<number>} exit code
 */
async function dispatch(argv, world) {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-v') {
    world.stdout.write(`${pkg.version}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    world.stdout.write(commandsText(Object.values(COMMANDS).map((load) => load().spec)));
    return 0;
  }
  if (name === undefined) throw new UsageError("no command given: see 'rspack-prof --help'");
  if (!Object.hasOwn(COMMANDS, name)) {
    const what = name.startsWith('-') ? 'unknown option' : 'unknown command';
    const known = name.startsWith('-') ? ['--help', '--version'] : Object.keys(COMMANDS);
    throw unknown(what, name, known, 'rspack-prof --help');
  }
  const command = COMMANDS[name]();
  const parsed = parse(command.spec, rest);
  if (parsed.values.help) {
    world.stdout.write(helpText(command.spec));
    return 0;
  }
  const work = () => command.run(parsed, world);
  return SLOW.includes(name) ? withProgress(`rspack-prof ${name}`, world, work) : work();
}

/**
 * @param {unknown} thrown
 * @param {World} world
 * @returns {number} exit code
 */
function fail(thrown, world) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code, exitCode } = /** @type {Error & { code?: string, exitCode?: number }} */ (error);
  // A stack trace is for a bug of ours; what we or the system refused is told in one line.
  const ours = typeof code === 'string';
  const text = ours ? error.message.split('\n')[0] : (error.stack ?? error.message);
  const tag = ours && !text.startsWith(code) ? ` (${code})` : '';
  world.stderr.write(`rspack-prof: ${text}${tag}\n`);
  return exitCode ?? EXIT_CODES[code ?? ''] ?? 1;
}

/**
 * @param {string[]} argv without node and the script
 * @param {World} world
 * @returns {Promise<number>} exit code
 */
async function main(argv, world) {
  try {
    return await dispatch(argv, world);
  } catch (error) {
    return fail(error, world);
  }
}

module.exports = { main };

if (require.main === module) {
  const world = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: workingFolder(),
    loadNative: () => require('../native.js').loadNative(),
  };
  // `rspack-prof report | head` closes the pipe: nobody reads on, which is no failure.
  process.stdout.on('error', (error) => {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    process.exit(code === 'EPIPE' ? 0 : fail(writeError(error, 'standard output'), world));
  });
  main(process.argv.slice(2), world).then((exitCode) => {
    // Not process.exit(): what a pipe has not taken yet would be cut off.
    process.exitCode = exitCode;
  });
}
