'use strict';
// What profiling costs a build, beside what perf costs it.
//   npm run bench -- [--case NAME] [--runs N] [--binding debug|release|FILE] [--variants KEY,..] [--json]
//   npm run bench:parts    where the cost comes from: interrupt, signal, walk, thread
// Each round runs every variant once, and starts with another one than the round before, every second
// round the other way round: a machine that gets slower or faster favours none of them. Each ratio is
// of two runs of the same round; shown are the median of the rounds and the lowest and highest.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { bytesBelow, measure } = require('./measure.js');
const { formatTable } = require('./overhead-table.js');
const { judge, pairs } = require('./targets.js');
const {
  alone,
  dropped,
  inProcess,
  perfMaps,
  perfProblem,
  readProfile,
  underPerf,
} = require('./variants.js');
const { CaseError, generate } = require('./workloads/generate.js');

/** @type {Record<string, string[]>} */
const SETS = {
  peers: [
    ...['none', 'none-again', 'rspack-prof-1000', 'rspack-prof-4000'],
    ...['cpu-clock-1000', 'cpu-clock-4000', 'perf-flat-4000', 'perf-dwarf-4000'],
  ],
  copies: ['none', 'none-again', 'rspack-prof-4000', 'dwarf-4000'],
  parts: ['none', 'none-again', 'events-4000', 'signals-4000', 'flat-4000', 'rspack-prof-4000'],
  waits: ['none', 'rspack-prof-1000', 'wall-1000'],
};
const KEYS = [...new Set(Object.values(SETS).flat())];
const USAGE = `usage: npm run bench -- [--case NAME] [--runs N] [--binding debug|release|FILE]
                    [--event EVENT] [--variants SET|KEY,..] [--json]
variants: ${KEYS.join(' ')}
sets: ${Object.keys(SETS).join(' ')}`;

/** An error whose message is all that the user needs. */
class BenchError extends Error {}

/** @typedef {import('./variants.js').Variant} Variant */
/** @typedef {import('./measure.js').Measured & import('./variants.js').Left & { variant: string, round: number, bytes: number }} Run */

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
        event: { type: 'string' },
        variants: { type: 'string', default: 'peers' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new BenchError(`${/** @type {Error} */ (error).message}\n${USAGE}`);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new BenchError(`--runs takes 1 or more\n${USAGE}`);
  const keys = Object.hasOwn(SETS, values.variants)
    ? SETS[values.variants]
    : values.variants.split(',');
  const wrong = keys.find((/** @type {string} */ key) => !KEYS.includes(key));
  if (wrong !== undefined) throw new BenchError(`no variant '${wrong}'\n${USAGE}`);
  // Ratios are to the build alone, so it is always there.
  const chosen = KEYS.filter((key) => key === 'none' || keys.includes(key));
  const { case: name, binding, event, json } = values;
  return { name, runs, binding, event, keys: chosen, json };
}

/**
 * The order of the variants in a round: ABC, ACB, CAB, ...
 * @template T
 * @param {T[]} variants
 * @param {number} round from 0
 */
function orderOf(variants, round) {
  const first = round % variants.length;
  const turned = [...variants.slice(first), ...variants.slice(0, first)];
  return round % 2 === 0 ? turned : turned.reverse();
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
    // Of processes that live on they are somebody else's.
    const maps = [...perfMaps()].filter(
      (map) => !mapsBefore.has(map) && !fs.existsSync(`/proc/${/\d+/.exec(map)?.[0]}`),
    );
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
 * @param {Variant[]} variants
 * @param {Run[]} runs of all rounds
 */
function summarize(variants, runs) {
  return variants.map(({ key, label }) => {
    /** @param {import('./targets.js').Pick} pick */
    const own = (pick) => pairs(runs, key, null, pick);
    /** @param {import('./targets.js').Pick} pick */
    const toNone = (pick) => pairs(runs, key, 'none', pick);
    const isPerf = key.startsWith('perf-');
    return {
      key,
      label,
      wallMs: own((run) => run.wallMs),
      cpuMs: own((run) => run.cpuMs),
      wallRatio: toNone((run, none) => run.wallMs / none.wallMs),
      cpuRatio: toNone((run, none) => run.cpuMs / none.cpuMs),
      // Under perf it is that of the larger one of the build and perf, which says nothing.
      peakBytes: isPerf ? null : own((run) => run.peakBytes),
      extraBytes: isPerf ? null : toNone((run, none) => run.peakBytes - none.peakBytes),
      bytes: own((run) => run.bytes),
      samples: own((run) => run.samples),
      lost: own((run) => run.lost),
      completeShare: own((run) => run.completeShare),
      handlerMs: own((run) => run.handlerMs),
      threadMs: own((run) => run.threadMs),
      tableMs: own((run) => (run.profileBytes === undefined ? null : run.errorAfterMs)),
      finishMs: own((run) => run.finishMs),
      endMs: own((run) => run.wallMs - run.outputEndMs),
    };
  });
}

/**
 * The event that the profiler takes on this machine, for all others to use the same.
 * @param {Variant} ours
 */
async function chosenEvent(ours) {
  let event = '';
  await runOnce(ours, -1, (folder) => {
    event = readProfile(folder).meta.event;
  });
  return event;
}

/**
 * @param {ReturnType<typeof parseArguments>} options
 * @param {string} taken the event that the profiler took
 * @returns {Variant[]}
 */
function variantsFor({ name, binding, event, keys }, taken) {
  /** @param {string} key @param {string} label @param {import('./variants.js').ProfOptions} prof */
  const ours = (key, label, prof) => inProcess(name, binding, { key, label, prof });
  const [, modifiers = ''] = taken.split(':');
  const clock = `cpu-clock${modifiers && ':'}${modifiers}`;
  return [
    alone(name, binding),
    alone(name, binding, true),
    ours('rspack-prof-1000', 'in process', { frequency: 1000, event }),
    ours('rspack-prof-4000', 'in process', { frequency: 4000, event }),
    ours('cpu-clock-1000', 'in process, cpu-clock', { frequency: 1000, event: clock }),
    ours('cpu-clock-4000', 'in process, cpu-clock', { frequency: 4000, event: clock }),
    ours('wall-1000', 'in process, with waits', { frequency: 1000, wall: true }),
    ours('dwarf-4000', 'in process, copies', { frequency: 4000, event, callGraph: 'dwarf' }),
    ours('flat-4000', 'in process, flat', { frequency: 4000, event, callGraph: 'none' }),
    dropped(name, binding, {
      ...{ key: 'events-4000', label: 'events, samples dropped' },
      ...{ signals: false, event: taken },
    }),
    dropped(name, binding, {
      ...{ key: 'signals-4000', label: 'the same with signals' },
      ...{ signals: true, event: taken },
    }),
    underPerf(name, binding, { event: taken, callGraph: null }),
    underPerf(name, binding, { event: taken, callGraph: 'dwarf' }),
  ].filter(({ key }) => keys.includes(key));
}

/**
 * Drops what cannot be run here, with a word on why.
 * @param {Variant[]} variants
 * @param {string} event
 */
function possible(variants, event) {
  /** @type {string[]} */
  const notes = [];
  /** @param {string} start of the keys @param {string | null} why */
  const without = (start, why) => {
    if (!why || !variants.some(({ key }) => key.startsWith(start))) return;
    variants = variants.filter(({ key }) => !key.startsWith(start));
    notes.push(why);
  };
  if (variants.some(({ key }) => key.startsWith('perf-'))) {
    const problem = perfProblem(event);
    without('perf-', problem && `without perf: ${problem}`);
  }
  if (event.startsWith('cpu-clock')) {
    without('cpu-clock-', 'cpu-clock beside the default event: it is the event here');
  }
  return { variants, notes };
}

/**
 * @param {ReturnType<typeof parseArguments>} options
 * @param {(line: string) => void} say
 */
async function bench(options, say) {
  const { name, runs: rounds, binding } = options;
  generate(name);
  say(`warming up: ${name}, ${binding} binding`);
  const prof = { frequency: 1000, event: options.event };
  await runOnce(alone(name, binding), -1);
  const event = await chosenEvent(inProcess(name, binding, { key: 'warm-up', label: '', prof }));
  const { variants, notes } = possible(variantsFor(options, event), event);
  notes.forEach(say);

  const began = performance.now();
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
    schema: 2,
    case: name,
    binding,
    event,
    rounds,
    node: process.version,
    kernel: os.release(),
    cpus: os.cpus().length,
    notes,
    minutes: (performance.now() - began) / 60000,
    variants: summarize(variants, runs),
    targets: judge(runs),
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

module.exports = { orderOf, parseArguments, possible, runOnce, summarize, variantsFor };

if (require.main === module) {
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
