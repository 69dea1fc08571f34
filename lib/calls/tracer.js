'use strict';
// One trace: from what is asked for to the addon, and from what it found to a summary and a folder.

const path = require('node:path');
const { ProfError, fromNative } = require('../errors.js');
const { makeFolder, eventsFile, writeFunctions, writeSummary } = require('./store.js');
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
 * @property {string} [folder] for the events; none are kept without
 *
 * @typedef {object} World
 * @property {import('./native').NativeCalls} native
 * @property {NodeJS.ProcessEnv} env
 * @property {string} cwd
 */

/** Twice the command's own CPU time: a trace that takes longer is rarely what was meant. */
const DEFAULT_BUDGET = 100;
const DEFAULT_SAMPLE_HZ = 199;

class Trace {
  /**
   * @param {TraceOptions} options
   * @param {World} world
   * @param {string[] | null} command null: this process
   */
  constructor(options, world, command) {
    const { functions: pattern, list } = options;
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
    const chosen = selectForTrace(world.native, objects, {
      pattern,
      list: names,
      flows: options.flows ?? false,
    });
    this.world = world;
    this.unreadable = chosen.unreadable;
    this.count = chosen.count;
    this.folder = options.folder ?? null;
    this.about = {
      command: (command ?? [process.title, ...process.argv.slice(1)]).join(' '),
      startUnixMs: Date.now(),
      startNs: Number(process.hrtime.bigint()),
    };
    this.native = {
      objects: chosen.selected.map(({ path: file, rows, roles }) => ({ path: file, rows, roles })),
      command: command !== null,
      method: options.method ?? 'auto',
      depth: options.depth ?? 0,
      limitCalls: options.limit ?? 0,
      budgetPercent: options.budget ?? DEFAULT_BUDGET,
      sampleHz: options.sampleHz ?? DEFAULT_SAMPLE_HZ,
    };
  }

  /** From here on; a command has to be started by this very thread, next. */
  start() {
    const { native } = this.world;
    if (this.folder) makeFolder(this.folder);
    try {
      const functions = native.callsStart({
        ...this.native,
        ...(this.folder ? { events: eventsFile(this.folder) } : {}),
      });
      this.running = true;
      if (this.folder) writeFunctions(this.folder, functions, this.about);
    } catch (error) {
      this.abandon();
      throw fromNative(error);
    }
  }

  /** What was begun is taken back. */
  abandon() {
    if (this.running) this.world.native.callsStop();
    this.running = false;
    if (this.folder) require('node:fs').rmSync(this.folder, { recursive: true, force: true });
  }

  /** @returns {import('./summary').Summary} */
  stop() {
    if (!this.running) {
      throw new ProfError('ERR_PROF_NOT_RUNNING', 'this trace was stopped already');
    }
    this.running = false;
    const summary = summaryOf(this.world.native.callsStop(), this.about);
    if (this.folder) writeSummary(this.folder, summary);
    return summary;
  }
}

module.exports = { DEFAULT_BUDGET, DEFAULT_SAMPLE_HZ, Trace };
