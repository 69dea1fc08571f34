'use strict';
// Several events in one profile: split by event, scaled where counters were shared, written and read
// back, chosen by name; and the options that ask for them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { checkStartOptions } = require('../../lib/options.js');
const { read } = require('../../lib/export/index.js');
const { Profile } = require('../../lib/profile/profile.js');
const { splitEvents } = require('../../lib/profile/events.js');
const { renderHotspots } = require('../../lib/table.js');
const { cli, fakeNative } = require('./cli-support.js');
const { buildRaw, smallBuild, CONTEXT } = require('./helpers/raw-profile.js');

/** @param {number} [scaledBy] of the second event */
function rawOfTwo(scaledBy = 1) {
  const raw = buildRaw(smallBuild().samples, smallBuild());
  const clock = {
    event: raw.meta.event,
    requestedEvent: raw.meta.requestedEvent,
    unit: raw.meta.unit,
  };
  return {
    ...raw,
    meta: {
      ...raw.meta,
      events: [
        { ...clock, scaledBy: 1 },
        { event: 'page-faults:uk', requestedEvent: 'faults', unit: 'events', scaledBy },
      ],
    },
    // Every third one is a page fault.
    samples: {
      ...raw.samples,
      event: Uint8Array.from(raw.samples.node, (_, i) => Number(i % 3 === 2)),
    },
  };
}

/** @param {ReturnType<typeof rawOfTwo>} whole */
function profileOf(whole) {
  const { raw, others } = splitEvents(whole);
  return new Profile(raw, { context: CONTEXT, others });
}

test('each event has its own samples, weights and quality', () => {
  const whole = rawOfTwo();
  const { length } = whole.samples.node;
  const profile = profileOf(whole);
  const faults = profile.event('page-faults:uk');
  assert.equal(faults.quality.samples, Math.floor(length / 3));
  assert.equal(profile.quality.samples + faults.quality.samples, length);
  assert.deepEqual(
    [profile.quality, faults.quality].map(({ warnings }) => warnings.map(({ code }) => code)),
    [[], []],
    'the counters agree with the samples',
  );
  const weight = (/** @type {Profile} */ one) =>
    one.hotspots().reduce((sum, row) => sum + row.self, 0);
  const sum = whole.samples.weight.reduce((all, one) => all + one, 0);
  assert.equal(weight(profile) + weight(faults), sum);
  assert.equal(faults.meta.unit, 'events');
  assert.equal(faults.meta.event, 'page-faults:uk');
});

test('an event is found as it was asked for, as it was opened, and without modifiers', () => {
  const profile = profileOf(rawOfTwo());
  for (const name of ['faults', 'page-faults:uk', 'page-faults', 'page-faults:u']) {
    assert.equal(profile.event(name), profile.event('faults'), name);
  }
  assert.equal(profile.event(profile.meta.event), profile);
  assert.deepEqual(profile.hotspots({ event: 'faults' }), profile.event('faults').hotspots());
  assert.throws(() => profile.event('fault'), {
    code: 'ERR_PROF_BAD_EVENT',
    message: /no event 'fault' in this profile, did you mean 'faults'\? It has .*, faults$/,
  });
});

test('side by side: each row has what every event weighs in it', () => {
  const profile = profileOf(rawOfTwo());
  const [clock, faults] = [profile.meta.event, 'page-faults:uk'];
  const rows = profile.hotspots();
  for (const event of [clock, faults]) {
    const own = new Map(profile.hotspots({ event }).map((row) => [row.key, row]));
    for (const { key, weights } of rows) {
      const { self = 0, total = 0, samples = 0 } = own.get(key) ?? {};
      const of = weights?.[event];
      assert.deepEqual([of?.self, of?.total, of?.samples], [self, total, samples], key);
      own.delete(key);
    }
    assert.equal(own.size, 0, 'and no row of it is missing');
  }
  assert.ok(rows.every((row) => row.self === row.weights?.[clock].self));
  // What only the other event has stands at the end, and is no less a row.
  const least = profile.hotspots({ percentLimit: 10 });
  const big = rows.filter(({ weights }) =>
    Object.values(weights ?? {}).some(({ selfShare }) => selfShare >= 0.1),
  );
  assert.deepEqual(least, big);
  assert.deepEqual(profile.hotspots({ limit: 2 }), rows.slice(0, 2));
  assert.ok(profile.event(faults).hotspots()[0].weights === undefined);
  assert.deepEqual(
    profile.report().meta.events?.map(({ event }) => event),
    [clock, faults],
  );
});

test('side by side: a column for each event, as far as the width allows', () => {
  const profile = profileOf(rawOfTwo());
  const head = (/** @type {number} */ width, by = 'symbol') =>
    renderHotspots(profile, { width, by, percentLimit: 0 })
      .split('\n')
      .find((line) => line.startsWith('SELF%'));
  assert.match(head(80) ?? '', /^SELF% +TOTAL% +PAGE-FAULTS% +SAMPLES +KIND/);
  assert.match(head(200, 'thread') ?? '', /^SELF% +TOTAL% +PAGE-FAULTS% +SAMPLES +THREAD/);
  assert.match(head(40) ?? '', /^SELF% +TOTAL% +SAMPLES/);
  const lines = renderHotspots(profile, { width: 80, percentLimit: 0 }).split('\n');
  assert.ok(lines.every((line) => line.length <= 80));
});

test('weights of an event that shared its counter are scaled, and that is said', () => {
  const whole = rawOfTwo(2.5);
  const { raw, others, warnings } = splitEvents(whole);
  const of = (/** @type {number} */ event) =>
    Array.from(whole.samples.weight.filter((_, i) => whole.samples.event[i] === event));
  assert.deepEqual(
    Array.from(others[0].samples.weight),
    of(1).map((weight) => Math.round(weight * 2.5)),
  );
  assert.deepEqual(Array.from(raw.samples.weight), of(0));
  assert.deepEqual(
    warnings.map(({ code, message }) => [
      code,
      /'page-faults:uk' .* 40 % of the time/.test(message),
    ]),
    [['multiplexed', true]],
  );
});

test('a single event is left as it came, but scaled where it must be', () => {
  const whole = rawOfTwo();
  const events = whole.meta.events.slice(0, 1);
  const single = { ...whole, meta: { ...whole.meta, events } };
  single.samples = { ...whole.samples, event: whole.samples.event.map(() => 0) };
  const { raw, others } = splitEvents(single);
  assert.equal(raw.samples.weight, single.samples.weight);
  assert.equal('event' in raw.samples, false);
  assert.equal(others.length, 0);
  events[0] = { ...events[0], scaledBy: 2 };
  const scaled = splitEvents(single);
  assert.equal(scaled.raw.samples.weight[0], single.samples.weight[0] * 2);
  assert.equal(new Profile(scaled.raw, { context: CONTEXT }).quality.warnings.length, 0);
});

test('all events are in the file, and come back as they were', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-events-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'profile.json.gz');
  const profile = profileOf(rawOfTwo(1.5));
  profile.write(file);
  const back = read(file);
  assert.deepEqual(back.meta.events, profile.meta.events);
  assert.deepEqual(back.hotspots(), profile.hotspots());
  assert.deepEqual(back.event('faults').hotspots(), profile.event('faults').hotspots());
  assert.deepEqual(back.event('faults').folded(), profile.event('faults').folded());
});

test('a file whose other events are broken is refused in one line', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-events-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'profile.json');
  profileOf(rawOfTwo()).write(file, { format: 'firefox' });
  const good = JSON.parse(fs.readFileSync(file, 'utf8'));
  /** @param {(event: any) => void} change @param {RegExp} message */
  const refuses = (change, message) => {
    const json = structuredClone(good);
    change(json.meta.rspackProf.events[0]);
    fs.writeFileSync(file, JSON.stringify(json));
    assert.throws(() => read(file).event('faults'), { code: 'ERR_PROF_BAD_FILE', message });
  };
  refuses((event) => event.samples.node.pop(), /events\[0\]\.samples\.node/);
  refuses((event) => (event.samples.node[0] = 1e6), /samples\.node\[0\] is 1000000/);
  refuses((event) => delete event.about.event, /events\[0\]\.about\.event/);
  refuses((event) => (event.samples.weight[0] = 'x'), /samples\.weight/);
});

test('report and export take the event; a table names the others', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-events-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  profileOf(rawOfTwo()).write(path.join(folder, 'p.json.gz'));
  const run = (/** @type {string[]} */ ...argv) => cli(argv, { cwd: folder });
  const usual = await run('report', 'p.json.gz');
  assert.match(usual.stdout, /also\s+recorded:\s+--event\s+faults/);
  const faults = await run('report', 'p.json.gz', '--event', 'faults');
  assert.match(faults.stdout, /samples of page-faults:uk/);
  const folded = await run('export', 'p.json.gz', '-e', 'faults', '--to', 'folded');
  const count = folded.stdout
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  assert.equal(count, profileOf(rawOfTwo()).event('faults').quality.samples);
  const wrong = await run('report', 'p.json.gz', '-e', 'cycle');
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.stderr, /^rspack-prof: there is no event 'cycle' in this profile[^\n]+\n$/);
});

test('options: lists of events, a period instead of a frequency, the highest rate, CPUs', () => {
  const native = (/** @type {any} */ options) => checkStartOptions(options).native;
  assert.equal(native({ event: ['cycles', '{a,b}'] }).event, 'cycles,{a,b}');
  assert.equal(native({ period: 5000 }).period, 5000);
  assert.equal(native({ cpus: '0-1' }).cpus, '0-1');
  const rate = Number(native({ frequency: 'max' }).frequency);
  assert.ok(rate >= 1 && rate <= 100_000);
  /** @param {any} options @param {RegExp} message */
  const refuses = (options, message) =>
    assert.throws(() => checkStartOptions(options), { message });
  refuses({ event: [] }, /'event' must be an event's name/);
  refuses({ event: ['a', 5] }, /'event' must be an event's name/);
  refuses({ period: 0 }, /'period' must be a whole number from 1/);
  refuses({ period: 5, frequency: 9 }, /'frequency' and 'period'/);
  assert.equal(native({ event: 'a,b', budget: 2 }).budget, 2);
  assert.equal(native({ period: 5, raw: 'f', callGraph: 'dwarf' }).raw, 'f');
  refuses({ event: 'cpu-clock,b', wall: true }, /'wall' and several events .*: waits/);
  refuses({ period: 5, offCpu: true }, /'offCpu' and 'period'/);
  refuses({ event: 'a,b', raw: 'f', callGraph: 'dwarf' }, /'raw' and several events/);
  refuses({ period: 5, budget: 2 }, /'budget' and 'period'/);
  assert.ok(native({ event: 'cpu/event=1,umask=2/', budget: 2 }).budget, 'terms are no list');
});

test('record asks about all events, the period and the CPUs before the command runs', async () => {
  /** @type {unknown[]} */
  const asked = [];
  const probe = (/** @type {unknown[]} */ ...args) => {
    asked.push(args);
    return { ok: false, code: 'ERR_PROF_BAD_OPTION', message: 'not these' };
  };
  const argv = ['record', '-e', 'a,b', '-c', '1000', '-C', '0-1', '--', 'never-run'];
  const { exitCode, stderr } = await cli(argv, { loadNative: () => fakeNative({ probe }) });
  assert.deepEqual(asked, [['a,b', 1000, '0-1']]);
  assert.deepEqual([exitCode, stderr], [2, 'rspack-prof: not these (ERR_PROF_BAD_OPTION)\n']);
});
