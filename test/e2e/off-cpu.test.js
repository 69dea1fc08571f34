'use strict';
// Waits are charged right: test/live/waits.c sleeps, waits for a lock and for a pipe, and knows for how
// long. Wall time is what runs and what waits, thread by thread; nothing is cut short by the profiler.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { whyNoEvents } = require('./support.js');

const LIVE = path.join(__dirname, '..', 'live');
const skip = whyNoEvents();
const ROUNDS = 25;
const MS = 20;

/** @returns {any} */
function fixture() {
  const made = spawnSync('make', ['-C', LIVE, 'build/waits.node'], { encoding: 'utf8' });
  assert.strictEqual(made.status, 0, made.stderr);
  return require(path.join(LIVE, 'build', 'waits.node'));
}

/**
 * ns by thread's name: by state, by reason of what is blocked, and all.
 * @param {any} profile
 * @param {string} name
 */
function timesOf({ raw, threadNames, waits }, name) {
  /** @type {Record<string, number>} */
  const reasons = {};
  const states = [0, 0, 0];
  /** Off the CPU below a function of the fixture: all of it, and by reason. @type {Record<string, number>} */
  const through = {};
  const { thread, weight, state, node } = raw.samples;
  for (let i = 0; i < weight.length; i += 1) {
    if (threadNames[thread[i]] !== name) continue;
    states[state[i]] += weight[i];
    if (state[i] === 0) continue;
    const reason = waits.names[waits.ofSample[i]];
    for (let at = node[i]; at > 0; at = raw.nodes.parent[at]) {
      const symbol = raw.strings[raw.funcs.symbol[raw.nodes.func[at]]];
      if (!/^waits_/.test(symbol)) continue;
      through[symbol] = (through[symbol] ?? 0) + weight[i];
      reasons[reason] = (reasons[reason] ?? 0) + weight[i];
    }
  }
  return { reasons, states, through, wall: states.reduce((sum, ns) => sum + ns, 0) };
}

/** @param {string} what @param {number} got @param {number} wanted @param {number} share */
function near(what, got, wanted, share) {
  assert.ok(
    Math.abs(got - wanted) <= share * wanted,
    `${what}: ${(got / 1e6).toFixed(1)} ms, truth ${(wanted / 1e6).toFixed(1)} ms`,
  );
}

/** @param {import('../../lib/index').StartOptions} options */
async function record(options) {
  const { waits } = fixture();
  const session = prof.start({ quiet: true, ...options });
  const truth = waits(ROUNDS, MS);
  const profile = /** @type {any} */ (await session.stop());
  return { truth, profile };
}

test(
  'sleeps, lock waits and reads are charged right, by reason and by stack',
  { skip },
  async (t) => {
    const { truth, profile } = await record({ offCpu: true });
    if (profile.meta.switches !== 'event') return t.skip(profile.quality.warnings[0]?.message);
    assert.strictEqual(truth.errors, 0, 'system calls that were cut short');
    assert.strictEqual(profile.quality.lost, 0);
    for (const [name, reason, symbol] of [
      ['waits-sleep', 'sleep', 'waits_sleep'],
      ['waits-lock', 'lock', 'waits_lock'],
      ['waits-read', 'pipe', 'waits_read'],
    ]) {
      const { waitedNs } = truth[name];
      const { reasons, through } = timesOf(profile, name);
      const { preempted = 0, [reason]: own = 0 } = reasons;
      t.diagnostic(`${name}: ${(own / 1e6).toFixed(1)} of ${(waitedNs / 1e6).toFixed(1)} ms`);
      near(`${name} by stack`, through[symbol] ?? 0, waitedNs, 0.05);
      near(`${name} by reason`, own, waitedNs - preempted, 0.05);
    }
  },
);

test('wall time is what runs and what waits, within 2 % of each thread', { skip }, async (t) => {
  for (const event of ['cpu-clock:uk', 'cpu-clock:u']) {
    const { truth, profile } = await record({ wall: true, event });
    assert.strictEqual(truth.errors, 0, 'system calls that were cut short');
    t.diagnostic(`${event}: ${profile.meta.switches}`);
    const { startNs, endNs } = profile.meta;
    for (const name of ['waits-sleep', 'waits-lock', 'waits-read', 'waits-burn']) {
      near(`${name} (${event})`, timesOf(profile, name).wall, truth[name].wallNs, 0.02);
    }
    const main = profile.raw.threads.tid.indexOf(process.pid);
    let wall = 0;
    profile.raw.samples.weight.forEach((/** @type {number} */ weight, /** @type {number} */ i) => {
      if (profile.raw.samples.thread[i] === main) wall += weight;
    });
    near(`the main thread (${event})`, wall, endNs - startNs, 0.02);
  }
});

test('a wait without a stack of its own says so, and a long one is read', { skip }, async (t) => {
  const { truth, profile } = await record({ offCpu: true, event: 'cpu-clock:u' });
  assert.strictEqual(profile.meta.switches, 'records');
  const codes = profile.quality.warnings.map((/** @type {{code: string}} */ { code }) => code);
  assert.ok(codes.includes('no-switch-stacks'));
  const { states } = timesOf(profile, 'waits-sleep');
  near('the time off the CPU', states[1] + states[2], truth['waits-sleep'].waitedNs, 0.05);
  // libuv's workers sleep all the time: each is one long wait, which is read as it lasts.
  const idle = profile.idleTime.ns / 1e6;
  t.diagnostic(`${idle.toFixed(0)} ms of idle pools`);
  assert.ok(idle > ROUNDS * MS, `${idle} ms of idle pools`);
});
