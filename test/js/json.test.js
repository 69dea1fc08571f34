'use strict';
// Large tables as JSON and as gzip, piece by piece: the same bytes as in one go.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const zlib = require('node:zlib');
const { Gzip, crcByTable } = require('../../lib/export/gzip.js');
const { Column, writeJson } = require('../../lib/export/json.js');

const NUMBERS = [
  ...[0, -0, 1, -1, 9, 10, 99, 100, 999_999, 1_000_000, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32],
  ...[2 ** 53, 1e21, 1e-7, 0.1, -2.5, NaN, Infinity, 123_456_789_012_345],
];

/** @param {number} count */
const repeated = (count) => Array.from({ length: count }, (_, i) => NUMBERS[i % NUMBERS.length]);

const TABLE = {
  empty: {},
  none: [],
  left: undefined,
  text: 'a "quoted" line\n\u2028 é 😀 \ud800',
  long: 'é'.repeat(700_000),
  mixed: [null, true, undefined, 'x', 1.5, [], {}, [{ deep: [new Column([])] }]],
  strings: Array.from({ length: 5000 }, (_, i) => '😀'.repeat(i % 60)),
  columns: [
    new Column(repeated(100_000)),
    new Column(Float64Array.from(repeated(5000)), { decimals: 6 }),
    new Column(
      Int32Array.from({ length: 2049 }, (_, i) => i - 1),
      { nullAt: 0, add: -1 },
    ),
    new Column(new Uint8Array(2048), { nullAt: 0 }),
    new Column(Uint16Array.of(65535)),
  ],
};

/** @param {unknown} value */
function piecesOf(value) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  // A piece is the writer's again afterwards.
  writeJson(value, (piece) => pieces.push(Buffer.from(piece)));
  return pieces;
}

test('piece by piece it is what JSON.stringify() gives', () => {
  const pieces = piecesOf(TABLE);
  assert.ok(pieces.length > 3);
  assert.equal(Buffer.concat(pieces).toString(), JSON.stringify(TABLE));
  for (const value of [...NUMBERS, null, 'x', [], {}, [[]], new Column([1])]) {
    assert.equal(Buffer.concat(piecesOf(value)).toString(), JSON.stringify(value));
  }
});

/**
 * Not by assert.equal(): what it says of half a megabyte that differs in a digit fills the log.
 * @param {unknown} value
 * @param {unknown} [wanted]
 */
function isJson(value, wanted = value) {
  const [text, expected] = [Buffer.concat(piecesOf(value)).toString(), JSON.stringify(wanted)];
  let at = 0;
  while (at < text.length && text[at] === expected[at]) at++;
  const around = (/** @type {string} */ own) => own.slice(Math.max(0, at - 20), at + 20);
  assert.ok(text === expected, `${around(text)} instead of ${around(expected)}`);
}

test('numbers of any size, sign and number of decimals have the digits that V8 gives them', () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const whole = Array.from({ length: 20_000 }, () => Math.floor(random() * 10 ** (random() * 17)));
  const signed = whole.map((value, i) => (i % 2 === 0 ? value : -value));
  for (const decimals of [0, 1, 3, 6, 9]) {
    const columns = [
      new Column(signed, { decimals }),
      new Column(Float64Array.from(signed), { decimals }),
    ];
    isJson(columns);
  }
  for (const type of [Uint8Array, Uint16Array, Int32Array, Uint32Array]) {
    const values = type.from(signed.map((value) => value % 2 ** 32));
    for (const how of [{}, { nullAt: values[3] }, { add: -1 }, { add: 7, nullAt: 0 }]) {
      const column = new Column(values, how);
      isJson(column);
    }
  }
});

test('chosen rows, and what came since the one before', () => {
  const values = Float64Array.from({ length: 10_000 }, (_, i) => 1e9 + i * i);
  const rows = Uint32Array.from({ length: 5000 }, (_, i) => 2 * i + 1);
  const chosen = Array.from(rows, (row) => values[row]);
  isJson(new Column(values, { rows }), chosen);
  const deltas = chosen.map((value, i) => value - (i > 0 ? chosen[i - 1] : 5));
  const column = new Column(values, { rows, since: 5, decimals: 6 });
  isJson(
    column,
    deltas.map((delta) => delta / 1e6),
  );
  isJson(column);
  const all = Array.from(values, (value, i) => value - (i > 0 ? values[i - 1] : 0));
  isJson(new Column(values, { since: 0 }), all);
});

test('any length around a slice and a piece', () => {
  for (const length of [1, 2047, 2048, 2049, 4096, 60_000, 131_072]) {
    const columns = [new Column(new Uint32Array(length).fill(7)), 'x'.repeat(length)];
    assert.equal(Buffer.concat(piecesOf(columns)).toString(), JSON.stringify(columns));
  }
});

test('gzip: one member, whole for any reader', () => {
  const gzip = new Gzip(2);
  const pieces = piecesOf(TABLE);
  for (const piece of pieces) gzip.write(piece);
  const file = Buffer.concat(gzip.end());
  assert.equal(zlib.gunzipSync(file).toString(), JSON.stringify(TABLE));
  assert.equal(file.readUInt32LE(file.length - 4), Buffer.concat(pieces).length);
  const empty = Buffer.concat(new Gzip(2).end());
  assert.equal(zlib.gunzipSync(empty).length, 0);
});

test('gzip: the checksum of a node without zlib.crc32', () => {
  const crc32 = crcByTable();
  // The check value of CRC-32/ISO-HDLC.
  assert.equal(crc32(Buffer.from('123456789'), 0), 0xcbf43926);
  assert.equal(crc32(Buffer.from('6789'), crc32(Buffer.from('12345'), 0)), 0xcbf43926);
});
