'use strict';
// What a profile by timers of CPU time (perf_event_open refused) says, beside what one by perf events
// says of the same build: builds of a case in turn, shares of all runs together. Compared are self
// shares of functions, crates and objects, with kernel time given to the function that called the
// kernel (the timers see no deeper), and CPU time by thread name. As control, as many builds more by
// events: what two recordings of one kind differ in. Exit 1 above 3 points between events and timers.
//   node bench/timers.js [CASE..] [--runs N] [--frequency HZ] [--binding debug|release]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const prof = require('../lib/index.js');
const { prepareBuild } = require('./build.js');

const CHAIN = path.join(__dirname, '..', 'test', 'chain');
const WITHOUT = path.join(CHAIN, 'build', 'without');
const WANTED = 0.03;
/** Differences of this size are told by name. */
const TOLD = 3;

/**
 * @typedef {Map<string, number>} Shares
 * @typedef {Record<'symbol' | 'crate' | 'object' | 'thread', Shares>} Tables
 * @typedef {{ tables: Tables, weight: number, samples: number, cpuMs: number, handlerMs: number,
 *    complete: number, buildMs: number, unseen: string }} Sum
 */

/** @returns {Sum} */
const nothing = () => ({
  tables: {
    symbol: new Map(),
    crate: new Map(),
    object: new Map(),
    thread: new Map(),
  },
  ...{ weight: 0, samples: 0, cpuMs: 0, handlerMs: 0, complete: 0, buildMs: 0, unseen: '' },
});

/** @param {Shares} shares @param {string} key @param {number} weight */
const add = (shares, key, weight) => shares.set(key, (shares.get(key) ?? 0) + weight);

/** A thread's name without its number. @param {string} name */
const pool = (name) => name.replace(/[-_ ]?\d+$/, '');

/**
 * @param {Sum} sum
 * @param {any} profile
 */
function takeIn(sum, { raw, quality, meta }) {
  const { samples, nodes, funcs, threads, strings, modules } = raw;
  const isKernel = (/** @type {number} */ func) => funcs.kind[func] === 4;
  for (let i = 0; i < samples.node.length; i += 1) {
    const weight = samples.weight[i];
    let leaf = -1;
    for (let node = samples.node[i]; node > 0 && leaf < 0; node = nodes.parent[node]) {
      if (!isKernel(nodes.func[node])) leaf = nodes.func[node];
    }
    sum.weight += weight;
    add(sum.tables.thread, pool(strings[threads.name[samples.thread[i]]]), weight);
    if (leaf < 0) continue; // the kernel's alone: a thread that starts or ends
    add(sum.tables.symbol, strings[funcs.name[leaf]], weight);
    if (funcs.crate[leaf] >= 0) add(sum.tables.crate, strings[funcs.crate[leaf]], weight);
    const module = funcs.module[leaf];
    add(sum.tables.object, module < 0 ? '[jit]' : strings[modules.name[module]], weight);
  }
  sum.samples += quality.samples;
  sum.complete += quality.complete;
  sum.cpuMs += quality.cost.cpuMs;
  sum.handlerMs += quality.cost.handlerMs;
  sum.buildMs += (meta.endNs - meta.startNs) / 1e6;
  const unseen = quality.warnings.find(
    (/** @type {any} */ { code }) => code === 'cpu-timers-unseen',
  );
  if (unseen) sum.unseen = unseen.message;
}

/**
 * @param {string} name
 * @param {boolean} byTimers
 * @param {{ frequency: number, binding: string }} options
 */
function record(name, byTimers, { frequency, binding }) {
  const output = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-timers-'));
  try {
    const options = { event: 'cpu-clock', frequency, output, quiet: true };
    const plan = prepareBuild(name, { binding, prof: options });
    const command = [...(byTimers ? [WITHOUT, 'perf'] : []), plan.command, ...plan.args];
    const done = spawnSync(command[0], command.slice(1), {
      ...{ cwd: plan.folder, env: plan.env, encoding: 'utf8' },
    });
    const [run] = fs.readdirSync(output).filter((entry) => !entry.startsWith('.'));
    if (done.status !== 0 || !run) throw new Error(`${command.join(' ')}: ${done.stderr}`);
    const profile = prof.read(path.join(output, run, 'profile.json.gz'));
    const isTimers = profile.meta.event === 'cpu-timer';
    if (isTimers !== byTimers) throw new Error(`the event was ${profile.meta.event}`);
    return profile;
  } finally {
    fs.rmSync(output, { recursive: true, force: true });
  }
}

/** @param {Sum} a @param {Sum} b @param {keyof Tables} table */
function differences(a, b, table) {
  const [one, other] = [a.tables[table], b.tables[table]];
  return [...new Set([...one.keys(), ...other.keys()])]
    .map((key) => ({
      key,
      events: (one.get(key) ?? 0) / a.weight,
      timers: (other.get(key) ?? 0) / b.weight,
    }))
    .sort((x, y) => Math.abs(y.events - y.timers) - Math.abs(x.events - x.timers));
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2).padStart(6)} %`;

/** @param {string} name @param {Record<'events' | 'again' | 'timers', Sum>} sums @param {number} runs */
function tell(name, { events, again, timers }, runs) {
  console.log(`\n${name}, ${runs} builds each`);
  for (const [what, sum] of Object.entries({ events, timers })) {
    const own = (sum.cpuMs + sum.handlerMs) / (sum.weight / 1e6);
    console.log(
      `  ${what}  ${sum.samples} samples, ${(sum.weight / 1e9 / runs).toFixed(2)} s of CPU time a build, ` +
        `${percent(sum.complete / sum.samples).trim()} complete, profiler ${percent(own).trim()} of it`,
    );
  }
  if (timers.unseen) console.log(`  ${timers.unseen}`);
  let worst = 0;
  for (const table of /** @type {(keyof Tables)[]} */ (Object.keys(events.tables))) {
    const rows = differences(events, timers, table);
    const [control] = differences(events, again, table);
    /** @param {{ events: number, timers: number }} row */
    const points = ({ events: one, timers: other }) => Math.abs(one - other);
    worst = Math.max(worst, points(rows[0]));
    console.log(
      `  ${table.padEnd(7)} at most ${(100 * points(rows[0])).toFixed(2)} points apart, ` +
        `events from events ${(100 * points(control)).toFixed(2)}`,
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
      runs: { type: 'string', default: '5' },
      frequency: { type: 'string', default: '1000' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const made = spawnSync('make', ['-s', '-C', CHAIN], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  const runs = Number(values.runs);
  const options = { frequency: Number(values.frequency), binding: values.binding };
  for (const name of positionals.length > 0 ? positionals : ['react-1k', 'babel-1k', 'hooks-1k']) {
    const sums = { events: nothing(), again: nothing(), timers: nothing() };
    for (let run = 0; run < runs; run += 1) {
      takeIn(sums.events, record(name, false, options));
      takeIn(sums.timers, record(name, true, options));
      takeIn(sums.again, record(name, false, options));
    }
    if (tell(name, sums, runs) > WANTED) process.exitCode = 1;
  }
}

main();
