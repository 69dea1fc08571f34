'use strict';
// How long each export takes, and how large it is: node bench/export.js [PROFILE] [--runs N]
// Without a file: 100,000 samples of a made-up build that has the shape of a real one (depth 36 on
// average, 50,000 nodes, 8,000 functions with names of 60 characters, 24 threads, 12 phases).
// The time is that of making and encoding the bytes; a disk's is not in it (they go to /dev/null).
// CPU time is that of the collector's threads too; on a machine that does other work it is the one to read.

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { median } = require('simple-statistics');
const { writeInto } = require('../lib/export/files.js');
const { convert, read } = require('../lib/export/index.js');
const { FORMATS } = require('../lib/export/formats.js');
const { Profile } = require('../lib/profile/profile.js');

const SAMPLES = 100_000;
const NODES = 50_000;
const FUNCS = 8_000;
const THREADS = 24;
const PHASES = 12;
const MEAN_DEPTH = 36;

/** Numbers that look random and are the same in each run (an LCG of Numerical Recipes). */
function generator(seed = 1) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @returns {Profile} */
function madeUp() {
  const random = generator();
  const below = (/** @type {number} */ end) => Math.floor(random() * end);
  const strings = [
    '',
    'rspack.linux-x64-gnu.node',
    '/app/node_modules/@rspack/binding/rspack.node',
  ];
  const funcNames = Array.from({ length: FUNCS }, (_, func) => {
    const path = Array.from({ length: 6 }, () => `module${below(500)}`).join('::');
    return strings.push(`crate_${func % 60}::${path}::function${func}`) - 1;
  });
  const crates = Array.from({ length: 60 }, (_, crate) => strings.push(`crate_${crate}`) - 1);
  const threadNames = Array.from({ length: THREADS }, (_, t) => strings.push(`tokio-${t}`) - 1);
  const file = strings.push('/app/src/index.js') - 1;

  // Paths that share their beginnings: a node hangs on one of the last ones, or on the root.
  const parent = new Int32Array(NODES).fill(-1);
  const depth = new Int32Array(NODES);
  for (let node = 1; node < NODES; node++) {
    const near = Math.max(0, node - 1 - below(20));
    parent[node] = depth[near] > 2 * MEAN_DEPTH ? below(Math.min(node, 50)) : near;
    depth[node] = depth[parent[node]] + 1;
  }
  const zeros = (/** @type {number} */ size) => new Float64Array(size);
  const startNs = 1e12;
  const spanNs = (SAMPLES / 4000) * 1e9;
  /** @type {import('../lib/profile/raw').RawProfile} */
  const raw = {
    strings,
    meta: {
      event: 'cpu-clock:uk',
      requestedEvent: 'cycles:uk',
      unit: 'ns',
      frequency: 1000,
      callGraph: 'full',
      startNs,
      endNs: startNs + spanNs,
      startUnixMs: 1.79e12,
      cpus: 4,
      pid: 4000,
      kernel: '6.1.0',
      hasKernel: true,
      hasPmu: true,
    },
    threads: {
      tid: Uint32Array.from(threadNames, (_, thread) => 4000 + thread),
      name: Uint32Array.from(threadNames),
      startNs: zeros(THREADS),
      endNs: zeros(THREADS),
    },
    modules: {
      path: Uint32Array.of(2),
      name: Uint32Array.of(1),
      buildId: Uint32Array.of(0),
      start: Float64Array.of(0x7f0000000000),
      end: Float64Array.of(0x7f0010000000),
      flags: Uint8Array.of(3),
    },
    funcs: {
      name: Uint32Array.from(funcNames),
      symbol: Uint32Array.from(funcNames),
      module: Int32Array.from(funcNames, (_, func) => (func % 5 === 1 ? -1 : 0)),
      crate: Int32Array.from(funcNames, (_, func) => crates[func % 60]),
      kind: Uint8Array.from(funcNames, (_, func) => func % 5),
      file: Int32Array.from(funcNames, (_, func) => (func % 5 === 1 ? file : -1)),
      line: Uint32Array.from(funcNames, (_, func) => func),
      column: new Uint32Array(FUNCS).fill(1),
      tier: new Uint8Array(FUNCS),
      named: new Uint8Array(FUNCS).fill(1),
      address: Float64Array.from(funcNames, (_, func) => 0x1000 + 64 * func),
    },
    nodes: {
      parent,
      func: Int32Array.from(parent, (up) => (up < 0 ? -1 : below(FUNCS))),
      inline: Uint8Array.from(parent, (up) => (up > 0 && random() < 0.1 ? 1 : 0)),
    },
    samples: {
      timeNs: Float64Array.from({ length: SAMPLES }, (_, i) => startNs + (i * spanNs) / SAMPLES),
      thread: Uint32Array.from({ length: SAMPLES }, () => below(THREADS)),
      cpu: Uint16Array.from({ length: SAMPLES }, () => below(4)),
      node: Uint32Array.from({ length: SAMPLES }, () => 1 + below(NODES - 1)),
      weight: new Float64Array(SAMPLES).fill(1e6),
      end: new Uint8Array(SAMPLES),
      flags: new Uint8Array(SAMPLES),
    },
    quality: {
      samples: SAMPLES,
      lost: 0,
      throttled: 0,
      complete: SAMPLES,
      truncated: 0,
      joined: 0,
      broken: 0,
      unnamedLeaf: 0,
      handlerDropped: 0,
      unmatchedStacks: 0,
      ringBytes: 0,
      byObject: [],
      cost: { cpuMs: 0, peakBytes: 0, finishMs: 0, handlerMs: 0 },
      warnings: [],
    },
  };
  const markers = Array.from({ length: PHASES }, (_, phase) => ({
    type: /** @type {'phase'} */ ('phase'),
    name: `phase ${phase}`,
    startNs: startNs + (phase * spanNs) / PHASES,
    endNs: startNs + ((phase + 1) * spanNs) / PHASES,
    data: { compiler: '', build: 1 },
  }));
  const context = { command: 'made up', node: process.version, rspack: null, binding: null };
  return new Profile(raw, { markers, context });
}

/** @param {import('../lib/export/formats').Output} output @returns {number} bytes */
function written({ pieces = [], folder = {}, beside = {} }) {
  let bytes = 0;
  /** @param {Iterable<string | Uint8Array>} list */
  function* counted(list) {
    for (const piece of list) {
      bytes += Buffer.byteLength(piece);
      yield piece;
    }
  }
  for (const list of [pieces, ...Object.values(folder), ...Object.values(beside)]) {
    writeInto('/dev/null', counted(list));
  }
  return bytes;
}

function main() {
  const { values, positionals } = parseArgs({
    options: { runs: { type: 'string', default: '3' } },
    allowPositionals: true,
  });
  const [file] = positionals;
  const fresh = () => (file === undefined ? madeUp() : /** @type {any} */ (read(file)));
  const { raw, quality } = fresh();
  const from = file === undefined ? 'made up' : `${file}, ${fs.statSync(file).size} bytes`;
  console.log(
    `${quality.samples} samples, ${raw.nodes.parent.length} nodes, ${raw.funcs.name.length} ` +
      `functions, ${raw.threads.tid.length} threads (${from}), node ${process.version}`,
  );
  console.log('format         wall ms   CPU ms        bytes');
  /** @type {[string, Record<string, unknown>, string][]} */
  const rows = Object.keys(FORMATS).map((format) => [format, {}, format]);
  rows.push(['firefox', { perCpuThreads: true, categories: true }, 'firefox +cpus']);
  rows.push(['flamegraph', { flamechart: true }, 'flame chart']);
  for (const [format, options, label] of rows) {
    let bytes = 0;
    /** @type {number[]} */
    const cpu = [];
    const times = Array.from({ length: Number(values.runs) }, () => {
      // A profile of its own: what is worked out once must count for each format.
      const profile = fresh();
      const cpuBefore = process.cpuUsage();
      const began = performance.now();
      bytes = written(convert(profile, format, options, 'profile.json.gz'));
      const wall = performance.now() - began;
      const { user, system } = process.cpuUsage(cpuBefore);
      cpu.push((user + system) / 1000);
      return wall;
    });
    const ms = (/** @type {number[]} */ list) => median(list).toFixed(0).padStart(8);
    console.log(`${label.padEnd(13)} ${ms(times)} ${ms(cpu)} ${String(bytes).padStart(12)}`);
  }
}

main();
