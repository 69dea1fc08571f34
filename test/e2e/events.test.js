'use strict';
// Several events recorded at once for real: each finds the code that makes it happen, with whole
// stacks, and its weights add up to what the kernel counted meanwhile.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const prof = require('../../lib/index.js');
const support = require('./support.js');

const skip = support.whyNoEvents();
const MEGABYTES = 128;

/** Some 30,000 page faults, and little else. */
function touchFreshPages() {
  for (let i = 0; i < MEGABYTES / 16; i++) {
    const fresh = Buffer.allocUnsafeSlow(16 << 20);
    for (let at = 0; at < fresh.length; at += 4096) fresh[at] = 1;
  }
}

/** CPU time without page faults. */
function addUp() {
  let sum = 0;
  for (let i = 0; i < 60e6; i++) sum = (sum * 31 + i) | 0;
  return sum;
}

/** @param {import('../../lib/index').StartOptions} options */
async function record(options) {
  const session = prof.start({ quiet: true, ...options });
  const counted = await prof.stat(
    () => {
      touchFreshPages();
      addUp();
    },
    { events: 'page-faults:u' },
  );
  const profile = await session.stop();
  return { profile, faults: Number(counted.events['page-faults:u'].value) };
}

/** @param {import('../../lib/index').Profile} profile */
const weightOf = (profile) => profile.hotspots().reduce((sum, row) => sum + row.self, 0);

test('each event finds its own code, with whole stacks', { skip }, async (t) => {
  const { profile, faults } = await record({ event: ['cpu-clock:u', 'page-faults:u'] });
  const pages = profile.event('page-faults:u');
  t.diagnostic(`${weightOf(pages)} of ${faults} page faults in ${pages.quality.samples} samples`);
  assert.equal(profile.meta.events?.length, 2);
  assert.ok(profile.share(/addUp/, { total: true }) > 0.5);
  assert.ok(pages.share(/touchFreshPages/, { total: true }) > 0.5);
  assert.ok(pages.share(/addUp/, { total: true }) < 0.1);
  assert.ok(pages.quality.completeShare > 0.9);
  // By frequency the last period of each thread and CPU is not complete, and in no sample.
  assert.ok(weightOf(pages) > faults / 3 && weightOf(pages) < faults * 1.5);
});

test('by period every sample weighs as much, and their sum is the count', { skip }, async () => {
  const { profile, faults } = await record({ event: 'page-faults:u', period: 1000 });
  assert.equal(profile.meta.period, 1000);
  assert.equal(weightOf(profile), profile.quality.samples * 1000);
  // The kernel's counter stands before or behind by less than a period on each CPU and thread.
  assert.ok(weightOf(profile) > faults * 0.8 - 10_000 && weightOf(profile) < faults * 1.2 + 10_000);
});

test(
  'several events within a budget: rates fall, weights stay true, side by side',
  { skip },
  async () => {
    const { profile } = await record({
      event: ['cpu-clock:u', 'page-faults:u'],
      frequency: 8000,
      budget: 3,
    });
    const { budget } = profile.meta;
    assert.ok(budget && budget.finalFrequency < 8000, 'two events at 8000 Hz cost more than 3 %');
    const rows = profile.hotspots();
    const most = (/** @type {string} */ event) =>
      [...rows].sort(
        (a, b) => Number(b.weights?.[event].total) - Number(a.weights?.[event].total),
      )[0];
    assert.ok(Number(most('cpu-clock:u').weights?.['cpu-clock:u'].totalShare) > 0.5);
    const seconds = weightOf(profile) / 1e9;
    assert.ok(seconds > 0 && seconds < profile.meta.durationMs / 100, `${seconds} s of CPU`);
  },
);

test('events of one group, and on one CPU alone', { skip }, async () => {
  const { profile } = await record({ event: '{cpu-clock:u,page-faults:u}', cpus: '0' });
  const { raw } = /** @type {import('../../lib/profile/profile').Profile} */ (profile);
  assert.ok(raw.samples.cpu.every((cpu) => cpu === 0));
  assert.deepEqual(
    profile.meta.events?.map(({ event }) => event),
    ['cpu-clock:u', 'page-faults:u'],
  );
});
