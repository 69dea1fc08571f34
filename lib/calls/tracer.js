'use strict';
// One trace: from what is asked for to the addon, and from what it found to a summary and a folder.

const path = require('node:path');
const { ProfError, fromNative } = require('../errors.js');
const { eventsFile, writeFunctions } = require('./store.js');
const { namedObjects, usualObjects } = require('./objects.js');
const { readList, selectForTrace } = require('./select.js');
const { summaryOf } = require('./summary.js');

/**
 * @typedef {object} TraceOptions
 * @property {RegExp} [functions]
 * @property {string} [list] a file with names
 * @property {string[]} [objects] instead of the usual ones
 * @property {number} [depth]
 * @property {number} [limit] calls of one function
 * @property {number} [budget] per cent
 * @property {number} [sampleHz]
 * @property {'auto' | 'probes' | 'xray'} [method]
 * @property {boolean} [flows] who handed over the jobs that rayon and tokio run
 * @property {number} [stacks] the stack at each so-many-th entry
 *
 * @typedef {object} World
 * @property {import('./native').NativeCalls} native
 * @property {NodeJS.ProcessEnv} env
 * @property {string} cwd
 *
 * @typedef {Omit<import('./native').NativeCallsOptions, 'events' | 'command'>} NativeOptions
 */

/** Twice the command's own CPU time: a trace that takes longer is rarely what was meant. */
const DEFAULT_BUDGET = 100;
const DEFAULT_SAMPLE_HZ = 199;

/**
 * @param {TraceOptions} options
 * @param {World} world
 * @param {string[] | null} command null: this process
 * @returns {{ native: NativeOptions, unreadable: string[], count: number }} count: functions
 */
function planTrace(options, world, command) {
  const { functions: pattern, list, flows = false } = options;
  if (!pattern && list === undefined) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      'say which functions: a pattern (functions) or a file with their names (list)',
    );
  }
  const objects = options.objects
    ? namedObjects(options.objects, world)
    : usualObjects(world, command ?? []);
  const names = list === undefined ? undefined : readList(path.resolve(world.cwd, list));
  const wanted = { pattern, list: names, flows };
  const { selected, unreadable, count } = selectForTrace(world.native, objects, wanted);
  return {
    unreadable,
    count,
    native: {
      objects: selected.map(({ path: file, rows, roles }) => ({ path: file, rows, roles })),
      method: options.method ?? 'auto',
      depth: options.depth ?? 0,
      limitCalls: options.limit ?? 0,
      budgetPercent: options.budget ?? DEFAULT_BUDGET,
      sampleHz: options.sampleHz ?? DEFAULT_SAMPLE_HZ,
      stackPeriod: options.stacks ?? 0,
    },
  };
}

class Trace {
  /**
   * @param {NativeOptions} options
   * @param {{ native: import('./native').NativeCalls, folder: string | null }} place folder: where the
   *   events go, which is there; null: none are kept
   * @param {string[] | null} command null: this process
   */
  constructor(options, { native, folder }, command) {
    this.options = options;
    this.native = native;
    this.folder = folder;
    this.command = command;
    this.about = {
      command: (command ?? [process.title, ...process.argv.slice(1)]).join(' '),
      startUnixMs: Date.now(),
      startNs: Number(process.hrtime.bigint()),
    };
  }

  /**
   * From here on; a command has to be started by this very thread, next.
   * @returns {import('./native').NativeFunctions}
   */
  start() {
    try {
      const functions = this.native.callsStart({
        ...this.options,
        command: this.command !== null,
        ...(this.folder ? { events: eventsFile(this.folder) } : {}),
      });
      this.running = true;
      if (this.folder) writeFunctions(this.folder, functions, this.about);
      return functions;
    } catch (error) {
      this.abandon();
      throw fromNative(error);
    }
  }

  /** What was begun is taken back. */
  abandon() {
    if (this.running) this.native.callsStop();
    this.running = false;
  }

  /** @returns {import('./summary').Summary} */
  stop() {
    if (!this.running) {
      throw new ProfError('ERR_PROF_NOT_RUNNING', 'this trace was stopped already');
    }
    this.running = false;
    return summaryOf(this.native.callsStop(), this.about);
  }
}

module.exports = { Trace, planTrace };
