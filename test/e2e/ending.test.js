'use strict';
// The ways a process can end while it is being profiled: exit codes and signals stay what they are,
// and the profile is written.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, test } = require('node:test');
const { profileIn, run, temporaryFolder, whyNoEvents } = require('./support.js');

const skip = whyNoEvents();
const LIB = JSON.stringify(path.resolve(__dirname, '..', '..', 'lib', 'index.js'));

/** Burns CPU for a while, in a function with a name. */
const BURN = `
function burnSomeCpu(ms) { const spent = () => process.cpuUsage().user / 1000; const end = spent() + ms; let n = 0; while (spent() < end) for (let i = 0; i < 10000; i++) n += Math.sqrt(n + 1); return n; }
burnSomeCpu(300);`;

/**
 * @param {import('node:test').TestContext} t
 * @param {string} script after start() and some work
 * @param {Parameters<typeof run>[2]} [options]
 */
async function profiled(t, script, options) {
  const output = temporaryFolder(t);
  const start = `require(${LIB}).start({ output: ${JSON.stringify(output)} });`;
  const ended = await run(process.execPath, ['-e', `${start}${BURN}${script}`], options);
  return { ...ended, output };
}

describe('a profiled process', { skip }, () => {
  test('ends by itself', async (t) => {
    const { code, output, stderr, stdout } = await profiled(t, "console.log('done')");
    assert.equal(code, 0);
    assert.equal(stdout, 'done\n');
    assert.match(stderr, /burnSomeCpu/);
    assert.ok(profileIn(output).profile.share(/burnSomeCpu/, { total: true }) > 0.5);
  });

  test('ends by process.exit()', async (t) => {
    const { code, output } = await profiled(t, 'process.exit(7)');
    assert.equal(code, 7);
    profileIn(output);
  });

  test('ends by an uncaught exception', async (t) => {
    const { code, output, stderr } = await profiled(t, "throw new Error('as it should be')");
    assert.equal(code, 1);
    assert.match(stderr, /as it should be/);
    profileIn(output);
  });

  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    test(`ends by ${signal}, and its parent sees the signal`, async (t) => {
      const ended = await profiled(t, "console.log('ready'); setInterval(() => {}, 1000)", {
        onOutput: (child) => child.kill(signal),
      });
      assert.equal(ended.signal, signal);
      assert.equal(ended.code, null);
      profileIn(ended.output);
    });
  }

  test('handles SIGINT itself', async (t) => {
    const script = `process.on('SIGINT', () => { console.log('mine'); process.exit(3); });
      console.log('ready'); setInterval(() => {}, 1000)`;
    const ended = await profiled(t, script, {
      onOutput: (child, text) => text === 'ready\n' && child.kill('SIGINT'),
    });
    assert.equal(ended.code, 3);
    assert.match(ended.stdout, /mine/);
    profileIn(ended.output);
  });

  test('is not kept alive, nor asked for stop()', async (t) => {
    const { code } = await profiled(t, ''); // one that is kept alive ends with the test's time
    assert.equal(code, 0);
  });

  test('ends by a SIGTRAP from outside, as it would without us', async (t) => {
    const script = "process.kill(process.pid, 'SIGTRAP'); setTimeout(() => {}, 5000)";
    const { signal } = await profiled(t, script);
    assert.equal(signal, 'SIGTRAP');
  });

  // A sample of the kernel's part of execve would signal the new program, which has no handler.
  test('becomes another program by process.execve()', async (t) => {
    if (!('execve' in process)) return t.skip('this node has no process.execve()');
    const script = `process.execve('/bin/echo', ['echo', 'another program'], {});`;
    const { code, signal, stdout, output } = await profiled(t, script);
    assert.deepEqual([code, signal, stdout], [0, null, 'another program\n']);
    profileIn(output);
  });

  // npm and npx listen to SIGTRAP among all others (signal-exit), and end when one comes.
  test('may listen to SIGTRAP, and gets those that are meant for it alone', async (t) => {
    const script = `let seen = 0;
      process.on('SIGTRAP', () => { seen += 1; });
      burnSomeCpu(300);
      setImmediate(() => {
        const before = seen;
        process.kill(process.pid, 'SIGTRAP');
        setTimeout(() => {
          console.log(before, seen);
          process.removeAllListeners('SIGTRAP');
          burnSomeCpu(300);
        }, 200);
      });`;
    const { code, signal, stdout, output } = await profiled(t, script);
    assert.deepEqual([code, signal, stdout], [0, null, '0 1\n']);
    // It went on to the end: of the 300 ms before and the 300 after.
    assert.ok(profileIn(output).profile.quality.samples > 200);
  });

  test('may begin to listen to SIGTRAP after stop(), with signals still queued', async () => {
    const script = `const session = require(${LIB}).start({ frequency: 4000 });
      require('node:fs').stat('/', () => {}); ${BURN}
      session.stopSync();
      process.on('SIGTRAP', () => console.log('a stray signal'));
      for (let i = 0; i < 64; i += 1) require('node:fs').stat('/', () => {});
      setTimeout(() => console.log('done'), 300);`;
    const { code, stdout } = await run(process.execPath, ['-e', script]);
    assert.deepEqual([code, stdout], [0, 'done\n']);
  });
});

describe('start() and stop()', { skip }, () => {
  test('work a hundred times in one process, and after a discarded session', async () => {
    const script = `const prof = require(${LIB});
      (async () => {
        for (let i = 0; i < 100; i++) {
          const session = prof.start({ frequency: 500 });
          if (i % 3 === 0) session[Symbol.dispose ?? Symbol.for('dispose')]?.(); else if (i % 3 === 1) session.stopSync(); else await session.stop();
          if (prof.status().running) { (await 0, session).stopSync(); }
        }
        const session = prof.start();${BURN}
        const first = await session.dump();
        burnSomeCpu(200);
        const last = await session.stop();
        console.log(JSON.stringify([first.quality.samples, last.quality.samples]));
      })();`;
    const { code, stdout, stderr } = await run(process.execPath, ['-e', script]);
    assert.equal(code, 0, stderr);
    const [first, last] = JSON.parse(stdout);
    assert.ok(first > 50 && last > first, stdout);
  });

  test('a second start() while one runs is refused, and a bad event names its neighbours', async () => {
    const script = `const prof = require(${LIB}); const session = prof.start();
      const codes = [];
      for (const options of [{}, { event: 'cycels' }, { frequncy: 1 }, { frequency: 0 }]) {
        try { prof.start(options); } catch (error) { codes.push([error.code, error.message.split('\\n').length]); }
        if (codes.length === 1) session.stopSync();
      }
      try { session.stopSync(); } catch (error) { codes.push([error.code, error.message.split('\\n').length]); }
      console.log(JSON.stringify(codes));`;
    const { stdout, stderr } = await run(process.execPath, ['-e', script]);
    assert.deepEqual(
      JSON.parse(stdout),
      [
        ['ERR_PROF_BUSY', 1],
        ['ERR_PROF_BAD_EVENT', 1],
        ['ERR_PROF_BAD_OPTION', 1],
        ['ERR_PROF_BAD_OPTION', 1],
        ['ERR_PROF_NOT_RUNNING', 1],
      ],
      stderr,
    );
  });
});

describe('deep stacks', { skip }, () => {
  /** @param {number} depth @param {object} options */
  const deep = (
    depth,
    options,
  ) => `const session = require(${LIB}).start(${JSON.stringify(options)});
    function goDeep(n, end) { if (n > 0) return goDeep(n - 1, end) + 1; let s = 0; while (process.cpuUsage().user < end) for (let i = 0; i < 10000; i++) s += Math.sqrt(s + 1); return s; }
    goDeep(${depth}, process.cpuUsage().user + 700_000);
    const { quality, raw } = session.stopSync();
    console.log(JSON.stringify({ ...quality, spared: raw.quality.spared }));`;

  test('of 3,000 frames are whole at 4000 Hz, and what no thread came to fetch is counted', async () => {
    const { stdout, stderr } = await run(process.execPath, ['-e', deep(3000, { frequency: 4000 })]);
    const quality = JSON.parse(stdout || stderr);
    assert.ok(quality.samples > 700, `${quality.samples} samples`);
    // 100 MB of stacks a second: on a busy machine the profiler's thread comes too late for some,
    // which then are samples without a stack; and walks with cold caches take more than half of the
    // thread's time, which spares it some. Each is counted by itself.
    const counted = quality.handlerDropped + quality.spared;
    assert.ok(counted < quality.samples * 0.5, stdout);
    const cut = quality.truncated + quality.broken - counted;
    assert.ok(cut < quality.samples * 0.01, stdout);
  });

  test('deeper than maxFrames are truncated, and counted as that', async () => {
    const options = { frequency: 1000, maxFrames: 100 };
    const { stdout, stderr } = await run(process.execPath, ['-e', deep(1000, options)]);
    const quality = JSON.parse(stdout || stderr);
    assert.ok(quality.truncated > quality.samples * 0.8, stdout);
    assert.equal(quality.complete + quality.truncated + quality.broken, quality.samples);
  });
});

describe('worker threads', { skip }, () => {
  test('have their JavaScript named when the addon is loaded there', async (t) => {
    const worker = `require(${LIB}); ${BURN.replace('burnSomeCpu(300)', '')}
      function inTheWorker() { return burnSomeCpu(600); } inTheWorker();`;
    const script = `const { Worker } = require('node:worker_threads');
      new Worker(${JSON.stringify(worker)}, { eval: true }).on('exit', (code) => console.log(code));`;
    const { code, stdout, output } = await profiled(t, script);
    assert.equal(code, 0);
    assert.equal(stdout, '0\n');
    const { profile } = profileIn(output);
    const seen = profile.share(/inTheWorker/, { total: true });
    t.diagnostic(`inTheWorker: ${(seen * 100).toFixed(1)} %`);
    assert.ok(seen > 0.3);
    assert.ok(profile.quality.completeShare > 0.98);
  });
});
