'use strict';
// rspack-prof compare: runs two sides of a build in turn until their difference is known, profiles both, and
// says what follows. The report goes to standard output; what is being done to standard error.

const os = require('node:os');
const path = require('node:path');
const { UsageError, choiceOf, numberOf, textOf } = require('./args.js');
const { writeError, writeJson } = require('./files.js');
const { say } = require('./say.js');
const { ENDING, listen } = require('./signals.js');
const { ProfError } = require('../errors.js');
const { terminalOf } = require('../terminal.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'compare',
  summary: 'two builds in turn: which is faster, where, and whether to keep it',
  usage: '[OPTIONS] -- COMMAND...',
  positionals: [0, Infinity],
  passThrough: true,
  options: {
    'base-binding': { type: 'string', value: 'FILE', help: 'RSPACK_BINDING of the base' },
    'candidate-binding': { type: 'string', value: 'FILE', help: '.. of the candidate' },
    base: { type: 'string', value: 'CMD', help: "the base's own command, a shell's line" },
    candidate: { type: 'string', value: 'CMD', help: ".. the candidate's" },
    runs: {
      type: 'string',
      value: 'N|auto',
      help: 'runs of each; auto: until decided (3 to 54; 400 within 5 min)',
    },
    warmup: { type: 'string', value: 'N', help: 'runs of each before, not counted (1)' },
    margin: { type: 'string', value: 'PCT', help: 'differences below it count as none (2)' },
    metric: {
      type: 'string',
      value: 'WHAT',
      help: 'what decides: wall (default), cpu, instructions',
    },
    minutes: { type: 'string', value: 'N', help: 'begin no pair of runs after so long' },
    prepare: { type: 'string', value: 'CMD', help: 'before each run, not timed' },
    cache: {
      type: 'string',
      value: 'HOW',
      help: 'warm (default), or cold: removed before each run',
    },
    'cache-folder': { type: 'string', value: 'DIR', help: '.. which (node_modules/.cache/rspack)' },
    profiles: { type: 'string', value: 'N', help: 'profiled runs of each afterwards (2); 0: none' },
    freq: { type: 'string', short: 'F', value: 'HZ', help: '.. samples per second and CPU (1000)' },
    json: { type: 'boolean', help: 'the result as JSON' },
    markdown: { type: 'boolean', help: '.. as Markdown, for a comment on a pull request' },
    bundle: { type: 'string', value: 'FILE', help: 'write figures and both profiles to one file' },
  },
  notes: [
    'A side without an option of its own runs COMMAND as it is. Exit code 0: the candidate is faster, ' +
      'or there is no difference; 1: it is slower, or that could not be told; 2: bad usage.',
  ],
};

/** @param {import('./args.js').Parsed} parsed @param {number} most @returns {number | 'auto' | undefined} */
function runsOf(parsed, most) {
  const text = textOf(parsed, 'runs');
  if (text === 'auto') return text;
  try {
    return numberOf(parsed, 'runs', { least: 1, most, whole: true });
  } catch {
    throw new UsageError(`--runs takes auto or a whole number from 1 to ${most}, not '${text}'`);
  }
}

/**
 * What it is doing, on standard error: on a terminal one line that is rewritten, else a line for each look.
 * @param {import('./main.js').World['stderr']} stderr
 */
function progressTo(stderr) {
  const isTerminal = stderr.isTTY === true && process.env.TERM !== 'dumb';
  let looked = 0;
  let shown = false;
  return {
    /** @param {import('../compare/compare.js').Progress} progress */
    tell({ stage, done, all, judgement }) {
      const { changeText, intervalText } = require('../compare/words.js');
      const so =
        judgement && judgement.interval
          ? `: ${changeText(judgement.ratio)} (${intervalText(judgement.interval)}) so far`
          : '';
      if (isTerminal) {
        const of = all === null ? '' : ` of ${all}`;
        const text = `rspack-prof compare: ${stage} run ${done + 1}${of}${so}`;
        stderr.write(`\r${text.slice(0, (stderr.columns ?? 80) - 1)}\u001b[K`);
        shown = true;
      } else if (judgement && judgement.pairs > looked) {
        looked = judgement.pairs;
        say({ stderr }, `after ${judgement.pairs} pairs of runs${so}, going on`);
      }
    },
    end() {
      if (shown) stderr.write('\r\u001b[K');
      shown = false;
    },
  };
}

/**
 * The signals that end a comparison: the run under way is ended with all that it started, and what there
 * is is reported. A second one changes nothing: that takes two seconds at most.
 */
function signalsAbort() {
  const controller = new AbortController();
  /** @type {NodeJS.Signals | null} */
  let received = null;
  const release = listen(ENDING, (signal) => {
    received ??= signal;
    controller.abort();
  });
  return {
    signal: controller.signal,
    /** @returns {NodeJS.Signals | null} the one that came */
    release() {
      release();
      return received;
    },
  };
}

/** @param {import('./args.js').Parsed} parsed @param {string} name */
function filledText(parsed, name) {
  const text = textOf(parsed, name);
  if (text?.trim() === '') throw new UsageError(`--${name} is empty`);
  return text;
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {import('./main.js').World} world
 */
function optionsOf(parsed, world) {
  const { MOST_RUNS, flagRange, planOf, wordsOf } = require('../compare/options.js');
  const { COMMAND_LINE } = require('../compare/sides.js');
  if (parsed.values.json && parsed.values.markdown) {
    throw new UsageError('--json and --markdown exclude each other');
  }
  const percent = numberOf(parsed, 'margin', flagRange('margin', 100));
  const asked = {
    command: parsed.positionals,
    base: filledText(parsed, 'base'),
    candidate: filledText(parsed, 'candidate'),
    baseBinding: filledText(parsed, 'base-binding'),
    candidateBinding: filledText(parsed, 'candidate-binding'),
    runs: runsOf(parsed, MOST_RUNS),
    warmup: numberOf(parsed, 'warmup', flagRange('warmup')),
    margin: percent === undefined ? undefined : percent / 100,
    metric: choiceOf(parsed, 'metric', wordsOf('metric')),
    minutes: numberOf(parsed, 'minutes', flagRange('minutes')),
    prepare: filledText(parsed, 'prepare'),
    cache: choiceOf(parsed, 'cache', wordsOf('cache')),
    cacheFolder: filledText(parsed, 'cache-folder'),
    profiles: numberOf(parsed, 'profiles', flagRange('profiles')),
    frequency: numberOf(parsed, 'freq', flagRange('frequency')),
  };
  return planOf(
    /** @type {import('../types/compare').CompareOptions} */ (asked),
    world,
    COMMAND_LINE,
  );
}

/**
 * @param {import('../compare/compare.js').Comparison['result']} result
 * @param {import('./args.js').Parsed} parsed
 * @param {import('./main.js').World} world
 */
function writeReport(result, { values }, world) {
  if (values.json) writeJson(result, world);
  else if (values.markdown) {
    world.stdout.write(require('../compare/markdown.js').renderMarkdown(result));
  } else {
    const { renderText } = require('../compare/text.js');
    world.stdout.write(renderText(result, terminalOf({ stream: world.stdout })));
  }
}

/**
 * `report BUNDLE`: what compare printed.
 * @param {import('../export/firefox-read.js').IsBundle} bundle
 * @param {import('./args.js').Parsed} parsed of `report`
 * @param {import('./main.js').World} world
 */
function reportBundle({ json }, parsed, world) {
  const { openBundle, rendered } = require('../compare/bundle.js');
  const file = parsed.positionals[0];
  const given = Object.keys(parsed.values).filter((name) => name !== 'json');
  if (given.length > 0) {
    throw new UsageError(
      `--${given[0]} asks about a profile: name one of the two in it, ${file}#base or ${file}#candidate`,
    );
  }
  const { result } = openBundle(file, json);
  rendered(file, () => writeReport(result, parsed, world));
}

/**
 * @param {unknown} failure
 * @param {import('./main.js').World} world
 */
function tellFailure(failure, world) {
  const { message, code, tail, stack } = /** @type {Error & { code?: string, tail?: string }} */ (
    failure
  );
  say(world, code ? `${message} (${code})` : String(stack));
  if (tail) world.stderr.write(`${tail.replace(/^/gm, '  | ')}\n`);
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const { compare } = require('../compare/compare.js');
  const { findRunner } = require('../compare/run.js');
  const { exitCodeOf } = require('../compare/verdict.js');
  const options = optionsOf(parsed, world);
  findRunner();
  const file = textOf(parsed, 'bundle');
  const bundle = file === undefined ? null : openBundle(file, world.cwd);
  const progress = progressTo(world.stderr);
  const abort = signalsAbort();
  try {
    const { result, profiles, failure } = await compare({
      ...options,
      signal: abort.signal,
      register: world.register,
      tell: progress.tell,
    });
    progress.end();
    // Nothing was measured: there is nothing to report but why.
    const isEmpty = result.runs.order === '';
    if (!isEmpty) writeReport(result, parsed, world);
    if (bundle && !isEmpty) {
      const bytes = bundle.write(result, profiles);
      const what = profiles ? ' and both profiles' : ', no profiles';
      say(world, `bundle: ${file} (${(bytes / 2 ** 20).toFixed(2)} MB): figures${what}`);
    }
    if (failure !== undefined) tellFailure(failure, world);
    const signal = abort.release();
    if (signal) {
      if (isEmpty) say(world, 'stopped before anything was measured');
      process.kill(process.pid, signal);
      // Ignored by whoever started us (nohup): then by the number a shell would show.
      return 128 + os.constants.signals[signal];
    }
    if (failure instanceof ProfError && failure.code === 'ERR_PROF_BAD_OPTION') return 2;
    return failure === undefined ? exitCodeOf(result.verdict) : 1;
  } finally {
    progress.end();
    abort.release();
  }
}

/**
 * Where it cannot be written is known before the runs, not after.
 * @param {string} file
 * @param {string} cwd
 */
function openBundle(file, cwd) {
  const { checkPlace, writeBundle } = require('../compare/bundle.js');
  const full = path.resolve(cwd, file);
  try {
    checkPlace(full);
  } catch (error) {
    throw writeError(error, file);
  }
  return {
    /** @type {(result: any, profiles: any) => number} */
    write(result, profiles) {
      try {
        return writeBundle(full, result, profiles);
      } catch (error) {
        throw writeError(error, file);
      }
    },
  };
}

module.exports = { reportBundle, run, spec };
