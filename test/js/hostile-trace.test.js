'use strict';
// Function traces from strangers: whatever is changed in the files of one, its summary and exports are
// made of what can be read, or it is refused in one line. As hostile-profile.test.js: PROF_SEED, PROF_LONG.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { readEvents } = require('../../lib/calls/events.js');
const { exportTrace } = require('../../lib/calls/export.js');
const { summaryFromEvents } = require('../../lib/calls/from-events.js');
const { readPftrace } = require('../../lib/trace/read-pftrace.js');
const { readLog } = require('../../lib/trace/read-log.js');
const { randoms } = require('./helpers/random.js');

const SEED = Number(process.env.PROF_SEED ?? 20261121);
const TRIES = 150;
const LONG_MS = process.env.PROF_LONG ? 60_000 : 0;
const MAGIC = 'rspackprof-call1';

/** As src/trace/spill.h has it. @param {Buffer} body @param {number} events */
function chunk(body, events) {
  const head = Buffer.alloc(16);
  let hash = 2166136261;
  for (const byte of body) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  head.write('CALL', 0, 'latin1');
  head.writeUInt32LE(events, 4);
  head.writeUInt32LE(body.length, 8);
  head.writeUInt32LE(hash, 12);
  return Buffer.concat([head, body]);
}

/** Two functions: entered and left, entered and left by a tail call, by nobody. */
const EVENTS = [
  [1, 200, 1, 20, 0],
  [1, 20, 0, 1],
  [2, 20, 0],
  [1, 10, 2, 1],
  [3, 10, 0],
  [1, 200, 1, 1, 0],
  [4, 7, 0],
].map((event) => Buffer.from(event));
const FUNCTIONS = {
  schema: 1,
  command: 'build it',
  startUnixMs: 1.7e12,
  startNs: 5,
  objects: ['/opt/a.node'],
  functions: [
    { name: 'main', object: 0, callsOnly: false },
    { name: 'leaf', object: 0, callsOnly: true },
  ],
};
const STRANGE = [null, -1, 1e308, '', [], {}, { length: 1e9 }, '__proto__', 'x'.repeat(5000)];

/** Some bytes of it. @param {Buffer} bytes @param {(below: number) => number} random */
function shake(bytes, random) {
  const copy = Buffer.from(bytes);
  for (let changes = random(4); changes > 0; changes--) {
    copy[random(copy.length)] = random(3) ? random(256) : 255;
  }
  return random(6) ? copy : copy.subarray(0, random(copy.length));
}

/** @param {string} folder @param {(below: number) => number} random */
function writeTrace(folder, random) {
  const body = shake(Buffer.concat(EVENTS), random);
  const count = random(4) ? EVENTS.length : [0, 3, 1e6, 2 ** 32 - 1][random(4)];
  const file = Buffer.concat([Buffer.from(MAGIC), chunk(body, count), chunk(body, EVENTS.length)]);
  fs.writeFileSync(path.join(folder, 'events.bin'), random(4) ? file : shake(file, random));
  const functions = /** @type {any} */ (structuredClone(FUNCTIONS));
  if (random(3) === 0) {
    const at = [functions, functions.functions, functions.functions[1]][random(3)];
    const keys = Object.keys(at);
    at[keys[random(keys.length)]] = structuredClone(STRANGE[random(STRANGE.length)]);
  }
  fs.writeFileSync(path.join(folder, 'functions.json'), JSON.stringify(functions));
}

/** @param {() => void} use @returns {boolean} whether it was refused as it should be */
function isRefused(use) {
  try {
    use();
    return false;
  } catch (error) {
    const { code, message } = /** @type {import('../../lib/index').ProfError} */ (error);
    assert.equal(code, 'ERR_PROF_BAD_FILE', /** @type {Error} */ (error).stack);
    assert.doesNotMatch(message, /\n/);
    return true;
  }
}

/** @param {import('node:test').TestContext} t */
function temporary(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

test('a trace changed at random is read, or refused in one line', (t) => {
  const folder = temporary(t);
  const random = randoms(SEED);
  const began = Date.now();
  let [tries, refused] = [0, 0];
  for (; tries < TRIES || Date.now() - began < LONG_MS; tries++) {
    writeTrace(folder, random);
    refused += Number(
      isRefused(() => {
        const summary = summaryFromEvents(folder);
        assert.ok(summary.functions.every(({ selfNs }) => Number.isFinite(selfNs)));
        exportTrace(folder, summary, 'perfetto', path.join(folder, 'out.pftrace'));
        if (tries % 8 === 0)
          exportTrace(folder, summary, 'parquet', path.join(folder, `p${tries}`));
      }),
    );
  }
  t.diagnostic(`${tries} traces of seed ${SEED}, ${refused} refused`);
  assert.ok(refused > 0 && refused < tries, `${refused} of ${tries} refused`);
});

test('more events than bytes, functions that there are not, times without end: cut there', (t) => {
  const file = path.join(temporary(t), 'events.bin');
  const read = (/** @type {Buffer} */ body, /** @type {number} */ events) => {
    fs.writeFileSync(file, Buffer.concat([Buffer.from(MAGIC), chunk(body, events)]));
    /** @type {{ cut?: string }} */
    const state = {};
    return { batches: [...readEvents(file, state, 2)].length, cut: state.cut };
  };
  assert.deepEqual(read(Buffer.concat(EVENTS), EVENTS.length), { batches: 1, cut: undefined });
  const cut = { batches: 0, cut: 'the file of events cannot be read beyond byte 16' };
  assert.deepEqual(read(Buffer.concat(EVENTS), 2 ** 32 - 1), cut);
  assert.deepEqual(read(Buffer.from([1, 2, 2, 2]), 1), cut);
  const endless = Buffer.concat([Buffer.from([1]), Buffer.alloc(200, 255), Buffer.from([1, 2, 0])]);
  assert.deepEqual(read(endless, 1), cut);
});

test("rspack's own traces, changed at random, are read or refused", (t) => {
  const file = path.join(temporary(t), 'trace.json');
  const random = randoms(SEED + 1);
  const line = JSON.stringify({
    timestamp: '2026-09-21T14:13:20.123456Z',
    fields: { message: 'close', 'time.busy': '15.8ms', 'time.idle': '1.1µs' },
    span: { name: 'make', resource: './a.js' },
    spans: [{ name: 'compile' }],
    target: 'rspack_core',
  });
  // Two packets: a time stamp, and a track event that begins or ends.
  const event = (/** @type {number} */ type) => [72, type, 88, 7, 186, 1, 1, 97];
  const packet = (/** @type {number} */ type) => [64, 5, 90, 8, ...event(type)];
  const pftrace = Buffer.from([1, 2].flatMap((type) => [10, 12, ...packet(type)]));
  assert.equal(readPftrace(pftrace).length, 1);
  let [spans, thrown] = [0, 0];
  for (let i = 0; i < TRIES; i++) {
    fs.writeFileSync(file, shake(Buffer.from(`${line}\n${line}\n`), random));
    spans += readLog(file, { unixUs: 0, ns: 0 }).spans.length;
    try {
      readPftrace(shake(pftrace, random));
    } catch {
      thrown += 1; // withTrace() makes ERR_PROF_BAD_FILE of whatever it is
    }
  }
  assert.ok(spans > 0 && spans < 2 * TRIES && thrown > 0 && thrown < TRIES);
});
