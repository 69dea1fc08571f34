'use strict';
// The control socket without a recording: what is read from it, which folders are trusted, who has a
// recording and when it ends.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { PassThrough } = require('node:stream');
const { test } = require('node:test');
const { readLines } = require('../../lib/attach/lines.js');
const { allSockets, makeFolder, socketIn, sockets } = require('../../lib/attach/place.js');
const { DISPOSE } = require('../../lib/dispose.js');
const { Remote } = require('../../lib/attach/remote.js');
const { buildProfile, cli } = require('./cli-support.js');

/** @param {string[]} chunks */
async function linesOf(chunks) {
  const socket = new PassThrough();
  /** @type {unknown[]} */
  const seen = [];
  readLines(/** @type {any} */ (socket), {
    onMessage: (message) => seen.push(message),
    onBad: (problem) => seen.push(problem),
  });
  for (const chunk of chunks) socket.write(chunk);
  await new Promise((resolve) => setImmediate(resolve));
  return seen;
}

test('lines may come in any pieces', async () => {
  const seen = await linesOf(['{"a":', '1}\n{"b"', ':"ä"}\n', '{"c":3}']);
  assert.deepEqual(seen, [{ a: 1 }, { b: 'ä' }]);
});

test('what is no line of ours is refused', async () => {
  assert.deepEqual(await linesOf(['GET / HTTP/1.1\n']), ['a line that is no JSON']);
  assert.deepEqual(await linesOf(['null\n']), ['a line that is no object']);
  assert.deepEqual(await linesOf(['x'.repeat(70_000)]), ['a line of more than 64 KB']);
});

test('a folder that others could have made or can change is not trusted', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'attach-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const folder = path.join(root, 'ours');
  assert.equal(makeFolder([folder]), folder);
  assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  fs.writeFileSync(socketIn(folder, 12), '');
  fs.writeFileSync(path.join(folder, 'other'), '');
  assert.deepEqual(sockets([folder]), [{ pid: 12, file: socketIn(folder, 12) }]);

  fs.chmodSync(folder, 0o750);
  assert.throws(() => makeFolder([folder]), { code: 'ERR_PROF_PERMISSION', message: /is open to/ });
  assert.deepEqual(sockets([folder]), []);
  fs.chmodSync(folder, 0o700);
  const link = path.join(root, 'link');
  fs.symlinkSync(folder, link);
  assert.throws(() => makeFolder([link]), { code: 'ERR_PROF_PERMISSION', message: /is no folder/ });
  assert.deepEqual(sockets([link, path.join(root, 'none')]), []);
});

test('a process of the same number in another pid namespace has a socket of its own', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'attach-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const [ours, theirs] = [socketIn(folder, 12), socketIn(folder, 12, 7)];
  assert.notEqual(ours, theirs);
  for (const file of [ours, theirs]) fs.writeFileSync(file, '');
  assert.deepEqual(sockets([folder]), [{ pid: 12, file: ours }]);
  const files = allSockets([folder]).map(({ file }) => file);
  assert.deepEqual(files.sort(), [ours, theirs].sort());
});

test('the best folder is one that the system made for this user', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'attach-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const missing = path.join(root, 'not', 'there');
  const last = path.join(root, 'last');
  assert.equal(makeFolder([missing, last]), last);
});

/** A profiler whose session tells what happens to it. */
function fakeProfiler() {
  /** @type {string[]} */
  const calls = [];
  const session = {
    handOver: async () => {
      calls.push('stop');
      return buildProfile();
    },
    [DISPOSE]: () => calls.push('discard'),
  };
  const start = (/** @type {any} */ options) => {
    calls.push(`start ${options.frequency}`);
    return session;
  };
  const status = () => ({ running: calls.length === 1, startedAt: new Date(0) });
  return { calls, profiler: /** @type {any} */ ({ start, status }) };
}

/** @param {number} pid */
const clientOf = (pid) => ({ socket: /** @type {any} */ ({}), peer: { pid, uid: 0 } });

test('a recording is its client’s: started, handed over, dropped when it hangs up', async (t) => {
  const output = fs.mkdtempSync(path.join(os.tmpdir(), 'attach-'));
  t.after(() => fs.rmSync(output, { recursive: true, force: true }));
  const { calls, profiler } = fakeProfiler();
  let woken = 0;
  const remote = new Remote(profiler, () => woken++);
  const [one, two] = [clientOf(1), clientOf(2)];
  await assert.rejects(remote.answer({ do: 'stop' }, one), { code: 'ERR_PROF_NOT_RUNNING' });
  for (const bad of [undefined, 'relative', path.join(output, 'none')]) {
    const request = { do: 'start', options: { output: bad } };
    await assert.rejects(remote.answer(request, one), { code: 'ERR_PROF_BAD_OPTION' });
  }
  await assert.rejects(remote.answer({ do: 'eval' }, one), { code: 'ERR_PROF_BAD_OPTION' });
  const request = { do: 'start', options: { output, frequency: 99 } };
  await remote.answer(request, one);
  assert.deepEqual([calls, woken], [['start 99'], 1]);
  assert.equal(/** @type {any} */ (await remote.answer({ do: 'status' }, two)).recording.by, 1);
  await assert.rejects(remote.answer(request, two), { message: /^process 1 records it/ });
  await assert.rejects(remote.answer({ do: 'stop' }, two), { code: 'ERR_PROF_NOT_RUNNING' });
  remote.hungUp(two.socket);
  const { folder } = /** @type {any} */ (await remote.answer({ do: 'stop' }, one));
  assert.deepEqual(fs.readdirSync(folder), ['profile.json.gz']);
  assert.equal(fs.statSync(path.join(folder, 'profile.json.gz')).mode & 0o077, 0);

  fs.rmSync(folder, { recursive: true });
  await remote.answer(request, two);
  remote.hungUp(two.socket);
  assert.deepEqual(calls, ['start 99', 'stop', 'start 99', 'discard']);
  assert.ok(!fs.existsSync(output), 'the folder of a client that is gone');
});

test('record: flags of one process and of all that do not go together', async () => {
  const refused = [
    [['-a', '-p', '5'], /-p and -a exclude/],
    [['-a', '--budget', '2'], /--budget is of the build's own process/],
    [['-a', '--off-cpu'], /--off-cpu is of/],
    [['-a', '--allocations'], /--allocations is of the build's own process/],
    [['-a', '--allocation-bytes', '4096'], /--allocations is of the build's own process/],
    [['-a', '--all-processes'], /--all-processes keeps each node process of a command/],
    [['-p', '5', '--all-processes'], /--all-processes keeps each node process of a command/],
    [['--allocation-cap', '101', '--', 'true'], /--allocation-cap takes a number from 0 to 100/],
    [['-a', '--call-graph', 'full'], /dwarf or none/],
    [['--duration', '1', '--', 'true'], /--duration goes with -p and -a/],
    [['-p', '1,2'], /-p takes one process/],
    [['-p', '1', '--', 'true'], /leave the command out/],
  ];
  for (const [args, message] of /** @type {[string[], RegExp][]} */ (refused)) {
    const { exitCode, stderr } = await cli(['record', ...args]);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^rspack-prof: [^\n]+\n$/);
  }
});
