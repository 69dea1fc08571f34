'use strict';
// What sampling native allocations costs: a call with its free (plain, hooked, with uprobes), and a build
// (CPU time and peak memory, ratios to the profiler without allocations of the same round).
//   node bench/allocations.js [CASE] [--runs N] [--binding debug|release|FILE] [--only calls|build]

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { median } = require('simple-statistics');
const { prepareBuild } = require('./build.js');
const { compile } = require('./compile.js');
const { measure } = require('./measure.js');
const { align } = require('./overhead-table.js');
const prof = require('../lib/index.js');

/** A rate that costs nothing itself: what is measured is what comes on top. */
const BASE = { event: 'cpu-clock:u', frequency: 50, journal: false, quiet: true };
/** @type {[string, object | null][]} */
const VARIANTS = [
  ['no profiler', null],
  ['profiler at 50 Hz', BASE],
  ['and allocations, one in 512 KB', { ...BASE, allocations: { bytes: 512 << 10, cap: 100 } }],
  ['and allocations, one in 128 KB', { ...BASE, allocations: { bytes: 128 << 10, cap: 100 } }],
  ['and allocations, one in 32 KB', { ...BASE, allocations: { bytes: 32 << 10, cap: 100 } }],
];

/**
 * @param {string} name
 * @param {string} binding
 * @param {object | null} options
 */
async function build(name, binding, options) {
  const output = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-allocations-'));
  try {
    const plan = prepareBuild(name, { binding, prof: options && { ...options, output } });
    const took = await measure(plan.command, plan.args, { cwd: plan.folder, env: plan.env });
    if (took.code !== 0) throw new Error(`the build failed:\n${took.output}`);
    const [run] = options ? fs.readdirSync(output).filter((one) => !one.startsWith('.')) : [];
    const profile = run && prof.read(path.join(output, run, 'profile.json.gz'));
    return { ...took, native: profile ? (profile.memory?.native ?? null) : null };
  } finally {
    fs.rmSync(output, { recursive: true, force: true });
  }
}

/** @param {number[]} values */
const shown = (values) =>
  `${median(values).toFixed(3)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;

/** @param {string} name @param {string} binding @param {number} runs */
async function builds(name, binding, runs) {
  /** @type {Awaited<ReturnType<typeof build>>[][]} by round, by variant */
  const rounds = [];
  for (let round = 0; round < runs; round++) {
    const row = [];
    for (const [, options] of VARIANTS) row.push(await build(name, binding, options));
    rounds.push(row);
  }
  const mb = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(1);
  const rows = VARIANTS.map(([what], i) => {
    const of = rounds.map((row) => row[i]);
    const native = of.map((one) => one.native).filter((one) => one !== null);
    const peak = median(rounds.map((row) => row[i].peakBytes - row[1].peakBytes));
    const said = native.length > 0;
    return [
      what,
      (median(of.map(({ cpuMs }) => cpuMs)) / 1000).toFixed(2),
      shown(rounds.map((row) => row[i].cpuMs / row[1].cpuMs)),
      mb(median(of.map(({ peakBytes }) => peakBytes))),
      i === 1 ? '' : mb(peak),
      said ? String(median(native.map(({ all }) => all.samples))) : '',
      said ? mb(median(native.map(({ all }) => all.bytes))) : '',
      said ? String(Math.round(median(native.map(({ all }) => all.pieces)))) : '',
      said ? median(native.map(({ costPercent }) => costPercent)).toFixed(1) : '',
    ];
  });
  const head = ['', 'CPU s', 'CPU x', 'peak MB', 'extra MB', 'samples', 'MB', 'calls', 'said %'];
  console.log(`${name}, ${binding} binding, ${runs} rounds; ratios to the profiler at 50 Hz:`);
  console.log(align([head, ...rows]));
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '5' },
      binding: { type: 'string', default: 'debug' },
      only: { type: 'string' },
    },
  });
  if (values.only !== 'build') {
    process.stdout.write(execFileSync(compile('allocations.c', { core: true }), ['1000000']));
  }
  if (values.only !== 'calls') {
    await builds(positionals[0] ?? 'react-1k', values.binding, Number(values.runs));
  }
}

main();
