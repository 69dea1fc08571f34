'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const zlib = require('node:zlib');
const { read } = require('../../lib/export/index.js');
const { toFirefox } = require('../../lib/export/firefox.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const FILE = path.join(FOLDER, 'p.json.gz');
const GOLDEN = path.join(__dirname, '../golden/small-build.firefox.json');

/** @type {import('../../lib/profile/raw').Marker[]} */
const MARKERS = [
  {
    type: 'span',
    name: 'make',
    startNs: 5e12 + 1,
    endNs: 5e12 + 3_500_001,
    data: { n: [1, null] },
  },
  { type: 'mark', name: 'half', startNs: 5e12 + 2e6, endNs: 5e12 + 2e6, data: undefined },
  { type: 'span', name: 'seal', startNs: 5e12 + 4e6, endNs: null, data: 'text' },
];
const small = (more = {}) =>
  buildProfile(
    smallBuild().samples,
    { ...smallBuild(), ...more },
    MARKERS.map((m) => ({ ...m })),
  );

test('a written profile reads back equal', () => {
  for (const unit of ['cycles', 'ns', 'events']) {
    const profile = small({
      meta: { unit },
      quality: {
        lost: 3,
        warnings: [{ code: 'PARANOID', message: 'kernel frames are left out', fix: 'sysctl ...' }],
        byObject: [{ object: 'x.node', samples: 4, broken: 1, reason: 'no row' }],
      },
    });
    profile.write(FILE);
    const back = read(FILE);
    assert.deepEqual(back.meta, profile.meta);
    assert.deepEqual(back.quality, profile.quality);
    assert.deepEqual(back.markers, profile.markers);
    for (const by of ['symbol', 'crate', 'object', 'kind', 'package', 'thread', 'phase,crate']) {
      assert.deepEqual(back.hotspots({ by }), profile.hotspots({ by }), by);
    }
    const options = { annotate: true, byThread: true };
    assert.equal(back.folded(options), profile.folded(options));
    assert.deepEqual(back.callTree(), profile.callTree());
    for (const table of /** @type {const} */ ([
      'samples',
      'nodes',
      'funcs',
      'threads',
      'modules',
    ])) {
      assert.deepEqual(back.raw[table], profile.raw[table], table);
    }
  }
});

test('a second writing is byte for byte the first', () => {
  small().write(FILE);
  const first = fs.readFileSync(FILE);
  read(FILE).write(FILE);
  assert.deepEqual(zlib.gunzipSync(fs.readFileSync(FILE)), zlib.gunzipSync(first));
});

test('plain JSON reads as well as gzip', () => {
  const file = path.join(FOLDER, 'p.json');
  small().write(file);
  assert.equal(fs.readFileSync(file, 'utf8')[0], '{');
  assert.equal(read(file).quality.samples, 9);
});

test('times come back to the nanosecond, also far from the start', () => {
  const startNs = 8_123_456_789_012_345;
  const times = [1, 2, 3_600_000_000_001, 3_600_000_000_002].map((ns) => startNs + ns);
  buildProfile(
    times.map((timeNs) => ({ stack: 'a', timeNs })),
    { meta: { startNs } },
  ).write(FILE);
  assert.deepEqual([...read(FILE).raw.samples.timeNs], times);

  // Odd intervals: a decimal fraction of a millisecond is no binary one.
  const early = 7_000_001;
  const many = Array.from({ length: 2000 }, (_, i) => early + i * 249_973);
  const samples = many.map((timeNs) => ({ stack: 'a', timeNs }));
  buildProfile(samples, { meta: { startNs: early } }).write(FILE);
  assert.deepEqual([...read(FILE).raw.samples.timeNs], many);
});

test('the format is the one that is pinned: version 62, all tables shared', () => {
  /** @type {any} */
  const json = JSON.parse(JSON.stringify(toFirefox(small())));
  assert.equal(json.meta.preprocessedProfileVersion, 62);
  assert.deepEqual(Object.keys(json.shared).sort(), [
    'frameTable',
    'funcTable',
    'nativeSymbols',
    'resourceTable',
    'sources',
    'stackTable',
    'stringArray',
  ]);
  // Every column of a table is as long as the table says.
  for (const [name, table] of Object.entries(json.shared)) {
    if (name === 'stringArray') continue;
    const { length, ...columns } = /** @type {any} */ (table);
    for (const [column, values] of Object.entries(columns)) {
      assert.equal(/** @type {any} */ (values).length, length, `${name}.${column}`);
    }
  }
  for (const thread of json.threads) {
    const { stack, timeDeltas, threadCPUDelta, length } = thread.samples;
    assert.deepEqual(
      [stack.length, timeDeltas.length, threadCPUDelta.length],
      Array(3).fill(length),
    );
    assert.equal(typeof thread.pid, 'string');
    const { length: markers, ...columns } = thread.markers;
    for (const values of Object.values(columns)) assert.equal(values.length, markers);
  }
  assert.equal(json.threads.filter((/** @type {any} */ t) => t.isMainThread).length, 1);
  const frames = json.shared.frameTable;
  assert.ok(frames.category.every((/** @type {number} */ c) => json.meta.categories[c]));
  assert.match(json.libs[0].breakpadId, /^[0-9A-F]{32}0$/);
});

test('the written form stays as it is, value by value', () => {
  const text = `${JSON.stringify(toFirefox(small()), null, 1)}\n`;
  if (process.env.UPDATE_GOLDEN) fs.writeFileSync(GOLDEN, text);
  assert.equal(text, fs.readFileSync(GOLDEN, 'utf8'));
  assert.deepEqual(read(GOLDEN).hotspots(), small().hotspots());
});

/** @param {Buffer | string} content @param {RegExp} message */
function refuses(content, message) {
  const file = path.join(FOLDER, 'bad');
  fs.writeFileSync(file, content);
  assert.throws(
    () => read(file),
    (error) => {
      const { code, message: said } = /** @type {NodeJS.ErrnoException} */ (error);
      assert.equal(code, 'ERR_PROF_BAD_FILE', said);
      assert.match(said, message);
      assert.equal(said.includes('\n'), false);
      return true;
    },
  );
}

test('what is no profile is refused with the reason', () => {
  small().write(FILE);
  const whole = fs.readFileSync(FILE);
  refuses('', /it is empty/);
  refuses('perf.data', /it is no JSON/);
  refuses(whole.subarray(0, whole.length / 2), /no whole gzip file/);
  refuses(Buffer.from([0x1f, 0x8b, 0, 0]), /no whole gzip file/);
  refuses(zlib.gzipSync('{"meta":'), /it is no JSON/);
  refuses('null', /has no top-level object/);
  refuses('{}', /has no meta/);
  refuses('{"meta":{"product":"Firefox"}}', /not one of rspack-prof/);
  refuses('{"meta":{"rspackProf":{"version":99}}}', /of version 99/);
  assert.throws(() => read(path.join(FOLDER, 'none')), {
    code: 'ERR_PROF_BAD_FILE',
    syscall: 'open',
    message: /ENOENT/,
  });
  assert.throws(() => read(FOLDER), { code: 'ERR_PROF_BAD_FILE', message: /it is a folder/ });
});

test('hostile columns are refused by name and never index outside', () => {
  /** @type {[RegExp, (json: any) => void][]} */
  const spoilt = [
    [/stackTable\.frame\[0\]/, (json) => (json.shared.stackTable.frame[0] = 1e9)],
    [/nodes\.parent\[3\]/, (json) => (json.shared.stackTable.prefix[2] = 70)],
    [/stackTable\.prefix has 1 rows/, (json) => (json.shared.stackTable.prefix = [null])],
    [/frameTable\.func/, (json) => delete json.shared.frameTable.func],
    [/nodes\.func/, (json) => (json.shared.frameTable.func[0] = 5000)],
    [/frameTable\.func\[1\] is "x"/, (json) => (json.shared.frameTable.func[1] = 'x')],
    [/funcTable\.name\[0\] is -1, out/, (json) => (json.shared.funcTable.name[0] = -1)],
    [/funcTable\.name\[0\] is 0\.5, out/, (json) => (json.shared.funcTable.name[0] = 0.5)],
    [/funcs\.name\[0\]/, (json) => (json.shared.funcTable.name[0] = 99999)],
    [/funcs\.module/, (json) => (json.shared.funcTable.resource[0] = 9)],
    [/funcTable\.source/, (json) => (json.shared.funcTable.source[0] = 44)],
    [/a stringArray entry/, (json) => (json.shared.stringArray[1] = { toString: null })],
    [/stringArray/, (json) => (json.shared.stringArray = 'abc')],
    [/samples\.stack|samples\.node/, (json) => (json.threads[0].samples.stack[0] = 12345)],
    [/timeDeltas has/, (json) => json.threads[0].samples.timeDeltas.pop()],
    [/timeDeltas\[0\] is null/, (json) => (json.threads[0].samples.timeDeltas[0] = null)],
    [/threadCPUDelta/, (json) => delete json.threads[0].samples.threadCPUDelta],
    [/samples\.end/, (json) => (json.meta.rspackProf.samples.end[0][0] = 3)],
    [/samples\.end/, (json) => (json.meta.rspackProf.samples.end = [[]])],
    [/threads only/, (json) => (json.threads.length = 1)],
    [/no thread/, (json) => (json.threads[1] = null)],
    [/threads\.tid/, (json) => (json.threads[0].tid = 'x')],
    [/libs\.path/, (json) => (json.libs[0].path = 4)],
    [/modules\.start has/, (json) => json.libs.pop()],
    [/quality\.lost/, (json) => delete json.meta.rspackProf.quality.lost],
    [/quality\.warnings/, (json) => (json.meta.rspackProf.quality.warnings = [{ code: 1 }])],
    [/meta\.event/, (json) => (json.meta.rspackProf.meta.event = null)],
    [/meta\.startNs/, (json) => (json.meta.rspackProf.meta.startNs = '0')],
    [/markers\.name/, (json) => (json.threads[0].markers.name[0] = 1e6)],
    [/sources/, (json) => delete json.shared.sources],
    [/no shared/, (json) => delete json.shared],
    [/funcs\.kind/, (json) => (json.meta.rspackProf.funcs.kind[0] = 77)],
    [/funcs\.kind/, (json) => (json.meta.rspackProf.funcs.kind = { length: 1e9 })],
  ];
  const text = JSON.stringify(toFirefox(small()));
  for (const [message, spoil] of spoilt) {
    const json = JSON.parse(text);
    spoil(json);
    refuses(JSON.stringify(json), message);
  }
});

test('any value replaced by nonsense is read or refused, never a crash', () => {
  const text = JSON.stringify(toFirefox(small()));
  const nonsense = [null, -1, 1e18, 'x', [], {}, true];
  /** @type {(string | number)[][]} */
  const places = [];
  const walk = (/** @type {any} */ value, /** @type {(string | number)[]} */ at) => {
    if (at.length > 0) places.push(at);
    if (typeof value !== 'object' || value === null) return;
    const keys = Array.isArray(value) ? [0].slice(0, value.length) : Object.keys(value);
    for (const key of keys) walk(value[key], [...at, key]);
  };
  walk(JSON.parse(text), []);
  const file = path.join(FOLDER, 'fuzz.json');
  let refused = 0;
  for (const place of places) {
    for (const value of nonsense) {
      const json = JSON.parse(text);
      const last = place[place.length - 1];
      place.slice(0, -1).reduce((at, key) => at[key], json)[last] = value;
      fs.writeFileSync(file, JSON.stringify(json));
      try {
        const profile = read(file);
        profile.hotspots({ by: 'symbol' });
        profile.hotspots({ by: 'thread,crate' });
        profile.folded();
        profile.report();
      } catch (error) {
        const { code, stack } = /** @type {NodeJS.ErrnoException} */ (error);
        assert.equal(
          code,
          'ERR_PROF_BAD_FILE',
          `${place.join('.')} = ${JSON.stringify(value)}: ${stack}`,
        );
        refused++;
      }
    }
  }
  assert.ok(refused > places.length, `${refused} of ${places.length * nonsense.length} refused`);
});
