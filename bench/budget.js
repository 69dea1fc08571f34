'use strict';
// What a budget keeps: builds without a profiler, at 4000 Hz, and at 4000 Hz with budgets of 2 and 1 %,
// in alternating runs. Printed beside the CPU time that was really used: the cost that the profiler
// itself metered (src/session/meter.h), which leaves out starting up and the work at the end.
//   node bench/budget.js [--case NAME] [--runs N] [--binding debug|release|FILE]

const os = require('node:os');
const { parseArgs } = require('node:util');
const { orderOf, runOnce } = require('./overhead.js');
const { align } = require('./overhead-table.js');
const { pairs } = require('./targets.js');
const { alone, inProcess, readProfile } = require('./variants.js');
const { CaseError, generate } = require('./workloads/generate.js');

const FREQUENCY = 4000;
const BUDGETS = [2, 1];

/** @typedef {import('./variants.js').Variant} Variant */
/** @typedef {import('./statistics.js').Spread} Spread */

/** @param {string} name @param {string} binding @returns {Variant[]} */
function variantsFor(name, binding) {
  /** @param {number} [budget] @returns {Variant} */
  const ours = (budget) => {
    const key = budget ? `budget-${budget}` : 'free';
    const label = budget ? `budget ${budget} %` : 'no budget';
    const prof = { frequency: FREQUENCY, ...(budget && { budget }) };
    const variant = inProcess(name, binding, { key, label, prof });
    const read = (/** @type {string} */ folder) => {
      const { budget: kept } = readProfile(folder).meta;
      const { costPercent, finalFrequency } = kept ?? { finalFrequency: FREQUENCY };
      return { ...variant.read(folder), costPercent, finalFrequency };
    };
    return { ...variant, read };
  };
  return [alone(name, binding), alone(name, binding, true), ours(), ...BUDGETS.map(ours)];
}

/** @param {Spread | null} spread @param {number} digits */
function shown(spread, digits) {
  if (!spread) return '-';
  const [mid, low, high] = [spread.median, spread.low, spread.high].map((v) => v.toFixed(digits));
  return `${mid} (${low} to ${high})`;
}

/** @param {Variant[]} variants @param {any[]} runs */
function table(variants, runs) {
  const rows = variants.map(({ key, label }) => {
    const own = (/** @type {(run: any) => number} */ pick) => pairs(runs, key, null, pick);
    const toNone = (/** @type {import('./targets.js').Pick} */ pick) =>
      pairs(runs, key, 'none', pick);
    const columns = [
      { spread: toNone((run, none) => run.cpuMs / none.cpuMs), digits: 2 },
      { spread: toNone((run, none) => run.wallMs / none.wallMs), digits: 2 },
      { spread: own((run) => run.costPercent), digits: 1 },
      { spread: own((run) => run.finalFrequency), digits: 0 },
      { spread: own((run) => run.samples), digits: 0 },
    ];
    return [label, ...columns.map(({ spread, digits }) => shown(spread, digits))];
  });
  return align([['', 'CPU x', 'wall x', 'metered %', 'Hz at the end', 'samples'], ...rows]);
}

async function main() {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', default: 'react-5k' },
      runs: { type: 'string', default: '6' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const { case: name, binding } = values;
  generate(name);
  const variants = variantsFor(name, binding);
  await runOnce(variants[0], -1);
  const runs = [];
  for (let round = 0; round < Number(values.runs); round += 1) {
    for (const variant of orderOf(variants, round)) runs.push(await runOnce(variant, round));
    console.error(`round ${round + 1} of ${values.runs}`);
  }
  console.log(`${name}, ${binding} binding, ${values.runs} rounds; ${os.cpus().length} CPUs`);
  console.log(table(variants, runs));
  console.log('x: to the build without a profiler of the same round; median (lowest to highest)');
}

main().catch((error) => {
  if (!(error instanceof CaseError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
});
