'use strict';
// prof.stat(): counts what a function does, in all threads of the process and in what it starts.

const { Counters } = require('./counters.js');
const { PhaseCounts, cutWarning } = require('./phases.js');
const { combine } = require('./result.js');
const { ProfError } = require('../errors.js');
const { checkOptions } = require('../check-options.js');
const { watchPhases } = require('../phases/index.js');

/** @typedef {import('./result').Run} Run */
/** @typedef {import('../profile/raw').NativeAddon} NativeAddon */

/** perf stat's own set, and the cache's two. Those that do not count here are left out, and say why. */
const DEFAULT_EVENTS =
  'task-clock,context-switches,cpu-migrations,page-faults,cycles,instructions,branches,' +
  'branch-misses,cache-references,cache-misses';

const RULES = {
  repeat: { type: /** @type {const} */ ('number'), default: 1, min: 1, max: 1000, integer: true },
};

/**
 * @param {unknown} events
 * @returns {{events: string, optional: boolean}} as the addon takes them
 */
function eventsOption(events) {
  if (events === undefined) return { events: DEFAULT_EVENTS, optional: true };
  const list = Array.isArray(events) ? events : [events];
  if (list.length === 0 || list.some((one) => typeof one !== 'string' || one.trim() === '')) {
    throw new ProfError(
      'ERR_PROF_BAD_EVENT',
      "option 'events' must be a text like 'instructions:u,page-faults', or a list of such texts",
    );
  }
  return { events: list.join(','), optional: false };
}

/** @param {unknown} given */
function checkStatOptions(given) {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const { events, ...rest } = /** @type {Record<string, unknown>} */ (isObject ? given : {});
  const checked = checkOptions(isObject ? rest : given, RULES, 'stat()', ['events']);
  return { ...eventsOption(events), repeat: /** @type {number} */ (checked.repeat) };
}

/**
 * Everything from outside is passed in.
 * @param {{native: () => NativeAddon, now?: () => number, phases?: typeof watchPhases,
 *    cpuUsage?: () => NodeJS.CpuUsage}} world
 */
function createStat(world) {
  const {
    native,
    now = () => Number(process.hrtime.bigint()),
    phases = watchPhases,
    cpuUsage = () => process.cpuUsage(),
  } = world;

  /**
   * @template T
   * @param {() => T | Promise<T>} work
   * @param {import('../index').StatOptions} [options]
   */
  async function stat(work, options) {
    if (typeof work !== 'function') {
      throw new ProfError('ERR_PROF_BAD_OPTION', 'stat() takes the function to be counted');
    }
    const { events, optional, repeat } = checkStatOptions(options);
    const counters = new Counters(native(), { events, optional, scope: 'self' }, now);
    const watch = phases();
    const counts = new PhaseCounts(counters, watch);
    /** @type {Run[]} */
    const runs = [];
    let value;
    try {
      counters.enable();
      for (let i = 0; i < repeat; i++) {
        const cpu = cpuUsage();
        const first = counters.read();
        counts.begin(first);
        value = await work();
        const last = counters.read({ ending: true });
        const used = cpuUsage();
        runs.push({
          wallNs: last.atNs - first.atNs,
          userMs: (used.user - cpu.user) / 1000,
          systemMs: (used.system - cpu.system) / 1000,
          counts: counters.between(first, last),
          phases: counts.end(last),
        });
      }
    } finally {
      counts.stop();
      watch.stop();
      counters.close();
    }
    const warnings = [...counters.warnings, ...cutWarning(counts)];
    const result = combine({ events: counters.events, runs, warnings, scope: 'function' });
    // Not among what is listed: it may be anything, and the result is for JSON.
    Object.defineProperty(result, 'value', { value });
    return /** @type {import('../index').StatResult & {value: Awaited<T>}} */ (result);
  }

  return stat;
}

module.exports = { createStat, eventsOption };
