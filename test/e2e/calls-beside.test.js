'use strict';
// What goes along with a trace: stacks at entries, as a profile; phases, taps, loaders and measures as spans, in
// a build that does not notice.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const protobuf = require('protobufjs');
const { bindingFile } = require('../../bench/build.js');
const prof = require('../../lib/index.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const { cliIn, noProbes, parsed, script } = require('./calls-support.js');
const { hashOf, run, whyNoEvents } = require('./support.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-beside-'));
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));
const cli = cliIn(FOLDER);
const skip = noProbes() || whyNoEvents();
const NODE = fs.realpathSync(process.execPath);

const MEASURED = `const fs = require('node:fs');
const { performance } = require('node:perf_hooks');
function innermost() { fs.statSync('/'); }
const outer = performance.timerify(function outer() { for (let i = 0; i < 200; i++) innermost(); });
performance.mark('begin');
outer();
outer();
performance.measure('both', 'begin');`;

test('stacks at entries: each so-many-th, whole, with the names of JavaScript', { skip }, () => {
  const file = script(FOLDER, 'measured.js', MEASURED);
  const { status, stdout, stderr } = cli([
    ...['trace', '--functions', '^uv_fs_stat$', '--object', NODE, '--stacks', '2', '--json'],
    ...['-o', 'stacks', '--', NODE, file],
  ]);
  assert.equal(status, 0, stderr);
  const summary = parsed(stdout);
  const { stacks } = summary;
  assert.ok(stacks, JSON.stringify(summary.warnings));
  // Those of node's own start, before it loads us, are not among them.
  assert.ok(stacks.samples >= 200 && stacks.samples <= summary.functions[0].calls / 2);
  assert.ok(stacks.completeShare > 0.95, `${stacks.completeShare}`);
  const profile = prof.read(stacks.file);
  assert.ok(profile.share(/^innermost/, { total: true }) > 0.9);
  const leaves = profile.hotspots({ by: 'symbol' }).filter(({ self }) => self > 0);
  assert.deepEqual(
    leaves.map(({ key }) => key),
    ['uv_fs_stat'],
  );
  // What the program measures itself is a span.
  const spans = Object.fromEntries((summary.spans ?? []).map((row) => [row.name, row]));
  assert.deepEqual([spans.outer.calls, spans.both.calls], [2, 1]);
  assert.ok(spans.both.totalNs >= spans.outer.totalNs);
  assert.deepEqual(fs.readdirSync(path.join(FOLDER, 'stacks')).sort(), [
    'events.bin',
    'functions.json',
    'spans.json',
    'stacks.json.gz',
    'trace.json',
  ]);
});

test('stacks at entries of this very process', { skip }, () => {
  const output = path.join(FOLDER, 'own');
  const options = { functions: /^uv_fs_stat$/, objects: [NODE], stacks: 1 };
  assert.throws(() => prof.trace(options), { code: 'ERR_PROF_BAD_OPTION', message: /output/ });
  const trace = prof.trace({ ...options, output });
  (function statsHere() {
    for (let i = 0; i < 100; i++) fs.statSync('/');
  })();
  const { stacks } = trace.stop();
  assert.ok(stacks && stacks.samples >= 100);
  assert.ok(prof.read(stacks.file).share(/^statsHere/, { total: true }) > 0.5);
});

/** Spans and calls of a Perfetto trace, each checked to nest. @param {string} file */
function perfettoNames(file) {
  const proto = path.join(__dirname, '../fixtures/proto/perfetto.proto');
  const type = protobuf.loadSync(proto).lookupType('Trace');
  /** @type {any} */
  const { packet } = type.toObject(type.decode(fs.readFileSync(file)), { longs: Number });
  /** @type {Map<number, number>} */
  const depth = new Map();
  /** @type {Set<string>} */
  const names = new Set();
  const events = packet
    .filter((/** @type {any} */ { trackEvent }) => trackEvent)
    .sort((/** @type {any} */ a, /** @type {any} */ b) => a.timestamp - b.timestamp);
  for (const { trackEvent: event } of events) {
    if (event.name) names.add(event.name);
    if (event.type !== 1 && event.type !== 2) continue;
    const now = (depth.get(event.trackUuid) ?? 0) + (event.type === 1 ? 1 : -1);
    assert.ok(now >= 0, 'an end without a beginning');
    depth.set(event.trackUuid, now);
  }
  assert.ok([...depth.values()].every((open) => open === 0));
  return names;
}

test(
  'a build: taps and loaders are spans, and its output is what it was',
  {
    skip: skip || whyNoRspack,
  },
  async () => {
    const child = path.join(__dirname, 'border-child.mjs');
    const binding = bindingFile('release');
    const what = (/** @type {string} */ name) =>
      JSON.stringify({ folder: path.join(FOLDER, name), record: false, binding });
    const plain = await run(NODE, [child, what('plain')]);
    assert.equal(plain.code, 0, plain.stderr);
    const { status, stderr } = cli([
      ...['trace', '--functions', '^uv_fs_(open|stat)$', '--object', NODE],
      ...['--to', 'perfetto', '-o', 'build.pftrace', '--', NODE, child, what('traced')],
    ]);
    assert.equal(status, 0, stderr);
    const [made] = fs.readdirSync(path.join(FOLDER, '.rspack-prof'));
    const folder = path.join(FOLDER, '.rspack-prof', made);
    const { spans, functions, warnings } = parsed(
      fs.readFileSync(path.join(folder, 'trace.json'), 'utf8'),
    );
    assert.deepEqual(warnings, []);
    assert.equal(functions.length, 2);
    const rows = Object.fromEntries((spans ?? []).map((row) => [`${row.kind} ${row.name}`, row]));
    const msOf = (/** @type {string} */ key) => {
      assert.ok(rows[key], `${key} is not among ${Object.keys(rows)}`);
      const { calls, ownNs, totalNs } = rows[key];
      return { calls, own: ownNs / 1e6, total: totalNs / 1e6 };
    };
    // What each burned is known: 150 ms a hook, 5 ms a module and loader.
    const first = msOf('tap BurnFirst: processAssets');
    assert.ok(first.calls === 1 && first.own >= 150, JSON.stringify(first));
    assert.ok(msOf('tap BurnSecond: processAssets').own >= 300);
    const later = msOf('tap BurnLater: processAssets');
    assert.ok(later.total >= 150 && later.own < later.total / 2, JSON.stringify(later));
    const sync = msOf('loader sync-loader.js');
    assert.ok(sync.calls === 30 && sync.own >= 150, JSON.stringify(sync));
    for (const name of ['late-loader', 'esm-loader.mjs']) {
      const loader = msOf(`loader ${name}`);
      assert.ok(loader.calls === 30 && loader.total >= 30 * 10, JSON.stringify(loader));
    }
    assert.ok(msOf('phase make').total > 0 && msOf('build build 1').total > 0);
    assert.equal(hashOf(path.join(FOLDER, 'traced/dist')), hashOf(path.join(FOLDER, 'plain/dist')));
    const names = perfettoNames(path.join(FOLDER, 'build.pftrace'));
    for (const name of ['make', 'late-loader', 'BurnFirst: processAssets'])
      assert.ok(names.has(name));
  },
);
