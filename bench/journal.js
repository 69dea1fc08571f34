'use strict';
// What the journal costs a build, and what a kill loses: builds of a case with and without it in turn
// (CPU time of the whole build and of the profiler's thread, bytes a second), then builds that are
// killed at some moment and recovered: how long before the kill the last sample was.
//   node bench/journal.js [CASE] [--runs N] [--kills N] [--frequency HZ]

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { median } = require('simple-statistics');
const prof = require('../lib/index.js');
const { loadNative } = require('../lib/native.js');
const { leftovers, recoverJournal } = require('../lib/journal.js');
const { prepareBuild } = require('./build.js');

/** @param {string} output */
function journalBytes(output) {
  const [run] = fs.existsSync(output) ? fs.readdirSync(output).filter((one) => one[0] !== '.') : [];
  const file = run && path.join(output, run, 'journal');
  return (file && fs.statSync(file, { throwIfNoEntry: false })?.size) || 0;
}

/**
 * @param {string} name
 * @param {{ journal: boolean, frequency: number }} options
 * @param {(child: import('node:child_process').ChildProcess, output: string) => void} watch
 * @returns {Promise<string>} the folder of its output
 */
async function build(name, options, watch) {
  const output = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-journal-'));
  const plan = prepareBuild(name, { prof: { ...options, output, quiet: true } });
  const child = spawn(plan.command, plan.args, {
    ...{ cwd: plan.folder, env: plan.env, stdio: 'ignore' },
  });
  watch(child, output);
  await new Promise((resolve) => child.on('exit', resolve));
  return output;
}

/** @param {string} output */
const remove = (output) => fs.rmSync(output, { recursive: true, force: true });

/** CPU time of the children that have ended, ms. */
function childrenMs() {
  const fields = fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10; // cutime, cstime; USER_HZ is 100
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '8' },
      kills: { type: 'string', default: '10' },
      frequency: { type: 'string', default: '1000' },
    },
  });
  const name = positionals[0] ?? 'babel-1k';
  const frequency = Number(values.frequency);
  /** @type {Record<'with' | 'without', { buildMs: number[], ownMs: number[] }>} */
  const sums = { with: { buildMs: [], ownMs: [] }, without: { buildMs: [], ownMs: [] } };
  let most = 0;
  let seconds = 0;
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const journal of run % 2 ? [true, false] : [false, true]) {
      const before = childrenMs();
      const output = await build(name, { journal, frequency }, (child, folder) => {
        const timer = setInterval(() => (most = Math.max(most, journalBytes(folder))), 100);
        child.on('exit', () => clearInterval(timer));
      });
      const sum = journal ? sums.with : sums.without;
      sum.buildMs.push(childrenMs() - before);
      const [folder] = fs.readdirSync(output).filter((one) => one[0] !== '.');
      const { quality, meta } = prof.read(path.join(output, folder, 'profile.json.gz'));
      sum.ownMs.push(quality.cost.cpuMs);
      seconds = meta.durationMs / 1000;
      remove(output);
    }
  }
  for (const what of /** @type {const} */ (['without', 'with'])) {
    const { buildMs, ownMs } = sums[what];
    console.log(
      `${what.padEnd(8)} the journal: ${median(buildMs).toFixed(0)} ms of CPU time a build, ` +
        `${median(ownMs).toFixed(1)} ms of the profiler's thread (medians of ${buildMs.length})`,
    );
  }
  const ratio = median(sums.with.buildMs) / median(sums.without.buildMs);
  console.log(`ratio ${ratio.toFixed(4)}, ${(most / 1024 / seconds).toFixed(0)} KB a second`);

  const native = loadNative();
  /** @type {number[]} */
  const lost = [];
  for (let kill = 0; kill < Number(values.kills); kill += 1) {
    let killedNs = 0;
    const output = await build(name, { journal: true, frequency }, (child) => {
      setTimeout(
        () => {
          killedNs = Number(process.hrtime.bigint());
          child.kill('SIGKILL');
        },
        2000 + 173 * kill,
      );
    });
    const [file] = leftovers(output, native);
    if (file) {
      const { samples } = /** @type {any} */ (recoverJournal(native, file)).raw;
      lost.push((killedNs - Math.max(...samples.timeNs.slice(-1000))) / 1e6);
    }
    remove(output);
  }
  lost.sort((a, b) => a - b);
  const told = lost.map((ms) => ms.toFixed(0)).join(' ');
  console.log(`killed: the last sample was ${told} ms before (${lost.length} recovered)`);
}

main();
