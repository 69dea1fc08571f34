'use strict';
// A profile of any size without a recording: a random tree of made-up functions, and samples spread over
// its nodes, threads and phases. The same numbers make the same profile.

const { Profile } = require('../lib/profile/profile.js');
const { Random } = require('./workloads/random.js');

const THREADS = ['node', 'tokio-0', 'tokio-1', 'tokio-2', 'libuv-worker'];
const PHASES = ['setup', 'make', 'seal', 'optimize chunks', 'code generation', 'emit'];
const KINDS = [0, 0, 0, 1, 2, 3, 4];
const FUNCS = 5000;
const DEEPEST = 150;
const PERIOD_NS = 250_000;

/**
 * @param {{samples: number, nodes: number, seed?: number}} size
 * @returns {import('../lib/profile/profile').Profile}
 */
function syntheticProfile({ samples, nodes, seed = 1 }) {
  const random = new Random(seed);
  const below = (/** @type {number} */ end) => random.below(end);
  const strings = ['', ...THREADS, 'made.node', '/opt/made.node', 'some_crate'];
  const text = (/** @type {string} */ value) => strings.push(value) - 1;
  const index = (/** @type {string} */ value) => strings.indexOf(value);

  const names = Array.from({ length: FUNCS }, (_, i) =>
    text(`<some_crate::module_${i % 97}::Type${i} as some_crate::Visit<T>>::visit_${i}`),
  );
  const kinds = Uint8Array.from(names, () => KINDS[below(KINDS.length)]);
  const none = new Uint32Array(FUNCS);

  const parent = new Int32Array(nodes).fill(-1);
  const func = new Int32Array(nodes).fill(-1);
  const depth = new Uint16Array(nodes);
  /** @type {Set<number>} siblings of one name would be one */
  const taken = new Set();
  for (let i = 1; i < nodes;) {
    // Mostly on from one of the last: deep, as real stacks are.
    const up = below(100) < 85 ? Math.max(0, i - 1 - below(12)) : below(i);
    const own = below(FUNCS);
    if (depth[up] >= DEEPEST || taken.has(up * FUNCS + own)) continue;
    taken.add(up * FUNCS + own);
    parent[i] = up;
    func[i] = own;
    depth[i] = depth[up] + 1;
    i++;
  }
  const startNs = 5e12;
  const stepNs = Math.floor((PERIOD_NS * 2) / THREADS.length);
  const endNs = startNs + samples * stepNs;
  const markers = PHASES.map((name, i) => ({
    type: /** @type {const} */ ('phase'),
    name,
    startNs: startNs + ((endNs - startNs) * i) / PHASES.length,
    endNs: startNs + ((endNs - startNs) * (i + 1)) / PHASES.length,
    data: { compiler: '', build: 1 },
  }));
  const zeros = new Uint8Array(samples);
  /** @type {import('../lib/profile/raw').RawProfile} */
  const raw = {
    strings,
    meta: {
      ...{ event: 'cpu-clock:uk', requestedEvent: 'cpu-clock:uk', unit: 'ns', frequency: 4000 },
      ...{ callGraph: 'full', startNs, endNs, startUnixMs: 1_790_000_000_000, cpus: 2, pid: 1 },
      ...{ kernel: '6.1.0', hasKernel: true, hasPmu: false },
    },
    threads: {
      tid: Uint32Array.from(THREADS, (_, i) => i + 1),
      name: Uint32Array.from(THREADS, (name) => index(name)),
      startNs: new Float64Array(THREADS.length),
      endNs: new Float64Array(THREADS.length),
    },
    modules: {
      path: Uint32Array.of(index('/opt/made.node')),
      name: Uint32Array.of(index('made.node')),
      buildId: Uint32Array.of(0),
      start: Float64Array.of(0x1000),
      end: Float64Array.of(0x2000),
      flags: Uint8Array.of(3),
    },
    funcs: {
      name: Uint32Array.from(names),
      symbol: Uint32Array.from(names),
      module: new Int32Array(FUNCS),
      crate: Int32Array.from(kinds, (kind) => (kind === 0 ? index('some_crate') : -1)),
      kind: kinds,
      file: new Int32Array(FUNCS).fill(-1),
      ...{ line: none, column: none },
      tier: Uint8Array.from(kinds, (kind) => (kind === 1 ? 1 + below(4) : 0)),
      named: new Uint8Array(FUNCS).fill(1),
    },
    nodes: { parent, func, inline: new Uint8Array(nodes) },
    samples: {
      timeNs: Float64Array.from(zeros, (_, i) => startNs + i * stepNs),
      thread: Uint32Array.from(zeros, () => below(THREADS.length)),
      cpu: new Uint16Array(samples),
      node: Uint32Array.from(zeros, () => 1 + below(nodes - 1)),
      weight: new Float64Array(samples).fill(PERIOD_NS),
      end: zeros,
      flags: zeros,
    },
    quality: {
      ...{ samples, lost: 0, throttled: 0, complete: samples, truncated: 0, joined: 0, broken: 0 },
      ...{ unnamedLeaf: 0, handlerDropped: 0, unmatchedStacks: 0, ringBytes: 0, byObject: [] },
      cost: { cpuMs: 1, peakBytes: 1, finishMs: 1, handlerMs: 1 },
      warnings: [],
    },
  };
  const context = { command: 'node synthetic.js', node: 'v20', rspack: '2.2.7', binding: null };
  return new Profile(raw, { markers, context });
}

module.exports = { syntheticProfile };
