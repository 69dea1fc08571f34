'use strict';
// What threads wait for: the reason of each sample of a profile with waits (docs/off-cpu.md). The kernel's
// frames tell it exactly; where there are none, the name of the function that called the kernel does.
// A pool's worker that waits for work, and nothing else, is idle: told from a lock by who called the wait.

const { KINDS } = require('./keys.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').WaitReason} WaitReason */

/** By samples.state. */
const RUNNING = 0;
const PREEMPTED = 2;
/** @type {readonly WaitReason[]} */
const REASONS = [
  'running',
  'preempted',
  'idle',
  'event loop',
  'lock',
  'join',
  'file',
  'pipe',
  'network',
  'page fault',
  'memory map',
  'sleep',
  'child',
  'poll',
  'other',
];
/** @type {WaitReason} */
const IDLE = 'idle';

/**
 * By functions of the kernel, the first rule that any of a stack's matches. Checked on Linux 6.18; the
 * entries of system calls have had these names since 4.17.
 * @type {{reason: WaitReason, name: RegExp}[]}
 */
const KERNEL = [
  { reason: 'page fault', name: /^(asm_)?exc_page_fault$|^(do_user_addr_fault|handle_mm_fault)$/ },
  {
    reason: 'memory map',
    name: /^__(x64|arm64)_sys_(mmap|munmap|mremap|mprotect|madvise|brk|membarrier)$|^ksys_mmap_pgoff$/,
  },
  { reason: 'lock', name: /^__(x64|arm64)_sys_futex|^do_futex$/ },
  { reason: 'sleep', name: /^__(x64|arm64)_sys_(clock_)?nanosleep$|^hrtimer_nanosleep$/ },
  { reason: 'child', name: /^__(x64|arm64)_sys_(wait4|waitid|vfork)$|^(do_wait|kernel_wait4)$/ },
  { reason: 'pipe', name: /^(anon_)?pipe_(read|write)$|^fifo_|^eventfd_read$|^n_tty_/ },
  {
    reason: 'network',
    name: /^(sock_|unix_|tcp_|udp_|inet6?_|skb_|__sys_(recv|send|accept|connect))/,
  },
  {
    reason: 'poll',
    name: /^__(x64|arm64)_sys_(epoll_|poll|ppoll|select|pselect)|^(do_epoll_wait|do_sys_poll)$/,
  },
  {
    reason: 'file',
    name: /^io_(schedule|cqring_wait)|^(folio|jbd2|ext4|xfs|btrfs|vfs|iomap)_|^__(x64|arm64)_sys_(io_uring_enter|read|readv|write|writev|pread|pwrite|open|stat|lstat|fstat|newfstat|statx|getdents|fsync|fdatasync|sync|access|faccessat|readlink|unlink|rename|mkdir|rmdir|link|symlink|truncate|ftruncate|fallocate|copy_file_range|sendfile|splice|close|chmod|fchmod|chown|utime)/,
  },
];
/** The same of what called the kernel, where its part is not known. @type {typeof KERNEL} */
const USER = [
  {
    reason: 'lock',
    name: /futex|pthread_(cond|mutex|rwlock|join|barrier)|sem_(timed|clock)?wait|lll_lock|parking_lot|Condvar|LockLatch/,
  },
  { reason: 'poll', name: /^(__)?(epoll_p?wait2?|p?poll|p?select)\b/ },
  { reason: 'sleep', name: /^(__)?(u|nano|clock_nano)?sleep\b/ },
  { reason: 'child', name: /^(__)?(wait[34]?|waitp?id|vfork|posix_spawnp?)\b/ },
  { reason: 'network', name: /^(__)?(recv|send|accept|connect)/ },
  {
    reason: 'file',
    name: /^(__|__GI___)?(libc_)?(read|write|pread|pwrite|readv|writev|open|f?stat|lstat|f?sync|fdatasync|getdents|readdir|unlink|rename|mkdir|close|copy_file_range|sendfile|access|readlink)(64|at|v2)?\b/,
  },
];
const WRAPPERS =
  /^<?(rayon(_core)?::|std::(fs|io|sys|net|process)|fs_err|core::ops|alloc::)|^_?_?GI_|^__?((x64|arm64)_sys|mmap|munmap|mprotect)/;
const SYSTEM = /^(libc|libpthread|libm|ld-linux|linux-vdso|\[)/;
/** Nobody but a library waited. */
const THREAD_START = /std::(thread::lifecycle|sys::(thread|backtrace))|^(start_thread|clone3?)$/;
const KERNEL_KIND = KINDS.indexOf('kernel');
/** User frames from the leaf in which the call of the kernel is named. */
const CALL_DEPTH = 4;

/** How a wait is made: who waits is further out. */
const MACHINERY =
  /^(syscall|_*(lll_)?(futex|pthread|sem|new_sem|epoll|poll|ppoll|GI_)|uv_cond_|uv_sem_|uv__sem|uv_mutex|uv__io_poll$|uv_run$|v8::base::)|parking_lot|std::(sys|sync|thread::park|io)\b|<std::(sys|sync)|mio::|^\[/;
/** Who waits, where its name says for what. Checked: node 20, rspack 2.2.7. @type {typeof KERNEL} */
const WAITERS = [
  {
    reason: IDLE,
    name: /PlatformWorkerThread|WorkerThreadsTaskRunner|DelayedTaskScheduler|BlockingPop|StartIoThread|SignalInspector|^worker$/,
  },
  {
    reason: IDLE,
    name: /tokio::runtime::(blocking::pool::Inner>::run|(scheduler::multi_thread::(park|worker|idle)|park|time|io|driver))/,
  },
  { reason: 'join', name: /rayon_core::latch::/ },
  { reason: 'event loop', name: /SpinEventLoop|NodeMainInstance/ },
  { reason: 'child', name: /SyncProcessRunner|uv_spawn|uv__spawn/ },
];
const RAYON_SLEEP = /rayon_core::(sleep|registry::WorkerThread>::wait_until)/;
const RAYON_MAIN = /rayon_core::registry::(ThreadBuilder|main_loop)/;
const TOKIO_PARK = /tokio::runtime::(park|time|io|driver)/;
const TOKIO_WORKER = /tokio::runtime::scheduler::multi_thread|blocking::pool/;
/** Threads of these pools that wait for a futex in code without names: a stripped binding's workers. */
const POOLS = ['tokio', 'rayon', 'libuv', 'v8'];
/** Frames in which a task would show. */
const WAITER_DEPTH = 40;

/** @param {string[]} user names from the leaf @returns {WaitReason | ''} who waits, where that says it */
function reasonOfWaiter(user) {
  let at = 0;
  while (at < user.length && MACHINERY.test(user[at])) at++;
  const waiter = user[at] ?? '';
  if (RAYON_SLEEP.test(waiter)) {
    while (at < user.length && RAYON_SLEEP.test(user[at])) at++;
    return RAYON_MAIN.test(user[at] ?? '') ? IDLE : 'join';
  }
  // block_on() parks any thread; a worker's park is in its scheduler.
  if (TOKIO_PARK.test(waiter)) {
    while (at < user.length && TOKIO_PARK.test(user[at])) at++;
    return TOKIO_WORKER.test(user[at] ?? '') ? IDLE : '';
  }
  return WAITERS.find(({ name }) => name.test(waiter))?.reason ?? '';
}

/**
 * @param {string[]} kernel names from the leaf
 * @param {string[]} user the same
 * @returns {WaitReason}
 */
function reasonOfStack(kernel, user) {
  const call = user.slice(0, CALL_DEPTH);
  const rules = kernel.length > 0 ? KERNEL : USER;
  const names = kernel.length > 0 ? kernel : call;
  const found = rules.find(({ name }) => names.some((one) => name.test(one)))?.reason ?? 'other';
  // A worker that reads a file works: only locks and polls are ways to wait for work.
  const may = found === 'lock' || found === 'poll' || found === 'other';
  return (may && reasonOfWaiter(user)) || found;
}

/** What makes a call of the kernel, and what stands between it and whoever wanted it. */
const isWrapper = (/** @type {string} */ name) =>
  MACHINERY.test(name) || WRAPPERS.test(name) || USER.some((rule) => rule.name.test(name));

/**
 * @param {Profile} profile
 * @param {number} leaf
 * @returns {{reason: WaitReason, waiter: number, isNamed: boolean}} waiter: the first function that is
 *   not one of waiting itself; isNamed: some function but the system's libraries' has a name
 */
function look({ raw, names }, leaf) {
  const { funcs, modules, nodes, strings } = raw;
  /** @type {string[]} */
  const kernel = [];
  /** @type {string[]} */
  const user = [];
  let first = -1;
  let waiter = -1;
  let isNamed = false;
  for (let at = leaf; at > 0 && user.length < WAITER_DEPTH; at = nodes.parent[at]) {
    const func = nodes.func[at];
    const name = names.text[names.id[func]];
    if (funcs.kind[func] === KERNEL_KIND) {
      kernel.push(name);
      continue;
    }
    user.push(name);
    if (first < 0 && !MACHINERY.test(name)) first = func;
    if (waiter < 0 && !isWrapper(name)) waiter = THREAD_START.test(name) ? first : func;
    const module = funcs.module[func];
    const isSystem = module < 0 || SYSTEM.test(strings[modules.name[module]]);
    isNamed ||= funcs.named[func] === 1 && !isSystem;
  }
  return { reason: reasonOfStack(kernel, user), waiter, isNamed };
}

/**
 * @param {Profile} profile
 * @returns {{names: readonly WaitReason[], ofSample: Uint8Array, waiters: Int32Array} | null} waiters: a
 *   function for each sample, -1: none; null: no waits were recorded
 */
function waitsOf(profile) {
  const { raw, threadPools } = profile;
  const { node, state, thread } = raw.samples;
  if (!raw.meta.switches || !state) return null;
  /** @type {Map<number, ReturnType<typeof look>>} */
  const known = new Map();
  const waiters = new Int32Array(node.length).fill(-1);
  const ofSample = new Uint8Array(node.length);
  node.forEach((leaf, sample) => {
    if (state[sample] === RUNNING) {
      waiters[sample] = raw.nodes.func[leaf];
      return;
    }
    let found = known.get(leaf);
    if (!found) known.set(leaf, (found = look(profile, leaf)));
    const { reason, waiter, isNamed } = found;
    waiters[sample] = waiter;
    const isPool = POOLS.includes(threadPools[thread[sample]]);
    const shown = reason === 'lock' && !isNamed && isPool ? IDLE : reason;
    ofSample[sample] = REASONS.indexOf(state[sample] === PREEMPTED ? 'preempted' : shown);
  });
  return { names: REASONS, ofSample, waiters };
}

module.exports = { IDLE, REASONS, waitsOf, reasonOfStack };
