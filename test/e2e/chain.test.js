'use strict';
// Each step of the chain of fallbacks (docs/fallbacks.md) on a machine that lacks the better one: the
// profile comes all the same, with less in it, and says what is missing and what would bring it. What
// is taken away is taken from a child process alone: by a seccomp filter (test/chain/without.c),
// limits, another user, a mount namespace. No setting of the machine is changed.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { loadNative } = require('../../lib/native.js');
const { mounted, whyNot } = require('./mounts.js');
const { run, temporaryFolder, whyNoEvents } = require('./support.js');

const CHAIN = path.join(__dirname, '..', 'chain');
const WITHOUT = path.join(CHAIN, 'build', 'without');
const WORK = path.join(CHAIN, 'work.js');
const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const isRoot = process.getuid?.() === 0;

const made = spawnSync('make', ['-s', '-C', CHAIN], { encoding: 'utf8' });
assert.equal(made.status, 0, made.stderr);
const tried = spawnSync(WITHOUT, ['perf', process.execPath, '-e', '']);
const noFilter = tried.status === 0 ? false : `seccomp filters are refused here: ${tried.stderr}`;
const noTimers = loadNative().probe('').ok ? false : 'neither perf events nor timers here';
const noEvents = whyNoEvents();

/** @param {string[]} command in front of node @param {object} [options] of start() */
async function work(command, options = {}) {
  const [file, ...args] = [...command, process.execPath, WORK, JSON.stringify(options)];
  const { stdout, stderr } = await run(file, args);
  return JSON.parse(stdout || JSON.stringify({ message: stderr }));
}

/** @param {any} end @param {string} code @returns {{message: string, fix: string}} */
function warning({ quality }, code) {
  const found = quality.warnings.find((/** @type {any} */ one) => one.code === code);
  assert.ok(found, `${code} among ${JSON.stringify(quality.warnings)}`);
  return found;
}

/** What every profile by timers must have. @param {any} end */
function isByTimers(end) {
  assert.equal(end.meta?.event, 'cpu-timer', JSON.stringify(end));
  const { meta, quality } = end;
  assert.deepEqual([meta.unit, meta.hasKernel, meta.requestedEvent], ['ns', false, 'cycles:uk']);
  assert.equal(quality.complete + quality.truncated + quality.broken, quality.samples);
  assert.equal(quality.lost + quality.handlerDropped, 0);
  // Weights are the timers' periods: they add up to CPU time however few the samples are. Less where
  // the profiler had to wait for a CPU while a new thread ran.
  assert.ok(end.sampledMs > 0.3 * end.cpuMs, `${end.sampledMs} of ${end.cpuMs} ms`);
  assert.ok(end.sampledMs < 1.1 * end.cpuMs, `${end.sampledMs} of ${end.cpuMs} ms`);
}

/** @param {any} end */
function isNamed(end) {
  assert.ok(end.burn > 0.5, `burnSomeCpu has ${end.burn}`);
}

describe(
  'where perf events are refused, timers of CPU time take over',
  {
    skip: noFilter || noTimers,
    concurrency: 3,
  },
  () => {
    for (const [how, reason, fix] of [
      ['perf', /perf_event_open is blocked \(seccomp/, 'docker run --cap-add PERFMON ...'],
      ['perf-new', /perf_event_open is blocked \(seccomp/, 'docker run --cap-add PERFMON ...'],
      // Not answered by an error but by the end of whoever asks: the build must not be that.
      ['perf-kill', /perf_event_open is blocked \(seccomp/, 'docker run --cap-add PERFMON ...'],
      ['perf-trap', /perf_event_open is blocked \(seccomp/, 'docker run --cap-add PERFMON ...'],
      ['paranoid', /perf_event_paranoid is -?\d/, 'sudo sysctl kernel.perf_event_paranoid=1'],
    ]) {
      test(`refused as by '${how}'`, async () => {
        const end = await work([WITHOUT, String(how)]);
        isByTimers(end);
        isNamed(end);
        const { message, fix: said } = warning(end, 'cpu-timers');
        assert.match(message, /** @type {RegExp} */ (reason));
        assert.match(message, /timers of their CPU time, without kernel frames/);
        assert.equal(said, fix);
      });
    }

    test('without stacks, with copies of stacks, with a budget', async () => {
      const flat = await work([WITHOUT, 'perf'], { callGraph: 'none' });
      assert.equal(flat.meta.callGraph, 'none');
      assert.equal(flat.quality.truncated, flat.quality.samples);
      const dwarf = await work([WITHOUT, 'perf'], { callGraph: 'dwarf' });
      isByTimers(dwarf);
      assert.equal(dwarf.meta.callGraph, 'full');
      warning(dwarf, 'no-stack-dumps');
      const budget = await work([WITHOUT, 'perf'], { budget: 2 });
      isByTimers(budget);
      warning(budget, 'budget-not-kept');
    });

    test('what timers cannot answer is an error, as is a machine without them', async () => {
      for (const [how, options] of [
        ['perf', { event: 'cache-misses' }],
        ['perf', { event: 'cpu-clock:k' }],
        ['perf,timers', {}],
      ]) {
        const { code, message } = await work(
          [WITHOUT, String(how)],
          /** @type {object} */ (options),
        );
        assert.equal(code, 'ERR_PROF_PERMISSION');
        assert.match(message, /perf_event_open is blocked .* `--cap-add PERFMON`/);
      }
    });

    // Counters are asked for in other places than samples: the runner, stat(), the matchers.
    for (const how of ['perf', 'perf-kill', 'perf-trap']) {
      test(`compare's runs, stat and profileBuild, refused as by '${how}'`, async () => {
        const script = `(async () => {
          const lib = ${JSON.stringify(path.join(__dirname, '..', '..', 'lib'))};
          const { runOnce } = require(lib + '/compare/run.js');
          const prof = require(lib + '/index.js');
          const { profileBuild } = require(lib + '/assert.js');
          const spin = () => { for (const end = process.cpuUsage().user + 1e5; process.cpuUsage().user < end;); };
          const ended = await runOnce(['sh', '-c', 'exit 3'], { env: process.env, cwd: '/' });
          const counted = await prof.stat(spin, { events: ['instructions:u'] }).catch(({ code }) => code);
          const build = await profileBuild(async () => spin());
          const { event } = build.meta;
          console.log(JSON.stringify({ ended, counted, event, missing: Object.keys(build.counters.missing),
            samples: build.quality.samples }));
        })()`;
        const { stdout, stderr, signal } = await run(WITHOUT, [
          how,
          process.execPath,
          '-e',
          script,
        ]);
        assert.equal(signal, null, stderr);
        const { ended, counted, event, missing, samples } = JSON.parse(stdout || `"${stderr}"`);
        assert.deepEqual([ended.code, ended.figures.instructions], [3, null]);
        assert.match(ended.counterProblem, /^not permitted here \(.* seccomp filter\)$/);
        assert.equal(counted, 'ERR_PROF_PERMISSION');
        assert.deepEqual([event, missing], ['cpu-timer', ['instructions', 'cycles']]);
        assert.ok(samples > 10, `${samples} samples`);
      });
    }

    test('record and doctor say so, and work', async (t) => {
      const folder = temporaryFolder(t);
      const script =
        'for (const end = process.cpuUsage().user + 3e5; process.cpuUsage().user < end;);';
      const command = [
        'perf',
        process.execPath,
        CLI,
        'record',
        '-o',
        path.join(folder, 'p.json.gz'),
      ];
      const recorded = await run(WITHOUT, [...command, '--', process.execPath, '-e', script]);
      assert.equal(recorded.code, 0, recorded.stderr);
      assert.match(recorded.stderr, /samples of cpu-timer at \d+ Hz/);
      assert.match(recorded.stderr, /perf_event_open is blocked/);
      const doctor = await run(WITHOUT, ['perf', process.execPath, CLI, 'doctor', '--json']);
      assert.equal(doctor.code, 0, doctor.stdout);
      const { ok, findings } = JSON.parse(doctor.stdout);
      const found = findings.find((/** @type {any} */ { code }) => code === 'cpu-timers');
      assert.equal(ok, true);
      assert.equal(found.fix, 'docker run --cap-add PERFMON ...');
      const none = await run(WITHOUT, ['perf,timers', process.execPath, CLI, 'doctor']);
      assert.equal(none.code, 3, none.stdout);
      assert.match(none.stdout, /nothing can be recorded here/);
    });
  },
);

// Every kind of blocking call, foreign traps, threads that come and go: see safety.test.js.
test('timers interrupt no system call', { skip: noFilter || noTimers }, async (t) => {
  const live = path.join(__dirname, '..', 'live');
  const built = spawnSync('make', ['-j2', '-s', '-C', live], { encoding: 'utf8' });
  assert.equal(built.status, 0, built.stderr);
  const folder = path.join(live, 'build');
  // Longer where others have the processors: there are to be samples that could interrupt something.
  for (let seconds = process.env.PROF_LONG ? 60 : 4; ; seconds *= 4) {
    const args = [String(seconds), '20000', '64', '1'];
    const { code, stdout, stderr } = await run(WITHOUT, ['perf', './stress', ...args], {
      cwd: folder,
    });
    assert.equal(code, 0, stderr);
    const end = JSON.parse(stdout);
    t.diagnostic(stdout.trim());
    assert.equal(end.errors, 0);
    assert.equal(end.traps, end.trapsWanted);
    if (end.samples > 50) return;
    assert.ok(seconds < 60, `${end.samples} samples`);
  }
});

test('too few files may be open: timers need none', { skip: noEvents || noTimers }, async () => {
  // node itself has some 20 open; a descriptor for each thread and CPU does not fit.
  const end = await work(['sh', '-c', 'ulimit -n 44 && exec "$@"', 'sh']);
  isByTimers(end);
  isNamed(end);
  assert.equal(warning(end, 'cpu-timers').fix, 'ulimit -n 65536');
});

test(
  'no memory may be locked for rings: timers need none',
  { skip: noEvents || noFilter },
  async () => {
    const end = await work([WITHOUT, 'rings']);
    isByTimers(end);
    isNamed(end);
    const { message, fix } = warning(end, 'cpu-timers');
    assert.match(message, /perf events have no memory for their rings/);
    assert.match(fix, /^sudo sysctl kernel\.perf_event_mlock_kb=\d+$/);
  },
);

const hide = 'mount -t tmpfs none /proc';
test('/proc is hidden', { skip: (!isRoot && 'not root') || noTimers || whyNot(hide) }, async () => {
  const end = await work(mounted(hide));
  isByTimers(end);
  isNamed(end);
  assert.match(warning(end, 'cpu-timers').message, /\/proc is not there/);
  assert.match(warning(end, 'cpu-timers-unseen').message, /have no names: there is no \/proc/);
});

const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const asNobody = spawnSync(nobody[0], [
  ...nobody.slice(1),
  process.execPath,
  '-e',
  `require(${JSON.stringify(WORK.replace('work.js', '../../lib/native.js'))}).loadNative()`,
]);
const noNobody =
  asNobody.status === 0 ? false : 'the user nobody cannot be had, or not read the package, here';

test('an unprivileged user has no kernel frames', { skip: noEvents || noNobody }, async (t) => {
  const level = Number(fs.readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
  if (level < 2) return t.skip(`perf_event_paranoid is ${level}`);
  const end = await work(nobody);
  // Debian's and Ubuntu's own levels refuse all events.
  if (end.meta?.event === 'cpu-timer') return isByTimers(end);
  isNamed(end);
  assert.match(end.meta.event, /:u$/);
  const { message, fix } = warning(end, 'kernel-excluded');
  assert.match(message, new RegExp(`perf_event_paranoid is ${level}`));
  assert.equal(fix, 'sudo sysctl kernel.perf_event_paranoid=1');
});

test(
  'little memory may be locked: rings are smaller',
  { skip: noEvents || noNobody },
  async (t) => {
    const limited = ['sh', '-c', 'ulimit -l 0 && exec "$@"', 'sh', ...nobody];
    const end = await work(limited, { event: 'cpu-clock:u', ringBytes: 1 << 26 });
    if (end.meta?.event === 'cpu-timer') return t.skip('perf events are refused to this user');
    isNamed(end);
    const { message, fix } = warning(end, 'ring-halved');
    assert.match(message, /not 65536 KB: the locked-memory limit is reached/);
    assert.match(fix, /^sudo sysctl kernel\.perf_event_mlock_kb=\d+$/);
  },
);

// What these files say is replaced for the child alone; the kernel's own settings stay.
function hideNames(/** @type {string} */ folder, /** @type {Record<string, string>} */ settings) {
  const kallsyms = ['_text', '_stext', 'schedule', '_etext']
    .map((name) => `${'0'.repeat(16)} T ${name}\n`)
    .join('');
  return Object.entries({ ...settings, '/proc/kallsyms': kallsyms })
    .map(([file, text], at) => {
      fs.writeFileSync(path.join(folder, String(at)), text);
      return `mount --bind ${folder}/${at} ${file}`;
    })
    .join(' && ');
}

describe(
  'kernel addresses are hidden',
  { skip: noEvents || (!isRoot && 'not root'), concurrency: 3 },
  () => {
    const RESTRICT = '/proc/sys/kernel/kptr_restrict';
    const PARANOID = '/proc/sys/kernel/perf_event_paranoid';
    for (const [kptr, paranoid, fix] of [
      [2, 1, 'sudo sysctl kernel.kptr_restrict=0'],
      // As to a user who has CAP_PERFMON and not CAP_SYSLOG.
      [0, 2, 'sudo sysctl kernel.perf_event_paranoid=1'],
      [1, 1, 'sudo sysctl kernel.kptr_restrict=0'],
      [1, 2, 'sudo sysctl kernel.kptr_restrict=0 kernel.perf_event_paranoid=1'],
    ]) {
      test(`at kptr_restrict ${kptr} and paranoid ${paranoid}: once, with its fix`, async (t) => {
        const settings = { [RESTRICT]: `${kptr}\n`, [PARANOID]: `${paranoid}\n` };
        const script = hideNames(temporaryFolder(t), settings);
        const refused = whyNot(script);
        if (refused) return t.skip(refused);
        const end = await work(mounted(script));
        isNamed(end);
        const found = end.quality.warnings.filter((/** @type {any} */ { code }) =>
          ['kernel-addresses-hidden', 'no-kernel-symbols'].includes(code),
        );
        assert.deepEqual(
          found.map((/** @type {any} */ one) => one.fix),
          [fix],
          JSON.stringify(found),
        );
        assert.match(found[0].message, /kernel functions have no names/);
        if (kptr === 2) {
          assert.equal(found[0].code, 'kernel-addresses-hidden');
          assert.match(found[0].message, /kernel\.kptr_restrict is 2$/);
        }
      });
    }
  },
);
