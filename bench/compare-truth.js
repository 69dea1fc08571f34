'use strict';
// How often `rspack-prof compare` is right. Each try is a whole comparison by the command line:
//   equal   both sides are the same: right is "no difference"
//   slower  the candidate spins for 3 % of what a run took in the try before: right is "slower", and the
//           interval holds the truth, which is 1 + what was spun / the base's median in this try
// By default both sides are real builds with two bindings that are copies of one file, and what is slower is
// a plugin (bench/truth/slower.config.js). With --rounds N it is a loop in node (bench/truth/spin.js).
//   node bench/compare-truth.js [--tries 20] [--percent 3] [--metric wall|cpu]
//     [--case one|react-100|..] [--binding release|debug|FILE] [--rounds N] [--only equal|slower]
//     [--journal FILE] [--seconds N]
// With --journal the tries are kept, and the same command again makes those that are missing; --seconds: none
// begins that might not end in time. A machine that others use wants --metric cpu, and chrt -f 1 in front (root).

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { bindingFile, prepareBuild } = require('./build.js');
const { Journal } = require('./truth/journal.js');

const ROOT = path.resolve(__dirname, '..');
const CLI = path.join(ROOT, 'lib', 'cli', 'main.js');
const CONFIG = path.join(__dirname, 'truth', 'slower.config.js');
const SPIN = path.join(__dirname, 'truth', 'spin.js');
const COPIES = path.join(__dirname, '.cases', 'bindings');
/** The case that has one module (bench/truth/one); the others are those of bench/workloads. */
const ONE = 'one';
/** A try of which nothing is known takes no longer. */
const LONGEST_SECONDS = 90;

/** @typedef {import('./truth/journal').Kind} Kind */
/** @typedef {import('./truth/journal').Try} Try */
/** @typedef {{ line: string, cwd: string, bindings: string[], env: NodeJS.ProcessEnv, key: string }} Fixture */

/** @param {string} word */
const quoted = (word) => `'${word.replace(/'/g, "'\\''")}'`;

/** @param {number} rounds @returns {Fixture} */
function spinFixture(rounds) {
  const line = [process.execPath, SPIN, String(rounds)].map(quoted).join(' ');
  return { line, cwd: ROOT, bindings: [], env: process.env, key: `spin ${rounds}` };
}

/** @param {string} name @param {string} binding @returns {Fixture} */
function buildFixture(name, binding) {
  const { command, args, folder } = prepareBuild(name === ONE ? 'react-100' : name, {
    binding: 'release',
  });
  const source = bindingFile(binding) ?? require.resolve('@rspack/binding-linux-x64-gnu');
  fs.mkdirSync(COPIES, { recursive: true });
  const copies = ['base', 'candidate'].map((side) => {
    const file = path.join(COPIES, `${side}.node`);
    fs.copyFileSync(source, file);
    return file;
  });
  const argv = [command, ...args.slice(0, args.indexOf('-c')), '-c', CONFIG];
  return {
    line: argv.map(quoted).join(' '),
    cwd: folder,
    bindings: ['--base-binding', copies[0], '--candidate-binding', copies[1]],
    env: { ...process.env, TRUTH_CASE: name === ONE ? path.join(__dirname, 'truth', ONE) : folder },
    key: `${name} ${binding}`,
  };
}

/**
 * @param {Fixture} fixture
 * @param {{ metric: string, extraMs: number, more?: string[] }} options extraMs: what the candidate spins
 */
function compare({ line, cwd, bindings, env }, { metric, extraMs, more = [] }) {
  const sides = [0, extraMs].map(
    (ms) => `TRUTH_CLOCK=${metric} TRUTH_SPIN_MS=${ms.toFixed(3)} ${line}`,
  );
  const [base, candidate] = sides;
  const args = ['compare', '--base', base, '--candidate', candidate, ...bindings];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, ...args, '--json', '--profiles', '0', '--metric', metric, ...more],
    { cwd, env, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/**
 * @param {Kind} kind
 * @param {Fixture} fixture
 * @param {{ metric: string, extraMs: number }} options extraMs: what is spun where one side is slower
 * @returns {Try}
 */
function tryOnce(kind, fixture, { metric, extraMs }) {
  const started = Date.now();
  const spun = kind === 'equal' ? 0 : extraMs;
  const { verdict, runs, metrics, machine } = compare(fixture, { metric, extraMs: spun });
  const { ratio, interval, base } = metrics[metric];
  const truth = 1 + spun / base;
  const { decision } = verdict;
  return {
    kind,
    decision,
    isRight: decision === (kind === 'equal' ? 'no-difference' : 'slower'),
    isOpposite: decision === 'faster' || (kind === 'equal' && decision === 'slower'),
    ratio,
    interval,
    truth,
    baseMs: base,
    holds: interval === null || (interval[0] <= truth && truth <= interval[1]),
    pairs: runs.pairs,
    stopped: runs.stopped,
    othersCpus: machine.othersCpus ?? 0,
    seconds: (Date.now() - started) / 1000,
  };
}

/** @param {Try} one @param {number} number */
function tryLine(one, number) {
  const { kind, decision, ratio, interval, truth, holds, pairs, stopped, othersCpus } = one;
  const range = interval ? `(${interval.map((end) => end.toFixed(4)).join(' to ')})` : '(unknown)';
  return (
    `${kind} ${String(number).padStart(2)}  ${decision.padEnd(13)}  ${ratio.toFixed(4)} ${range}  ` +
    `truth ${truth.toFixed(4)}${holds ? '' : ' MISSED'}  ${String(pairs).padStart(2)} pairs ${stopped}  ` +
    `others ${othersCpus.toFixed(2)} CPUs  ${one.seconds.toFixed(0)} s`
  );
}

/** @param {Journal} journal @param {Kind} kind @param {number} number */
function sumLine(journal, kind, number) {
  const own = journal.tries.filter((one) => one.kind === kind);
  const count = (/** @type {(one: Try) => boolean} */ is) => own.filter(is).length;
  const cut = journal.cutOff[kind];
  return (
    `${kind}: ${count(({ isRight }) => isRight)} of ${number} right, ` +
    `${count(({ isOpposite }) => isOpposite)} wrong, ` +
    `${count(({ decision }) => decision === 'inconclusive')} undecided${cut ? `, ${cut} cut off` : ''}; ` +
    `the interval holds the truth in ${count(({ holds }) => holds)}`
  );
}

/**
 * @param {Journal} journal
 * @param {Fixture} fixture
 * @param {{ percent: number, metric: string }} options
 */
function settingsOf(journal, fixture, { percent, metric }) {
  const key = `${fixture.key} ${percent} % ${metric}`;
  if (journal.settings && journal.settings.key !== key) {
    throw new Error(`the journal is of '${journal.settings.key}', and this is '${key}'`);
  }
  if (journal.settings) return journal.settings;
  const { metrics } = compare(fixture, { metric, extraMs: 0, more: ['--runs', '9'] });
  const baseMs = metrics[metric === 'wall' ? 'wall' : 'cpu'].base;
  const settings = { key, baseMs };
  journal.add({ settings });
  return settings;
}

function main() {
  const { values } = parseArgs({
    options: {
      tries: { type: 'string', default: '20' },
      percent: { type: 'string', default: '3' },
      metric: { type: 'string', default: 'wall' },
      case: { type: 'string', default: ONE },
      binding: { type: 'string', default: 'release' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      journal: { type: 'string' },
      seconds: { type: 'string', default: 'Infinity' },
    },
  });
  const started = Date.now();
  const { metric } = values;
  const journal = new Journal(values.journal);
  const fixture = values.rounds
    ? spinFixture(Number(values.rounds))
    : buildFixture(values.case, values.binding);
  const settings = settingsOf(journal, fixture, { percent: Number(values.percent), metric });
  console.log(`${settings.key}: a run took ${settings.baseMs.toFixed(1)} ms at first`);
  const tries = Number(values.tries);
  const kinds = /** @type {const} */ (['equal', 'slower']).filter(
    (kind) => values.only === undefined || values.only === kind,
  );
  journal.tries.forEach((one, i) => {
    const number = journal.tries.slice(0, i + 1).filter(({ kind }) => kind === one.kind).length;
    console.log(tryLine(one, number));
  });
  for (;;) {
    const kind = kinds
      .filter((one) => journal.count(one) < tries)
      .sort((a, b) => journal.count(a) - journal.count(b))[0];
    if (!kind) break;
    const longest = Math.max(0, ...journal.tries.map(({ seconds }) => seconds * 1.2));
    const left = Number(values.seconds) - (Date.now() - started) / 1000;
    if (left < (longest || LONGEST_SECONDS)) {
      console.log('no time for another try: the same command goes on');
      break;
    }
    journal.add({ begins: kind });
    // The machine's speed is another one from minute to minute.
    const baseMs = journal.tries[journal.tries.length - 1]?.baseMs ?? settings.baseMs;
    const extraMs = baseMs * (Number(values.percent) / 100);
    const ended = tryOnce(kind, fixture, { metric, extraMs });
    journal.add({ ended });
    console.log(tryLine(ended, journal.count(kind)));
  }
  console.log();
  for (const kind of kinds) console.log(sumLine(journal, kind, journal.count(kind)));
}

main();
