'use strict';
// What the end of a recording costs in JavaScript, step by step: node bench/exit.js PROFILE [--runs N]
// Each run is a process of its own that gets the columns as the addon gives them (reading the profile
// would leave the heap large) and makes what lib/output.js makes, in its order. Of each step: CPU time
// (the collector's threads' too) and the most memory above what the process had before the first one
// (VmHWM, which the kernel sets back on request).

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const v8 = require('node:v8');
const { median } = require('simple-statistics');

/** @typedef {Record<string, {cpuMs: number, peakBytes: number}>} Steps */

/** @param {string} name of a line in /proc/self/status @returns {number} bytes */
function status(name) {
  const text = fs.readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
}

/**
 * @param {string} file with the columns
 * @param {string} folder to write into
 */
function runSteps(file, folder) {
  // Loading is no part of it: most of these are there since start().
  const { Profile } = require('../lib/profile/profile.js');
  const { writeMade, writeWhole } = require('../lib/export/files.js');
  const { foldedMost } = require('../lib/export/folded-most.js');
  const { hintsBelow } = require('../lib/hint-table.js');
  const { htmlReport } = require('../lib/html/report.js');
  const { phasesAbove } = require('../lib/phase-table.js');
  const { FOLDED_BYTES } = require('../lib/output.js');
  const { renderRows, selectRows } = require('../lib/table.js');
  const to = (/** @type {string} */ name) => path.join(folder, name);
  const { raw, more } = v8.deserialize(fs.readFileSync(file));
  const before = status('VmRSS');
  /** @type {Steps} */
  const steps = {};
  /** @template T @param {string} name @param {() => T} work @returns {T} */
  const step = (name, work) => {
    fs.writeFileSync('/proc/self/clear_refs', '5');
    const began = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(began);
    steps[name] = { cpuMs: (user + system) / 1000, peakBytes: status('VmHWM') - before };
    return result;
  };
  const profile = step('columns', () => new Profile(raw, more));
  const rows = step('rows', () => selectRows(profile, {}));
  step('phases', () => phasesAbove(profile, {}));
  step('table', () => renderRows(profile, rows, {}));
  step('hints', () => hintsBelow(profile, {}));
  step('profile', () => profile.write(to('profile.json.gz')));
  step('folded', () => {
    writeMade(to('profile.folded'), (write) => foldedMost(profile, FOLDED_BYTES, write));
  });
  step('html', () => writeWhole(to('flamegraph.html'), htmlReport(profile, { atExit: true })));
  console.log(JSON.stringify(steps));
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: { type: 'string', default: '5' }, child: { type: 'boolean' } },
  });
  if (values.child) return runSteps(positionals[0], positionals[1]);
  const { raw, markers, build, meta } = require('../lib/export/index.js').read(positionals[0]);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-exit-'));
  try {
    const columns = path.join(folder, 'columns');
    const { command, node, rspack, binding } = meta;
    const context = { command, node, rspack, binding };
    fs.writeFileSync(columns, v8.serialize({ raw, more: { markers, context, build } }));
    /** @type {Steps[]} */
    const runs = Array.from({ length: Number(values.runs) }, () => {
      const args = [__filename, '--child', columns, folder];
      const {
        stdout,
        stderr,
        status: code,
      } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    });
    console.log(
      `${meta.command}: ${raw.samples.node.length} samples, ${raw.nodes.func.length} nodes`,
    );
    console.log('step              CPU ms  peak MB above the columns');
    for (const name of Object.keys(runs[0])) {
      const cpu = median(runs.map((run) => run[name].cpuMs));
      const peak = median(runs.map((run) => run[name].peakBytes));
      console.log(
        `${name.padEnd(16)}${cpu.toFixed(1).padStart(8)}${(peak / 1e6).toFixed(1).padStart(9)}`,
      );
    }
    const all = runs.map((run) => Object.values(run).reduce((sum, { cpuMs }) => sum + cpuMs, 0));
    const most = runs.map((run) =>
      Math.max(...Object.values(run).map(({ peakBytes }) => peakBytes)),
    );
    console.log(
      `${'all'.padEnd(16)}${median(all).toFixed(1).padStart(8)}${(median(most) / 1e6).toFixed(1).padStart(9)}`,
    );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main();
