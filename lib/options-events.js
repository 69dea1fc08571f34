'use strict';
// Of start()'s options: several events, a period instead of a frequency, the highest frequency.

const fs = require('node:fs');
const { ProfError } = require('./errors.js');

/**
 * What the kernel takes at most now.
 * @param {number} most what the addon does
 */
function maxSampleRate(most) {
  try {
    const text = fs.readFileSync('/proc/sys/kernel/perf_event_max_sample_rate', 'utf8');
    return Math.min(most, Math.max(1, Number(text)));
  } catch {
    return most;
  }
}

/** @param {unknown[]} events */
function joinEvents(events) {
  if (events.length > 0 && events.every((one) => typeof one === 'string' && one.trim() !== '')) {
    return events.join(',');
  }
  const problem = "option 'event' must be an event's name, several with commas, or a list of names";
  throw new ProfError('ERR_PROF_BAD_EVENT', problem);
}

const OF_TIME = 'waits and running add up to time, which one clock counts';
const NOT_WITH_SEVERAL = { raw: 'a raw file is of one event', offCpu: OF_TIME, wall: OF_TIME };
const NOT_WITH_PERIOD = {
  budget: 'it is kept by changing the rate',
  offCpu: OF_TIME,
  wall: OF_TIME,
};

/**
 * What does not go with several events, or with a period. Commas inside of slashes are terms.
 * @param {Record<string, unknown>} checked
 * @param {boolean} hasFrequency
 */
function checkEvents(checked, hasFrequency) {
  const refuse = (/** @type {string} */ problem) => {
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  };
  const isList = String(checked.event)
    .replace(/\/[^/]*\//g, '')
    .includes(',');
  if (checked.period !== undefined && hasFrequency) {
    refuse("options 'frequency' and 'period' are two ways to say how often: give one");
  }
  for (const [name, reason] of Object.entries(NOT_WITH_SEVERAL)) {
    if (isList && checked[name])
      refuse(`options '${name}' and several events exclude each other: ${reason}`);
  }
  for (const [name, reason] of Object.entries(NOT_WITH_PERIOD)) {
    if (checked.period !== undefined && checked[name])
      refuse(`options '${name}' and 'period' exclude each other: ${reason}`);
  }
}

module.exports = { checkEvents, joinEvents, maxSampleRate };
