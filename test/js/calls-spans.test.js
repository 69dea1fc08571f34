'use strict';
// Spans of JavaScript beside traced calls: wrapped functions behave as they did, sums, and jobs on disk.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { readEvents } = require('../../lib/calls/events.js');
const { roleOf, runtimeOf, ROLE } = require('../../lib/calls/flows.js');
const { loaderName } = require('../../lib/calls/spans/compiler.js');
const { MOST, SpanLog } = require('../../lib/calls/spans/log.js');
const { spanRows } = require('../../lib/calls/spans/rows.js');
const { timedLoader, timedTap } = require('../../lib/calls/spans/timed.js');
const { renderTrace } = require('../../lib/calls/table.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-spans-'));
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));

/** A log on a clock of its own: each look takes 1 ns. */
function newLog() {
  let now = 0;
  return new SpanLog(() => ++now);
}
const LABEL = /** @type {const} */ ({ kind: 'tap', name: 'P: hook' });
/** @param {SpanLog} log */
const shapes = ({ spans }) => spans.map(({ startNs, endNs, apart }) => [startNs, endNs, apart]);

test('a tap that is timed is the function that it was', () => {
  const log = newLog();
  /** @this {object} @param {number} a @param {number} b */
  function plain(a, b) {
    return [this, a, b, arguments.length];
  }
  plain.extra = 7;
  const timed = timedTap(plain, 'sync', log, LABEL);
  const self = {};
  assert.deepEqual(timed.call(self, 1, 2, 3), [self, 1, 2, 3]);
  assert.deepEqual([timed.name, timed.length, /** @type {any} */ (timed).extra], ['plain', 2, 7]);
  assert.deepEqual(shapes(log), [[1, 2, false]]);
  const failing = timedTap(
    () => {
      throw new RangeError('as it was');
    },
    'sync',
    log,
    LABEL,
  );
  assert.throws(() => failing(), { name: 'RangeError', message: 'as it was' });
  assert.equal(log.spans.length, 2);
});

test('a tap with a callback or a promise has two spans, and ends once', async () => {
  const log = newLog();
  /** @type {Function | undefined} */
  let done;
  const byCallback = timedTap(
    (/** @type {number} */ _, /** @type {Function} */ callback) => {
      done = callback;
    },
    'async',
    log,
    LABEL,
  );
  /** @type {unknown[][]} */
  const got = [];
  byCallback(1, (/** @type {unknown[]} */ ...args) => got.push(args));
  done?.(null, 'first');
  done?.(null, 'again');
  assert.deepEqual(got, [
    [null, 'first'],
    [null, 'again'],
  ]);
  assert.deepEqual(shapes(log), [
    [1, 2, false],
    [1, 3, true],
  ]);
  const promise = Promise.reject(new Error('theirs'));
  const timed = timedTap(() => promise, 'promise', log, LABEL);
  assert.equal(timed(), promise);
  await assert.rejects(promise, /theirs/);
  assert.deepEqual(shapes(log).slice(2), [
    [4, 5, false],
    [4, 6, true],
  ]);
  // A thenable may begin its work when it is asked, or do it twice.
  let asked = 0;
  const lazy = {
    then: () => {
      asked++;
    },
  };
  assert.equal(timedTap(() => lazy, 'promise', log, LABEL)(), lazy);
  assert.equal(asked, 0);
});

test('a loader ends by async(), by callback() or by what it returns', async () => {
  /** As rspack's runner does. @param {Function} fn */
  const runLoader = (fn) => {
    const log = newLog();
    const timed = timedLoader(fn, log, 'some-loader');
    /** @type {any} */
    const context = { resourcePath: '/a.js' };
    return {
      log,
      ended: new Promise((resolve) => {
        let isSync = true;
        context.callback = (/** @type {unknown[]} */ ...args) => {
          isSync = false;
          resolve(args);
        };
        const { callback } = context;
        context.async = () => {
          isSync = false;
          return callback;
        };
        const result = timed.call(context, 'source');
        if (isSync) resolve(result instanceof Promise ? result : ['returned', result]);
      }),
    };
  };
  const sync = runLoader((/** @type {string} */ source) => `${source}!`);
  assert.deepEqual(await sync.ended, ['returned', 'source!']);
  assert.deepEqual(shapes(sync.log), [[1, 2, false]]);
  assert.equal(sync.log.spans[0].detail, '/a.js');
  /** @this {any} @param {string} source */
  function later(source) {
    const done = this.async();
    setImmediate(() => done(null, source));
  }
  const byAsync = runLoader(later);
  assert.deepEqual(await byAsync.ended, [null, 'source']);
  assert.deepEqual(shapes(byAsync.log).at(-1), [1, 3, true]);
  /** @this {any} @param {string} source */
  function called(source) {
    this.callback(null, source);
  }
  const byCallback = runLoader(called);
  assert.deepEqual(await byCallback.ended, [null, 'source']);
  assert.equal(byCallback.log.spans.filter(({ apart }) => apart).length, 1);
  const byPromise = runLoader(async () => 'kept');
  assert.equal(await byPromise.ended, 'kept');
  assert.equal(byPromise.log.spans.filter(({ apart }) => apart).length, 1);
});

test('spans are summed up by what they are of, and do not grow for ever', () => {
  const span = (/** @type {number} */ startNs, /** @type {number} */ endNs, apart = false) =>
    /** @type {const} */ ({ kind: 'loader', name: 'l', startNs, endNs, apart });
  const spans = [span(0, 5), span(0, 50, true), span(10, 20), span(10, 40, true)];
  assert.deepEqual(spanRows([{ spans }, { spans: [span(0, 1)] }]), [
    { kind: 'loader', name: 'l', calls: 3, totalNs: 80, ownNs: 16, maxNs: 50 },
  ]);
  const log = newLog();
  for (let i = 0; i < MOST + 3; i++) log.add(span(i, i));
  assert.deepEqual([log.spans.length, log.dropped], [MOST, 3]);
  assert.equal(loaderName('/a/node_modules/@x/y/dist/i.js'), '@x/y');
  assert.equal(loaderName('/a/tools/my-loader.js'), 'my-loader.js');
});

test('functions of rayon and tokio are known by their names', () => {
  const job = 'rayon_core::job';
  const names = /** @type {[string, number][]} */ ([
    [`<crossbeam_deque::deque::Worker<${job}::JobRef>>::push`, ROLE.RAYON_PUSH],
    [`<crossbeam_deque::deque::Injector<${job}::JobRef>>::push`, ROLE.RAYON_PUSH],
    [`<crossbeam_deque::deque::Worker<u8>>::push`, ROLE.NONE],
    [`<${job}::StackJob<A, B<C>, D> as ${job}::Job>::execute`, ROLE.RAYON_RUN],
    [`<${job}::JobResult<A>>::into_return_value`, ROLE.NONE],
    ['<tokio::runtime::task::list::OwnedTasks<A<B>>>::bind_inner', ROLE.TOKIO_SPAWN],
    ['<tokio::runtime::blocking::pool::Spawner>::spawn_task', ROLE.TOKIO_SPAWN],
    ['tokio::runtime::task::raw::poll::<A, B>', ROLE.TOKIO_RUN],
    ['<tokio::runtime::task::harness::Harness<A, B>>::poll', ROLE.TOKIO_RUN],
    ['<tokio::runtime::task::harness::Harness<A, B>>::poll_inner', ROLE.NONE],
    ['main', ROLE.NONE],
  ]);
  for (const [name, role] of names) assert.equal(roleOf(name), role, name);
  assert.deepEqual([1, 2, 3, 4].map(runtimeOf), [null, 'rayon', null, 'tokio']);
});

test('who handed a job over is read from disk, with both threads and times', () => {
  // Two threads; the second one's call runs a job of the first one's: by src/trace/spill.h.
  const bytes = Buffer.from(
    [
      [1, 200, 1, 20, 0], // entry at 100, thread 10, function 0
      [1, 20, 2, 1], // entry at 110, thread 11, function 1
      [6, 0, 0, 1, 7, 1], // its spawner: one frame before, 7 ns before, thread 10
      [2, 10, 0], // exit at 115
    ].flat(),
  );
  const head = Buffer.alloc(16);
  head.write('CALL', 0, 'latin1');
  head.writeUInt32LE(4, 4);
  head.writeUInt32LE(bytes.length, 8);
  const check = bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, 2166136261);
  head.writeUInt32LE(check, 12);
  const file = path.join(FOLDER, 'flows.bin');
  fs.writeFileSync(file, Buffer.concat([Buffer.from('rspackprof-call1'), head, bytes]));
  const [batch, ...more] = [...readEvents(file)];
  assert.equal(more.length, 0);
  assert.equal(batch.length, 3);
  assert.deepEqual([...batch.kind.subarray(0, 3)], [1, 1, 2]);
  assert.deepEqual(batch.flows, [
    { frame: 2, spawner: 1, tid: 11, spawnerTid: 10, timeNs: 110, spawnedNs: 103 },
  ]);
});

test('the table has jobs, spans and stacks, and no line is too long', () => {
  const row = (/** @type {string} */ symbol, more = {}) => ({
    ...{
      symbol,
      object: '/o',
      calls: 3,
      selfNs: 9e6,
      totalNs: 9e6,
      meanNs: 3e6,
      minNs: 1,
      p50Ns: 3e6,
    },
    ...{ p99Ns: 3e6, maxNs: 4e6, unseen: 0, open: 0, callsOnly: false, samples: 0, spawned: 0 },
    ...{ spawnedNs: 0, runs: null, histogram: [], callers: [], ...more },
  });
  /** @type {any} */
  const summary = {
    meta: { durationMs: 10 },
    functions: [row('owner', { spawned: 4, spawnedNs: 5e9 }), row('execute', { runs: 'rayon' })],
    cost: { hits: 0 },
    dropped: [],
    quality: { functions: 2 },
    flows: { jobs: 7, matched: 4, inside: 1, outside: 0, unknown: 2 },
    spans: [{ kind: 'tap', name: 'n'.repeat(200), calls: 1, totalNs: 5e6, ownNs: 0, maxNs: 5e6 }],
    stacks: { file: '/tmp/s.json.gz', period: 10, samples: 8, completeShare: 1 },
    sampling: { samples: 0, outside: 0 },
    warnings: [],
  };
  for (const width of [80, 200]) {
    const text = renderTrace(summary, { width });
    assert.match(text, /ELSEWHERE/);
    assert.match(text, /5\.00 s/);
    assert.doesNotMatch(text, /execute/);
    assert.match(
      text.replace(/\n/g, ' '),
      /7 jobs of rayon and tokio ran: 4 handed over by a traced/,
    );
    assert.match(text.replace(/\n/g, ' '), /8 stacks, one in 10 entries, 100.0 % complete/);
    for (const line of text.split('\n')) assert.ok(line.length <= width, line);
  }
});
