'use strict';
// A trace on disk, made here byte by byte: reading it, what is cut off, its tables in polars and DuckDB, its
// slices by Perfetto's published protos, its table.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const protobuf = require('protobufjs');
const { readEvents } = require('../../lib/calls/events.js');
const { exportTrace } = require('../../lib/calls/export.js');
const { summaryFromEvents } = require('../../lib/calls/from-events.js');
const { renderTrace, time } = require('../../lib/calls/table.js');

const ROOT = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-calls-'));
after(() => fs.rmSync(ROOT, { recursive: true, force: true }));

const [ENTRY, EXIT, TAIL, UNSEEN] = [1, 2, 3, 4];
/** kind, time, tid, function @typedef {[number, number, number, number?]} Event */

/** @param {number} value */
function varint(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
const zigzag = (/** @type {number} */ value) => varint(value >= 0 ? value * 2 : -value * 2 - 1);

/** By src/trace/spill.h. @param {Event[][]} chunks */
function eventsFile(chunks) {
  let [last, lastTid] = [0, 0];
  const parts = [Buffer.from('rspackprof-call1')];
  for (const chunk of chunks) {
    const bytes = chunk.flatMap(([kind, at, tid, func]) => {
      const event = [kind, ...zigzag(at - last), ...zigzag(tid - lastTid)];
      [last, lastTid] = [at, tid];
      return kind === ENTRY ? [...event, ...varint(func ?? 0)] : event;
    });
    const check = bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, 2166136261);
    const head = Buffer.alloc(16);
    head.write('CALL', 0, 'latin1');
    head.writeUInt32LE(chunk.length, 4);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(check, 12);
    parts.push(head, Buffer.from(bytes));
  }
  return Buffer.concat(parts);
}

const T = 35_000_000_000_000; // ns since the machine began
/** main calls work 3 times, which calls leaf and ends by a tail call into leaf; a second thread's work
 * is left by an exception. @type {Event[][]} */
const CHUNKS = [
  [
    [ENTRY, T, 10, 0],
    [ENTRY, T + 100, 10, 1],
    [ENTRY, T + 200, 10, 2],
    [EXIT, T + 250, 10],
    [TAIL, T + 300, 10],
    [ENTRY, T + 300, 10, 2],
    [EXIT, T + 1300, 10],
  ],
  [
    [ENTRY, T + 2000, 11, 1],
    [ENTRY, T + 2100, 10, 1],
    [EXIT, T + 2600, 10],
    [UNSEEN, T + 2700, 11],
    [ENTRY, T + 3000, 10, 1],
    [EXIT, T + 3100, 10],
    [EXIT, T + 10000, 10],
  ],
];
const NAMES = ['main', 'crate::work', 'crate::leaf'];

let made = 0;
/** @param {Buffer} [events] @param {string[]} [names] */
function folderOf(events = eventsFile(CHUNKS), names = NAMES) {
  const folder = path.join(ROOT, `trace-${++made}`);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'events.bin'), events);
  fs.writeFileSync(
    path.join(folder, 'functions.json'),
    JSON.stringify({
      schema: 1,
      command: 'build it',
      startUnixMs: 1.7e12,
      startNs: T - 5,
      objects: ['/opt/a.node'],
      functions: names.map((name) => ({ name, object: 0, callsOnly: false })),
    }),
  );
  return folder;
}

/** @param {Buffer} bytes */
function eventsOf(bytes) {
  const file = path.join(ROOT, `events-${++made}`);
  fs.writeFileSync(file, bytes);
  /** @type {{ cut?: string }} */
  const state = {};
  const rows = [];
  for (const b of readEvents(file, state)) {
    for (let i = 0; i < b.length; i++) {
      rows.push([b.kind[i], b.timeNs[i] - T, b.tid[i], b.func[i], b.frame[i], b.parent[i]]);
    }
  }
  return { rows, cut: state.cut };
}

test('ends find their calls, across chunks and threads', () => {
  const { rows, cut } = eventsOf(eventsFile(CHUNKS));
  assert.equal(cut, undefined);
  assert.deepEqual(rows, [
    [1, 0, 10, 0, 1, 0],
    [1, 100, 10, 1, 2, 1],
    [1, 200, 10, 2, 3, 2],
    [2, 250, 10, 2, 3, 2],
    [3, 300, 10, 1, 2, 1],
    [1, 300, 10, 2, 4, 1],
    [2, 1300, 10, 2, 4, 1],
    [1, 2000, 11, 1, 5, 0],
    [1, 2100, 10, 1, 6, 1],
    [2, 2600, 10, 1, 6, 1],
    [4, 2700, 11, 1, 5, 0],
    [1, 3000, 10, 1, 7, 1],
    [2, 3100, 10, 1, 7, 1],
    [2, 10000, 10, 0, 1, 0],
  ]);
});

test('a file cut anywhere is read up to its last whole chunk', () => {
  const whole = eventsFile(CHUNKS);
  const first = eventsFile(CHUNKS.slice(0, 1)).length;
  for (let length = 16; length <= whole.length; length++) {
    const { rows, cut } = eventsOf(whole.subarray(0, length));
    const chunks = length < first ? 0 : length < whole.length ? 1 : 2;
    assert.equal(rows.length, chunks * 7, `${length} bytes`);
    const onBorder = length === 16 || length === first || length === whole.length;
    assert.equal(cut === undefined, onBorder, `${length} bytes`);
  }
});

test('bytes that were changed end the reading, or are refused', () => {
  const whole = eventsFile(CHUNKS);
  const first = eventsFile(CHUNKS.slice(0, 1)).length;
  for (let at = first; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] ^= 0x55;
    const { rows, cut } = eventsOf(changed);
    assert.equal(rows.length, 7, `byte ${at}`);
    assert.ok(cut);
  }
  const foreign = Buffer.from(whole);
  foreign[0] = 0;
  assert.throws(() => eventsOf(foreign), { code: 'ERR_PROF_BAD_FILE' });
  // An end without a call: no writer of ours makes it.
  assert.ok(eventsOf(eventsFile([[[EXIT, T, 1]]])).cut);
});

test('figures from events alone', () => {
  const { functions, quality, warnings } = summaryFromEvents(folderOf());
  assert.deepEqual(
    functions.map(({ symbol, calls, selfNs, totalNs, meanNs, maxNs, unseen, open }) => [
      symbol,
      [calls, selfNs, totalNs, meanNs, maxNs, unseen, open],
    ]),
    [
      ['main', [1, 8200, 10000, 10000, 10000, 0, 0]],
      ['crate::leaf', [2, 1050, 1050, 525, 1000, 0, 0]],
      ['crate::work', [4, 750, 800, 267, 500, 1, 0]],
    ],
  );
  assert.equal(quality.events, 14);
  assert.equal(warnings[0].code, 'trace-cut');
});

/** The packages' own binaries need a glibc and a node of theirs. */
const isHere = (/** @type {string} */ name) => {
  try {
    require(name);
    return false;
  } catch (error) {
    return `${name} does not load here: ${/** @type {Error} */ (error).message.split('\n')[0]}`;
  }
};

test(
  'parquet: sftrace’s questions, asked by DuckDB',
  { skip: isHere('@duckdb/node-api') },
  async () => {
    const folder = exportTrace(folderOf(), summaryFromEvents(folderOf()), 'parquet');
    const { DuckDBInstance } = require('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create()).connect();
    const rows = async (/** @type {string} */ query) => {
      const text = query.replace(/\{(\w+)\}/g, (_, name) => `'${path.join(folder, name)}.parquet'`);
      return (await connection.runAndReadAll(text)).getRowsJson();
    };
    assert.deepEqual(
      (await rows('DESCRIBE SELECT * FROM {events}')).map(([name, type]) => [name, type]),
      [
        ['frame_id', 'UBIGINT'],
        ['parent', 'UBIGINT'],
        ['tid', 'UINTEGER'],
        ['func_id', 'UBIGINT'],
        ['time', 'UBIGINT'],
        ['kind', 'UINTEGER'],
      ],
    );
    assert.deepEqual(
      (await rows('DESCRIBE SELECT * FROM {symbols}')).map(([name, type]) => [name, type]),
      [
        ['func_id', 'UBIGINT'],
        ['name', 'VARCHAR'],
        ['path', 'VARCHAR'],
      ],
    );
    const frequent = `SELECT name, count(*) AS calls FROM {events} JOIN {symbols} USING (func_id)
    WHERE kind = 1 GROUP BY name ORDER BY calls DESC`;
    assert.deepEqual(await rows(frequent), [
      ['crate::work', '4'],
      ['crate::leaf', '2'],
      ['main', '1'],
    ]);
    const leaves = `SELECT name, o.time - i.time AS ns, i.time - ${T} AS at
    FROM {events} i JOIN {events} o USING (frame_id) JOIN {symbols} s ON s.func_id = i.func_id
    WHERE i.kind = 1 AND o.kind = 2
      AND i.frame_id NOT IN (SELECT parent FROM {events} WHERE kind = 1)
    ORDER BY ns DESC`;
    assert.deepEqual(await rows(leaves), [
      ['crate::leaf', '1000', '300'],
      ['crate::work', '500', '2100'],
      ['crate::work', '100', '3000'],
      ['crate::leaf', '50', '200'],
    ]);
  },
);

test('parquet: the same by polars', { skip: isHere('nodejs-polars') }, () => {
  const folder = exportTrace(folderOf(), summaryFromEvents(folderOf()), 'parquet');
  /** @type {any} */
  const pl = require('nodejs-polars');
  const events = pl.readParquet(path.join(folder, 'events.parquet'));
  const symbols = pl.readParquet(path.join(folder, 'symbols.parquet'));
  const entries = events.filter(pl.col('kind').eq(1));
  const frequent = entries
    .groupBy('func_id')
    .agg(pl.col('frame_id').count().alias('calls'))
    .join(symbols, { on: 'func_id' })
    .sort('calls', true);
  assert.deepEqual(
    frequent.toRecords().map((/** @type {any} */ { name, calls }) => [name, Number(calls)]),
    [
      ['crate::work', 4],
      ['crate::leaf', 2],
      ['main', 1],
    ],
  );
  const exits = events.filter(pl.col('kind').eq(2)).select('frame_id', pl.col('time').alias('end'));
  const parents = entries.select(pl.col('parent').alias('frame_id')).unique();
  const leaves = entries
    .join(parents, { on: 'frame_id', how: 'anti' })
    .join(exits, { on: 'frame_id' })
    .withColumn(pl.col('end').minus(pl.col('time')).alias('ns'))
    .join(symbols, { on: 'func_id' })
    .sort('ns', true);
  assert.deepEqual(
    leaves.toRecords().map((/** @type {any} */ { name, ns }) => [name, Number(ns)]),
    [
      ['crate::leaf', 1000],
      ['crate::work', 500],
      ['crate::work', 100],
      ['crate::leaf', 50],
    ],
  );
});

test('perfetto: nested slices on each thread’s track, a counter, by the published protos', () => {
  const summary = summaryFromEvents(folderOf());
  summary.threads.push({ pid: 10, tid: 10, name: 'node' }, { pid: 10, tid: 11, name: 'rayon-1' });
  const file = exportTrace(folderOf(), summary, 'perfetto', path.join(ROOT, 'p.pftrace'));
  const type = protobuf
    .loadSync(path.join(__dirname, '../fixtures/proto/perfetto.proto'))
    .lookupType('Trace');
  /** @type {any} */
  const { packet } = type.toObject(type.decode(fs.readFileSync(file)), {
    longs: Number,
    enums: String,
  });
  /** @type {Map<number, string>} */
  const names = new Map();
  /** @type {Map<number, any>} */
  const tracks = new Map();
  /** @type {Map<number, string[]>} */
  const open = new Map();
  /** @type {string[]} */
  const slices = [];
  /** @type {string[]} */
  const notes = [];
  let counted = 0;
  for (const { internedData, trackDescriptor, trackEvent, timestamp } of packet) {
    for (const { iid, name } of internedData?.eventNames ?? []) names.set(iid, name);
    if (trackDescriptor) tracks.set(trackDescriptor.uuid, trackDescriptor);
    if (!trackEvent) continue;
    const { type: kind, trackUuid, nameIid } = trackEvent;
    const track = tracks.get(trackUuid);
    assert.ok(track, 'a track is described before its events');
    if (kind === 'TYPE_COUNTER') {
      counted += trackEvent.doubleCounterValue;
      continue;
    }
    const stack = open.get(trackUuid) ?? [];
    open.set(trackUuid, stack);
    if (kind === 'TYPE_SLICE_BEGIN') {
      stack.push(String(names.get(nameIid)));
      slices.push(`${track.thread.threadName} ${timestamp - T} ${stack.join(' > ')}`);
    } else {
      assert.ok(stack.pop(), 'an end has its beginning');
      for (const { name, stringValue } of trackEvent.debugAnnotations ?? []) {
        notes.push(`${name}: ${stringValue}`);
      }
    }
  }
  assert.deepEqual(slices, [
    'node 0 main',
    'node 100 main > crate::work',
    'node 200 main > crate::work > crate::leaf',
    'node 300 main > crate::leaf',
    'rayon-1 2000 crate::work',
    'node 2100 main > crate::work',
    'node 3000 main > crate::work',
  ]);
  assert.ok([...open.values()].every((stack) => stack.length === 0));
  assert.deepEqual(notes, ['end: tail call', 'end: left unseen']);
  assert.equal(counted, 7);
});

test('the table: what has no room goes first, marks stay', () => {
  const summary = summaryFromEvents(folderOf(undefined, ['main', 'x'.repeat(300), 'crate::leaf']));
  summary.functions[0].open = 1;
  const wide = renderTrace(summary, { width: 200 });
  assert.match(wide, /CALLS +SELF +SELF% +TOTAL +MEAN +P50 +P99 +MAX +SYMBOL/);
  const narrow = renderTrace(summary, { width: 80 });
  assert.match(narrow, /main \(1 never returned\)/);
  assert.match(narrow, /x…x+ \(1 left unseen\)/);
  for (const line of narrow.split('\n')) assert.ok(line.length <= 80, line);
  assert.deepEqual([0, 999, 1000, 12_345, 999_999, 1e9, null].map(time), [
    '0 ns',
    '999 ns',
    '1.00 us',
    '12.3 us',
    '1.00 ms',
    '1.00 s',
    '-',
  ]);
});
