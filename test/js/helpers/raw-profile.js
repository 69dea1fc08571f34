'use strict';
// Builds raw profiles as the addon gives them (docs/raw-profile.md) from stacks written by hand, and
// stands in for the addon itself.

/** @typedef {import('../../../lib/profile/raw').RawProfile} RawProfile */
/** @typedef {import('../../../lib/profile/raw').NativeAddon} NativeAddon */

const KINDS = ['rust', 'js', 'native', 'v8', 'kernel', 'unknown'];

/**
 * @typedef {object} Func
 * @property {string} [kind]
 * @property {string} [object] module's base name; none for JIT and kernel code
 * @property {string} [crate]
 * @property {string} [file]
 * @property {number} [line]
 * @property {number} [column]
 * @property {number} [tier]
 * @property {string} [symbol]
 * @property {boolean} [named] true unless given
 *
 * @typedef {object} Sample
 * @property {string} stack names from the root to the leaf, joined by ';'; a trailing '+' on a name: inlined
 * @property {number} [timeNs]
 * @property {string} [thread] name, or name/tid
 * @property {number} [weight]
 * @property {number} [end]
 * @property {number} [flags]
 * @property {number} [cpu]
 */

/**
 * @param {Sample[]} samples
 * @param {{funcs?: Record<string, Func>, meta?: Partial<RawProfile['meta']>,
 *   quality?: Partial<RawProfile['quality']>}} [more]
 * @returns {RawProfile}
 */
function buildRaw(samples, { funcs = {}, meta = {}, quality = {} } = {}) {
  const strings = [''];
  /** @type {Map<string, number>} */
  const stringIndex = new Map([['', 0]]);
  const text = (/** @type {string} */ value) => {
    if (!stringIndex.has(value)) stringIndex.set(value, strings.push(value) - 1);
    return stringIndex.get(value) ?? 0;
  };
  /** @type {string[]} */
  const modules = [];
  /** @type {string[]} */
  const funcNames = [];
  const nodes = [{ parent: -1, func: -1, inline: 0 }];
  /** @type {Map<string, number>} */
  const nodeIndex = new Map();
  /** @type {{name: string, tid: number}[]} */
  const threads = [{ name: 'node', tid: 4242 }];

  const funcOf = (/** @type {string} */ name) => {
    const known = funcNames.indexOf(name);
    return known >= 0 ? known : funcNames.push(name) - 1;
  };
  const moduleOf = (/** @type {string | undefined} */ name) => {
    if (name === undefined) return -1;
    const known = modules.indexOf(name);
    return known >= 0 ? known : modules.push(name) - 1;
  };
  const threadOf = (/** @type {string} */ word) => {
    const [name, tid] = word.split('/');
    const known = threads.findIndex((t) => t.name === name && (!tid || t.tid === Number(tid)));
    if (known >= 0) return known;
    return threads.push({ name, tid: tid ? Number(tid) : 4242 + threads.length }) - 1;
  };
  const nodeOf = (/** @type {string} */ stack) => {
    let node = 0;
    for (const frame of stack === '' ? [] : stack.split(';')) {
      const inline = frame.endsWith('+') ? 1 : 0;
      const func = funcOf(inline ? frame.slice(0, -1) : frame);
      const key = `${node} ${func} ${inline}`;
      let next = nodeIndex.get(key);
      if (next === undefined) {
        next = nodes.push({ parent: node, func, inline }) - 1;
        nodeIndex.set(key, next);
      }
      node = next;
    }
    return node;
  };

  const startNs = meta.startNs ?? 5_000_000_000_000;
  const rows = samples.map((sample, index) => ({
    timeNs: startNs + (index + 1) * 1_000_123,
    weight: 1_000_000,
    end: 0,
    flags: 0,
    cpu: index % 2,
    ...sample,
    thread: threadOf(sample.thread ?? 'node'),
    node: nodeOf(sample.stack),
  }));
  rows.sort((a, b) => a.timeNs - b.timeNs || a.thread - b.thread);
  const known = funcNames.map((name) => ({ name, ...(funcs[name] ?? {}) }));
  const funcModules = known.map(({ object }) => moduleOf(object));
  const count = (/** @type {number} */ end) => rows.filter((row) => row.end === end).length;

  return {
    strings,
    meta: {
      event: 'cycles:uk',
      requestedEvent: 'cycles:uk',
      unit: 'cycles',
      frequency: 1000,
      callGraph: 'full',
      startNs,
      endNs: startNs + 2_000_000_000,
      startUnixMs: 1_790_000_000_000,
      cpus: 2,
      pid: 4242,
      kernel: '6.1.0',
      hasKernel: true,
      hasPmu: true,
      ...meta,
    },
    threads: {
      tid: Uint32Array.from(threads, ({ tid }) => tid),
      name: Uint32Array.from(threads, ({ name }) => text(name)),
      startNs: new Float64Array(threads.length),
      endNs: new Float64Array(threads.length),
    },
    modules: {
      path: Uint32Array.from(modules, (name) => text(`/opt/${name}`)),
      name: Uint32Array.from(modules, (name) => text(name)),
      buildId: Uint32Array.from(modules, (_, i) =>
        text(`${i}123456789abcdef`.repeat(2) + 'ffff0000'),
      ),
      start: Float64Array.from(modules, (_, i) => 0x7f0000000000 + i * 0x10000000),
      end: Float64Array.from(modules, (_, i) => 0x7f0000000000 + (i + 1) * 0x10000000),
      flags: new Uint8Array(modules.length).fill(3),
    },
    funcs: {
      name: Uint32Array.from(known, ({ name }) => text(name)),
      symbol: Uint32Array.from(known, ({ name, symbol }) => text(symbol ?? name)),
      module: Int32Array.from(funcModules),
      crate: Int32Array.from(known, ({ crate }) => (crate === undefined ? -1 : text(crate))),
      kind: Uint8Array.from(known, ({ kind }) => KINDS.indexOf(kind ?? 'native')),
      file: Int32Array.from(known, ({ file }) => (file === undefined ? -1 : text(file))),
      line: Uint32Array.from(known, ({ line }) => line ?? 0),
      column: Uint32Array.from(known, ({ column }) => column ?? 0),
      tier: Uint8Array.from(known, ({ tier }) => tier ?? 0),
      named: Uint8Array.from(known, ({ named = true }) => (named ? 1 : 0)),
    },
    nodes: {
      parent: Int32Array.from(nodes, ({ parent }) => parent),
      func: Int32Array.from(nodes, ({ func }) => func),
      inline: Uint8Array.from(nodes, ({ inline }) => inline),
    },
    samples: {
      timeNs: Float64Array.from(rows, ({ timeNs }) => timeNs),
      thread: Uint32Array.from(rows, ({ thread }) => thread),
      cpu: Uint16Array.from(rows, ({ cpu }) => cpu),
      node: Uint32Array.from(rows, ({ node }) => node),
      weight: Float64Array.from(rows, ({ weight }) => weight),
      end: Uint8Array.from(rows, ({ end }) => end),
      flags: Uint8Array.from(rows, ({ flags }) => flags),
    },
    quality: {
      samples: rows.length,
      lost: 0,
      throttled: 0,
      complete: count(0),
      truncated: count(1),
      joined: 0,
      broken: count(2),
      unnamedLeaf: 0,
      handlerDropped: 0,
      unmatchedStacks: 0,
      ringBytes: 2 ** 20,
      byObject: [],
      cost: { cpuMs: 12.5, peakBytes: 2 ** 22, finishMs: 40, handlerMs: 3 },
      warnings: [],
      ...quality,
    },
  };
}

const CONTEXT = { command: 'node build.js', node: 'v20.20.0', rspack: '2.2.7', binding: null };

/**
 * @param {Parameters<typeof buildRaw>[0]} samples
 * @param {Parameters<typeof buildRaw>[1]} [more]
 * @param {import('../../../lib/profile/raw').Marker[]} [markers]
 */
function buildProfile(samples, more, markers = []) {
  const { Profile } = require('../../../lib/profile/profile.js');
  return new Profile(buildRaw(samples, more), { markers, context: CONTEXT });
}

/** A build in small: every kind of frame, two threads, recursion, an inlined frame, hard names. */
function smallBuild() {
  /** @type {Record<string, Func>} */
  const funcs = {
    _start: { object: 'node' },
    'rspack_core::compile': {
      kind: 'rust',
      crate: 'rspack_core',
      object: 'rspack.linux-x64-gnu.node',
    },
    'swc_ecma::visit': { kind: 'rust', crate: 'swc_ecma', object: 'rspack.linux-x64-gnu.node' },
    'swc_ecma::fold<T; U>': {
      kind: 'rust',
      crate: 'swc_ecma',
      object: 'rspack.linux-x64-gnu.node',
    },
    'loader /app/node_modules/@x/ldr/i.js:3:7': {
      kind: 'js',
      symbol: 'loader',
      file: '/app/node_modules/@x/ldr/i.js',
      line: 3,
      column: 7,
      tier: 4,
    },
    'Builtin:ArrayMap': { kind: 'v8', object: 'node', tier: 5 },
    do_syscall_64: { kind: 'kernel' },
    memcpy: { object: 'libc.so.6' },
  };
  const js = 'loader /app/node_modules/@x/ldr/i.js:3:7';
  const samples = [
    { stack: '_start;rspack_core::compile', weight: 3e6 },
    { stack: `_start;${js};Builtin:ArrayMap`, weight: 2e6 },
    { stack: `_start;${js};do_syscall_64`, weight: 1e6, flags: 2 },
    { stack: '_start;rspack_core::compile;swc_ecma::visit', thread: 'tokio', weight: 4e6 },
    {
      stack: '_start;rspack_core::compile;swc_ecma::visit;swc_ecma::visit;memcpy',
      thread: 'tokio',
      weight: 5e6,
    },
    {
      stack: '_start;rspack_core::compile;swc_ecma::fold<T; U>+'.replace('; U', ': U'),
      weight: 1e6,
    },
    { stack: 'memcpy', thread: 'tokio', weight: 2e6, end: 2 },
    { stack: 'swc_ecma::visit', thread: 'tokio/4300', weight: 1e6, end: 1 },
    { stack: '', weight: 1e6, end: 2 },
  ];
  return { samples, funcs: { ...funcs, 'swc_ecma::fold<T: U>': funcs['swc_ecma::fold<T; U>'] } };
}

/**
 * The addon's functions over a raw profile made by hand.
 * @param {Partial<NativeAddon> & {raw?: () => RawProfile}} [more]
 */
function fakeNative(more = {}) {
  /** @type {string[]} */
  const calls = [];
  /** @type {Record<string, unknown>[]} */
  const started = [];
  const { raw = () => buildRaw(smallBuild().samples, smallBuild()), ...rest } = more;
  /** @type {NativeAddon} */
  const native = {
    start: (options) => {
      calls.push('start');
      started.push(options);
      return { handle: calls.length };
    },
    stop: async () => (calls.push('stop'), raw()),
    stopSync: () => (calls.push('stopSync'), raw()),
    dump: async () => (calls.push('dump'), raw()),
    dumpSync: () => (calls.push('dumpSync'), raw()),
    discard: () => void calls.push('discard'),
    forget: () => void calls.push('forget'),
    events: () => [],
    importPerfData: async () => raw(),
    recoverJournal: () => ({ raw: raw(), about: '' }),
    probe: () => ({ ok: true, code: '', message: '' }),
    ...rest,
  };
  return { native, calls, started };
}

module.exports = { buildRaw, buildProfile, smallBuild, fakeNative, CONTEXT };
