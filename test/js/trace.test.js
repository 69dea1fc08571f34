'use strict';
// rspack's own trace: which filters are let through, what its log and perfetto's message say, where they
// lie on the samples' clock, and which samples are whose.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { Writer } = require('protobufjs/minimal');
const { buildProfile } = require('./helpers/raw-profile.js');
const { checkStartOptions } = require('../../lib/options.js');
const { modulesOf } = require('../../lib/profile/spans.js');
const { renderSpans } = require('../../lib/span-table.js');
const { alignClocks } = require('../../lib/trace/align.js');
const { checkFilter, STAGES_FILTER } = require('../../lib/trace/filter.js');
const { MOST_SPANS, traceMarkers } = require('../../lib/trace/markers.js');
const { nestAlone } = require('../../lib/trace/nest.js');
const { pinClock } = require('../../lib/trace/pin-clock.js');
const { durationNs, readLog, unixUsOf } = require('../../lib/trace/read-log.js');
const { readPftrace, targetOf } = require('../../lib/trace/read-pftrace.js');

/** @typedef {import('../../lib/trace/read-log').Span} Span */

const START = 5_000_000_000_000;
const UNIX_MS = 1_790_000_000_000; // of helpers/raw-profile.js
const at = (/** @type {number} */ ms) => START + ms * 1e6;

/** @param {import('node:test').TestContext} t @param {string | Uint8Array} content */
function fileOf(t, content) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'rspack.log');
  fs.writeFileSync(file, content);
  return file;
}

/**
 * A line of the log.
 * @param {string} name
 * @param {[number, number]} ms since the recording's start
 * @param {{path?: string[], target?: string, idle?: string}} [more]
 */
function line(name, [from, to], { path: names = [], target = 'rspack_core', idle = '0ns' } = {}) {
  const us = Math.round((to - Math.floor(to)) * 1e3);
  const time = new Date(UNIX_MS + Math.floor(to)).toISOString();
  return JSON.stringify({
    timestamp: time.replace('Z', `${String(us).padStart(3, '0')}Z`),
    level: 'INFO',
    fields: { message: 'close', 'time.busy': `${to - from}ms`, 'time.idle': idle },
    target,
    span: { name },
    spans: names.map((one) => ({ name: one })),
  });
}

/**
 * @param {string} name
 * @param {[number, number]} ms
 * @param {Partial<Span>} [more]
 * @returns {Span}
 */
const span = (name, [from, to], more = {}) => ({
  ...{ name, target: '', path: [], busyNs: 0, resource: '' },
  ...{ startNs: at(from), endNs: at(to) },
  ...more,
});

const ABOUT = { filter: '', layer: 'logger', bytes: 10, malformed: 0, uncertainUs: 5 };
const TIME = { startNs: START, endNs: at(2000) };

describe('which filter rspack is given', () => {
  test('the sure part of the syntax goes through, the rest is refused: it would abort the process', () => {
    assert.equal(checkFilter('stages'), STAGES_FILTER);
    assert.equal(checkFilter('OVERVIEW'), 'OVERVIEW');
    assert.equal(checkFilter('info'), 'info');
    assert.equal(
      checkFilter('rspack_core::compiler=info, rspack_ids'),
      'rspack_core::compiler=info,rspack_ids=info',
    );
    for (const wrong of ['x=[', '[a{b=c}]=info', 'rspack=loud', 'a,,b', 'a b', 'OVERVIEW=']) {
      assert.throws(() => checkFilter(wrong), { code: 'ERR_PROF_BAD_OPTION' }, wrong);
    }
  });

  test('as an option of start()', () => {
    assert.equal(checkStartOptions({ trace: true }).trace, STAGES_FILTER);
    assert.equal(checkStartOptions({ trace: 'OVERVIEW' }).trace, 'OVERVIEW');
    assert.equal(checkStartOptions({ trace: false }).trace, null);
    for (const trace of [1, '', {}]) {
      assert.throws(() => checkStartOptions({ trace }), /option 'trace'/);
    }
  });
});

describe("UTC on the samples' clock", () => {
  /**
   * Clocks that are `stepNs` further at each reading.
   * @param {number} offsetNs UTC at the monotonic clock's 0, past UNIX_MS
   * @param {(reading: number) => number} stepNs
   */
  function clocks(offsetNs, stepNs) {
    let ns = START;
    let reading = 0;
    const tick = () => (ns += stepNs(reading++));
    const unixNs = () => tick() - START + offsetNs;
    return { unixMs: () => UNIX_MS + Math.floor(unixNs() / 1e6), monotonicNs: tick };
  }

  for (const [name, stepNs] of /** @type {[string, (i: number) => number][]} */ ([
    ['quick readings', () => 100],
    ['one that is interrupted for 3 ms at the edge', (i) => (i === 4243 ? 3e6 : 100)],
    ['each one interrupted', (i) => (i % 2 ? 700_100 : 150)],
  ])) {
    test(`${name}: the offset lies where it says, as surely as it says`, () => {
      for (const offsetNs of [0, 123_456, 576_000, 999_999]) {
        const { unixMs, monotonicNs } = clocks(offsetNs, stepNs);
        const { unixUs, ns, uncertainUs } = pinClock(unixMs, monotonicNs);
        const truth = (ns - START + offsetNs) / 1e3;
        const off = Math.abs(unixUs - UNIX_MS * 1e3 - truth);
        assert.ok(off <= uncertainUs, `${offsetNs}: off by ${off} us, said ${uncertainUs}`);
        assert.ok(uncertainUs <= (name.startsWith('each') ? 500 : 3), String(uncertainUs));
      }
    });
  }

  test('UTC set back in between: the new one counts', () => {
    let ns = START;
    const monotonicNs = () => (ns += 100);
    const unixMs = () =>
      UNIX_MS + Math.floor(((ns += 100) - START) / 1e6) - (ns > START + 400e3 ? 60_000 : 0);
    const { unixUs, ns: at0 } = pinClock(unixMs, monotonicNs);
    assert.ok(Math.abs(unixUs - (UNIX_MS - 60_000) * 1e3 - (at0 - START) / 1e3) <= 3);
  });
});

describe('the log', () => {
  test('times are exact to a microsecond, lengths to their three digits', () => {
    assert.deepEqual(['250ns', '1.95µs', '15.8ms', '2.5s', '1h', ''].map(durationNs), [
      250,
      1950,
      15.8e6,
      2.5e9,
      NaN,
      NaN,
    ]);
    const unix = Date.UTC(2026, 10, 21, 11, 40, 4) * 1e3;
    assert.equal(unixUsOf('2026-11-21T11:40:04.633933Z'), unix + 633_933);
    assert.equal(unixUsOf('2026-11-21T11:40:04Z'), unix);
    assert.equal(unixUsOf('2026-11-21T11:40:04.6Z'), unix + 600_000);
    assert.ok(Number.isNaN(unixUsOf('yesterday')));
  });

  test('closed spans are read, events skipped, broken lines counted, also a last one without an end', (t) => {
    const file = fileOf(
      t,
      [
        '{"timestamp":"2026-11-21T11:40:04Z","fields":{"version":"2.2.7"},"target":"x"}',
        line('inner', [10, 20.125], { path: ['outer'], idle: '5ms' }),
        '{"timestamp":',
        line('SomePlugin', [100, 101], { target: 'javascript' }), // its times are wrong
        line('outer', [0, 30]),
      ].join('\n'),
    );
    const log = readLog(file, { unixUs: UNIX_MS * 1e3, ns: START });
    assert.deepEqual([log.events, log.malformed, log.bytes], [2, 1, fs.statSync(file).size]);
    const [inner, outer] = log.spans;
    assert.deepEqual([inner.name, inner.path, inner.endNs], ['inner', ['outer'], at(20.125)]);
    assert.equal(Math.round(inner.startNs), at(5));
    assert.equal(outer.name, 'outer');
  });

  test('only the longest become markers, and what is left out is said', () => {
    const spans = Array.from({ length: MOST_SPANS + 5 }, (_, i) =>
      span('s', [1, 1 + (i + 1) / 1e4]),
    );
    const [about, ...markers] = traceMarkers([...spans, span('late', [3000, 3001])], TIME, ABOUT);
    assert.equal(markers.length, MOST_SPANS);
    assert.deepEqual(
      [about.type, /** @type {any} */ (about.data).spans, /** @type {any} */ (about.data).dropped],
      ['trace', MOST_SPANS + 5, 5],
    );
    assert.ok(markers.every(({ startNs, endNs }) => Number(endNs) - startNs >= 590));
  });
});

/**
 * @param {[number, number, number, string, string?][]} events ns, type, track, name, file
 */
function pftrace(events) {
  const trace = Writer.create();
  for (const [ns, type, track, name, file] of events) {
    const packet = trace.uint32((1 << 3) | 2).fork();
    packet.uint32(8 << 3).uint64(ns);
    const event = packet.uint32((11 << 3) | 2).fork();
    event
      .uint32(9 << 3)
      .uint32(type)
      .uint32(11 << 3)
      .uint64(track);
    event.uint32((23 << 3) | 2).string(name);
    if (file)
      event
        .uint32((33 << 3) | 2)
        .fork()
        .uint32((2 << 3) | 2)
        .string(file)
        .ldelim();
    event.ldelim();
    packet.ldelim();
  }
  return trace.finish();
}

describe("perfetto's message", () => {
  test('begins and ends of a track become spans, whichever order they were written in', () => {
    const spans = readPftrace(
      pftrace([
        [20, 1, 1, 'inner', 'crates/rspack_core/src/compiler/mod.rs'],
        [30, 2, 1, 'inner'],
        [10, 1, 1, 'outer'],
        [40, 2, 1, 'outer'],
        [15, 1, 2, 'other'],
        [50, 2, 2, 'other'],
        [60, 2, 2, 'never begun'],
      ]),
    );
    const shown = spans.map(({ name, target, path: names, startNs, endNs }) => [
      ...[name, target, names.join(), startNs, endNs],
    ]);
    assert.deepEqual(shown, [
      ['inner', 'rspack_core::compiler', 'outer', 20, 30],
      ['outer', '', '', 10, 40],
      ['other', '', '', 15, 50],
    ]);
    assert.equal(targetOf('crates/rspack_ids/src/lib.rs'), 'rspack_ids');
    assert.throws(() => readPftrace(Buffer.from('hello, this is no trace')));
  });
});

describe('where the clocks lie', () => {
  /** @type {(name: string, ms: number) => import('../../lib/profile/raw').Marker} */
  const phase = (name, ms) => ({ type: 'phase', name, startNs: at(ms), endNs: null, data: {} });
  const hooks = (/** @type {number} */ shift) => [
    span('hook:CompilerMake', [10 + shift, 12 + shift]),
    span('hook:CompilerEmit', [50 + shift, 51 + shift]),
  ];

  test('between what all hooks allow; known to half of that', () => {
    const found = alignClocks(hooks(-7), [phase('make', 11), phase('emit', 50.2)]);
    // emit: 6.2 to 7.2 (and 0.6 % of a length), make: 6 to 8.
    assert.ok(found && found.anchors === 2);
    assert.ok(Math.abs(found.offsetNs - 6.703e6) < 1e4, String(found.offsetNs));
    assert.ok(Math.abs(found.uncertainNs - 0.503e6) < 1e4);
  });

  test('hooks that disagree are no clock, nor is nothing', () => {
    assert.equal(alignClocks(hooks(0), [phase('make', 11), phase('emit', 60)]), null);
    assert.equal(alignClocks(hooks(0), []), null);
    // Two calls for one phase (a child compiler's): which is whose is not known.
    assert.equal(alignClocks([...hooks(0), ...hooks(1)], [phase('make', 11)]), null);
  });
});

describe('spans over samples', () => {
  const RUST = { kind: 'rust', object: 'rspack.node' };
  const funcs = {
    'parser::parse': { ...RUST, crate: 'parser' },
    '<loader::Swc as Loader>::run': { ...RUST, crate: 'loader' },
    hash: { object: 'libc.so.6' },
  };
  /** @param {Span[]} spans @param {[number, string, string?][]} samples ms, stack, thread */
  const profileOf = (spans, samples) => {
    nestAlone(spans, true);
    return buildProfile(
      samples.map(([ms, stack, thread = 'node']) => ({ timeNs: at(ms), stack, thread })),
      { funcs },
      traceMarkers(spans, TIME, ABOUT),
    );
  };
  /** @param {ReturnType<typeof profileOf>} profile */
  const byName = (profile) => Object.fromEntries(profile.spans().map((row) => [row.name, row]));

  test('the innermost has the sample, those around it the total; outside is a row too', () => {
    const rows = byName(
      profileOf(
        [span('build', [10, 100]), span('make', [20, 50], { path: ['build'], target: 'parser' })],
        [
          [5, 'hash'],
          [15, 'hash'],
          [30, 'hash'],
          [31, 'parser::parse', 'tokio'],
          [50, 'hash'],
        ],
      ),
    );
    assert.deepEqual(
      ['(no span)', 'build', 'make'].map((name) => [rows[name].samples, rows[name].total / 1e6]),
      [
        [1, 1],
        [2, 4],
        [2, 2],
      ],
    );
    assert.equal(rows['(no span)'].wallMs, 2000 - 90);
    assert.deepEqual(rows.make.symbols, [
      { symbol: 'hash', share: 0.5 },
      { symbol: 'parser::parse', share: 0.5 },
    ]);
  });

  test('of several at once the stack tells, and where it does not the span around them has it', () => {
    const profile = profileOf(
      [
        span('make', [0, 100]),
        span('parse', [10, 90], { path: ['make'], target: 'parser' }),
        span('load', [10, 90], { path: ['make'], target: 'loader' }),
      ],
      [
        [20, 'parser::parse;hash', 'tokio'],
        [21, '<loader::Swc as Loader>::run;hash', 'tokio'],
        [22, '<loader::Swc as Loader>::run;parser::parse', 'tokio'],
        [23, 'hash', 'tokio'],
      ],
    );
    const rows = byName(profile);
    assert.deepEqual(
      ['parse', 'load', 'make'].map((name) => [rows[name].samples, rows[name].sharedSamples]),
      [
        [2, 0],
        [1, 0],
        [1, 1],
      ],
    );
    assert.match(
      renderSpans(profile, { width: 80 }),
      /25\.00% of the samples lay under one of several/,
    );
  });

  test('many of one name are no doubt; a pool’s span leaves the one that holds it open', () => {
    const rows = byName(
      profileOf(
        [
          span('Compiler:build', [0, 100]),
          span('pass', [10, 90], { path: ['Compiler:build'], target: 'pass' }),
          span('pooled', [20, 40], { target: 'parser' }),
          span('pooled', [25, 45], { target: 'parser' }),
        ],
        [
          [30, 'parser::parse', 'rayon'],
          [31, 'hash', 'rayon'],
        ],
      ),
    );
    assert.deepEqual([rows.pooled.samples, rows.pooled.spans, rows.pass.samples], [1, 2, 1]);
    assert.equal(rows.pass.total, 2e6, 'it is inside of the pass');
  });

  test('a Rust name tells its modules, longest first', () => {
    assert.deepEqual(modulesOf('<&mut rspack_core::compiler::Compiler as X>::build'), [
      'rspack_core::compiler',
      'rspack_core',
    ]);
    assert.deepEqual(modulesOf('malloc'), []);
  });

  test('a name without end is shortened in a pipe too', () => {
    const profile = profileOf(
      [span('make', [0, 100], { target: 'pass' })],
      [[30, `pass::Of<${'pass::Very<'.repeat(80)}${'>'.repeat(81)}::run`, 'rayon']],
    );
    const lines = renderSpans(profile, { width: Infinity }).split('\n');
    assert.ok(lines.some((text) => text.includes('pass::')));
    assert.ok(lines.every((text) => text.length < 260));
  });

  test('a profile without spans says how to have some', () => {
    const profile = buildProfile([{ stack: 'hash' }]);
    assert.deepEqual(profile.spans(), []);
    assert.match(renderSpans(profile), /--trace stages/);
  });

  test('a log that was written meanwhile, one of another day, and what is no log', (t) => {
    const profile = buildProfile([{ stack: 'hash', timeNs: at(15) }], {}, [
      {
        type: 'phase',
        name: 'make',
        startNs: at(11),
        endNs: at(20),
        data: { compiler: '', build: 1 },
      },
    ]);
    const file = fileOf(
      t,
      [line('hook:CompilerMake', [10.4, 11.2]), line('make', [10, 30])].join('\n'),
    );
    const [row] = profile.withTrace(file).spans();
    assert.deepEqual([row.name, row.samples], ['make', 1]);
    assert.deepEqual(profile.spans(), [], 'the profile itself is as it was');
    const other = fileOf(t, line('hook:CompilerMake', [900, 901]));
    assert.throws(() => profile.withTrace(other), {
      code: 'ERR_PROF_BAD_FILE',
      message: /does not fit/,
    });
    const bare = buildProfile([{ stack: 'hash' }]);
    assert.throws(() => bare.withTrace(fileOf(t, line('a', [-90, -80]))), /of another time/);
    assert.throws(() => bare.withTrace(fileOf(t, 'hello\n')), /no spans in it/);
    assert.throws(() => bare.withTrace('/nowhere'), { code: 'ERR_PROF_BAD_FILE' });
  });
});
