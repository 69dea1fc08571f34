'use strict';
// Which pool a thread belongs to. A thread's name says so where it has one of its own; node's workers
// were all called "node" until libuv and V8 began to name theirs (node 22 and later): there the
// outermost frames that were sampled tell.

/** @typedef {import('./profile').Profile} Profile */

const MAIN = 'main';
/** Of a thread's comm, which the kernel cuts at 15 characters. Checked: rspack 2.2.7, node 18 to 26. */
const BY_NAME = [
  { pool: 'tokio', name: /^tokio/ },
  { pool: 'rayon', name: /^rayon/ },
  { pool: 'libuv', name: /^(libuv-worker|iou-)/ },
  { pool: 'v8', name: /^(V8Worker|v8:|DelayedTaskSche)/i },
];
const BY_FRAME = [
  { pool: 'v8', name: /PlatformWorkerThread|WorkerThreadsTaskRunner|DelayedTaskScheduler/ },
  { pool: 'worker', name: /node::worker::Worker::StartThread/ },
  { pool: 'tokio', name: /\btokio::runtime\b/ },
  { pool: 'rayon', name: /\brayon_core::registry\b/ },
  { pool: 'libuv', name: /^(worker|uv__\w+|uv_\w+)$/ },
];
/** Frames from a thread's start in which its kind shows, and samples to look at. */
const DEPTH = 12;
const SAMPLES = 20;

/**
 * @param {Profile} profile
 * @returns {string[]} by thread
 */
function poolsOf({ raw, meta, threadNames, names }) {
  const { tid } = raw.threads;
  const pools = threadNames.map((name, thread) => {
    if (tid[thread] === meta.pid) return MAIN;
    return BY_NAME.find((rule) => rule.name.test(name))?.pool ?? '';
  });
  const left = new Int32Array(tid.length).fill(SAMPLES);
  const { thread, node } = raw.samples;
  for (let i = 0; i < thread.length; i++) {
    const own = thread[i];
    if (pools[own] !== '' || left[own]-- <= 0) continue;
    const path = [];
    for (let at = node[i]; at > 0; at = raw.nodes.parent[at]) path.push(raw.nodes.func[at]);
    const outer = path.slice(-DEPTH).map((func) => names.text[names.id[func]]);
    pools[own] = BY_FRAME.find((rule) => outer.some((name) => rule.name.test(name)))?.pool ?? '';
  }
  return pools.map((pool) => pool || 'other');
}

module.exports = { poolsOf, MAIN };
