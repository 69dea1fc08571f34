'use strict';
// Safe in somebody else's process. test/live/stress drives the core on threads that switch, overflow
// and misuse stacks, unload code, block and nest signals, and use every kind of blocking system call;
// none may fail, crash or see EINTR. PROF_LONG=1: a minute, a thousand recordings, the sanitizers too.

const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { stress, stressUntil } = require('./stress.js');
const { whyNoEvents } = require('./support.js');

const isLong = Boolean(process.env.PROF_LONG);
const skip = whyNoEvents();

/** @param {string} script runs in a node of its own, and prints JSON */
function inNode(script, command = [process.execPath]) {
  const code = `const prof = require(${JSON.stringify(path.resolve(__dirname, '../../lib/index.js'))});
    const spent = () => process.cpuUsage().user / 1000;
    const spin = (ms) => { for (const end = spent() + ms; spent() < end; ); };
    ${script}`;
  const [file, ...args] = command;
  const run = spawnSync(file, [...args, '-e', code], { encoding: 'utf8' });
  assert.strictEqual(run.status, 0, run.stderr);
  return JSON.parse(run.stdout);
}

test('64 threads of everything: no crash, no error, foreign traps arrive', { skip }, (t) => {
  const options = { hz: 20000, threads: 64, recordings: 1 };
  const isWhole = (/** @type {any} */ { rounds }) =>
    Object.values(rounds).every((count) => count > 0);
  const end = stressUntil(isLong ? 60 : 4, options, isWhole);
  t.diagnostic(JSON.stringify(end));
  assert.strictEqual(end.errors, 0);
  assert.ok(end.samples > 1000);
  assert.ok(end.trapsWanted > 0);
  assert.strictEqual(end.traps, end.trapsWanted);
  for (const [job, rounds] of Object.entries(end.rounds)) assert.ok(rounds > 0, job);
});

test('threads and their allocations', { skip }, (t) => {
  const jobs = ['pieces', 'rust', 'deep', 'contexts', 'blocked', 'nested', 'unloaded', 'churn'];
  // More threads than that in dlopen, and recordings wait for its lock longer than they last.
  const how = { hz: 4000, threads: 16, recordings: 5, jobs };
  const isEnough = (/** @type {any} */ one) => one.allocations > 100;
  const end = stressUntil(isLong ? 60 : 2, { ...how, allocations: 4096 }, isEnough);
  t.diagnostic(JSON.stringify(end));
  assert.ok(isEnough(end));
  assert.ok(end.wholeAllocations > 0.9 * end.allocations);
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

// ThreadSanitizer: see test/live/sanitized.c for the samples that it cannot take.
for (const sanitizer of ['address', 'thread']) {
  const why = skip || (isLong ? false : 'PROF_LONG=1 runs the sanitizers');
  test(`64 threads of everything under -fsanitize=${sanitizer}`, { skip: why }, (t) => {
    const end = stress({ seconds: 10, hz: 8000, threads: 64, recordings: 1, sanitizer });
    t.diagnostic(JSON.stringify(end));
    assert.strictEqual(end.traps, end.trapsWanted);
    assert.ok(end.complete > 1000);
  });
  test(`recordings one after the other under -fsanitize=${sanitizer}`, { skip: why }, () => {
    const jobs = ['deep', 'blocked', 'sleeps', 'unloaded', 'churn'];
    const end = stress({ seconds: 8, hz: 4000, threads: 8, recordings: 30, sanitizer, jobs });
    assert.strictEqual(end.recordings, 30);
  });
  test(`their allocations under -fsanitize=${sanitizer}`, { skip: why }, (t) => {
    const jobs = ['pieces', 'deep', 'blocked', 'nested', 'churn'];
    const options = { hz: 4000, threads: 32, recordings: 20, sanitizer, jobs };
    const end = stress({ ...options, seconds: 10, allocations: 4096 });
    t.diagnostic(JSON.stringify(end));
    assert.ok(end.allocations > 1000);
  });
}

test('thousands of threads that hardly live', { skip }, (t) => {
  const jobs = ['brief'];
  const threadsOf = (/** @type {any} */ { rounds }) => 4 * rounds.brief;
  const options = { hz: 10000, threads: 8, recordings: 5, jobs };
  const most = isLong ? 20_000 : 5000;
  const end = stressUntil(isLong ? 15 : 3, options, (one) => threadsOf(one) > most);
  const threads = threadsOf(end);
  t.diagnostic(`${threads} threads, ${end.samples} samples, KB ${end.residentKb}`);
  assert.ok(threads > most, `${threads} threads`);
  assert.ok(end.samples > 0);
  // 4,096 slots: none would be left if they were not used again.
  assert.strictEqual(end.dropped, 0);
  assert.ok(end.residentKb[1] - end.residentKb[0] < 32_768, `KB: ${end.residentKb}`);
});

test('more threads at once than there are slots', { skip }, (t) => {
  const options = { hz: 20000, threads: 1, recordings: 1, jobs: ['crowd'] };
  const end = stressUntil(2, options, ({ samples }) => samples > 4096);
  t.diagnostic(JSON.stringify(end));
  assert.ok(end.rounds.crowd > 0);
  // Not each thread is sampled where the machine is busy with others: the round is the point.
  assert.ok(end.samples > 0);
});

test(
  'threads without thread-local storage of their own are sampled, each as itself',
  { skip },
  (t) => {
    const options = { hz: 4000, threads: 4, recordings: 2, jobs: ['clones'] };
    const end = stressUntil(2, options, ({ complete }) => complete > 500);
    t.diagnostic(JSON.stringify(end));
    assert.ok(end.rounds.clones > 0);
    // Most of these are the clones': refused in their makers' slots, half of all signals were dropped.
    assert.ok(end.dropped < end.signals / 4, `${end.dropped} of ${end.signals}`);
  },
);

test('a pid namespace of its own', { skip }, (t) => {
  const command = ['unshare', '--pid', '--fork', '--mount-proc', process.execPath];
  const tried = spawnSync(command[0], [...command.slice(1), '-e', '']);
  if (tried.status !== 0) return t.skip('unshare --pid is refused here');
  const end = inNode(
    `const session = prof.start({ frequency: 1000, quiet: true });
    // CPU time: on a busy machine 300 ms of the clock were 31 samples.
    for (const { user } = process.cpuUsage(); process.cpuUsage().user - user < 300_000; ) spin(5);
    session.stop().then(({ raw, quality }) => console.log(JSON.stringify({
      pid: process.pid, main: [...raw.samples.thread].filter((t) => raw.threads.tid[t] === 1).length,
      quality })));`,
    command,
  );
  assert.strictEqual(end.pid, 1);
  assert.ok(end.main > 50, `${end.main} samples of thread 1`);
  assert.ok(end.quality.complete / end.quality.samples > 0.95);
  // A /proc of the namespace outside shows numbers that are other processes' inside.
  const outer = ['unshare', '--pid', '--fork', process.execPath];
  const { code, message } = inNode(
    `try { prof.start({ quiet: true }) } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message })) }`,
    outer,
  );
  assert.strictEqual(code, 'ERR_PROF_SYSTEM');
  assert.match(message, /--mount-proc/);
});

test('child processes are not mixed in, and a worker may be ended while sampled', { skip }, () => {
  const end = inNode(`
    const { spawnSync } = require('node:child_process');
    const { Worker } = require('node:worker_threads');
    const session = prof.start({ frequency: 4000, quiet: true });
    (async () => {
      for (let i = 0; i < 5; i += 1) {
        const worker = new Worker('for (;;) JSON.stringify(process.versions);', { eval: true });
        await new Promise((resolve) => setTimeout(resolve, 100));
        await worker.terminate();
      }
      spawnSync(process.execPath, ['-e', 'for (const end = Date.now() + 400; Date.now() < end; );']);
      spawnSync('/bin/sh', ['-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done']);
      const { raw, quality } = await session.stop();
      const children = raw.threads.name.filter((name) => raw.strings[name] === 'sh').length;
      const { user, system } = process.cpuUsage();
      console.log(JSON.stringify({ children, quality, samples: quality.samples,
        ownMs: (user + system) / 1000 }));
    })();`);
  assert.strictEqual(end.children, 0);
  assert.ok(end.quality.complete / end.quality.samples > 0.95, JSON.stringify(end.quality));
  // cpu-clock: 4 samples a millisecond of this process's own time, and none of its children's.
  assert.ok(end.samples / 4 < end.ownMs, `${end.samples} samples, ${end.ownMs} ms`);
});

test("node's files, sockets, timers and children at 20,000 Hz", { skip }, async (t) => {
  const end = Date.now() + (isLong ? 60_000 : 3000);
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

test('a rate that no machine bears is lowered, and the program gets on', { skip }, () => {
  const { done, raw, quality } = inNode(`
    let done = 0;
    const deep = (n) => {
      if (n > 0) return deep(n - 1) + 1;
      for (const { user } = process.cpuUsage(); process.cpuUsage().user - user < 300_000; done += 1) {
        for (let i = 0; i < 1e4; i += 1) Math.sqrt(i);
      }
      return 0;
    };
    const session = prof.start({ event: 'cpu-clock:u', frequency: 100_000, quiet: true });
    deep(4000);
    session.stop().then(({ raw, quality }) => console.log(JSON.stringify({
      done, raw: { meta: raw.meta, quality: raw.quality }, quality })));`);
  assert.ok(done > 0);
  assert.ok(raw.meta.frequency <= 25_000, `${raw.meta.frequency} Hz`);
  const codes = quality.warnings.map((/** @type {{ code: string }} */ { code }) => code);
  assert.ok(codes.includes('frequency-lowered'), codes.join());
  // Stacks that were cut so that the thread gets on are counted, and said.
  assert.strictEqual(codes.includes('walks-spared'), raw.quality.spared > 0);
  assert.ok(quality.truncated >= raw.quality.spared / 2, JSON.stringify(raw.quality));
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
