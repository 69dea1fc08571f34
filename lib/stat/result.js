'use strict';
// Runs of the same work -> one result: means, how much they differ, derived figures, phases.
// Pure: everything here is tested from invented readings.

const { mean, sampleStandardDeviation } = require('simple-statistics');
const { derive } = require('./derived.js');

/** @typedef {import('../profile/raw').CountedEvent} CountedEvent */
/** @typedef {import('./counters').Count} Count */
/** @typedef {import('../index').Warning} Warning */
/** @typedef {import('../index').StatResult} StatResult */
/** @typedef {import('../index').StatFigure} StatFigure */
/** @typedef {import('../index').StatEvent} StatEvent */
/** @typedef {{name: string, compiler: string, build: number, startNs: number, wallNs: number, counts: Count[]}} PhaseRun
 *    startNs: since the run's start */
/** @typedef {{wallNs: number, userMs: number | null, systemMs: number | null, counts: Count[],
 *    phases: PhaseRun[]}} Run */
/** @typedef {{wallNs: number, counts: Count[]}} Interval */

const NS_PER_MS = 1e6;

/**
 * The standard error of the mean, as a share of the mean: what perf prints as `+- %`.
 * @param {readonly number[]} values
 * @returns {number | null} null of a single run
 */
function spreadOf(values) {
  if (values.length < 2) return null;
  const middle = mean([...values]);
  if (middle === 0) return 0;
  return sampleStandardDeviation([...values]) / Math.sqrt(values.length) / Math.abs(middle);
}

/**
 * @param {readonly number[]} values
 * @param {string} unit
 * @returns {StatFigure}
 */
function figure(values, unit) {
  return { value: mean([...values]), unit, spread: spreadOf(values) };
}

/**
 * @param {CountedEvent} event
 * @param {readonly Interval[]} intervals one of each run
 * @returns {StatEvent}
 */
function eventOf({ name, event, unit, reason }, intervals) {
  const counts = intervals.flatMap(({ counts: all }) => all.filter((one) => one.name === name));
  const values = counts.flatMap(({ value }) => (value === null ? [] : [value]));
  const why = reason || (values.length > 0 ? '' : 'never had a turn on a counter');
  return {
    value: values.length > 0 ? mean(values) : null,
    unit,
    event,
    // Of several runs the one that was counted for the smallest part of its time.
    scaledBy: Math.max(1, ...counts.map(({ scaledBy }) => scaledBy)),
    spread: spreadOf(values),
    runs: values,
    reason: why,
  };
}

/**
 * @param {readonly CountedEvent[]} events
 * @param {readonly Interval[]} intervals one of each run
 */
function figuresOf(events, intervals) {
  const perRun = intervals.map(({ counts, wallNs }) => {
    const values = new Map(counts.map(({ name, value }) => [name, value]));
    return derive(events, (name) => values.get(name), wallNs);
  });
  const names = [...new Set(perRun.flatMap((one) => Object.keys(one)))];
  const derived = names.map((name) => {
    const found = perRun.flatMap((one) => (one[name] ? [one[name]] : []));
    const { unit, of } = found[0];
    return [
      name,
      {
        ...figure(
          found.map(({ value }) => value),
          unit,
        ),
        of,
      },
    ];
  });
  return {
    events: Object.fromEntries(events.map((event) => [event.name, eventOf(event, intervals)])),
    derived: Object.fromEntries(derived),
  };
}

/**
 * @param {readonly CountedEvent[]} events
 * @param {readonly Run[]} runs
 * @returns {import('../index').StatPhase[]} in the order of their beginning
 */
function phasesOf(events, runs) {
  const key = (/** @type {PhaseRun} */ { name, compiler, build }) =>
    [name, compiler, build].join('\0');
  /** @type {Map<string, PhaseRun[]>} */
  const byKey = new Map();
  for (const { phases } of runs) {
    for (const phase of phases) byKey.set(key(phase), [...(byKey.get(key(phase)) ?? []), phase]);
  }
  const start = (/** @type {PhaseRun[]} */ same) => mean(same.map(({ startNs }) => startNs));
  const inOrder = [...byKey.values()].sort((a, b) => start(a) - start(b));
  return inOrder.map((same) => {
    const [{ name, compiler, build }] = same;
    const wallMs = figure(
      same.map(({ wallNs }) => wallNs / NS_PER_MS),
      'ms',
    );
    return { name, compiler, build, runs: same.length, wallMs, ...figuresOf(events, same) };
  });
}

/**
 * @param {object} what
 * @param {readonly CountedEvent[]} what.events
 * @param {readonly Run[]} what.runs at least one
 * @param {readonly Warning[]} what.warnings
 * @param {string} what.scope
 * @param {string} [what.command]
 * @returns {StatResult}
 */
function combine({ events, runs, warnings, scope, command }) {
  const time = (/** @type {'userMs' | 'systemMs'} */ name) => {
    const values = runs.flatMap((run) => (run[name] === null ? [] : [Number(run[name])]));
    return values.length > 0 ? figure(values, 'ms') : null;
  };
  const wall = runs.map(({ wallNs }) => wallNs / NS_PER_MS);
  return {
    schema: 1,
    scope,
    ...(command === undefined ? {} : { command }),
    runs: runs.length,
    wallMs: figure(wall, 'ms'),
    userMs: time('userMs'),
    systemMs: time('systemMs'),
    ...figuresOf(events, runs),
    phases: phasesOf(events, runs),
    warnings: [...warnings],
  };
}

module.exports = { combine, spreadOf };
