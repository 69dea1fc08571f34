'use strict';
// The quality of a part of a recording: counted as the recorder counts it, however the part was taken.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { read } = require('../../lib/export/index.js');
const { splitEvents } = require('../../lib/profile/events.js');
const { Profile } = require('../../lib/profile/profile.js');
const { sliceRaw } = require('../../lib/profile/slice.js');
const { subset } = require('../../lib/profile/subset.js');
const { symbolize } = require('../../lib/profile/symbolize.js');
const { buildRaw, CONTEXT } = require('./helpers/raw-profile.js');

const [JOINED, IN_HANDLER, GUESSED] = [1, 4, 8];
const SAMPLES = [
  { stack: 'main;named', flags: JOINED | GUESSED },
  // Put together from two readings, and not complete all the same: it is none of the joined.
  { stack: 'main;named', flags: JOINED, end: 2 },
  { stack: 'main;[x.node+0x10]', flags: IN_HANDLER, end: 1 },
  // Without a stack: nothing has a name there.
  { stack: '', end: 2 },
];
const FUNCS = { '[x.node+0x10]': { object: 'x.node', named: false } };
const COUNTED = {
  ...{ samples: 4, complete: 1, truncated: 1, broken: 2 },
  ...{ joined: 1, guessed: 1, inHandler: 1, unnamedLeaf: 2 },
};

/** @param {import('../../lib/profile/raw').RawProfile['quality']} quality */
const sums = (quality) =>
  Object.fromEntries(Object.keys(COUNTED).map((name) => [name, Reflect.get(quality, name)]));

/** The samples twice: of the thread and event that are asked for, and of others. */
function rawTwice() {
  const twice = SAMPLES.flatMap((sample) => [sample, { ...sample, thread: 'other' }]);
  return buildRaw(twice, { funcs: FUNCS });
}

test('of some of the samples, of one event, of a stretch of time: the same sums', () => {
  const raw = rawTwice();
  const whole = new Profile(raw, { context: CONTEXT });
  assert.deepEqual(sums(subset(whole, { thread: 'other' }).raw.quality), COUNTED, 'subset');

  const about = { event: 'cpu-clock', requestedEvent: 'cpu-clock', unit: 'ns', scaledBy: 1 };
  const { raw: first, others } = splitEvents({
    ...raw,
    meta: { ...raw.meta, events: [about, { ...about, event: 'page-faults' }] },
    samples: { ...raw.samples, event: Uint8Array.from(raw.samples.thread) },
  });
  assert.deepEqual(sums(first.quality), COUNTED, 'the first event');
  const profile = new Profile(first, { context: CONTEXT, others });
  assert.deepEqual(sums(profile.event('page-faults').raw.quality), COUNTED, 'another event');

  const half = buildRaw([...SAMPLES, ...SAMPLES], { funcs: FUNCS });
  const { startNs } = half.meta;
  const slice = sliceRaw(half, startNs, half.samples.timeNs[SAMPLES.length]);
  assert.deepEqual(sums(slice.quality), COUNTED, 'a slice');
});

test('what the recorder counts beside is in the profile and its file; a part counts its own', (t) => {
  const counters = {
    ...{ spared: 1, unlistedRefused: 2, doubles: 3, forgotten: 4, signals: 5, signalsPassedOn: 6 },
    ...{ lateRecords: 7, codeEventsDropped: 8, unnamedInterpreted: 9, refusedModules: 10 },
    ...{ refusedTables: 11, usedCpuMs: 12.5 },
  };
  const quality = { ...COUNTED, ...counters };
  const profile = new Profile(buildRaw(SAMPLES, { funcs: FUNCS, quality }), { context: CONTEXT });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'p.json.gz');
  profile.write(file);
  const back = read(file);
  for (const one of [profile, back]) {
    const own = Object.keys(quality).map((name) => [name, Reflect.get(one.quality, name)]);
    assert.deepEqual(Object.fromEntries(own), quality);
  }
  const part = subset(back, { time: '0,0.0025' });
  assert.deepEqual([part.quality.samples, part.quality.inHandler], [2, 0]);
  assert.equal(part.quality.spared, 1, 'nobody knows of which part');
  const old = new Profile(buildRaw(SAMPLES), { context: CONTEXT });
  assert.equal('spared' in old.quality, false, 'not known is not none');
});

test('naming a profile counts again what has no name, and keeps its other events', () => {
  const raw = buildRaw(SAMPLES, { funcs: FUNCS });
  raw.funcs.address = Float64Array.from(raw.funcs.name, () => 16);
  const about = { event: 'faults', requestedEvent: 'faults', unit: 'events', scaledBy: 1 };
  const profile = new Profile(raw, {
    context: CONTEXT,
    others: [{ about, samples: raw.samples }],
  });
  const buildId = raw.strings[raw.modules.buildId[0]];
  const name = { name: 'found', symbol: 'found', crate: '', kind: 2 };
  const native = {
    symbolize: (/** @type {string} */ _, /** @type {Float64Array} */ addresses) => ({
      ...{ buildId, hasSymbols: true },
      names: Array.from(addresses, () => name),
    }),
  };
  const { profile: named } = symbolize(profile, '/x.node', native);
  assert.equal(named.raw.quality.unnamedLeaf, 1, 'the sample without a stack');
  assert.deepEqual(
    named
      .event('faults')
      .hotspots({ filter: 'found' })
      .map(({ key }) => key),
    ['found'],
  );
});
