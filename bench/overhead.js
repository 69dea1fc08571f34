'use strict';
// What profiling costs a build, beside what perf costs it.
//   npm run bench -- [--case NAME] [--runs N] [--binding debug|release|FILE] [--variants KEY,..] [--json]
// The variants run one after the other in each round, in turned order every second round, so that a
// machine that gets slower or faster does not favour one of them. Each ratio is to the build without
// a profiler of the same round; shown are the median of the rounds and the lowest and highest.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { max, median, min } = require('simple-statistics');
const { bytesBelow, measure } = require('./measure.js');
const { formatTable } = require('./overhead-table.js');
const {
  alone,
  inProcess,
  perfMaps,
  perfProblem,
  readProfile,
  underPerf,
} = require('./variants.js');
const { CaseError, generate } = require('./workloads/generate.js');

const KEYS = ['none', 'rspack-prof-1000', 'rspack-prof-4000', 'perf-flat-4000', 'perf-dwarf-4000'];
const USAGE = `usage: npm run bench -- [--case NAME] [--runs N] [--binding debug|release|FILE]
                    [--variants KEY,..] [--json]
variants: ${KEYS.join(' ')}`;

/** An error whose message is all that the user needs. */
class BenchError extends Error {}

/** @typedef {import('./variants.js').Variant} Variant */
/** @typedef {import('./measure.js').Measured & import('./variants.js').Left & { variant: string, round: number, bytes: number }} Run */
/** @typedef {{ median: number, low: number, high: number }} Spread */

/** @param {string[]} argv */
function parseArguments(argv) {
  /** @type {Record<string, any>} */
  let values;
  try {
    values = parseArgs({
      args: argv,
      options: {
        case: { type: 'string', default: 'react-10k' },
        runs: { type: 'string', default: '6' },
        binding: { type: 'string', default: 'debug' },
        variants: { type: 'string', default: KEYS.join(',') },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new BenchError(`${/** @type {Error} */ (error).message}\n${USAGE}`);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new BenchError(`--runs takes 1 or more\n${USAGE}`);
  const keys = values.variants.split(',');
  const wrong = keys.find((/** @type {string} */ key) => !KEYS.includes(key));
  if (wrong !== undefined) throw new BenchError(`no variant '${wrong}'\n${USAGE}`);
  // Ratios are to the build alone, so it is always there, and first.
  const chosen = KEYS.filter((key) => key === 'none' || keys.includes(key));
  return { name: values.case, runs, binding: values.binding, keys: chosen, json: values.json };
}

/**
 * The order of the variants in a round: ABC, CBA, ABC, ...
 * @template T
 * @param {T[]} variants
 * @param {number} round from 0
 */
function orderOf(variants, round) {
  return round % 2 === 0 ? variants : [...variants].reverse();
}

/**
 * One run in a folder of its own, which is gone afterwards.
 * @param {Variant} variant
 * @param {number} round
 * @param {(folder: string) => void} [look] called before the folder goes
 * @returns {Promise<Run>}
 */
async function runOnce(variant, round, look = () => {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-bench-'));
  const mapsBefore = perfMaps();
  try {
    const { command, args, env } = variant.command(folder);
    const measured = await measure(command, args, { cwd: folder, env });
    if (measured.code !== 0) {
      const tail = measured.output.trim().split('\n').slice(-15).join('\n');
      throw new BenchError(`${variant.label}: the build ended with ${measured.code}\n${tail}`);
    }
    const maps = [...perfMaps()].filter((map) => !mapsBefore.has(map));
    const mapBytes = maps.map((map) => fs.statSync(path.join('/tmp', map)).size);
    const bytes = bytesBelow(folder) + mapBytes.reduce((sum, size) => sum + size, 0);
    for (const map of variant.key.startsWith('perf-') ? maps : []) {
      fs.rmSync(path.join('/tmp', map), { force: true });
    }
    look(folder);
    return { ...measured, ...variant.read(folder), variant: variant.key, round, bytes };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {number[]} values
 * @returns {Spread | null} null where there are none
 */
function spreadOf(values) {
  if (values.length === 0) return null;
  return { median: median(values), low: min(values), high: max(values) };
}

/**
 * @param {Variant[]} variants
 * @param {Run[]} runs of all rounds
 */
function summarize(variants, runs) {
  const baseOf = new Map(runs.filter((r) => r.variant === 'none').map((r) => [r.round, r]));
  return variants.map(({ key, label }) => {
    const own = runs.filter((run) => run.variant === key);
    /** @param {(run: Run, base: Run) => number | null | undefined} pick */
    const spread = (pick) =>
      spreadOf(
        own
          .map((run) => pick(run, /** @type {Run} */ (baseOf.get(run.round))))
          .filter((value) => typeof value === 'number'),
      );
    return {
      key,
      label,
      wallMs: spread((run) => run.wallMs),
      cpuMs: spread((run) => run.cpuMs),
      wallRatio: spread((run, base) => run.wallMs / base.wallMs),
      cpuRatio: spread((run, base) => run.cpuMs / base.cpuMs),
      // perf's own memory is not the build's, and the build is not its process.
      peakBytes: key.startsWith('perf-') ? null : spread((run) => run.peakBytes),
      bytes: spread((run) => run.bytes),
      samples: spread((run) => run.samples),
      lost: spread((run) => run.lost),
      completeShare: spread((run) => run.completeShare),
      tableMs: key.startsWith('rspack-prof-') ? spread((run) => run.errorAfterMs) : null,
      finishMs: spread((run) => run.finishMs),
      endMs: spread((run) => run.wallMs - run.outputEndMs),
    };
  });
}

/**
 * The event that the profiler chooses on this machine, for perf to use the same.
 * @param {Variant[]} ours
 */
async function chosenEvent(ours) {
  if (ours.length === 0) return 'cycles:uk';
  let event = '';
  await runOnce(ours[0], -1, (folder) => {
    event = readProfile(folder).meta.event;
  });
  return event;
}

/**
 * @param {ReturnType<typeof parseArguments>} options
 * @param {(line: string) => void} say
 */
async function bench({ name, runs: rounds, binding, keys }, say) {
  generate(name);
  const ours = [1000, 4000]
    .map((frequency) => inProcess(name, binding, frequency))
    .filter(({ key }) => keys.includes(key));
  say(`warming up: ${name}, ${binding} binding`);
  await runOnce(alone(name, binding), -1);
  const event = await chosenEvent(ours);
  const problem = keys.some((key) => key.startsWith('perf-')) ? perfProblem(event) : null;
  if (problem) say(`without perf: ${problem}`);
  const peers = problem
    ? []
    : [
        underPerf(name, binding, { event, callGraph: null }),
        underPerf(name, binding, { event, callGraph: 'dwarf' }),
      ].filter(({ key }) => keys.includes(key));
  const variants = [alone(name, binding), ...ours, ...peers];

  /** @type {Run[]} */
  const runs = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of orderOf(variants, round)) {
      const run = await runOnce(variant, round);
      runs.push(run);
      say(`round ${round + 1} of ${rounds}: ${variant.label}: ${(run.wallMs / 1000).toFixed(2)} s`);
    }
  }
  return {
    schema: 1,
    case: name,
    binding,
    event,
    rounds,
    node: process.version,
    kernel: os.release(),
    cpus: os.cpus().length,
    perf: problem ?? 'used',
    variants: summarize(variants, runs),
    runs: runs.map(({ output: _, ...run }) => run),
  };
}

/** @param {string[]} argv */
async function main(argv) {
  try {
    const options = parseArguments(argv);
    const result = await bench(options, (line) => console.error(line));
    console.log(options.json ? JSON.stringify(result, null, 2) : formatTable(result));
    return 0;
  } catch (error) {
    if (!(error instanceof BenchError || error instanceof CaseError)) throw error;
    console.error(error.message);
    return 1;
  }
}

module.exports = { orderOf, parseArguments, summarize };

if (require.main === module) {
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
