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
  writeJson(value, (piece) => pieces.push(piece));
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
