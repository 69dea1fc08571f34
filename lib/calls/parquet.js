'use strict';
// A trace's two tables as sftrace's data frames have them:
//   events(frame_id u64, parent u64, tid u32, func_id u64, time u64 ns, kind u32)   kind 1 entry, 2 exit,
//     3 tail call; ours: 4 a call that was left unseen (exception, longjmp, the thread's end)
//   symbols(func_id u64, name, path)
//   flows(frame_id, spawner, tid, spawner_tid, time, spawned): jobs of rayon and tokio, with the frame_id of the
//     call that runs each and of the call that handed it over, and both times; where --flows was asked for
// An end has the frame_id of its entry; parent 0: no traced function called it. Row groups are written as
// they are read: memory does not grow with the trace.

const path = require('node:path');
const { loadWriter } = require('../export/parquet-writer.js');
const { readEvents } = require('./events.js');
const { eventsFile, readFunctions } = require('./store.js');
const pkg = require('../../package.json');

const ROWS = 500_000;

/** @param {string} name @param {'INT32' | 'INT64'} type @param {'UINT_32' | 'UINT_64'} as */
const unsigned = (name, type, as) => ({
  name,
  type,
  converted_type: as,
  repetition_type: /** @type {const} */ ('REQUIRED'),
});

const EVENT_SCHEMA = [
  { name: 'root', num_children: 6 },
  unsigned('frame_id', 'INT64', 'UINT_64'),
  unsigned('parent', 'INT64', 'UINT_64'),
  unsigned('tid', 'INT32', 'UINT_32'),
  unsigned('func_id', 'INT64', 'UINT_64'),
  unsigned('time', 'INT64', 'UINT_64'),
  unsigned('kind', 'INT32', 'UINT_32'),
];

const FLOW_SCHEMA = [
  { name: 'root', num_children: 6 },
  unsigned('frame_id', 'INT64', 'UINT_64'),
  unsigned('spawner', 'INT64', 'UINT_64'),
  unsigned('tid', 'INT32', 'UINT_32'),
  unsigned('spawner_tid', 'INT32', 'UINT_32'),
  unsigned('time', 'INT64', 'UINT_64'),
  unsigned('spawned', 'INT64', 'UINT_64'),
];

const SYMBOL_SCHEMA = [
  { name: 'root', num_children: 3 },
  unsigned('func_id', 'INT64', 'UINT_64'),
  ...['name', 'path'].map((name) => ({
    name,
    type: /** @type {const} */ ('BYTE_ARRAY'),
    converted_type: /** @type {const} */ ('UTF8'),
    repetition_type: /** @type {const} */ ('REQUIRED'),
  })),
];

/** @param {string} name @param {any} data */
const column = (name, data) => ({ name, data, nullable: false });

/** Columns that fill up to a row group. */
class Rows {
  length = 0;
  frame = new BigInt64Array(ROWS);
  parent = new BigInt64Array(ROWS);
  tid = new Int32Array(ROWS);
  func = new BigInt64Array(ROWS);
  time = new BigInt64Array(ROWS);
  kind = new Int32Array(ROWS);

  /** @param {import('./events').Batch} batch @param {number} from */
  take(batch, from) {
    const until = Math.min(batch.length, from + ROWS - this.length);
    for (let i = from; i < until; i++, this.length++) {
      this.frame[this.length] = BigInt(batch.frame[i]);
      this.parent[this.length] = BigInt(batch.parent[i]);
      this.tid[this.length] = batch.tid[i];
      this.func[this.length] = BigInt(batch.func[i]);
      this.time[this.length] = BigInt(batch.timeNs[i]);
      this.kind[this.length] = batch.kind[i];
    }
    return until;
  }

  columns() {
    const filled = (/** @type {string} */ name, /** @type {any} */ data) => ({
      ...column(name, data.subarray(0, this.length)),
      // Millions of rows: no search for a dictionary, and no least and greatest.
      statistics: false,
      encoding: /** @type {const} */ ('DELTA_BINARY_PACKED'),
    });
    return [
      filled('frame_id', this.frame),
      filled('parent', this.parent),
      filled('tid', this.tid),
      filled('func_id', this.func),
      filled('time', this.time),
      filled('kind', this.kind),
    ];
  }
}

/**
 * @param {any} schema
 * @param {{ key: string, value: string }[]} kvMetadata
 * @param {Iterable<{ name: string, data: any, nullable: boolean }[]>} groups
 * @returns {Generator<Uint8Array>}
 */
function* parquetFile(schema, kvMetadata, groups) {
  const { ByteWriter, ParquetWriter } = loadWriter();
  const writer = new ByteWriter();
  const createdBy = `${pkg.name} version ${pkg.version}`;
  const file = new ParquetWriter({ writer, schema, kvMetadata, createdBy });
  const taken = () => {
    const bytes = new Uint8Array(writer.buffer.slice(0, writer.index));
    // Places in the file are counted by `offset`: only what is in memory is given away.
    writer.index = 0;
    return bytes;
  };
  for (const columnData of groups) {
    file.write({ columnData, rowGroupSize: ROWS });
    yield taken();
  }
  file.finish();
  yield taken();
}

/** @param {string} folder @param {number} functions how many there are */
function* eventGroups(folder, functions) {
  const rows = new Rows();
  for (const batch of readEvents(eventsFile(folder), {}, functions)) {
    for (let at = 0; at < batch.length;) {
      at = rows.take(batch, at);
      if (rows.length < ROWS) continue;
      yield rows.columns();
      rows.length = 0;
    }
  }
  if (rows.length > 0) yield rows.columns();
}

/** @param {string} folder */
function* flowGroups(folder) {
  /** @type {import('./events').Flow[]} */
  let rows = [];
  const columns = () => {
    const of = (/** @type {keyof import('./events').Flow} */ key) => rows.map((row) => row[key]);
    const wide = (/** @type {keyof import('./events').Flow} */ key) =>
      BigInt64Array.from(of(key), BigInt);
    return [
      column('frame_id', wide('frame')),
      column('spawner', wide('spawner')),
      column('tid', Int32Array.from(of('tid'))),
      column('spawner_tid', Int32Array.from(of('spawnerTid'))),
      column('time', wide('timeNs')),
      column('spawned', wide('spawnedNs')),
    ];
  };
  for (const { flows } of readEvents(eventsFile(folder))) {
    rows.push(...flows);
    if (rows.length < ROWS) continue;
    yield columns();
    rows = [];
  }
  yield columns();
}

/**
 * @param {string} folder of a trace
 * @returns {Record<string, Iterable<Uint8Array>>} by file name
 */
function parquetTrace(folder) {
  const { functions, objects, command, startUnixMs } = readFunctions(folder);
  const facts = { command, startUnixMs, clock: 'CLOCK_MONOTONIC' };
  const kvMetadata = Object.entries(facts).map(([key, value]) => ({ key, value: String(value) }));
  const symbols = [
    column(
      'func_id',
      BigInt64Array.from(functions, (_, id) => BigInt(id)),
    ),
    column(
      'name',
      functions.map(({ name }) => name),
    ),
    column(
      'path',
      functions.map(({ object }) => path.normalize(objects[object])),
    ),
  ];
  return {
    'events.parquet': parquetFile(EVENT_SCHEMA, kvMetadata, eventGroups(folder, functions.length)),
    'symbols.parquet': parquetFile(SYMBOL_SCHEMA, kvMetadata, [symbols]),
    ...(functions.some(({ role }) => role) && {
      'flows.parquet': parquetFile(FLOW_SCHEMA, kvMetadata, flowGroups(folder)),
    }),
  };
}

module.exports = { parquetTrace };
