'use strict';
// Whether counters stay within limits: so much more than a baseline, or below a number.

const { mean } = require('simple-statistics');
const { ProfError } = require('../errors.js');
const { grouped, plural } = require('../grouped.js');
const { lay } = require('../lay.js');
const { profileOf, readOptions } = require('./asked.js');
const { baselineFor } = require('./baseline.js');
const { MACHINE_FREE, checkCounter } = require('./counters.js');
const { counterSide, growthInterval, limitSide } = require('./intervals.js');
const { differences, measuredOn, notes } = require('./measured-on.js');
const { needForAll, needForDifference } = require('./need.js');
const { WIDTH, confidenceText } = require('./verdict.js');

/** @typedef {import('./verdict').Verdict} Verdict */
/** @typedef {import('./baseline').Place} Place */
/** @typedef {import('./build-profile').Counters} Counters */
/** @typedef {{name: string, limit: number, values: number[], base: number[], isLimit: boolean,
 *    doubt: number}} Question isLimit: `base` is a number to stay below, no measurement */

/** Fewer tell nothing of how runs differ. */
const LEAST_RUNS = 2;
/** Ten times as much is no tolerance but a number meant as a ceiling. */
const MOST_TOLERANCE = 10;

/**
 * @param {unknown} limits
 * @param {boolean} isRelative
 * @returns {[string, number][]}
 */
function limitsOf(limits, isRelative) {
  const bad = (/** @type {string} */ message) => new ProfError('ERR_PROF_BAD_OPTION', message);
  if (typeof limits !== 'object' || limits === null || Object.keys(limits).length === 0) {
    throw bad("toStayWithin() takes limits such as { wallMs: 0.1 } and a baseline's name");
  }
  return Object.entries(limits).map(([name, given]) => {
    checkCounter(name);
    const text =
      typeof given === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(given)?.[1] : undefined;
    const limit = text !== undefined && isRelative ? Number(text) / 100 : given;
    if (typeof limit !== 'number' || !(limit >= 0) || limit === Infinity) {
      const what = isRelative ? "0.05 or '5%' more than the baseline" : 'a number to stay below';
      throw bad(`${name} takes ${what}, not ${String(given)}`);
    }
    if (isRelative && limit > MOST_TOLERANCE) {
      const advice = `a number to stay below needs no baseline, 0.05 is 5 % more than it`;
      throw bad(`${name}: ${limit} times more than the baseline is no limit: ${advice}`);
    }
    return [name, limit];
  });
}

/**
 * @param {unknown} received
 * @param {unknown} limits
 * @param {unknown} baseline
 * @param {unknown} options
 * @param {Place} place
 * @returns {Verdict}
 */
function stayWithin(received, limits, baseline, options, place) {
  const profile = profileOf(received);
  const isRelative = baseline !== undefined;
  if (isRelative && typeof baseline !== 'string' && countersOf(baseline) === null) {
    const advice = 'its name, a path to a .json file, or what profileBuild() gave';
    throw new ProfError('ERR_PROF_BAD_OPTION', `toStayWithin() takes a baseline: ${advice}`);
  }
  const asked = limitsOf(limits, isRelative);
  const { confidence } = readOptions(options, [], 'toStayWithin()');
  const counters = countersOf(profile);
  if (counters === null) {
    const advice = 'toStayWithin() takes what profileBuild() gives';
    throw new ProfError('ERR_PROF_BAD_OPTION', `this profile has no counters: ${advice}`);
  }
  for (const [name] of asked) mustHave(name, counters);
  const expected = asked
    .map(([name, limit]) =>
      isRelative
        ? `${name} at most ${Number((limit * 100).toPrecision(6))} % above the baseline`
        : `${name} at most ${shown(name, limit)}`,
    )
    .join(', ');
  if (asked.some(([name]) => (counters.values[name] ?? []).length < LEAST_RUNS)) {
    // Nor is it a baseline that could ever decide anything.
    const reason = oneRun('this build', 'runs: 5 tells more');
    return { decision: 'undecided', expected, found: '', reason };
  }
  const conditions = { ...measuredOn(profile), counted: counters.counted };
  const base = baseOf(baseline, { asked, counters, conditions, place });
  if ('refused' in base)
    return { decision: 'undecided', expected, found: '', reason: base.refused };
  if ('written' in base) {
    return { decision: 'holds', expected, found: 'the baseline itself', written: base.written };
  }
  const doubt = 1 - confidence;
  const questions = asked.map(([name, limit]) => ({
    ...{ name, limit, doubt },
    values: counters.values[name] ?? [],
    base: base.values ? base.values[name] : [limit],
    isLimit: !isRelative,
  }));
  return {
    ...decide(questions),
    expected,
    found: questions.map((question) => foundText(question, confidence)).join('; '),
    notes: base.conditions ? notes(base.conditions, conditions) : [],
    table: tableOf(questions),
  };
}

/** @param {unknown} profile @returns {Counters | null} */
const countersOf = (profile) =>
  /** @type {{counters?: Counters} | null} */ (profile)?.counters ?? null;

/** @param {string} name @param {Counters} counters */
function mustHave(name, { values, missing }) {
  if (values[name]) return;
  const why = missing[name] ?? 'it was not counted';
  throw new ProfError(
    'ERR_PROF_NO_PMU',
    `${name} cannot be had here: ${why}; wallMs and pageFaults always can`,
  );
}

/**
 * @param {unknown} baseline
 * @param {{asked: [string, number][], counters: Counters, place: Place,
 *    conditions: import('./measured-on').MeasuredOn}} found
 * @returns {{refused: string} | {written: string}
 *    | {values?: Record<string, number[]>, conditions?: import('./measured-on').MeasuredOn}}
 */
function baseOf(baseline, { asked, counters, conditions, place }) {
  if (baseline === undefined) return {};
  const isMachineFree = asked.every(([name]) => MACHINE_FREE.includes(name));
  if (typeof baseline !== 'string') {
    const other = /** @type {Counters} */ (countersOf(baseline));
    for (const [name] of asked) mustHave(name, other);
    const theirs = { ...measuredOn(profileOf(baseline)), counted: other.counted };
    const differing = differences(theirs, conditions, { isMachineFree });
    if (differing.length > 0) {
      return { refused: `the two builds cannot be compared: ${differing.join(', ')}` };
    }
    return { values: other.values, conditions: theirs };
  }
  const entry = { check: 'counters', measuredOn: conditions, values: counters.values };
  const { entry: old, refused, written } = baselineFor(baseline, entry, place, { isMachineFree });
  if (refused !== undefined) return { refused };
  if (written !== undefined) return { written };
  const { values, measuredOn: theirs } = /** @type {any} */ (old);
  for (const [name] of asked) {
    const list = values?.[name];
    if (list === undefined) {
      return { refused: `baseline '${baseline}' was recorded without ${name}: record it again` };
    }
    const isUsable = Array.isArray(list) && list.length > 0 && list.every(Number.isFinite);
    if (!isUsable) {
      throw new ProfError('ERR_PROF_BAD_FILE', `baseline '${baseline}': ${name} is no measurement`);
    }
  }
  return { values, conditions: theirs };
}

/** @param {string} whose @param {string} advice */
const oneRun = (whose, advice) =>
  `${whose} has one run, which does not tell how runs differ: ${advice}`;

/** What it is held against, with the tolerance, and what was measured. @param {Question} question */
const sidesOf = ({ values, base, limit, isLimit }) => ({
  most: isLimit ? limitSide(limit) : counterSide(base.map((value) => value * (1 + limit))),
  now: counterSide(values),
});

/** @param {Question} question @param {number} doubt */
function excessOf(question, doubt) {
  const { most, now } = sidesOf(question);
  return growthInterval(most, now, doubt);
}

/**
 * @param {Question} question
 * @param {number} asked how many there are: any of them may seem above by chance, so each gets its part
 *   of the doubt
 * @returns {'within' | 'above' | 'unclear'}
 */
function answerOf(question, asked) {
  if (excessOf(question, question.doubt / asked).low > 0) return 'above';
  return excessOf(question, question.doubt).high > 0 ? 'unclear' : 'within';
}

/**
 * @param {Question[]} questions
 * @returns {Pick<Verdict, 'decision' | 'need' | 'reason'>}
 */
function decide(questions) {
  if (questions.some(({ base, isLimit }) => !isLimit && base.length < LEAST_RUNS)) {
    const reason = oneRun('the baseline', 'record it again with runs: 5');
    return { decision: 'undecided', reason };
  }
  const answers = questions.map((question) => answerOf(question, questions.length));
  if (answers.includes('above')) return { decision: 'fails' };
  const open = questions.filter((_, i) => answers[i] === 'unclear');
  if (open.length === 0) return { decision: 'holds' };
  const needs = open.map((question) => {
    const { most, now } = sidesOf(question);
    const excess = now.value - most.value;
    const doubt = question.doubt / (excess > 0 ? questions.length : 1);
    return needForDifference(most, now, Math.abs(excess), { doubt });
  });
  return { decision: 'undecided', need: needForAll(needs) };
}

/** @param {string} name @param {number} value */
const shown = (name, value) => (name === 'wallMs' ? `${value.toFixed(1)} ms` : grouped(value));

/** @param {Question} question */
function changeText({ values, base }) {
  if (!(mean(base) > 0)) return '';
  const change = (mean(values) / mean(base) - 1) * 100;
  return `${change > 0 ? '+' : ''}${change.toFixed(1)} %`;
}

/** @param {Question} question @param {number} confidence */
function foundText(question, confidence) {
  const { name, values, base, isLimit, limit } = question;
  const text = `${name} ${shown(name, mean(values))} in ${plural(values.length, 'run')}`;
  const whole = mean(base);
  const { low, high } = excessOf(question, question.doubt);
  if (!Number.isFinite(low) || !(whole > 0)) return text;
  const percent = (/** @type {number} */ excess) => {
    const share = excess / whole + (isLimit ? 0 : limit);
    return `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)}`;
  };
  const interval = `${confidenceText(confidence)} interval ${percent(low)} to ${percent(high)} %`;
  return `${text}, ${changeText(question)} against the ${isLimit ? 'limit' : 'baseline'} (${interval})`;
}

/** @param {Question} question */
const allowedText = ({ limit }) => `+${Number((limit * 100).toPrecision(6))} %`;

/** @param {Question[]} questions */
function tableOf(questions) {
  const isLimit = questions.every((question) => question.isLimit);
  const columns = [
    { head: 'COUNTER', cells: questions.map(({ name }) => name) },
    {
      head: isLimit ? 'LIMIT' : 'BASE',
      right: true,
      cells: questions.map(({ name, base }) => shown(name, mean(base))),
    },
    {
      head: 'NOW',
      right: true,
      cells: questions.map(({ name, values }) => shown(name, mean(values))),
    },
    { head: 'CHANGE', right: true, cells: questions.map(changeText) },
    ...(isLimit ? [] : [{ head: 'ALLOWED', right: true, cells: questions.map(allowedText) }]),
    { head: 'IS', cells: questions.map((question) => answerOf(question, questions.length)) },
  ];
  const { head, lines } = lay(columns, WIDTH);
  const runs = questions.map(({ name, values }) => {
    const list = values.map((value) => (name === 'wallMs' ? value.toFixed(1) : grouped(value)));
    return `${name} of each run: ${list.join('  ')}`;
  });
  return [head, ...lines, '', ...runs].join('\n');
}

module.exports = { stayWithin };
