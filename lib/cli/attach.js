'use strict';
// rspack-prof record -p PID: records a process that runs already and listens (lib/attach), until Ctrl-C,
// the end of --duration, or the process's own.

const { UsageError, numberOf, textOf } = require('./args.js');
const { say } = require('./say.js');
const { ENDING, listen } = require('./signals.js');
const { Recording } = require('../recording.js');
const { attach } = require('../attach/client.js');
const { ProfError } = require('../errors.js');

/** @typedef {import('./main.js').World} World */
/** @typedef {import('../attach/client.js').Attached} Attached */

/** A process that ends writes its profile first; this long it may take after it has hung up. */
const ENDING_MS = 30_000;
/** setTimeout's most is 2^31 ms. */
const MOST_SECONDS = 7 * 24 * 3600;

/** @param {import('./args.js').Parsed} parsed */
function durationOf(parsed) {
  return numberOf(parsed, 'duration', { least: 0.001, most: MOST_SECONDS });
}

/** @param {import('./args.js').Parsed} parsed @returns {number} */
function pidOf(parsed) {
  const text = /** @type {string} */ (textOf(parsed, 'pid'));
  if (/^\d+(,\d+)+$/.test(text))
    throw new UsageError('-p takes one process: each records itself, so run one command for each');
  return /** @type {number} */ (numberOf(parsed, 'pid', { least: 1, most: 2 ** 22, whole: true }));
}

/**
 * @param {number | undefined} seconds
 * @param {Attached} attached
 * @param {Promise<unknown>} interrupted
 * @returns {Promise<'stop' | 'ended'>}
 */
async function untilEnd(seconds, attached, interrupted) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const over = new Promise((resolve) => {
    if (seconds !== undefined) timer = setTimeout(resolve, seconds * 1000);
  });
  const end = await Promise.race([
    over.then(() => /** @type {const} */ ('stop')),
    interrupted.then(() => /** @type {const} */ ('stop')),
    attached.closed.then(() => /** @type {const} */ ('ended')),
  ]);
  clearTimeout(timer);
  return end;
}

/**
 * A terminal's Ctrl-C, `timeout`, a closed terminal, until release(): the first ends the recording, the next
 * one the waiting for its profile.
 */
function catchSignals() {
  /** @type {(signal: NodeJS.Signals) => void} */
  let first = () => {};
  /** @type {(signal: NodeJS.Signals) => void} */
  let second = () => {};
  const interrupted = new Promise((resolve) => (first = resolve));
  const impatient = new Promise((resolve) => (second = resolve));
  let count = 0;
  const take = (/** @type {NodeJS.Signals} */ signal) => (count++ === 0 ? first : second)(signal);
  return { interrupted, impatient, release: listen(ENDING, take) };
}

/** @param {Attached} attached */
async function waitForEnd(attached) {
  const deadline = Date.now() + ENDING_MS;
  while (attached.isAlive() && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return !attached.isAlive();
}

/**
 * @param {Attached} attached
 * @param {Promise<unknown>} impatient
 */
async function fetchProfile(attached, impatient) {
  try {
    await Promise.race([
      attached.ask('stop'),
      impatient.then(() => {
        throw new ProfError('ERR_PROF_NOT_RUNNING', 'given up: the recording is dropped');
      }),
    ]);
  } catch (error) {
    // It ended at that moment: then its profile is there as well.
    if (/** @type {ProfError} */ (error).code !== 'ERR_PROF_NOT_RUNNING') throw error;
    if (!(await Promise.race([attached.closed.then(() => true), Promise.resolve(false)])))
      throw error;
    await waitForEnd(attached);
  }
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {import('../index').StartOptions} options
 * @param {World} world
 * @param {(kept: ReturnType<Recording['finish']>['kept']) => void} tell
 */
async function recordProcess(parsed, options, world, tell) {
  const pid = pidOf(parsed);
  const seconds = durationOf(parsed);
  if (parsed.positionals.length > 0) {
    throw new UsageError(
      '-p records a process that runs: leave the command out, and give --duration SECONDS or press Ctrl-C',
    );
  }
  const attached = await attach(pid, world.loadNative(), { say: (line) => say(world, line) });
  const signals = catchSignals();
  /** @type {Recording | null} */
  let recording = null;
  try {
    recording = new Recording(textOf(parsed, 'output'), world.cwd, options.raw);
    const { folder, raw } = recording;
    const begun = attached.ask('start', {
      ...options,
      output: folder,
      ...(raw && { raw: `${folder}/perf-${pid}.data` }),
    });
    // A process that is stopped, or busy, does not answer: Ctrl-C must not wait for it.
    const gaveUp = signals.interrupted.then(() => {
      throw new ProfError('ERR_PROF_NOT_RUNNING', `given up before process ${pid} had begun`);
    });
    await Promise.race([begun, gaveUp]);
    const until = seconds === undefined ? 'until Ctrl-C' : `for ${seconds} s`;
    say(world, `recording process ${pid} ${until}`);
    const end = await untilEnd(seconds, attached, signals.interrupted);
    if (end === 'stop') await fetchProfile(attached, signals.impatient);
    else if (await waitForEnd(attached)) say(world, `process ${pid} has ended`);
    const finished = recording.finish(false);
    if (finished.kept.length === 0) {
      const [failure] = finished.failures;
      throw new ProfError(
        'ERR_PROF_NOT_RUNNING',
        failure?.message ?? `process ${pid} hung up and left no profile`,
      );
    }
    tell(finished.kept);
    return 0;
  } finally {
    signals.release();
    attached.close();
    recording?.remove();
  }
}

module.exports = { MOST_SECONDS, catchSignals, recordProcess };
