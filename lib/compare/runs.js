'use strict';
// Makes the runs that measure.js and profiles.js ask for: prepares each, runs it, refuses one that
// failed. After an abort nothing is begun any more.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { watchLoad } = require('./load.js');
const { runOnce } = require('./run.js');

/** @typedef {import('./sides').Side} Side */
/** @typedef {import('./plan').SideName} SideName */

/** Where rspack's persistent cache lies unless the config says otherwise. */
const CACHE_FOLDER = path.join('node_modules', '.cache', 'rspack');

/** A run that failed: what it was, and the end of what it printed. */
class RunFailure extends ProfError {
  /**
   * @param {string} what
   * @param {import('./run').Ended} ended
   */
  constructor(what, { code, signal, tail }) {
    const how = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
    super('ERR_PROF_SYSTEM', `${what} ${how}${tail ? '' : ' and printed nothing'}`);
    /** Several lines. */
    this.tail = tail;
  }
}

/**
 * @typedef {object} RunOptions
 * @property {{ base: Side, candidate: Side }} sides
 * @property {string} cwd
 * @property {AbortSignal} signal
 * @property {string} [prepare] a shell's line, before each run, not timed
 * @property {'warm' | 'cold'} cache cold: the cache folder is removed before each run
 * @property {string} [cacheFolder]
 * @property {boolean} needsInstructions
 */

/**
 * The folder to remove: one in the project, which can hold nothing but a cache of it.
 * @param {string} cwd
 * @param {string} [given]
 */
function cacheFolderOf(cwd, given = CACHE_FOLDER) {
  const folder = path.resolve(cwd, given);
  const inside = path.relative(cwd, folder);
  if (inside !== '' && !inside.startsWith('..') && !path.isAbsolute(inside)) return folder;
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `the cache folder ${given} is not below this folder, and would be removed before each run`,
  );
}

/** @param {RunOptions} options */
function makeRuns({ sides, cwd, signal, prepare, cache, cacheFolder, needsInstructions }) {
  const folder = cache === 'cold' ? cacheFolderOf(cwd, cacheFolder) : null;
  /** By side and kind. @type {Record<string, number>} */
  const counts = {};
  let counterProblem = '';
  let countedShare = 1;

  /** @param {SideName} name @param {string} what */
  async function before(name, what) {
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
    if (prepare === undefined) return;
    const { env } = sides[name];
    const ended = await runOnce(['/bin/sh', '-c', prepare], { env, cwd, signal });
    if (!ended.aborted && ended.code !== 0) {
      throw new RunFailure(`the command to prepare ${what}`, ended);
    }
  }

  /**
   * @param {SideName} name
   * @param {string} kind
   * @param {NodeJS.ProcessEnv} [env]
   */
  async function execute(name, kind, env = sides[name].env) {
    const own = `the ${name}'s ${kind} run`;
    const what = `${own} ${(counts[own] = (counts[own] ?? 0) + 1)}`;
    if (signal.aborted) return null;
    await before(name, what);
    if (signal.aborted) return null;
    const watched = watchLoad();
    const ended = await runOnce(sides[name].command, { env, cwd, signal });
    if (ended.aborted || signal.aborted) return null;
    if (ended.code !== 0) throw new RunFailure(`${what} (${sides[name].title})`, ended);
    ({ counterProblem } = ended);
    countedShare = Math.min(countedShare, ended.countedShare);
    if (needsInstructions && counterProblem !== '') {
      throw new ProfError(
        'ERR_PROF_NO_PMU',
        `instructions cannot decide: ${counterProblem}; metric cpu counts time instead`,
      );
    }
    return { ...ended.figures, ...watched(ended.figures) };
  }

  return {
    /** @type {(name: SideName, what: { warmup: boolean }) => ReturnType<typeof execute>} */
    timed: (name, { warmup }) => execute(name, warmup ? 'warm-up' : 'timed'),
    /** @type {(name: SideName, env: NodeJS.ProcessEnv) => ReturnType<typeof execute>} */
    profiled: (name, env) => execute(name, 'profiled', env),
    /** Why instructions are not counted, '' where they are; and in which part of the time, at least. */
    counter: () => ({ problem: counterProblem, share: countedShare }),
  };
}

module.exports = { cacheFolderOf, makeRuns };
