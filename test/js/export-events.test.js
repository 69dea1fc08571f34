'use strict';
// Several events in one profile: each format has all of them, or says which one it has. And parts of such a
// profile (a filter, a rebuild, a run) have all of them too.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const zlib = require('node:zlib');
const protobuf = require('protobufjs');
const { BuildProfile } = require('../../lib/assert/build-profile.js');
const { read } = require('../../lib/export/index.js');
const { FORMATS } = require('../../lib/export/formats.js');
const { splitEvents } = require('../../lib/profile/events.js');
const { mergeProfiles } = require('../../lib/profile/merge.js');
const { Profile } = require('../../lib/profile/profile.js');
const { encodeProfile } = require('../../lib/html/encode.js');
const { inflate, readReport } = require('../../lib/html/view/unpack.js');
const { cli } = require('./cli-support.js');
const { checkFirefox } = require('./helpers/firefox-check.js');
const { buildRaw, smallBuild, CONTEXT } = require('./helpers/raw-profile.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const [CLOCK, FAULTS] = ['cpu-clock:uk', 'page-faults:uk'];
/** Nine samples a millisecond apart, by turns of the two, in two builds of 5 ms. */
const START = 5e12;
const MS = 1e6;

/** @type {import('../../lib/profile/raw').Marker[]} */
const MARKERS = [1, 2].map((build) => ({
  type: 'build',
  name: 'build',
  startNs: START + (build - 1) * 5 * MS,
  endNs: START + build * 5 * MS,
  data: { compiler: 'web', build, watching: true, changed: [], changedCount: 0 },
}));

function twoEvents() {
  const clock = { event: CLOCK, requestedEvent: 'cpu-clock', unit: 'ns' };
  const raw = buildRaw(smallBuild().samples, { ...smallBuild(), meta: clock });
  const faults = { event: FAULTS, requestedEvent: 'faults', unit: 'events', scaledBy: 1 };
  const whole = {
    ...raw,
    meta: { ...raw.meta, events: [{ ...clock, scaledBy: 1 }, faults] },
    samples: { ...raw.samples, event: Uint8Array.from(raw.samples.node, (_, i) => i % 2) },
  };
  const split = splitEvents(whole);
  return new Profile(split.raw, { context: CONTEXT, others: split.others, markers: MARKERS });
}

/** @param {string} name @param {any} [options] @param {Profile} [profile] */
function written(name, options, profile = twoEvents()) {
  const file = path.join(FOLDER, name);
  return { file, notes: profile.write(file, options) };
}

/** Stacks and what they weigh, as folded() has them. @param {Profile} profile */
const weights = (profile) => profile.folded({ count: 'weight' }).trimEnd().split('\n').sort();

/** @param {Iterable<[string, number]>} pairs stack and weight, in any order and number */
function added(pairs) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const [stack, weight] of pairs) sums.set(stack, (sums.get(stack) ?? 0) + weight);
  return [...sums].map(([stack, weight]) => `${stack} ${weight}`).sort();
}

const ONE_EVENT = ['folded', 'flamegraph', 'html', 'cpuprofile'];

test('a format for one event says which it has; the others have both and say nothing of that', () => {
  for (const format of Object.keys(FORMATS)) {
    if (format === 'heapprofile') continue;
    const { notes } = written(`${format}.out`, { format });
    const said = notes.filter((note) => note.includes('holds one event'));
    assert.equal(said.length, ONE_EVENT.includes(format) ? 1 : 0, `${format}: ${notes}`);
    for (const note of said) {
      assert.match(note, /this is cpu-clock:uk, without page-faults:uk \(--event NAME/);
    }
    const chosen = written(`${format}.chosen`, { format, event: 'faults' }).notes;
    assert.ok(!chosen.some((note) => /event/.test(note)), `${format} of a chosen event: ${chosen}`);
  }
});

test('html: the page itself says what is not in it', async () => {
  const said = async (/** @type {Profile} */ profile) => {
    const text = encodeProfile(profile, { level: 1, categories: false });
    const report = /** @type {any} */ (readReport(await inflate(text)));
    return report.quality.warnings.map((/** @type {{message: string}} */ { message }) => message);
  };
  assert.deepEqual(await said(twoEvents()), [
    'this page is of cpu-clock:uk; also recorded, and not in it: page-faults:uk',
  ]);
  assert.deepEqual(await said(twoEvents().event(FAULTS)), []);
});

test('the command says the same, and takes the event for every format', async () => {
  written('p.json.gz');
  const run = (/** @type {string[]} */ ...args) =>
    cli(['export', 'p.json.gz', ...args], { cwd: FOLDER });
  const folded = await run('--to', 'folded');
  assert.match(
    folded.stderr,
    /^rspack-prof: 'folded' holds one event: this is cpu-clock:uk, [^\n]+\n$/,
  );
  const one = await run('--to', 'folded', '-e', 'faults', '--count', 'weight');
  assert.equal(one.stderr, '');
  assert.deepEqual(one.stdout.trimEnd().split('\n').sort(), weights(twoEvents().event(FAULTS)));
  const wrong = await run('--to', 'pprof', '-o', 'x.pb.gz', '-e', 'fault');
  assert.match(wrong.stderr, /no event 'fault' in this profile, did you mean 'faults'/);
  assert.equal(fs.existsSync(path.join(FOLDER, 'x.pb.gz')), false);
});

test('pprof: a sample type for each event', () => {
  const profile = twoEvents();
  const { file } = written('p.pb.gz');
  const proto = protobuf.loadSync(path.join(__dirname, '../fixtures/proto/pprof.proto'));
  const type = proto.lookupType('Profile');
  const bytes = zlib.gunzipSync(fs.readFileSync(file));
  const own = /** @type {any} */ (type.toObject(type.decode(bytes), { longs: Number }));
  const text = (/** @type {number} */ id) => own.stringTable[id ?? 0];
  assert.deepEqual(
    own.sampleType.map((/** @type {any} */ one) => `${text(one.type)}/${text(one.unit)}`),
    ['samples/count', 'cpu/nanoseconds', 'page-faults/count'],
  );
  const names = new Map(own.function.map((/** @type {any} */ one) => [one.id, text(one.name)]));
  const lines = new Map(own.location.map((/** @type {any} */ one) => [one.id, one.line]));
  const stackOf = (/** @type {any} */ { locationId }) =>
    locationId
      .flatMap((/** @type {number} */ id) => lines.get(id))
      .map((/** @type {any} */ { functionId }) => names.get(functionId))
      .reverse()
      .join(';');
  [CLOCK, FAULTS].forEach((event, i) => {
    const pairs = own.sample
      .filter((/** @type {any} */ { value }) => value[i + 1] > 0)
      .map((/** @type {any} */ sample) => [stackOf(sample), sample.value[i + 1]]);
    assert.deepEqual(added(pairs), weights(profile.event(event)), event);
  });
  const count = own.sample.reduce(
    (/** @type {number} */ sum, /** @type {any} */ one) => sum + one.value[0],
    0,
  );
  assert.equal(count, profile.quality.samples, 'the count is of the first event');
});

test('speedscope: a profile for each thread and event', () => {
  const profile = twoEvents();
  const json = JSON.parse(fs.readFileSync(written('p.speedscope.json').file, 'utf8'));
  for (const event of [CLOCK, FAULTS]) {
    const own = json.profiles.filter((/** @type {any} */ { name }) => name.endsWith(` (${event})`));
    const pairs = own.flatMap((/** @type {any} */ { samples, weights: list }) =>
      samples.map((/** @type {number[]} */ stack, /** @type {number} */ i) => [
        stack.map((frame) => json.shared.frames[frame].name).join(';'),
        list[i],
      ]),
    );
    const total = pairs.reduce(
      (/** @type {number} */ sum, /** @type {any} */ [, one]) => sum + one,
      0,
    );
    assert.equal(total, profile.event(event).totalWeight, event);
    assert.equal(own[0].unit, event === CLOCK ? 'nanoseconds' : 'none');
  }
  assert.equal(
    new Set(json.profiles.map((/** @type {any} */ { name }) => name)).size,
    json.profiles.length,
  );
});

test('perf-script: all samples in the order of time, each with its event', () => {
  const profile = twoEvents();
  const text = fs.readFileSync(written('p.script', { format: 'perf-script' }).file, 'utf8');
  const heads = text
    .split('\n')
    .flatMap((line) => /^\S.* (\d+\.\d+): (\d+) (\S+): $/.exec(line) ?? []);
  const rows = [];
  for (let i = 0; i < heads.length; i += 4) rows.push([heads[i + 1], heads[i + 3]]);
  assert.deepEqual(
    rows.map(([, event]) => event),
    Array.from({ length: 9 }, (_, i) => [CLOCK, FAULTS][i % 2]),
  );
  const times = rows.map(([time]) => Number(time));
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.equal(rows.length, profile.quality.samples + profile.event(FAULTS).quality.samples);
});

test('perfetto: a sequence for each event, with its timebase and its samples', () => {
  const proto = protobuf.loadSync(path.join(__dirname, '../fixtures/proto/perfetto.proto'));
  const type = proto.lookupType('Trace');
  const bytes = fs.readFileSync(written('p.pftrace').file);
  const { packet } = /** @type {any} */ (type.toObject(type.decode(bytes), { longs: Number }));
  const of = (/** @type {number} */ sequence) =>
    packet.filter((/** @type {any} */ one) => one.trustedPacketSequenceId === sequence);
  [CLOCK, FAULTS].forEach((event, i) => {
    const own = of(i + 1);
    assert.equal(own[0].sequenceFlags, 1, 'nothing is taken over from another sequence');
    assert.equal(own[0].tracePacketDefaults.perfSampleDefaults.timebase.name, event);
    const { timeNs } = twoEvents().event(event).raw.samples;
    const stacks = new Set();
    const times = own.flatMap((/** @type {any} */ { internedData, perfSample, timestamp }) => {
      for (const { iid } of internedData?.callstacks ?? []) stacks.add(iid);
      if (!perfSample) return [];
      assert.ok(!perfSample.callstackIid || stacks.has(perfSample.callstackIid), 'its own stacks');
      return [timestamp];
    });
    assert.deepEqual(times, Array.from(timeNs));
  });
  assert.equal(of(3).length, 0);
});

test('firefox: threads of each further event beside the real ones; it fits the format and reads back', () => {
  const profile = twoEvents();
  const { file } = written('q.json');
  const json = JSON.parse(fs.readFileSync(file, 'utf8'));
  checkFirefox(json);
  const own = json.threads.filter((/** @type {any} */ { pid }) => pid === FAULTS);
  const faults = profile.event(FAULTS).raw.samples;
  assert.deepEqual(
    own.map((/** @type {any} */ { name, samples }) => [name, samples.length]),
    ['node/4242', 'tokio/4243', 'tokio/4300']
      .map((name, thread) => [name, faults.thread.filter((one) => one === thread).length])
      .filter(([, count]) => Number(count) > 0),
  );
  const back = read(file);
  assert.deepEqual(weights(back), weights(profile));
  assert.deepEqual(weights(back.event(FAULTS)), weights(profile.event(FAULTS)));
  const alone = read(written('r.json', { event: 'faults' }).file);
  assert.deepEqual(weights(alone), weights(profile.event(FAULTS)));
  assert.equal(alone.meta.events, undefined, 'the file tells of no event that it does not have');
});

const noPerf = spawnSync('perf', ['--version']).status === 0 ? false : 'perf is not installed';

test('perf.data: perf script tells each sample’s event', { skip: noPerf }, () => {
  const profile = twoEvents();
  const { file } = written('perf.data');
  const args = ['script', '-i', file, '--no-inline', '-F', 'tid,time,event,period'];
  const { stdout, stderr, status } = spawnSync('perf', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const rows = stdout.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+([\d.]+):\s+(\d+)\s+(\S+):\s*$/.exec(line);
    return found ? [`${found[4]} ${found[1]} ${found[3]}`] : [];
  });
  const wanted = [CLOCK, FAULTS].flatMap((event) => {
    const { samples, threads } = profile.event(event).raw;
    return Array.from(
      samples.weight,
      (weight, i) => `${event} ${threads.tid[samples.thread[i]]} ${weight}`,
    );
  });
  assert.deepEqual(rows.sort(), wanted.sort(), stdout + stderr);
});

test('parquet: a column tells the event', () => {
  const { file, notes } = written('tables', { format: 'parquet' });
  assert.deepEqual(notes, [
    "the samples are of 2 events: WHERE event = 'cpu-clock:uk', or GROUP BY event",
  ]);
  assert.ok(fs.readFileSync(path.join(file, 'samples.parquet')).includes(FAULTS));
});

test('a filter keeps every event, and an event that nothing is left of is said where it is asked for', () => {
  const part = read(written('s.json', { time: '0,0.0045' }).file);
  assert.deepEqual([part.quality.samples, part.event(FAULTS).quality.samples], [2, 2]);
  assert.deepEqual(
    part.meta.events?.map(({ samples }) => samples),
    [2, 2],
  );
  // The second one is the first page fault: no clock sample is in that millisecond.
  const only = { time: '0.0015,0.0025' };
  const back = read(written('t.json', only).file);
  assert.deepEqual([back.quality.samples, back.event(FAULTS).quality.samples], [0, 1]);
  assert.throws(() => written('t.folded', only), {
    code: 'ERR_PROF_BAD_FILE',
    message: /no samples of cpu-clock:uk to write as 'folded': take --event faults, with 1$/,
  });
  assert.equal(fs.existsSync(path.join(FOLDER, 't.folded')), false);
  written('t.folded', { ...only, event: 'faults' });
  assert.throws(() => written('t.json', { time: '1,2' }), { message: /no sample is left of 5/ });
});

test('a rebuild has every event', () => {
  const profile = twoEvents();
  const [first, second] = [1, 2].map((build) => profile.rebuild(build));
  const count = (/** @type {Profile} */ one) => [
    one.quality.samples,
    one.event(FAULTS).quality.samples,
  ];
  assert.deepEqual(
    [count(first), count(second)],
    [
      [2, 2],
      [3, 2],
    ],
  );
  const both = [first, second].flatMap((one) => weights(one.event(FAULTS)));
  const pairs = both.map(
    (line) => /** @type {[string, number]} */ (/^(.*) (\d+)$/.exec(line)?.slice(1)),
  );
  assert.deepEqual(
    added(pairs.map(([stack, weight]) => [stack, Number(weight)])),
    weights(profile.event(FAULTS)),
    'its stacks are its own',
  );
  assert.deepEqual(
    second.event(FAULTS).quality.warnings.map(({ code }) => code),
    ['part'],
  );
});

test('several recordings as one are of the first event, and say so', () => {
  const merged = mergeProfiles([twoEvents(), twoEvents()]);
  assert.equal(merged.quality.samples, 10);
  assert.equal(merged.meta.events, undefined);
  const said = merged.quality.warnings.map(({ message }) => message);
  assert.deepEqual(said, [
    'several recordings as one: of cpu-clock:uk alone, without page-faults:uk',
  ]);
});

test('the profile of some runs has every event, and each run too', () => {
  const stretches = [0, 5].map((ms) => ({
    startNs: START + ms * MS,
    endNs: START + (ms + 4.5) * MS,
  }));
  const counters = { counted: /** @type {const} */ ('apart'), values: {}, missing: {} };
  const build = new BuildProfile(twoEvents(), { stretches, counters, isCovered: false });
  assert.equal(build.event(FAULTS).quality.samples, 4);
  assert.deepEqual(
    build.runs.map((run) => run.event(FAULTS).quality.samples),
    [2, 2],
  );
});
