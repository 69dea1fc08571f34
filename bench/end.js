'use strict';
// Where the time and the memory of a build's end go, in real builds:
//   node bench/end.js [CASE] [--runs N] [--frequency HZ] [--binding debug|release|FILE]
// Of each step: wall and CPU time (the collector's and the compiler's threads' too), and the most memory while it
// ran, beyond what the process had when its end began (RSS). Medians of the runs. exit.js replays the JavaScript
// part of it from a profile, without a build around it.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { median } = require('simple-statistics');
const { prepareBuild } = require('./build.js');
const { CASES } = require('./workloads/generate.js');

const MAPPINGS = 12;

/** @typedef {{name: string, wallMs: number, cpuMs: number, peakBytes: number, rssBytes: number}} Step */
/** @typedef {{exitBytes: {rss: number, peak: number, young: number}, steps: Step[], totalMs: number, mapped: Record<string, number>}} Report */

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1).padStart(9);

/**
 * @param {string} name of the case
 * @param {{frequency: number, binding: string}} options
 * @returns {Report}
 */
function runOnce(name, { frequency, binding }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-end-'));
  try {
    const nodeFlags = ['--require', path.join(__dirname, 'end-hook.js')];
    const { command, args, env } = prepareBuild(name, { binding, prof: { frequency }, nodeFlags });
    const report = path.join(folder, 'report.json');
    const { status, stderr } = spawnSync(command, args, {
      ...{ cwd: folder, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
      env: { ...env, END_REPORT: report },
    });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(fs.readFileSync(report, 'utf8'));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Report[]} reports */
function show(reports) {
  const middle = (/** @type {(report: Report) => number} */ of) => median(reports.map(of));
  const atEnd = middle(({ exitBytes }) => exitBytes.rss);
  console.log(
    `at the end's beginning: ${megabytes(atEnd).trim()} MB resident, ` +
      `${megabytes(middle(({ exitBytes }) => exitBytes.peak)).trim()} MB at most until then, ` +
      `${megabytes(middle(({ exitBytes }) => exitBytes.young)).trim()} MB of it V8's young generation`,
  );
  console.log('step               wall ms   CPU ms  peak MB   after MB');
  reports[0].steps.forEach(({ name }, i) => {
    const of = (/** @type {(step: Step) => number} */ pick) =>
      middle(({ steps }) => pick(steps[i]));
    const [wall, cpu] = [of(({ wallMs }) => wallMs), of(({ cpuMs }) => cpuMs)];
    console.log(
      `${name.padEnd(16)}${wall.toFixed(1).padStart(10)}${cpu.toFixed(1).padStart(9)}` +
        `${megabytes(of(({ peakBytes }) => peakBytes) - atEnd)}` +
        `${megabytes(of(({ rssBytes }) => rssBytes) - atEnd)}`,
    );
  });
  const most = (/** @type {Report} */ { steps }) =>
    Math.max(...steps.map(({ peakBytes }) => peakBytes));
  console.log(
    `${'all'.padEnd(16)}${middle(({ totalMs }) => totalMs)
      .toFixed(1)
      .padStart(10)}`,
  );
  console.log(`most above the end's beginning: ${megabytes(middle(most) - atEnd).trim()} MB`);
  const { mapped } = reports[0];
  console.log('resident when it begins, by mapping (first run):');
  for (const [name, bytes] of Object.entries(mapped)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAPPINGS))
    console.log(`${megabytes(bytes)}  ${name}`);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '3' },
      frequency: { type: 'string', default: '4000' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const [name = 'react-10k'] = positionals;
  if (!Object.hasOwn(CASES, name)) throw new Error(`no case '${name}'`);
  const options = { frequency: Number(values.frequency), binding: String(values.binding) };
  show(Array.from({ length: Number(values.runs) }, () => runOnce(name, options)));
}

main();
