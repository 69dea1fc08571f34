'use strict';
// Whether the profiler became dearer: the same builds with the profiler of several checkouts in turn.
//   node bench/checkouts.js FOLDER.. [--case NAME] [--seconds N] [--frequency HZ]
// Each folder is a checkout with its addon built and node_modules in it. Of each: CPU and wall time beside a
// build without profiler of the same round, so that a machine that gets slower is slower for all; the time in
// handlers for a sample, the CPU time of the profiler's thread, and both together of the build's CPU.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { median, quantile } = require('simple-statistics');
const { orderOf } = require('./overhead.js');
const { readProfile } = require('./variants.js');

/** @typedef {{label: string, tree: string, prof: object | null}} Side */

/** @param {Side} side @param {string} name */
async function runOnce({ label, tree, prof }, name) {
  const { prepareBuild } = require(path.join(tree, 'bench', 'build.js'));
  const { measure } = require(path.join(tree, 'bench', 'measure.js'));
  const { command, args, env } = prepareBuild(name, { prof });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-bench-'));
  try {
    const run = await measure(command, args, { cwd: folder, env });
    if (run.code !== 0)
      throw new Error(`${label}: the build ended with ${run.code}\n${run.output}`);
    if (!prof) return { ...run, samples: 1, handlerMs: 0, threadMs: 0 };
    const { samples, cost } = readProfile(folder).quality;
    return { ...run, samples, handlerMs: cost.handlerMs, threadMs: cost.cpuMs };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      case: { type: 'string', default: 'react-1k' },
      seconds: { type: 'string', default: '120' },
      frequency: { type: 'string', default: '1000' },
    },
  });
  const prof = { frequency: Number(values.frequency) };
  /** @type {Side[]} */
  const sides = [
    { label: 'no profiler', tree: path.resolve(__dirname, '..'), prof: null },
    ...positionals.map((folder) => ({
      label: path.basename(folder),
      tree: path.resolve(folder),
      prof,
    })),
  ];
  for (const side of sides) await runOnce(side, values.case);
  /** @type {Map<Side, Awaited<ReturnType<typeof runOnce>>[]>} */
  const runs = new Map(sides.map((side) => [side, []]));
  const end = performance.now() + Number(values.seconds) * 1000;
  let rounds = 0;
  for (; performance.now() < end; rounds += 1) {
    for (const side of orderOf(sides, rounds)) {
      runs.get(side)?.push(await runOnce(side, values.case));
    }
  }
  console.log(`${values.case}, ${values.frequency} Hz, ${rounds} rounds`);
  console.log(
    'checkout          CPU x (middle half)      more CPU ms    wall x  table after ms  samples  handler us  thread ms  own %',
  );
  const none = runs.get(sides[0]) ?? [];
  for (const [{ label }, own] of runs) {
    const cpu = own.map((run, i) => run.cpuMs / none[i].cpuMs);
    const more = median(own.map((run, i) => run.cpuMs - none[i].cpuMs));
    const wall = median(own.map((run, i) => run.wallMs / none[i].wallMs));
    const after = median(own.map((run) => run.errorAfterMs ?? 0));
    const handler = median(own.map((run) => (run.handlerMs * 1e3) / run.samples));
    const thread = median(own.map((run) => run.threadMs));
    const share = median(
      own.map((run, i) => ((run.handlerMs + run.threadMs) / none[i].cpuMs) * 100),
    );
    const half = `(${quantile(cpu, 0.25).toFixed(2)} to ${quantile(cpu, 0.75).toFixed(2)})`;
    console.log(
      `${label.padEnd(18)}${median(cpu).toFixed(2)} ${half.padEnd(20)}${more.toFixed(0).padStart(11)}` +
        `${wall.toFixed(2).padStart(10)}${after.toFixed(0).padStart(16)}` +
        `${median(own.map((run) => run.samples))
          .toFixed(0)
          .padStart(9)}` +
        `${handler.toFixed(2).padStart(12)}${thread.toFixed(0).padStart(11)}${share.toFixed(2).padStart(7)}`,
    );
  }
}

main();
