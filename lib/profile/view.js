'use strict';
// Which samples of a profile with waits a question is about, unless it says so itself: a recording of
// waits shows the waits, one of wall time all; pools that wait for work are folded away in both.

const { ProfError } = require('../errors.js');
const { STATES } = require('./keys.js');
const { IDLE } = require('./waits.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').SampleFilter} SampleFilter */

const CHOICES = [...STATES, 'waiting', 'all'];

/**
 * @param {Profile} profile
 * @param {SampleFilter} filter
 * @returns {((sample: number) => boolean)[]}
 */
function viewTests({ raw, meta, waits }, { state, idle }) {
  if (state !== undefined && !CHOICES.includes(/** @type {string} */ (state))) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `'state' must be one of ${CHOICES.join(', ')}, not '${state}'`,
    );
  }
  if (!waits || !raw.samples.state) {
    if (state === undefined || state === 'all' || state === 'running') return [];
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      "there are no waits in this profile: record it with 'offCpu' or 'wall'",
    );
  }
  const column = raw.samples.state;
  const wanted = state ?? (meta.view === 'off-cpu' ? 'waiting' : 'all');
  /** @type {((sample: number) => boolean)[]} */
  const tests = [];
  if (wanted === 'waiting') tests.push((sample) => column[sample] !== 0);
  else if (wanted !== 'all') {
    const code = STATES.indexOf(wanted);
    tests.push((sample) => column[sample] === code);
  }
  if (!idle && meta.view !== 'chosen') {
    const code = waits.names.indexOf(IDLE);
    tests.push((sample) => waits.ofSample[sample] !== code);
  }
  return tests;
}

/**
 * The waits of idle pools, which tables leave out.
 * @param {Profile} profile
 * @returns {{ns: number, threads: number}}
 */
function idleTime({ raw, waits }) {
  if (!waits) return { ns: 0, threads: 0 };
  const code = waits.names.indexOf(IDLE);
  const threads = new Set();
  let ns = 0;
  raw.samples.weight.forEach((weight, sample) => {
    if (waits.ofSample[sample] !== code) return;
    ns += weight;
    threads.add(raw.samples.thread[sample]);
  });
  return { ns, threads: threads.size };
}

module.exports = { CHOICES, viewTests, idleTime };
