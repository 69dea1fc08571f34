'use strict';
// How often `rspack-prof compare` is right. Each try is a whole comparison by the command line:
//   equal   both sides are the same: right is "no difference"
//   slower  the candidate does some per cent more work: right is "slower", and the interval holds the truth
// The work is a loop in node (bench/truth/spin.js), or with --case a real build that burns that
// much more CPU time at its end (the truth is then what the burning added to this build's median).
//   node bench/compare-truth.js [--tries 20] [--percent 3] [--metric wall|cpu|instructions] [--rounds 600]
//     [--case react-100] [--only equal|slower]
// On a machine that others use, wall time cannot tell 3 %: --metric cpu, and nice -n -20 in front.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { prepareBuild } = require('./build.js');

const ROOT = path.resolve(__dirname, '..');
const CLI = path.join(ROOT, 'lib', 'cli', 'main.js');
const SPIN = path.join(__dirname, 'truth', 'spin.js');
const BURN = path.join(__dirname, 'truth', 'burn.js');

/** @param {string} word */
const quoted = (word) => `'${word.replace(/'/g, "'\\''")}'`;

/**
 * @typedef {object} Fixture
 * @property {string} base a shell's line
 * @property {string} slower
 * @property {string} cwd
 * @property {(result: any) => number} truth the true ratio of the slower one
 */

/**
 * @param {number} rounds
 * @param {number} percent
 * @returns {Fixture}
 */
function spinFixture(rounds, percent) {
  const line = (/** @type {number} */ some) =>
    [process.execPath, SPIN, String(some)].map(quoted).join(' ');
  const more = rounds * (percent / 100);
  return {
    base: line(rounds),
    slower: line(rounds + more),
    cwd: ROOT,
    // node's start is in the base's time and not in what was added: the truth is what the rounds take.
    truth: () => 1 + spinShare(rounds) * (percent / 100),
  };
}

/** @type {Map<number, number>} */
const shares = new Map();

/**
 * The part of a run's CPU time that its rounds take: by the slope between none and all of them.
 * @param {number} rounds
 */
function spinShare(rounds) {
  const known = shares.get(rounds);
  if (known !== undefined) return known;
  const { base, candidate } = compare(spinFixture(0, 0).base, spinFixture(rounds, 0).base, ROOT, [
    '--runs',
    '15',
    '--metric',
    'cpu',
  ]).metrics.cpu;
  shares.set(rounds, (candidate - base) / candidate);
  return (candidate - base) / candidate;
}

/**
 * @param {string} name of a case
 * @param {number} percent
 * @returns {Fixture}
 */
function buildFixture(name, percent) {
  const { command, args, folder } = prepareBuild(name, { binding: 'release' });
  const line = [command, ...args].map(quoted).join(' ');
  const { metrics } = compare(line, line, folder, ['--runs', '7', '--metric', 'cpu']);
  const extraMs = metrics.cpu.base * (percent / 100);
  const withBurn = [command, '--require', BURN, ...args].map(quoted).join(' ');
  return {
    base: `BURN_MS=0 ${withBurn}`,
    slower: `BURN_MS=${extraMs.toFixed(3)} ${withBurn}`,
    cwd: folder,
    truth: ({ metrics: { wall, cpu }, verdict }) =>
      1 + extraMs / (verdict.metric === 'cpu' ? cpu.base : wall.base),
  };
}

/**
 * @param {string} base
 * @param {string} candidate
 * @param {string} cwd
 * @param {string[]} more
 */
function compare(base, candidate, cwd, more) {
  const args = ['compare', '--base', base, '--candidate', candidate, '--json', '--profiles', '0'];
  const { stdout, stderr } = spawnSync(process.execPath, [CLI, ...args, ...more], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/**
 * @param {'equal' | 'slower'} kind
 * @param {Fixture} fixture
 * @param {{ tries: number, metric: string }} options
 */
function tryOften(kind, fixture, { tries, metric }) {
  let [right, covered] = [0, 0];
  for (let i = 1; i <= tries; i++) {
    const candidate = kind === 'equal' ? fixture.base : fixture.slower;
    const result = compare(fixture.base, candidate, fixture.cwd, ['--metric', metric]);
    const { verdict, runs, metrics, machine } = result;
    const truth = kind === 'equal' ? 1 : fixture.truth(result);
    const { ratio, interval } = metrics[metric];
    const [low, high] = interval ?? [0, Infinity];
    const holds = low <= truth && truth <= high;
    const isRight = verdict.decision === (kind === 'equal' ? 'no-difference' : 'slower');
    if (isRight) right++;
    if (holds) covered++;
    console.log(
      `${kind} ${String(i).padStart(2)}  ${verdict.decision.padEnd(13)}  ${ratio.toFixed(4)} ` +
        `(${low.toFixed(4)} to ${high.toFixed(4)})  truth ${truth.toFixed(4)}${holds ? '' : ' MISSED'}  ` +
        `${String(runs.pairs).padStart(2)} pairs  others ${(machine.othersCpus ?? 0).toFixed(1)} CPUs`,
    );
  }
  console.log(
    `${kind}: ${right} of ${tries} right, the interval holds the truth in ${covered} of ${tries}\n`,
  );
}

function main() {
  const { values } = parseArgs({
    options: {
      tries: { type: 'string', default: '20' },
      percent: { type: 'string', default: '3' },
      metric: { type: 'string', default: 'wall' },
      rounds: { type: 'string', default: '600' },
      case: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const percent = Number(values.percent);
  const fixture = values.case
    ? buildFixture(values.case, percent)
    : spinFixture(Number(values.rounds), percent);
  const options = { tries: Number(values.tries), metric: values.metric };
  for (const kind of /** @type {const} */ (['equal', 'slower'])) {
    if (values.only === undefined || values.only === kind) tryOften(kind, fixture, options);
  }
}

main();
