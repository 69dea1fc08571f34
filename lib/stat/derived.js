'use strict';
// Figures that two counts give together, as `perf stat` has them, from whatever was counted.

/** @typedef {import('../profile/raw').CountedEvent} CountedEvent */
/** @typedef {{name: string, unit: string, of: string, per: string}} Ratio events by the kernel's names */
/** @typedef {{unit: string, value: number, of: string[]}} Derived of: the events, as they were asked for */

const WALL = 'wall';

/**
 * cycles over ns are GHz; task-clock over ns of wall time are CPUs.
 * @type {readonly Ratio[]}
 */
const RATIOS = [
  { name: 'cpusUsed', unit: 'CPUs', of: 'task-clock', per: WALL },
  { name: 'ghz', unit: 'GHz', of: 'cycles', per: 'task-clock' },
  { name: 'ipc', unit: 'instructions per cycle', of: 'instructions', per: 'cycles' },
  { name: 'branchMissRate', unit: 'share', of: 'branch-misses', per: 'branches' },
  { name: 'cacheMissRate', unit: 'share', of: 'cache-misses', per: 'cache-references' },
  { name: 'l1dMissRate', unit: 'share', of: 'L1-dcache-load-misses', per: 'L1-dcache-loads' },
  { name: 'llcMissRate', unit: 'share', of: 'LLC-load-misses', per: 'LLC-loads' },
  { name: 'dtlbMissRate', unit: 'share', of: 'dTLB-load-misses', per: 'dTLB-loads' },
  { name: 'itlbMissRate', unit: 'share', of: 'iTLB-load-misses', per: 'iTLB-loads' },
  { name: 'stalledFrontend', unit: 'share', of: 'stalled-cycles-frontend', per: 'cycles' },
  { name: 'stalledBackend', unit: 'share', of: 'stalled-cycles-backend', per: 'cycles' },
];

/** The modifiers of what was opened: 'uk' of 'cycles:uk'. @param {string} event */
const modifiersOf = (event) => /:([ukhp]+)$/.exec(event)?.[1].replaceAll('p', '') ?? '';

/**
 * The pairs that these events make. Both must be of the same mode: instructions in user mode per
 * cycle of both modes is no figure of anything. A clock counts both modes whatever it is asked.
 * @param {readonly CountedEvent[]} events
 * @returns {{name: string, unit: string, of: string, per: string}[]} events as they were asked for
 */
function pairs(events) {
  const counted = events.filter(({ reason }) => reason === '');
  return RATIOS.flatMap(({ name, unit, of, per }) => {
    for (const top of counted.filter(({ generic }) => generic === of)) {
      if (per === WALL) return [{ name, unit, of: top.name, per }];
      const wanted = per === 'task-clock' ? 'uk' : modifiersOf(top.event);
      const bottom = counted.find(
        ({ generic, event }) =>
          generic === per && (per === 'task-clock' || modifiersOf(event) === wanted),
      );
      if (bottom && (per !== 'task-clock' || modifiersOf(top.event) === wanted)) {
        return [{ name, unit, of: top.name, per: bottom.name }];
      }
    }
    return [];
  });
}

/**
 * @param {readonly CountedEvent[]} events
 * @param {(name: string) => number | null | undefined} valueOf an event's count in this interval
 * @param {number} wallNs
 * @returns {Record<string, Derived>}
 */
function derive(events, valueOf, wallNs) {
  /** @type {Record<string, Derived>} */
  const derived = {};
  for (const { name, unit, of, per } of pairs(events)) {
    const top = valueOf(of);
    const bottom = per === WALL ? wallNs : valueOf(per);
    if (typeof top !== 'number' || !bottom) continue;
    derived[name] = { value: top / bottom, unit, of: per === WALL ? [of] : [of, per] };
  }
  return derived;
}

module.exports = { derive };
