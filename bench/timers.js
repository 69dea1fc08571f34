'use strict';
// What a profile by timers of CPU time (perf_event_open refused) says, beside what one by perf events
// says. Compared are self shares of functions, crates and objects, with kernel time given to the function
// that called the kernel (the timers see no deeper), and CPU time by thread name.
//
// Builds of a case in turn, shares of all runs together; as control, as many builds more by events: what two
// recordings of one kind differ in. Where builds differ among themselves by more than what is looked for,
// --paired: one and the same build by both, by the timers inside and by `perf record` from outside, whose
// samples are imported. V8's code is one function then.
// Exit 1 above 3 points between events and timers.
//   node bench/timers.js [CASE..] [--paired] [--runs N] [--frequency HZ] [--binding debug|release]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const prof = require('../lib/index.js');
const { prepareBuild } = require('./build.js');
const { differences, nothing, noise, takeIn } = require('./timers-tables.js');

/** @typedef {import('./timers-tables').Sum} Sum */
/** @typedef {import('./timers-tables').Tables} Tables */

const CLI = path.join(__dirname, '..', 'lib', 'cli', 'main.js');
const CHAIN = path.join(__dirname, '..', 'test', 'chain');
const WITHOUT = path.join(CHAIN, 'build', 'without');
const WANTED = 0.03;
/** Differences of this size are told by name. */
const TOLD = 3;

/**
 * @param {string[]} command
 * @param {object} [options]
 */
function mustRun([program, ...args], options = {}) {
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (done.status === 0) return;
  throw new Error(`${[program, ...args].join(' ')}: ${done.error ?? done.stderr}`);
}

/**
 * One build.
 * @param {string} name
 * @param {string[]} before words before the command
 * @param {string} output folder, empty
 * @param {{ frequency: number, binding: string }} options
 * @returns {any} its profile
 */
function build(name, before, output, { frequency, binding }) {
  const options = { event: 'cpu-clock', frequency, output, quiet: true };
  const plan = prepareBuild(name, { binding, prof: options });
  mustRun([...before, plan.command, ...plan.args], { cwd: plan.folder, env: plan.env });
  const [run] = fs.readdirSync(output).filter((entry) => !entry.startsWith('.'));
  const profile = prof.read(path.join(output, run, 'profile.json.gz'));
  const wanted = before.includes(WITHOUT) ? 'cpu-timer' : 'cpu-clock';
  if (!profile.meta.event.startsWith(wanted)) throw new Error(`by ${profile.meta.event}`);
  return profile;
}

/**
 * @template T
 * @param {(folder: string) => T} work
 * @returns {T}
 */
function withFolder(work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-timers-'));
  try {
    return work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @typedef {{ frequency: number, binding: string, runs: number }} Options */

/** @param {string} name @param {Options} options */
function inTurn(name, options) {
  const sums = { events: nothing(), again: nothing(), timers: nothing() };
  for (let run = 0; run < options.runs; run += 1) {
    for (const kind of /** @type {const} */ (['events', 'timers', 'again'])) {
      const before = kind === 'timers' ? [WITHOUT, 'perf'] : [];
      withFolder((folder) => takeIn(sums[kind], build(name, before, folder, options)));
    }
  }
  return sums;
}

/** @param {string} name @param {Options} options */
function paired(name, options) {
  const sums = { events: nothing(), timers: nothing() };
  for (let run = 0; run < options.runs; run += 1) {
    withFolder((folder) => {
      const data = path.join(folder, '.perf.data');
      const event = [
        '-e',
        'cpu-clock',
        '-F',
        String(options.frequency),
        '-k',
        'mono',
        '-m',
        '1024',
      ];
      const perf = ['perf', 'record', '-q', ...event, '-g', '-o', data, '--', WITHOUT, 'perf'];
      const timers = build(name, perf, folder, options);
      const file = path.join(folder, '.events.json.gz');
      const pid = ['--pid', String(timers.meta.pid)];
      mustRun([process.execPath, CLI, 'import', data, ...pid, '-o', file]);
      const stretch = { from: timers.meta.startNs, to: timers.meta.endNs };
      takeIn(sums.timers, timers, stretch);
      takeIn(sums.events, prof.read(file), stretch);
    });
  }
  return sums;
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2).padStart(6)} %`;

/**
 * @param {string} name
 * @param {{events: Sum, timers: Sum, again?: Sum}} sums without `again`: of the same builds
 * @param {number} runs
 */
function tell(name, { events, again, timers }, runs) {
  console.log(`\n${name}, ${runs} builds ${again ? 'each' : 'by both'}`);
  for (const [what, sum] of Object.entries({ events, timers })) {
    const own = (sum.cpuMs + sum.handlerMs) / (sum.weight / 1e6);
    const seconds = `${(sum.weight / 1e9 / runs).toFixed(2)} s of CPU time a build`;
    const isOwn = again || sum === timers;
    const rest = `, ${percent(sum.complete / sum.samples).trim()} complete, profiler ${percent(own).trim()}`;
    console.log(`  ${what}  ${sum.samples} samples, ${seconds}${isOwn ? rest : ''}`);
  }
  if (timers.unseen) console.log(`  ${timers.unseen}`);
  let worst = 0;
  for (const table of /** @type {(keyof Tables)[]} */ (Object.keys(events.tables))) {
    const rows = differences(events, timers, table);
    /** @param {{ events: number, timers: number }} row */
    const points = ({ events: one, timers: other }) => Math.abs(one - other);
    worst = Math.max(worst, points(rows[0]));
    const control = again
      ? `events from events ${(100 * points(differences(events, again, table)[0])).toFixed(2)}`
      : `the number of samples alone makes it ±${(100 * noise(rows[0], timers)).toFixed(2)}`;
    console.log(
      `  ${table.padEnd(7)} at most ${(100 * points(rows[0])).toFixed(2)} points apart, ${control}`,
    );
    for (const row of rows.slice(0, TOLD)) {
      console.log(
        `    ${percent(row.events)} by events, ${percent(row.timers)} by timers  ${row.key.slice(0, 90)}`,
      );
    }
  }
  return worst;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      paired: { type: 'boolean', default: false },
      runs: { type: 'string', default: '5' },
      frequency: { type: 'string', default: '1000' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const made = spawnSync('make', ['-s', '-C', CHAIN], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  const { frequency, binding, runs } = values;
  const options = { frequency: Number(frequency), binding, runs: Number(runs) };
  for (const name of positionals.length > 0 ? positionals : ['react-1k', 'babel-1k', 'hooks-1k']) {
    const sums = values.paired ? paired(name, options) : inTurn(name, options);
    if (tell(name, sums, options.runs) > WANTED) process.exitCode = 1;
  }
}

main();
