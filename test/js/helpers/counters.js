'use strict';
// Counters made up for tests: the addon's functions over readings that a test invents.

/** @typedef {import('../../../lib/profile/raw').CountedEvent} CountedEvent */
/** @typedef {import('../../../lib/profile/raw').CountAddon} CountAddon */

/**
 * @param {string} name as asked for: 'cycles:u'
 * @param {Partial<CountedEvent>} [more]
 * @returns {CountedEvent}
 */
function counted(name, more = {}) {
  const [generic, modifiers = 'uk'] = name.split(':');
  const unit = generic.endsWith('-clock') ? 'ns' : generic === 'cycles' ? 'cycles' : 'events';
  return { name, event: `${generic}:${modifiers}`, generic, unit, group: -1, reason: '', ...more };
}

/**
 * An addon whose counters give one reading after the other, the last again and again.
 * @param {CountedEvent[]} events
 * @param {number[][]} readings three words for each event
 */
function fakeCounters(events, readings) {
  /** @type {string[]} */
  const calls = [];
  /** @type {unknown[]} */
  const opened = [];
  let at = 0;
  /** @type {CountAddon} */
  const addon = {
    countOpen: (options) => {
      opened.push(options);
      calls.push('open');
      return { handle: {}, events, warnings: [] };
    },
    countEnable: () => void calls.push('enable'),
    countDisable: () => void calls.push('disable'),
    countRead: () => {
      calls.push('read');
      return Float64Array.from(readings[Math.min(at++, readings.length - 1)]);
    },
    countClose: () => void calls.push('close'),
    childrenUsage: () => ({ userMs: 0, systemMs: 0 }),
  };
  return { addon, calls, opened };
}

module.exports = { counted, fakeCounters };
