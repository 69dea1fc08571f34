'use strict';
// Checks what a user gives to start(). A wrong option is an error at once and not a profile that
// is quietly another one than was asked for. The ranges stand here alone: `record` checks by them
// before it runs the command, and they are those that the addon takes (src/addon/addon.c).

const { checkOptions, shown } = require('./check-options.js');
const { ProfError } = require('./errors.js');
const { checkEvents, joinEvents, maxSampleRate } = require('./options-events.js');
const { checkAllocations } = require('./options-allocations.js');
const { STAGES, checkFilter } = require('./trace/filter.js');

/** @typedef {import('./index').StartOptions} StartOptions */
/** @typedef {import('./check-options').Rule} Rule */
/** @typedef {{keep: number, write: boolean, print: boolean}} WatchOptions */

/** @type {Record<string, Rule>} */
const RULES = {
  event: { type: 'string', default: 'cycles:uk' },
  // PROF_FREQUENCY_MAX; what the kernel takes is a sysctl's matter.
  frequency: { type: 'number', default: 1000, min: 1, max: 100_000, integer: true },
  callGraph: { type: 'string', default: 'full', oneOf: ['full', 'dwarf', 'none'] },
  // Instead of a frequency: so many of the event between two samples.
  period: { type: 'number', min: 1, max: Number.MAX_SAFE_INTEGER, integer: true },
  // On these alone: '0-2,5'.
  cpus: { type: 'string' },
  // The kernel takes at most 65,528 bytes of user stack (PERF_SAMPLE_STACK_USER, a u16 of 8s).
  stackBytes: { type: 'number', min: 256, max: 65528, integer: true },
  maxFrames: { type: 'number', default: 4096, min: 1, max: 65536, integer: true },
  ringBytes: { type: 'number', min: 65536, max: 2 ** 26, integer: true },
  // Per cent of the build's CPU time. Below 0.1 the profiler's thread alone is above it.
  budget: { type: 'number', min: 0.1, max: 50, percent: true },
  // A perf.data with the kernel's records as they came; see docs/perf-data.md.
  raw: { type: 'string' },
  // Where threads wait; with `wall` where they run too, in one table. See docs/off-cpu.md.
  offCpu: { type: 'boolean' },
  wall: { type: 'boolean' },
  // Page faults by stack, curves of memory, JavaScript's allocations. See docs/memory.md.
  memory: { type: 'boolean' },
  output: { type: 'string', default: '.rspack-prof' },
  quiet: { type: 'boolean', default: false },
  // What is left of a build that crashes; see docs/recover.md.
  journal: { type: 'boolean', default: true },
};

/** Of `watch`, see docs/watch.md. @type {Record<string, Rule>} */
const WATCH_RULES = {
  keep: { type: 'number', default: 10, min: 1, max: 1000, integer: true },
  write: { type: 'boolean', default: false },
  print: { type: 'boolean', default: false },
};

/** What the addon is told; the rest is JavaScript's alone. */
const NATIVE_OPTIONS = [
  'event',
  'period',
  'cpus',
  'frequency',
  'callGraph',
  'stackBytes',
  'maxFrames',
  'ringBytes',
  'budget',
  'raw',
  'offCpu',
  'memory',
  'faultPeriod',
];

/**
 * @param {unknown} given
 * @returns {{native: Record<string, unknown>, view?: import('./profile/raw').View, memory?: boolean, output: string,
 *    quiet: boolean, journal: boolean, watch: WatchOptions, trace: string | null}} trace: the filter
 *    that rspack is given
 */
function checkStartOptions(given) {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const { watch, trace, allocations, ...scalars } = /** @type {Record<string, unknown>} */ (
    isObject ? given : {}
  );
  if (Array.isArray(scalars.event)) scalars.event = joinEvents(scalars.event);
  if (scalars.frequency === 'max') scalars.frequency = maxSampleRate(Number(RULES.frequency.max));
  const checked = checkOptions(isObject ? scalars : given, RULES, 'start()', [
    'watch',
    'trace',
    'allocations',
  ]);
  checkEvents(checked, scalars.frequency !== undefined);
  if (checked.raw !== undefined && checked.callGraph !== 'dwarf') {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      "option 'raw' keeps copies of stacks, which callGraph 'dwarf' alone has: give that too",
    );
  }
  if (checked.raw !== undefined && checked.budget !== undefined) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      "options 'raw' and 'budget' exclude each other: a raw file is of one rate",
    );
  }
  checkMemory(checked, scalars.event !== undefined, scalars.frequency !== undefined);
  const view = checkWaits(checked, scalars.event !== undefined);
  const native = Object.fromEntries(
    NATIVE_OPTIONS.filter((name) => name in checked).map((name) => [name, checked[name]]),
  );
  Object.assign(native, checkAllocations(allocations));
  return {
    native,
    ...(view && { view }),
    output: /** @type {string} */ (checked.output),
    quiet: /** @type {boolean} */ (checked.quiet),
    journal: /** @type {boolean} */ (checked.journal),
    watch: /** @type {any} */ (checkOptions(watch, WATCH_RULES, "option 'watch'")),
    ...(checked.memory === true && { memory: true }),
    trace: checkTrace(trace),
  };
}

/** Memory that a process gets, it gets by page faults. */
const FAULTS = 'page-faults:uk';

/**
 * Changes `checked`.
 * @param {Record<string, unknown>} checked
 * @param {boolean} hasEvent one was asked for
 * @param {boolean} hasFrequency the same
 */
function checkMemory(checked, hasEvent, hasFrequency) {
  if (!checked.memory) delete checked.memory;
  if (!checked.memory) return;
  if (checked.offCpu || checked.wall) {
    const problem = "option 'memory' samples page faults: 'offCpu' and 'wall' have a clock instead";
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  if (hasEvent) return;
  checked.event = FAULTS;
  // By period (src/perf/extras.h), unless it was said how often.
  const isSaid = hasFrequency || checked.period !== undefined || checked.budget !== undefined;
  if (!isSaid) checked.faultPeriod = true;
}

/** Running and waiting are added up, so both are counted in ns. */
const CLOCK = 'cpu-clock:uk';

/**
 * Where waits are recorded too, the event is a clock. Changes `checked`.
 * @param {Record<string, unknown>} checked
 * @param {boolean} hasEvent one was asked for
 * @returns {import('./profile/raw').View | undefined} what of it tables show
 */
function checkWaits(checked, hasEvent) {
  if (!checked.offCpu) delete checked.offCpu;
  if (!checked.offCpu && !checked.wall) return undefined;
  if (checked.offCpu && checked.wall) {
    const problem = "options 'offCpu' and 'wall' exclude each other: wall has the waits in it";
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  const name = checked.wall ? 'wall' : 'offCpu';
  if (hasEvent && !/^(cpu|task)-clock(:[ukh]+)?$/.test(/** @type {string} */ (checked.event))) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `option '${name}' adds up time, which '${checked.event}' does not count: leave the event out`,
    );
  }
  if (checked.raw !== undefined) {
    const problem = `options '${name}' and 'raw' exclude each other`;
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  if (!hasEvent) checked.event = CLOCK;
  checked.offCpu = true;
  return name === 'wall' ? 'wall' : 'off-cpu';
}

/**
 * @param {unknown} trace
 * @returns {string | null}
 */
function checkTrace(trace) {
  if (trace === undefined || trace === false) return null;
  if (trace !== true && (typeof trace !== 'string' || trace === '')) {
    const problem = `option 'trace' must be true or a filter, not ${shown(trace)}`;
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  return checkFilter(trace === true ? STAGES : trace);
}

/**
 * The range of a number, for the flag that gives it.
 * @param {'frequency' | 'period' | 'stackBytes' | 'budget'} name
 */
function rangeOf(name) {
  const { min = -Infinity, max = Infinity, integer = false } = RULES[name];
  return { least: min, most: max, whole: integer };
}

module.exports = { checkStartOptions, rangeOf };
