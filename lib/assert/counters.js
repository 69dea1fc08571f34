'use strict';
// What a build costs in numbers, beside its samples: time, page faults, and where the machine counts
// them instructions and cycles, of the whole process with all its threads.

const { ProfError, reasonOf } = require('../errors.js');

/** @typedef {'wallMs' | 'pageFaults' | 'instructions' | 'cycles'} CounterName */
/** @typedef {Record<string, number>} Values by counter */
/** @typedef {typeof import('../index').stat} Stat */

/** User mode alone: what anybody may count, and the same whatever else the machine does. */
const EVENTS = { instructions: 'instructions:u', cycles: 'cycles:u' };

/** The same on every machine of one architecture. @type {readonly string[]} */
const MACHINE_FREE = ['instructions'];

const NAMES = ['wallMs', 'pageFaults', ...Object.keys(EVENTS)];

const pageFaults = () => {
  const { minorPageFault, majorPageFault } = process.resourceUsage();
  return minorPageFault + majorPageFault;
};

/**
 * Which of the events count here. Each is tried by itself: one that does not must not cost the others.
 * @param {Stat} stat
 * @returns {Promise<{counted: Record<string, string>, missing: Record<string, string>}>} by counter
 */
async function tryEvents(stat) {
  /** @type {Record<string, string>} */
  const counted = {};
  /** @type {Record<string, string>} */
  const missing = {};
  for (const [name, event] of Object.entries(EVENTS)) {
    try {
      await stat(() => {}, { events: event });
      counted[name] = event;
    } catch (error) {
      missing[name] = reasonOf(error);
    }
  }
  return { counted, missing };
}

/**
 * @param {{stat: Stat}} world
 * @returns {Promise<{missing: Record<string, string>,
 *    measure: <T>(work: () => Promise<T>) => Promise<{result: T, values: Values}>}>}
 */
async function openCounters({ stat }) {
  const { counted, missing } = await tryEvents(stat);
  const events = Object.values(counted);

  /**
   * @template T
   * @param {() => Promise<T>} work
   */
  async function measure(work) {
    /** @type {Values} */
    const values = {};
    const timed = async () => {
      const [faults, startMs] = [pageFaults(), performance.now()];
      const result = await work();
      values.wallMs = performance.now() - startMs;
      values.pageFaults = pageFaults() - faults;
      return result;
    };
    if (events.length === 0) return { result: await timed(), values };
    const { events: seen, value: result } = await stat(timed, { events });
    for (const [name, event] of Object.entries(counted)) {
      const { value } = seen[event];
      if (value !== null) values[name] = value;
    }
    return { result: /** @type {Awaited<ReturnType<typeof work>>} */ (result), values };
  }

  return { missing, measure };
}

/** @param {string} name */
function checkCounter(name) {
  if (NAMES.includes(name)) return;
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `toStayWithin() has no counter '${name}': it takes ${NAMES.join(', ')}`,
  );
}

module.exports = { MACHINE_FREE, checkCounter, openCounters };
