'use strict';
// Waits: what a thread waited for, which of them tables show, and how they are charged to phases.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { checkStartOptions } = require('../../lib/options.js');
const { renderPhases } = require('../../lib/phase-table.js');
const { Profile } = require('../../lib/profile/profile.js');
const { reasonOfStack } = require('../../lib/profile/waits.js');
const { splitWaits } = require('../../lib/profile/split-waits.js');
const { renderHotspots } = require('../../lib/table.js');
const prof = require('../../lib/index.js');
const { buildRaw, CONTEXT } = require('./helpers/raw-profile.js');

const FUTEX = ['schedule', 'futex_do_wait', 'do_futex', '__x64_sys_futex', 'do_syscall_64'];
const EPOLL = ['schedule', 'do_epoll_wait', '__x64_sys_epoll_pwait', 'do_syscall_64'];
const COND = ['__futex_abstimed_wait_common', 'pthread_cond_wait@@GLIBC_2.3.2', 'uv_cond_wait'];
const PARK = '<parking_lot::condvar::Condvar>::wait_until_internal';
const POOL_RUN = '<tokio::runtime::blocking::pool::Inner>::run';

test("the kernel's frames tell what is waited for", () => {
  for (const [kernel, reason] of /** @type {[string[], string][]} */ ([
    [FUTEX, 'lock'],
    [['schedule', 'do_nanosleep', 'hrtimer_nanosleep', '__x64_sys_clock_nanosleep'], 'sleep'],
    [['schedule', 'do_wait', 'kernel_wait4', '__x64_sys_wait4'], 'child'],
    [['schedule', '__arm64_sys_futex', 'invoke_syscall', 'el0_svc'], 'lock'],
    [['schedule', '__arm64_sys_fdatasync', 'invoke_syscall', 'el0_svc'], 'file'],
    [['schedule', 'anon_pipe_read', 'vfs_read', 'ksys_read', '__x64_sys_read'], 'pipe'],
    [['schedule', 'unix_stream_read_generic', 'sock_recvmsg', '__x64_sys_recvfrom'], 'network'],
    [['schedule', 'io_schedule', 'folio_wait_bit_common', 'ksys_read', '__x64_sys_read'], 'file'],
    [['schedule', 'jbd2_log_wait_commit', 'ext4_sync_file', '__x64_sys_fsync'], 'file'],
    [
      ['schedule', 'io_schedule', 'filemap_fault', 'handle_mm_fault', 'exc_page_fault'],
      'page fault',
    ],
    [['schedule', 'rwsem_down_write_slowpath', '__x64_sys_munmap'], 'memory map'],
    [EPOLL, 'poll'],
    [['schedule', 'worker_thread'], 'other'],
  ])) {
    assert.strictEqual(reasonOfStack(kernel, ['waits', 'main']), reason, kernel.join(' < '));
  }
  // A page fault within a read is a page fault.
  const both = ['schedule', 'exc_page_fault', 'copy_page_to_iter', '__x64_sys_read'];
  assert.strictEqual(reasonOfStack(both, ['read']), 'page fault');
});

test('without them the function that called the kernel does', () => {
  for (const [user, reason] of /** @type {[string[], string][]} */ ([
    [['__futex_abstimed_wait_common', 'pthread_cond_wait@@GLIBC_2.3.2', 'waits'], 'lock'],
    [['__lll_lock_wait', 'pthread_mutex_lock', 'waits'], 'lock'],
    [['clock_nanosleep@@GLIBC_2.17', 'nanosleep', 'waits'], 'sleep'],
    [['epoll_pwait', 'waits'], 'poll'],
    [['wait4', 'waits'], 'child'],
    [['__libc_read', 'waits'], 'file'],
    [['recvmsg', 'waits'], 'network'],
    [['compute'], 'other'],
    [['breadth', 'waits'], 'other'],
  ])) {
    assert.strictEqual(reasonOfStack([], user), reason, user.join(' < '));
  }
});

test('a worker that waits for work is idle, one that waits in its work is not', () => {
  const tokio = [
    PARK,
    '<tokio::runtime::park::Inner>::park',
    '<tokio::runtime::time::Driver>::park',
  ];
  const scheduler = '<tokio::runtime::scheduler::multi_thread::worker::Context>::park_internal';
  const sleep = '<rayon_core::sleep::Sleep>::sleep::<F>';
  const until = '<rayon_core::registry::WorkerThread>::wait_until_cold';
  const main = '<rayon_core::registry::ThreadBuilder>::run';
  for (const [kernel, user, reason] of /** @type {[string[], string[], string][]} */ ([
    [FUTEX, [...COND, 'worker', 'start_thread'], 'idle'],
    [FUTEX, [...COND, 'node::(anonymous namespace)::PlatformWorkerThread'], 'idle'],
    [FUTEX, ['syscall', PARK, POOL_RUN], 'idle'],
    [FUTEX, ['syscall', ...tokio, scheduler], 'idle'],
    [
      FUTEX,
      ['syscall', '<std::sys::sync::condvar::futex::Condvar>::wait', sleep, until, main],
      'idle',
    ],
    [FUTEX, ['syscall', PARK, '<rspack_core::Cache>::get', POOL_RUN], 'lock'],
    [FUTEX, ['syscall', ...tokio, 'tokio::runtime::runtime::block_on'], 'lock'],
    [FUTEX, ['syscall', sleep, until, 'rayon_core::join::join_context', main], 'join'],
    [
      FUTEX,
      [
        'syscall',
        '<std::sys::sync::condvar::futex::Condvar>::wait',
        '<rayon_core::latch::LockLatch>::wait_and_reset',
      ],
      'join',
    ],
    [FUTEX, ['__lll_lock_wait_private', '_int_free', 'cfree', POOL_RUN], 'lock'],
    [EPOLL, ['epoll_pwait', 'uv__io_poll', 'uv_run', 'node::SpinEventLoopInternal'], 'event loop'],
    [EPOLL, ['epoll_pwait', 'uv__io_poll', 'uv_run', 'node::SyncProcessRunner::Run'], 'child'],
    [['io_schedule', '__x64_sys_read'], ['read', 'uv__fs_work', 'worker'], 'file'],
  ])) {
    assert.strictEqual(reasonOfStack(kernel, user), reason, user.join(' < '));
  }
});

const KERNEL = { kind: 'kernel' };
const FUNCS = {
  schedule: KERNEL,
  __x64_sys_futex: KERNEL,
  __x64_sys_read: KERNEL,
  worker: { object: 'node' },
  main: { object: 'node' },
  lock: { object: 'node' },
  pthread_mutex_lock: { object: 'libc.so.6' },
};
const MS = 1e6;
const IDLE = 'start_thread;worker;uv_cond_wait;__x64_sys_futex;schedule';
const LOCK = 'main;lock;pthread_mutex_lock;__x64_sys_futex;schedule';

/**
 * Main runs 10 ms, waits 30 for a lock, is preempted for 5; a worker is idle for 100 and reads for 20.
 * @param {Partial<import('../../lib/profile/raw').RawMeta>} [more]
 */
function rawWaits(more = {}) {
  const rows = [
    { stack: 'main', timeNs: 1000 * MS, weight: 10 * MS, state: 0 },
    { stack: IDLE, timeNs: 1000 * MS, weight: 100 * MS, state: 1, thread: 'node/7' },
    { stack: LOCK, timeNs: 1010 * MS, weight: 30 * MS, state: 1 },
    { stack: 'main;schedule', timeNs: 1040 * MS, weight: 5 * MS, state: 2 },
    {
      stack: 'start_thread;worker;__x64_sys_read;schedule',
      timeNs: 1100 * MS,
      weight: 20 * MS,
      state: 1,
      thread: 'node/7',
    },
  ];
  const meta = { unit: 'ns', event: 'cpu-clock:uk', pid: 4242, switches: 'event', view: 'off-cpu' };
  const raw = buildRaw(rows, {
    funcs: FUNCS,
    meta: /** @type {any} */ ({ ...meta, startNs: 1000 * MS, endNs: 1120 * MS, ...more }),
  });
  raw.samples.state = Uint8Array.from(rows, ({ state }) => state);
  return raw;
}

/** @param {Partial<import('../../lib/profile/raw').RawMeta>} [more] @param {any[]} [markers] */
const profileOf = (more, markers = []) =>
  new Profile(splitWaits(rawWaits(more), markers), { context: CONTEXT, markers });

/** @param {Profile} profile @param {import('../../lib/index').HotspotOptions} options */
const rowsOf = (profile, options) =>
  Object.fromEntries(profile.hotspots(options).map(({ key, self }) => [key, self / MS]));

test('a recording of waits shows waits, one of wall time all, idle pools neither', () => {
  const waits = profileOf();
  assert.deepStrictEqual(rowsOf(waits, { by: 'reason' }), { lock: 30, file: 20, preempted: 5 });
  assert.deepStrictEqual(rowsOf(waits, { by: 'state' }), { blocked: 50, preempted: 5 });
  assert.deepStrictEqual(rowsOf(waits, { by: 'reason', idle: true }), {
    ...{ idle: 100, lock: 30, file: 20, preempted: 5 },
  });
  assert.deepStrictEqual(rowsOf(waits, { by: 'reason', state: 'running' }), { running: 10 });
  assert.deepStrictEqual(rowsOf(waits, { by: 'waiter' }), { lock: 30, worker: 20, main: 5 });
  const wall = profileOf({ view: 'wall' });
  assert.deepStrictEqual(rowsOf(wall, { by: 'reason' }), {
    ...{ lock: 30, file: 20, running: 10, preempted: 5 },
  });
  assert.deepStrictEqual(wall.idleTime, { ns: 100 * MS, threads: 1 });
});

test('what is counted as CPU time has no waits in it', () => {
  const { onCpu } = profileOf();
  assert.deepStrictEqual([...onCpu.raw.samples.weight], [10 * MS]);
  assert.strictEqual(onCpu.quality.samples, 1);
  assert.strictEqual(onCpu.waits, null);
  const [phase] = profileOf().phases();
  assert.strictEqual(phase.cpuMs, 10);
  assert.deepStrictEqual(phase.waits, {
    main: { lock: 30, preempted: 5 },
    others: { idle: 100, file: 20 },
  });
});

test('a wait over several phases is charged to each with what lay in it', () => {
  const phase = (
    /** @type {string} */ name,
    /** @type {number} */ from,
    /** @type {number} */ to,
  ) => ({
    type: 'phase',
    name,
    startNs: from * MS,
    endNs: to * MS,
    data: { compiler: '', build: 1 },
  });
  const markers = [phase('make', 1000, 1025), phase('seal', 1025, 1120)];
  const profile = profileOf({}, markers);
  assert.deepStrictEqual(rowsOf(profile, { by: 'phase,reason', idle: true }), {
    'make,lock': 15,
    'make,idle': 25,
    'seal,idle': 75,
    'seal,file': 20,
    'seal,lock': 15,
    'seal,preempted': 5,
  });
  assert.strictEqual(profile.totalWeight, 165 * MS);
  const { samples, complete, truncated, broken } = profile.quality;
  assert.strictEqual(samples, 7);
  assert.strictEqual(complete + truncated + broken, samples);
  const times = [...profile.raw.samples.timeNs];
  assert.deepStrictEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.match(renderPhases(profile, { width: 200 }), /OTHERS WAIT FOR.*\n.*idle 100%/);
  // Shorter than a tenth of a millisecond: not worth a sample.
  const near = splitWaits(rawWaits(), /** @type {any} */ ([phase('make', 1000, 1039.95)]));
  assert.strictEqual(near.samples.node.length, 6);
});

test('the table names who waits, in ms, and says what it leaves out', () => {
  const text = renderHotspots(profileOf(), { width: 80 });
  assert.match(text, /5 samples of cpu-clock:uk and waits/);
  assert.match(text, /SELF% +TOTAL% +SELF ms +SAMPLES +REASON +WAITER/);
  assert.match(text, /54\.55 +54\.55 +30\.0 +1 +lock +lock\n/);
  assert.match(text, /left out: 0\.10 s that 1 thread of pools waited for work \(--idle\)/);
  assert.doesNotMatch(renderHotspots(profileOf(), { idle: true }), /left out/);
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
});

test('written and read again, and exported, it is the same', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-waits-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'p.json.gz');
  const profile = profileOf();
  profile.write(file);
  const again = /** @type {Profile} */ (/** @type {unknown} */ (prof.read(file)));
  assert.deepStrictEqual([...(again.raw.samples.state ?? [])], [0, 1, 1, 2, 1]);
  assert.deepStrictEqual([...again.raw.samples.weight], [...profile.raw.samples.weight]);
  assert.strictEqual(again.meta.view, 'off-cpu');
  assert.deepStrictEqual(rowsOf(again, { by: 'reason' }), rowsOf(profile, { by: 'reason' }));
  profile.write(path.join(folder, 'p.folded'), { count: 'weight' });
  const folded = fs.readFileSync(path.join(folder, 'p.folded'), 'utf8');
  assert.match(folded, /^main;lock;pthread_mutex_lock;__x64_sys_futex;schedule 30000000$/m);
  assert.doesNotMatch(folded, /uv_cond_wait|^main 1/m);
  profile.write(path.join(folder, 'run.folded'), { state: 'running' });
  assert.strictEqual(fs.readFileSync(path.join(folder, 'run.folded'), 'utf8'), 'main 1\n');
  profile.write(path.join(folder, 'p.html'));
});

test('without waits nothing is different, and asking for them says why', () => {
  const raw = buildRaw([{ stack: 'main', weight: 5 }], { meta: { unit: 'ns' } });
  const profile = new Profile(raw, { context: CONTEXT });
  assert.strictEqual(profile.onCpu, profile);
  assert.deepStrictEqual(rowsOf(profile, { by: 'reason' }), { running: 5 / MS });
  assert.throws(() => profile.hotspots({ state: 'blocked' }), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /no waits in this profile: record it with 'offCpu' or 'wall'/,
  });
  assert.throws(() => profile.hotspots(/** @type {any} */ ({ state: 'asleep' })), {
    message: /'state' must be one of running, blocked, preempted, waiting, all, not 'asleep'/,
  });
});

test('start() takes a clock with them and refuses what does not go together', () => {
  assert.strictEqual(checkStartOptions({ offCpu: true }).native.event, 'cpu-clock:uk');
  assert.strictEqual(checkStartOptions({ offCpu: true }).view, 'off-cpu');
  assert.strictEqual(checkStartOptions({ wall: true }).native.offCpu, true);
  assert.strictEqual(checkStartOptions({ wall: true }).view, 'wall');
  assert.strictEqual(checkStartOptions({ offCpu: false }).native.offCpu, undefined);
  for (const [options, message] of /** @type {[object, RegExp][]} */ ([
    [{ offCpu: true, wall: true }, /exclude each other/],
    [{ offCpu: true, event: 'cycles:uk' }, /adds up time, which 'cycles:uk' does not count/],
    [{ wall: true, raw: 'x', callGraph: 'dwarf' }, /'wall' and 'raw' exclude each other/],
    [{ offCpu: 1 }, /must be a boolean/],
  ])) {
    assert.throws(() => checkStartOptions(options), { code: 'ERR_PROF_BAD_OPTION', message });
  }
});
