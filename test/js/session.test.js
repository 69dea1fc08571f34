'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { Profile } = require('../../lib/profile/profile.js');
const { createProfiler } = require('../../lib/create-profiler.js');
const { fakeNative } = require('./helpers/raw-profile.js');

/** @param {Parameters<typeof fakeNative>[0]} [addon] */
function world(addon, mainThread = true) {
  const fake = fakeNative(addon);
  const clock = { ns: 5e12 };
  /** Where start() is called from; '' is nowhere to be told. */
  const place = { file: '' };
  /** @type {{finish: () => void, removed: boolean}[]} */
  const hooked = [];
  /** @type {string[]} */
  const said = [];
  /** @type {[Profile, {output: string, quiet: boolean}][]} */
  const written = [];
  const profiler = createProfiler({
    native: () => fake.native,
    now: () => clock.ns,
    hooks: (finish) => {
      const hook = { finish, removed: false };
      hooked.push(hook);
      return () => {
        hook.removed = true;
      };
    },
    exitOutput: (profile, options) => void written.push([profile, options]),
    say: (line) => void said.push(line),
    site: () => place.file,
    mainThread,
  });
  return { ...fake, ...profiler, clock, hooked, place, said, written };
}

test('start, dump, stop: recording goes on after a dump and ends at a stop', async () => {
  const { start, status, calls, started, hooked } = world();
  const session = start({ frequency: 4000 });
  assert.equal(started[0].frequency, 4000);
  assert.equal(session.running, true);
  assert.equal(status().running, true);
  assert.ok(status().startedAt instanceof Date);
  assert.ok((await session.dump()) instanceof Profile);
  assert.equal(session.running, true);
  const profile = await session.stop();
  assert.equal(profile.quality.samples, 9);
  assert.equal(profile.meta.node, process.version);
  assert.equal(session.running, false);
  assert.equal(status().running, false);
  assert.equal(hooked[0].removed, true);
  assert.deepEqual(calls, ['start', 'dump', 'stop']);
});

test('a second start is refused while one runs, also while it stops, and possible afterwards', async () => {
  const { start } = world();
  const session = start();
  const busy = { code: 'ERR_PROF_BUSY', message: /stop\(\) it first/ };
  assert.throws(() => start(), busy);
  const stopping = session.stop();
  assert.throws(() => start(), busy);
  await stopping;
  start().stopSync();
});

test('a wrong option is told before the addon is asked for', () => {
  const { start, calls } = world();
  assert.throws(() => start(/** @type {any} */ ({ event: 1 })), { code: 'ERR_PROF_BAD_OPTION' });
  assert.deepEqual(calls, []);
});

test('a worker thread cannot start: its end would lose the profile without a word', () => {
  const { start, calls, status } = world({}, false);
  assert.throws(() => start(), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /^start\(\) in a worker thread: call it in the main thread/,
  });
  assert.deepEqual(calls, []);
  assert.equal(status().running, false);
});

test('a failed start leaves nothing behind', () => {
  let fails = true;
  const { start, hooked } = world({
    start: () => {
      if (!fails) return {};
      throw Object.assign(new Error('allow it'), { code: 'ERR_PROF_PERMISSION', errno: 13 });
    },
  });
  assert.throws(() => start(), { code: 'ERR_PROF_PERMISSION', errno: 13, name: 'ProfError' });
  assert.equal(hooked.length, 0);
  fails = false;
  assert.equal(start().running, true);
});

test('stop twice, dump after stop: ERR_PROF_NOT_RUNNING', async () => {
  const { start } = world();
  const session = start();
  const first = session.stop();
  const gone = { code: 'ERR_PROF_NOT_RUNNING' };
  await assert.rejects(session.stop(), gone);
  await first;
  await assert.rejects(session.stop(), gone);
  await assert.rejects(session.dump(), gone);
  assert.throws(() => session.stopSync(), gone);
});

test('a stop that fails gives the addon’s error and frees the place', async () => {
  const { start } = world({
    stop: async () => {
      throw Object.assign(new Error('no memory'), { code: 'ERR_PROF_NO_MEMORY' });
    },
  });
  await assert.rejects(start().stop(), { code: 'ERR_PROF_NO_MEMORY', name: 'ProfError' });
  assert.equal(start().running, true);
});

test('marks and spans share the samples’ clock and come with the profile', async () => {
  const { start, clock } = world();
  const session = start();
  const data = { modules: 3 };
  const span = session.span('make', data);
  data.modules = 4;
  clock.ns += 2_500_000;
  session.mark('half');
  const dumped = await session.dump();
  clock.ns += 1_000_000;
  span.end();
  clock.ns += 1_000_000;
  span.end();
  const { markers, phaseColumn } = await session.stop();
  assert.deepEqual(markers, [
    { type: 'span', name: 'make', startNs: 5e12, endNs: 5e12 + 3_500_000, data: { modules: 3 } },
    { type: 'mark', name: 'half', startNs: 5e12 + 2.5e6, endNs: 5e12 + 2.5e6, data: undefined },
  ]);
  assert.equal(dumped.markers[0].endNs, null);
  assert.deepEqual([...phaseColumn.phaseOfSample.slice(0, 5)], [1, 1, 1, 0, 0]);
});

test('a mark or span after the end is forgotten, a wrong one refused', () => {
  const { start } = world();
  const session = start();
  const wrong = { code: 'ERR_PROF_BAD_OPTION' };
  assert.throws(() => session.mark(''), wrong);
  assert.throws(() => session.span(/** @type {any} */ (7)), wrong);
  assert.throws(() => session.mark('x', 10n), wrong);
  const { markers } = session.stopSync();
  session.mark('late');
  session.span('late').end();
  assert.deepEqual(markers, []);
});

test('disposing discards, unless the session was stopped', async () => {
  const { start, calls, hooked } = world();
  const [dispose, asyncDispose] = [Symbol.dispose, Symbol.asyncDispose];
  start()[dispose]();
  assert.deepEqual(calls, ['start', 'discard']);
  assert.equal(hooked[0].removed, true);
  await start()[asyncDispose]();
  assert.deepEqual(calls.slice(2), ['start', 'discard']);
  const session = start();
  await session.stop();
  session[dispose]();
  assert.deepEqual(calls.slice(4), ['start', 'stop']);
  const span = start().span('phase');
  span[dispose]();
});

test('at exit an unstopped session is stopped and handed on with its options', () => {
  const { start, hooked, written, calls } = world();
  start({ output: 'there', quiet: true });
  hooked[0].finish();
  assert.deepEqual(calls, ['start', 'stopSync']);
  assert.equal(written.length, 1);
  assert.equal(written[0][1].output, path.resolve('there'));
  assert.equal(written[0][1].quiet, true);
});

test('a failure at exit is one line and never thrown', () => {
  const { start, hooked, said } = world({
    stopSync: () => {
      throw new Error('rings are gone');
    },
  });
  start();
  hooked[0].finish();
  assert.deepEqual(said, ['rspack-prof: no profile: rings are gone\n']);
});

test('a config that is loaded twice gets the session that it started', () => {
  const { start, place, calls } = world();
  place.file = '/app/rspack.config.js:1';
  const session = start({ frequency: 4000 });
  assert.equal(start({ frequency: 4000 }), session);
  const busy = { code: 'ERR_PROF_BUSY' };
  assert.throws(() => start({ frequency: 2000 }), busy, 'other options');
  place.file = '/app/rspack.config.js:9';
  assert.throws(() => start({ frequency: 4000 }), busy, 'another place');
  place.file = '/app/rspack.config.js:1';
  session.stopSync();
  assert.notEqual(start({ frequency: 4000 }), session, 'stopped in between');
  assert.deepEqual(calls, ['start', 'stopSync', 'start']);
});

test('an end while stop() is pending: not a file, and not in silence', async () => {
  const { start, hooked, said, written } = world();
  const stopping = start().stop();
  hooked[0].finish();
  assert.deepEqual(written, []);
  assert.match(said.join(), /ended before stop\(\) was done: use stopSync\(\)/);
  await stopping;
});

test('recorded from outside: start() gives a part in the recording, which goes on', async () => {
  const { start, status, calls, hooked, written } = world();
  const recording = start({ quiet: true }, { shared: true });
  const session = start({ frequency: 4000 });
  assert.notEqual(session, recording);
  session.mark('seen');
  const span = session.span('make');
  span.end();
  const profile = await session.stop();
  assert.ok(profile instanceof Profile);
  assert.deepEqual(
    profile.markers.map(({ name }) => name),
    ['seen', 'make'],
  );
  assert.equal(session.running, false);
  assert.equal(status().running, true);
  const gone = { code: 'ERR_PROF_NOT_RUNNING' };
  await assert.rejects(session.stop(), gone);
  await assert.rejects(session.dump(), gone);
  assert.throws(() => session.stopSync(), gone);
  session.mark('too late');

  const second = start();
  assert.throws(() => start(), { code: 'ERR_PROF_BUSY' });
  assert.ok((await second.dump()) instanceof Profile);
  second[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
  assert.equal(second.running, false);
  assert.equal(recording.running, true);

  hooked[0].finish();
  assert.deepEqual(calls, ['start', 'dump', 'dump', 'stopSync']);
  assert.equal(written.length, 1);
  assert.deepEqual(
    written[0][0].markers.map(({ name }) => name),
    ['seen', 'make'],
  );
  assert.equal(written[0][1].quiet, true);
});

test('recorded from outside: stopSync() is a dump, and the recording goes on', () => {
  const { start, status, calls, hooked, written } = world();
  start({}, { shared: true });
  assert.ok(start().stopSync() instanceof Profile);
  assert.equal(calls.at(-1), 'dumpSync');
  assert.deepEqual(written, []);
  assert.equal(hooked[0].removed, false);
  assert.equal(status().running, true);
});

test('recorded from outside: a wrong option is still an error, a second recorder too', () => {
  const { start } = world();
  start({}, { shared: true });
  assert.throws(() => start(/** @type {any} */ ({ frequncy: 1 })), { code: 'ERR_PROF_BAD_OPTION' });
  assert.throws(() => start({}, { shared: true }), { code: 'ERR_PROF_BUSY' });
});

test('two copies of the package in one process are one profiler', () => {
  const file = require.resolve('../../lib/profiler.js');
  const first = require(file);
  delete require.cache[file];
  assert.equal(require(file), first);
});

test('stopSync() in an exit handler that runs after ours gives the profile that was written', () => {
  const { start, hooked, written } = world();
  const session = start();
  hooked[0].finish();
  assert.equal(session.stopSync(), written[0][0]);
  assert.throws(() => session.stopSync(), { code: 'ERR_PROF_NOT_RUNNING' });

  const outside = world();
  outside.start({}, { shared: true });
  const part = outside.start();
  outside.hooked[0].finish();
  assert.equal(part.running, false);
  assert.equal(part.stopSync(), outside.written[0][0]);
  assert.equal(outside.written.length, 1);
});
