'use strict';
// Counts a command: in each process that it is made of, from its exec to its end.

const { Counters } = require('./counters.js');

/** @typedef {import('./result').Run} Run */
/** @typedef {import('./result').PhaseRun} PhaseRun */
/** @typedef {import('../profile/raw').CountAddon} CountAddon */
/** @typedef {{ok: boolean, pass: () => number}} Ended */

/**
 * One run of the command.
 * - The counters of a command are this thread's own, which stay disabled: what it forks inherits
 *   them, and each exec there enables them (enable_on_exec), so that nothing of us is counted and
 *   nothing of the command is missed. Children that ended have added their counts to ours.
 * - Those of another process or of whole CPUs run from before the command until after it.
 * @param {object} what
 * @param {CountAddon} what.native
 * @param {Parameters<CountAddon['countOpen']>[0]} what.options
 * @param {() => Promise<Ended>} what.run starts the command before it returns
 * @param {() => PhaseRun[]} [what.phases] asked when it has ended
 * @param {() => number} [what.now] ns
 */
async function countCommand({ native, options, run, phases, now = hrtime }) {
  const counters = new Counters(native, options, now);
  const isOwn = options.scope === 'command';
  try {
    const before = native.childrenUsage();
    const first = counters.read();
    if (!isOwn) counters.enable();
    const end = await run();
    if (!isOwn) counters.disable();
    const last = counters.read({ ending: true });
    const after = native.childrenUsage();
    /** @type {Run} */
    const counted = {
      wallNs: last.atNs - first.atNs,
      userMs: isOwn ? after.userMs - before.userMs : null,
      systemMs: isOwn ? after.systemMs - before.systemMs : null,
      counts: counters.between(first, last),
      phases: phases?.() ?? [],
    };
    return { end, run: counted, events: counters.events, warnings: counters.warnings };
  } finally {
    counters.close();
  }
}

const hrtime = () => Number(process.hrtime.bigint());

module.exports = { countCommand };
