'use strict';
// Safe in somebody else's process. test/live/stress drives the core on threads that switch, overflow
// and misuse stacks, unload code, block and nest signals, and use every kind of blocking system call;
// none may fail, crash or see EINTR. PROF_LONG=1: a minute, a thousand recordings, ASan too.

const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { whyNoEvents } = require('./support.js');

const LIVE = path.join(__dirname, '..', 'live');
const isLong = Boolean(process.env.PROF_LONG);
const skip = whyNoEvents();

/**
 * @param {{ seconds: number, hz: number, threads: number, recordings: number, sanitizer?: string, jobs?: string[] }} options
 */
function stress({ seconds, hz, threads, recordings, sanitizer, jobs = [] }) {
  const made = spawnSync('make', ['-j2', '-C', LIVE, `SANITIZE=${sanitizer ?? ''}`], {
    encoding: 'utf8',
  });
  assert.strictEqual(made.status, 0, made.stderr);
  const folder = path.join(LIVE, sanitizer ? `build-${sanitizer}` : 'build');
  const args = [seconds, hz, threads, recordings, ...jobs].map(String);
  // The sanitizers' own signal stacks would be unmapped under a handler that runs on one.
  const env = {
    ...process.env,
    ASAN_OPTIONS: 'use_sigaltstack=0:detect_stack_use_after_return=0:detect_leaks=0',
  };
  const run = spawnSync('./stress', args, { cwd: folder, encoding: 'utf8', env });
  assert.strictEqual(run.status, 0, `${run.signal ?? ''}\n${run.stderr}`);
  return JSON.parse(run.stdout);
}

test('64 threads of everything: no crash, no error, foreign traps arrive', { skip }, (t) => {
  const seconds = isLong ? 60 : 5;
  const end = stress({ seconds, hz: 20000, threads: 64, recordings: 1 });
  t.diagnostic(JSON.stringify(end));
  assert.strictEqual(end.errors, 0);
  assert.ok(end.samples > 1000);
  assert.ok(end.trapsWanted > 0);
  assert.strictEqual(end.traps, end.trapsWanted);
  for (const [job, rounds] of Object.entries(end.rounds)) assert.ok(rounds > 0, job);
});

test('recordings one after the other leave nothing behind', { skip }, (t) => {
  const recordings = isLong ? 1000 : 100;
  const jobs = ['deep', 'blocked', 'sleeps', 'unloaded'];
  const end = stress({ seconds: recordings / 25, hz: 4000, threads: 8, recordings, jobs });
  t.diagnostic(`KB ${end.residentKb}, descriptors ${end.descriptors}, threads ${end.threads}`);
  assert.strictEqual(end.recordings, recordings);
  assert.strictEqual(end.errors, 0);
  assert.ok(end.residentKb[1] - end.residentKb[0] < 4096, `KB: ${end.residentKb}`);
  assert.ok(Math.abs(end.descriptors[1] - end.descriptors[0]) <= 1);
  assert.strictEqual(end.threads[1], end.threads[0]);
});

// ThreadSanitizer hands our signal over inside its own run time, where it holds locks and new threads
// are not known yet: such runs show races (`make SANITIZE=thread`) but often hang or crash in it.
const whyNoAsan = skip || (isLong ? false : 'PROF_LONG=1 runs the sanitizer');
test('the same under -fsanitize=address', { skip: whyNoAsan }, (t) => {
  const end = stress({
    seconds: 10,
    hz: 4000,
    threads: 64,
    recordings: 1,
    sanitizer: 'address',
  });
  t.diagnostic(JSON.stringify(end));
  assert.strictEqual(end.errors, 0);
});

test("node's files, sockets, timers and children at 20,000 Hz", { skip }, async (t) => {
  const end = Date.now() + (isLong ? 60_000 : 5000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-safe-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const session = prof.start({ frequency: 20000, quiet: true });
  const counts = { files: 0, sockets: 0, timers: 0, children: 0 };
  const files = async () => {
    const file = path.join(folder, 'f');
    for (; Date.now() < end; counts.files += 1) {
      const text = `${'x'.repeat(100_000)}${counts.files}`;
      await fs.promises.writeFile(file, text);
      assert.strictEqual(await fs.promises.readFile(file, 'utf8'), text);
      fs.writeFileSync(`${file}2`, text);
      assert.strictEqual(fs.readFileSync(`${file}2`, 'utf8'), text);
    }
  };
  const sockets = async () => {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    for (; Date.now() < end; counts.sockets += 1) {
      const socket = net.connect(port, '127.0.0.1');
      socket.end('x'.repeat(50_000));
      let got = 0;
      for await (const data of socket) got += data.length;
      assert.strictEqual(got, 50_000);
    }
    server.close();
  };
  const timers = async () => {
    for (; Date.now() < end; counts.timers += 1) await new Promise((r) => setTimeout(r, 1));
  };
  const children = async () => {
    for (; Date.now() < end; counts.children += 1) {
      const child = spawn('/bin/echo', ['hello']);
      let said = '';
      child.stdout.on('data', (data) => (said += data));
      const code = await new Promise((resolve, reject) => {
        child.on('error', reject).on('close', resolve);
      });
      assert.deepStrictEqual({ code, said }, { code: 0, said: 'hello\n' });
      assert.strictEqual(spawnSync('/bin/true').status, 0);
    }
  };
  await Promise.all([files(), sockets(), timers(), children()]);
  const { quality } = await session.stop();
  t.diagnostic(`${JSON.stringify(counts)} ${quality.samples} samples, ${quality.broken} broken`);
  assert.ok(Object.values(counts).every((count) => count > 0));
});

test('sessions that start as soon as the last one has stopped', { skip }, async () => {
  const open = () => fs.readdirSync('/proc/self/fd').length;
  let before = 0;
  for (let i = 0; i < (isLong ? 1000 : 30); i += 1) {
    const session = prof.start({ frequency: 1000, quiet: true });
    await session.stop();
    if (i === 4) before = open();
  }
  // The last one's events are closed by its own thread, after stop() has answered.
  for (let tries = 0; open() > before && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.ok(open() <= before, `${open()} descriptors, ${before} before`);
});
