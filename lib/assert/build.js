'use strict';
// profileBuild(): runs a real build several times in this process, records it, and gives the profile. From a
// worker thread it does so in a process of its own (elsewhere.js).

const { isMainThread } = require('node:worker_threads');
const { DISPOSE } = require('../dispose.js');
const { ProfError } = require('../errors.js');
const { checkOptions } = require('../check-options.js');
const { BuildProfile } = require('./build-profile.js');
const { buildOf } = require('./builds.js');
const { openCounters } = require('./counters.js');
const { isCovered } = require('./measured-on.js');

/** @typedef {import('./build-profile').Stretch} Stretch */
/** @typedef {import('./counters').Values} Values */

/** The sampling's own are checked by start(). */
const START_OPTIONS = ['event', 'frequency', 'callGraph', 'stackBytes', 'maxFrames', 'ringBytes'];

/** @type {Record<string, import('../check-options').Rule>} */
const RULES = {
  runs: { type: 'number', default: 3, min: 1, max: 1000, integer: true },
  warmup: { type: 'number', default: 1, min: 0, max: 100, integer: true },
  countRuns: { type: 'number', default: 0, min: 0, max: 1000, integer: true },
  cwd: { type: 'string' },
  mode: { type: 'string' },
};

/** Samples decide, and a build in a test is short. */
const FREQUENCY = 4000;

/** Of which profilers a profileBuild() is under way. @type {WeakSet<object>} */
const recording = new WeakSet();

/**
 * @param {{values: Values}[]} runs
 * @returns {Record<string, number[]>} by counter; one that not every run had is left out
 */
function byCounter(runs) {
  const names = Object.keys(runs[0].values);
  return Object.fromEntries(
    names
      .map((name) => [name, runs.map(({ values }) => values[name])])
      .filter(([, list]) => /** @type {unknown[]} */ (list).every(Number.isFinite)),
  );
}

/**
 * What a BuildProfile is made of.
 * @param {unknown} what
 * @param {Record<string, unknown>} options
 * @param {{profiler?: any, now?: () => number, global?: object}} world global: of the test's realm
 * @returns {Promise<ConstructorParameters<typeof BuildProfile>>}
 */
async function recordBuild(what, options, world) {
  const { profiler = require('../index.js'), global = globalThis } = world;
  const { now = () => Number(process.hrtime.bigint()) } = world;
  const checked = checkOptions(options, RULES, 'profileBuild()', START_OPTIONS);
  const { runs, warmup, countRuns, cwd, mode } = /** @type {Record<string, any>} */ (checked);
  const build = buildOf(what, { cwd: cwd ?? process.cwd(), mode });
  const start = Object.fromEntries(
    START_OPTIONS.filter((name) => options[name] !== undefined).map((name) => [
      name,
      options[name],
    ]),
  );
  const counters = await openCounters({ stat: profiler.stat });
  if (recording.has(profiler)) {
    // A second call of the same line would be given the first one's session, and end it.
    const advice = 'one profileBuild() after the other: await each, and no test.concurrent';
    throw new ProfError('ERR_PROF_BUSY', `this process is being recorded already: ${advice}`);
  }
  // The warm-up is recorded and left out: code that V8 has replaced in the middle of a loop (on-stack
  // replacement) before a recording begins has no name in it.
  const session = profiler.start({ frequency: FREQUENCY, ...start, quiet: true });
  recording.add(profiler);
  try {
    for (let i = 0; i < warmup; i++) await build();
    /** @type {Stretch[]} */
    const stretches = [];
    const profiled = [];
    for (let i = 0; i < runs; i++) {
      const startNs = now();
      profiled.push(await counters.measure(build));
      stretches.push({ startNs, endNs: now() });
    }
    const whole = await session.stop();
    const apart = [];
    for (let i = 0; i < countRuns; i++) apart.push(await counters.measure(build));
    const counted = countRuns > 0 ? 'apart' : 'profiled';
    const values = byCounter(countRuns > 0 ? apart : profiled);
    return [
      whole,
      {
        stretches,
        isCovered: isCovered(global),
        counters: { counted, values, missing: counters.missing },
      },
    ];
  } finally {
    recording.delete(profiler);
    session[DISPOSE]();
  }
}

/**
 * @param {unknown} what
 * @param {Record<string, unknown>} [options]
 * @param {Parameters<typeof recordBuild>[2]} [world]
 * @returns {Promise<BuildProfile>}
 */
async function profileBuild(what, options = {}, world = {}) {
  const recorded = isMainThread
    ? recordBuild(what, options, world)
    : require('./elsewhere.js').recordElsewhere(what, options);
  return new BuildProfile(...(await recorded));
}

module.exports = { profileBuild, recordBuild };
