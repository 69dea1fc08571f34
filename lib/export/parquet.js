'use strict';
// Five tables for DuckDB, polars or pandas, joined by their ids:
//   samples(time_ns, thread_id, thread, pool, cpu, stack_id, symbol_id, weight, phase_id, phase, end, event)
//   stacks(stack_id, depth, frame_id, inlined)   a row for each frame of a stack, depth 0 is the leaf
//   frames(frame_id, symbol_id, line, column, file, kind, tier, crate, address)
//   symbols(symbol_id, name, object, named)
//   phases(phase_id, name, compiler, build, start_ms, end_ms, wall_ms, cpu_ms)
// Of several events `samples` has all, one after the other: weights of two are no sum (WHERE event = ..).
// Each has the recording's facts as key-value metadata. A frame is one of our functions, a symbol a
// name in an object.

const { loadWriter } = require('./parquet-writer.js');
const { eachEvent } = require('../profile/events.js');
const { ENDS } = require('../profile/flags.js');
const { KINDS, objectOf } = require('../profile/keys.js');
const { NO_STACK } = require('./folded.js');
const pkg = require('../../package.json');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {{name: string, type: string, data: ArrayLike<unknown>, nullable: boolean, statistics: boolean}} Column */

const TIERS = [
  '',
  'interpreter',
  'baseline',
  'maglev',
  'turbofan',
  'builtin',
  'bytecode handler',
  'regexp',
  'wasm',
];
/** For numbers that go up by steps. */
const PACKED = { statistics: false, encoding: 'DELTA_BINARY_PACKED' };

/**
 * @param {string} name
 * @param {string} type of hyparquet-writer: INT32, INT64, DOUBLE, STRING, BOOLEAN
 * @param {ArrayLike<unknown>} data
 * @returns {Column}
 */
const column = (name, type, data) => ({ name, type, data, nullable: false, statistics: true });

/** @param {string} name @param {string} type @param {ArrayLike<unknown>} data with nulls */
const optional = (name, type, data) => ({ ...column(name, type, data), nullable: true });

/** @param {ArrayLike<number>} values */
const bigints = (values) =>
  BigInt64Array.from(Array.from(values, (value) => BigInt(Math.round(value))));

/**
 * Symbols: the functions that share a name and an object.
 * @param {Profile} profile
 */
function symbolsOf(profile) {
  const { raw, names } = profile;
  /** @type {Map<string, number>} */
  const known = new Map();
  /** @type {{name: string, object: string, named: boolean}[]} */
  const list = [];
  const ofFunc = Int32Array.from(names.id, (id, func) => {
    const name = names.text[id];
    const object = objectOf(profile, func);
    const key = `${object}\0${name}`;
    let symbol = known.get(key);
    if (symbol === undefined) {
      symbol = list.push({ name, object, named: raw.funcs.named[func] === 1 }) - 1;
      known.set(key, symbol);
    }
    return symbol;
  });
  // As a row of the report has it.
  const none = list.push({ name: NO_STACK, object: NO_STACK, named: false }) - 1;
  return { list, ofFunc, none };
}

/**
 * What a sample's own time belongs to: a leaf that was inlined is part of the function around it, as
 * in the report.
 * @param {Profile} profile
 * @param {ArrayLike<number>} leaves of samples
 * @param {ReturnType<typeof symbolsOf>} symbols
 */
function selfSymbols({ raw }, leaves, { ofFunc, none }) {
  const { parent, func, inline } = raw.nodes;
  return Int32Array.from(leaves, (leaf) => {
    let node = leaf;
    while (inline[node] === 1 && parent[node] > 0) node = parent[node];
    return node > 0 ? ofFunc[func[node]] : none;
  });
}

/**
 * Stacks: the nodes that samples have as their leaf, numbered as they are met; the empty one too. Their
 * rows are millions: typed arrays, whose size is counted first.
 * @param {Profile} profile
 * @param {number[]} ofSamples their leaves
 */
function stacksOf({ raw }, ofSamples) {
  const { parent, func, inline } = raw.nodes;
  const depthOf = new Int32Array(parent.length);
  for (let node = 1; node < parent.length; node++) depthOf[node] = depthOf[parent[node]] + 1;
  const leaves = [...new Set(ofSamples)];
  const size = leaves.reduce((sum, leaf) => sum + depthOf[leaf], 0);
  const stackOf = new Int32Array(parent.length).fill(-1);
  const rows = {
    stack: new Int32Array(size),
    depth: new Int32Array(size),
    frame: new Int32Array(size),
    inlined: /** @type {boolean[]} */ (new Array(size)),
  };
  let row = 0;
  leaves.forEach((leaf, stack) => {
    stackOf[leaf] = stack;
    for (let at = leaf, depth = 0; at > 0; at = parent[at], depth++) {
      rows.stack[row] = stack;
      rows.depth[row] = depth;
      rows.frame[row] = func[at];
      rows.inlined[row++] = inline[at] === 1;
    }
  });
  return { stackOf, rows };
}

/** @param {Profile} profile @returns {Column[]} */
function phaseColumns(profile) {
  const rows = profile.phases();
  const { phases } = profile.phaseColumn;
  const rowOf = phases.map(({ name, compiler, build }) =>
    rows.find((row) => row.name === name && row.compiler === compiler && row.build === build),
  );
  const pick = (/** @type {'startMs' | 'endMs' | 'wallMs' | 'cpuMs'} */ key) =>
    rowOf.map((row) => row?.[key] ?? null);
  return [
    column(
      'phase_id',
      'INT32',
      phases.map((_, phase) => phase),
    ),
    column(
      'name',
      'STRING',
      phases.map(({ name }) => name),
    ),
    column(
      'compiler',
      'STRING',
      phases.map(({ compiler }) => compiler),
    ),
    column(
      'build',
      'INT32',
      phases.map(({ build }) => build),
    ),
    optional('start_ms', 'DOUBLE', pick('startMs')),
    optional('end_ms', 'DOUBLE', pick('endMs')),
    optional('wall_ms', 'DOUBLE', pick('wallMs')),
    optional('cpu_ms', 'DOUBLE', pick('cpuMs')),
  ];
}

/**
 * @param {Profile} profile
 * @returns {Record<string, Column[]>}
 */
function tablesOf(profile) {
  const { raw, phaseColumn, threadNames, threadPools } = profile;
  const { funcs } = raw;
  const events = eachEvent(profile);
  /** A column of the samples of all events. @param {(own: Profile) => ArrayLike<number>} pick */
  const all = (pick) => events.flatMap((own) => Array.from(pick(own)));
  const nodes = all((own) => own.raw.samples.node);
  const threads = all((own) => own.raw.samples.thread);
  const phases = all((own) => own.phaseColumn.phaseOfSample);
  const symbols = symbolsOf(profile);
  const { stackOf, rows } = stacksOf(profile, nodes);
  const text = (/** @type {Int32Array} */ ids) =>
    Array.from(ids, (id) => (id > 0 ? raw.strings[id] : null));
  const words = (/** @type {number[]} */ ids, /** @type {readonly string[]} */ list) =>
    ids.map((id) => list[id]);
  return {
    samples: [
      column('time_ns', 'INT64', bigints(all((own) => own.raw.samples.timeNs))),
      column(
        'thread_id',
        'INT32',
        threads.map((thread) => raw.threads.tid[thread]),
      ),
      column('thread', 'STRING', words(threads, threadNames)),
      column('pool', 'STRING', words(threads, threadPools)),
      column(
        'cpu',
        'INT32',
        all((own) => own.raw.samples.cpu),
      ),
      column(
        'stack_id',
        'INT32',
        nodes.map((node) => stackOf[node]),
      ),
      column('symbol_id', 'INT32', selfSymbols(profile, nodes, symbols)),
      column(
        'weight',
        'DOUBLE',
        all((own) => own.raw.samples.weight),
      ),
      column('phase_id', 'INT32', phases),
      column('phase', 'STRING', words(phases, phaseColumn.names)),
      column(
        'end',
        'STRING',
        words(
          all((own) => own.raw.samples.end),
          ENDS,
        ),
      ),
      column(
        'event',
        'STRING',
        events.flatMap(({ meta, raw: { samples } }) =>
          new Array(samples.node.length).fill(meta.event),
        ),
      ),
    ],
    stacks: [
      // Millions of rows: no search for a dictionary and no least and greatest, which tell nothing.
      { ...column('stack_id', 'INT32', rows.stack), ...PACKED },
      { ...column('depth', 'INT32', rows.depth), ...PACKED },
      { ...column('frame_id', 'INT32', rows.frame), statistics: false },
      { ...column('inlined', 'BOOLEAN', rows.inlined), statistics: false },
    ],
    frames: [
      column('frame_id', 'INT32', Array.from(funcs.name.keys())),
      column('symbol_id', 'INT32', symbols.ofFunc),
      optional('file', 'STRING', text(funcs.file)),
      column('line', 'INT32', Array.from(funcs.line)),
      column('column', 'INT32', Array.from(funcs.column)),
      column(
        'kind',
        'STRING',
        Array.from(funcs.kind, (kind) => KINDS[kind]),
      ),
      column(
        'tier',
        'STRING',
        Array.from(funcs.tier, (tier) => TIERS[tier] ?? ''),
      ),
      optional('crate', 'STRING', text(funcs.crate)),
      column('address', 'DOUBLE', funcs.address ?? new Float64Array(funcs.name.length)),
    ],
    symbols: [
      column(
        'symbol_id',
        'INT32',
        symbols.list.map((_, symbol) => symbol),
      ),
      column(
        'name',
        'STRING',
        symbols.list.map(({ name }) => name),
      ),
      column(
        'object',
        'STRING',
        symbols.list.map(({ object }) => object),
      ),
      column(
        'named',
        'BOOLEAN',
        symbols.list.map(({ named }) => named),
      ),
    ],
    phases: phaseColumns(profile),
  };
}

/**
 * @param {Profile} profile
 * @returns {Record<string, Uint8Array[]>} by file name
 */
function parquetTables(profile) {
  const { parquetWriteBuffer } = loadWriter();
  const { meta } = profile;
  const facts = { command: meta.command, event: meta.event, unit: meta.unit, pid: meta.pid };
  const kvMetadata = Object.entries(facts).map(([key, value]) => ({ key, value: String(value) }));
  const createdBy = `${pkg.name} version ${pkg.version}`;
  return Object.fromEntries(
    Object.entries(tablesOf(profile)).map(([name, columnData]) => {
      const buffer = parquetWriteBuffer({
        columnData: /** @type {any} */ (columnData),
        rowGroupSize: 1_000_000,
        kvMetadata,
        createdBy,
      });
      return [`${name}.parquet`, [new Uint8Array(buffer)]];
    }),
  );
}

module.exports = { parquetTables };
