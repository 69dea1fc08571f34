'use strict';
// Profiles and worlds made up for the tests of the command line, the table and the doctor.

const { Writable } = require('node:stream');
const { Profile } = require('../../lib/profile/profile.js');

const KINDS = ['rust', 'js', 'native', 'v8', 'kernel', 'unknown'];
const BINDING = '/app/node_modules/@rspack/binding-linux-x64-gnu/rspack.linux-x64-gnu.node';

/**
 * @typedef {object} Func
 * @property {string} name
 * @property {string} kind
 * @property {number} [module] index into modules
 * @property {string} [crate]
 *
 * @typedef {object} Sample
 * @property {string[]} stack function names, outermost first
 * @property {number} [count]
 * @property {number} [end] 0 complete, 1 truncated, 2 broken
 */

/**
 * @param {object} recipe
 * @param {Func[]} recipe.funcs
 * @param {Sample[]} recipe.samples
 * @param {{ path: string, flags: number }[]} [recipe.modules]
 * @param {object} [recipe.meta]
 * @param {object} [recipe.quality]
 * @returns {import('../../lib/profile/raw').RawProfile}
 */
function rawProfile({ funcs, samples, modules = [], meta = {}, quality = {} }) {
  const strings = [''];
  const intern = (/** @type {string} */ text) => {
    const at = strings.indexOf(text);
    return at >= 0 ? at : strings.push(text) - 1;
  };
  const parent = [-1];
  const func = [-1];
  const nodeOf = (/** @type {string[]} */ stack) => {
    let node = 0;
    for (const name of stack) {
      const index = funcs.findIndex((one) => one.name === name);
      if (index < 0) throw new Error(`no function '${name}' in the recipe`);
      let next = parent.findIndex((up, i) => up === node && func[i] === index);
      if (next < 0) {
        next = parent.push(node) - 1;
        func.push(index);
      }
      node = next;
    }
    return node;
  };
  const rows = samples.flatMap(({ stack, count = 1, end = 0 }) => {
    const node = nodeOf(stack);
    return Array.from({ length: count }, () => ({ node, end }));
  });
  const zeros = rows.map(() => 0);
  const ends = [0, 1, 2].map((end) => rows.filter((row) => row.end === end).length);
  const startNs = 1e9;
  return {
    strings,
    meta: {
      event: 'cpu-clock:u',
      requestedEvent: 'cycles:uk',
      unit: 'ns',
      frequency: 1000,
      callGraph: 'full',
      startNs,
      endNs: startNs + 3.32e9,
      startUnixMs: 1.7e12,
      cpus: 2,
      pid: 4711,
      kernel: '6.1.0',
      hasKernel: true,
      hasPmu: true,
      ...meta,
    },
    threads: {
      tid: Uint32Array.of(4711),
      name: Uint32Array.of(intern('node')),
      startNs: Float64Array.of(0),
      endNs: Float64Array.of(0),
    },
    modules: {
      path: Uint32Array.from(modules, (one) => intern(one.path)),
      name: Uint32Array.from(modules, (one) =>
        intern(/** @type {string} */ (one.path.split('/').pop())),
      ),
      buildId: new Uint32Array(modules.length),
      start: new Float64Array(modules.length),
      end: new Float64Array(modules.length),
      flags: Uint8Array.from(modules, (one) => one.flags),
    },
    funcs: {
      name: Uint32Array.from(funcs, (one) => intern(one.name)),
      symbol: Uint32Array.from(funcs, (one) => intern(one.name.split(' ')[0])),
      module: Int32Array.from(funcs, (one) => one.module ?? -1),
      crate: Int32Array.from(funcs, (one) => (one.crate ? intern(one.crate) : -1)),
      kind: Uint8Array.from(funcs, (one) => KINDS.indexOf(one.kind)),
      file: new Int32Array(funcs.length).fill(-1),
      line: new Uint32Array(funcs.length),
      column: new Uint32Array(funcs.length),
      tier: new Uint8Array(funcs.length),
      named: new Uint8Array(funcs.length).fill(1),
    },
    nodes: {
      parent: Int32Array.from(parent),
      func: Int32Array.from(func),
      inline: new Uint8Array(parent.length),
    },
    samples: {
      timeNs: Float64Array.from(rows, (_, i) => startNs + i * 1e6),
      thread: Uint32Array.from(zeros),
      cpu: Uint16Array.from(zeros),
      node: Uint32Array.from(rows, (row) => row.node),
      weight: Float64Array.from(rows, () => 1e6),
      end: Uint8Array.from(rows, (row) => row.end),
      flags: Uint8Array.from(zeros),
    },
    quality: {
      samples: rows.length,
      lost: 0,
      throttled: 0,
      complete: ends[0],
      truncated: ends[1],
      joined: 0,
      broken: ends[2],
      unnamedLeaf: 0,
      handlerDropped: 0,
      unmatchedStacks: 0,
      ringBytes: 1 << 20,
      byObject: [],
      cost: { cpuMs: 12, peakBytes: 1 << 22, finishMs: 80, handlerMs: 9 },
      warnings: [],
      ...quality,
    },
  };
}

const VISIT =
  '<swc_ecma_ast::jsx::JSXAttrOrSpread as swc_ecma_visit::generated::VisitWith<' +
  'swc_ecma_transforms_optimization::debug::AssertValid>>::visit_children_with';
const IN_WORKER =
  'rayon_core::registry::in_worker::<rayon_core::join::join_context<rayon::iter::plumbing::' +
  'bridge_producer_consumer::helper<rayon::vec::DrainProducer<&rspack_core::chunk::Chunk>, ' +
  'fn(u8) -> bool>>>::{closure#0}';
const SCRIPT =
  'transformSync /app/node_modules/.pnpm/@babel+core@7.29.13/node_modules/@babel/core/lib/index.js:12:34';

/** What a build's profile looks like: all kinds of frames, long names, one broken stack. */
function buildRecipe() {
  const modules = [
    { path: '/usr/bin/node', flags: 3 },
    { path: BINDING, flags: 3 },
    { path: '/usr/lib/x86_64-linux-gnu/libc.so.6', flags: 3 },
  ];
  /** @type {Func[]} */
  const funcs = [
    { name: '_start', kind: 'native', module: 0 },
    {
      name: 'v8::internal::Execution::Call(v8::internal::Isolate*, int)',
      kind: 'native',
      module: 0,
    },
    { name: 'Builtins_JSEntry', kind: 'v8', module: 0 },
    { name: SCRIPT, kind: 'js' },
    { name: IN_WORKER, kind: 'rust', module: 1, crate: 'rayon_core' },
    { name: VISIT, kind: 'rust', module: 1, crate: 'swc_ecma_ast' },
    {
      name: 'rspack_core::compiler::make::repair::factorize::FactorizeTask::run',
      kind: 'rust',
      module: 1,
      crate: 'rspack_core',
    },
    { name: '__memmove_avx_unaligned_erms', kind: 'native', module: 2 },
    { name: 'clear_page_erms', kind: 'kernel' },
    { name: '解析\u001b[31m /app/src/解析.js:1:1', kind: 'js' },
  ];
  const [start, call, entry, script, worker, visit, run, memmove, clear, wide] = funcs.map(
    (one) => one.name,
  );
  const js = [start, call, entry, script];
  /** @type {Sample[]} */
  const samples = [
    { stack: [start, worker, visit], count: 412 },
    { stack: [start, worker, visit, memmove], count: 97 },
    { stack: [start, worker, run], count: 233 },
    { stack: js, count: 151 },
    { stack: [...js, run, visit], count: 44 },
    { stack: [...js, wide], count: 23 },
    { stack: [start, worker, run, clear], count: 37 },
    { stack: [memmove], count: 2, end: 2 },
    { stack: [start, call], count: 1 },
  ];
  return { modules, funcs, samples };
}

const CONTEXT = {
  command: 'rspack build',
  node: 'v20.20.2',
  rspack: '2.2.7',
  binding: /** @type {string | null} */ (BINDING),
};

/**
 * @param {Partial<Parameters<typeof rawProfile>[0]>} [changes]
 * @param {Partial<typeof CONTEXT>} [context]
 */
function buildProfile(changes = {}, context = {}) {
  return new Profile(rawProfile({ ...buildRecipe(), ...changes }), {
    context: { ...CONTEXT, ...context },
  });
}

/** A stream that keeps what is written, as a pipe or as a terminal. */
class Kept extends Writable {
  /** @param {{ columns?: number, colors?: boolean }} [terminal] a pipe unless given */
  constructor(terminal) {
    super();
    /** @type {Buffer[]} */
    this.chunks = [];
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns;
    this.hasColors = () => terminal?.colors === true;
  }

  /**
   * @param {Buffer} chunk
   * @param {string} _
   * @param {() => void} done
   */
  _write(chunk, _, done) {
    this.chunks.push(chunk);
    done();
  }

  get text() {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

/**
 * An addon that opens whatever it is asked to.
 * @param {object} [changes]
 * @returns {import('../../lib/profile/raw').NativeAddon}
 */
function fakeNative(changes = {}) {
  return /** @type {any} */ ({
    probe: () => ({ ok: true, code: '', message: '' }),
    events: () => [
      {
        name: 'cpu-clock',
        type: 'software',
        description: 'time on a CPU',
        available: true,
        reason: '',
      },
      {
        name: 'cycles',
        type: 'hardware',
        description: 'CPU cycles',
        available: false,
        reason: 'no hardware counters',
      },
    ],
    ...changes,
  });
}

/**
 * Runs a command line in this process.
 * @param {string[]} argv
 * @param {Partial<import('../../lib/cli/main.js').World>} [changes]
 */
async function cli(argv, changes = {}) {
  const { main } = require('../../lib/cli/main.js');
  const stdout = new Kept();
  const stderr = new Kept();
  const exitCode = await main(argv, {
    stdout,
    stderr,
    env: process.env,
    cwd: process.cwd(),
    loadNative: () => fakeNative(),
    ...changes,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** A machine on which all is well, and what a test changes of it. */
function judge(/** @type {Partial<import('../../lib/doctor/facts.js').Facts>} */ changes = {}) {
  /** @type {import('../../lib/doctor/facts.js').Facts} */
  const facts = {
    platform: 'linux',
    arch: 'x64',
    kernel: '6.1.0-18-amd64',
    cpus: 4,
    cwd: '/app',
    root: false,
    mayLock: false,
    paranoid: 1,
    kptrRestrict: 0,
    kernelSymbols: true,
    mlockKb: 516,
    maxSampleRate: 100_000,
    hasPmu: true,
    seccomp: 0,
    files: { soft: 1024, hard: 1_048_576 },
    lockedBytes: { soft: 8 << 20, hard: 8 << 20 },
    core: { version: '2.2.7', folder: '/app/node_modules/@rspack/core' },
    binding: { file: BINDING, version: '2.2.7', symbols: true, chosen: false },
    packageManager: 'npm',
    installed: () => null,
    bindingVersion: () => '2.2.7',
    leftovers: [],
    probe: { ok: true, code: '', message: '' },
  };
  return { ...facts, ...changes };
}

module.exports = {
  BINDING,
  IN_WORKER,
  Kept,
  SCRIPT,
  VISIT,
  buildProfile,
  buildRecipe,
  cli,
  fakeNative,
  judge,
  rawProfile,
};
