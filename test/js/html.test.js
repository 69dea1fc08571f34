'use strict';
// The HTML report without a browser: what is encoded is the profile, sums are the profile's own, and
// nothing that a function is called gets into the markup.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { syntheticProfile } = require('../../bench/synthetic.js');
const { encodeDiff } = require('../../lib/html/encode-diff.js');
const { symbolKey } = require('../../lib/profile/matching.js');
const { encodeProfile } = require('../../lib/html/encode.js');
const { htmlReport } = require('../../lib/html/report.js');
const {
  changeOf,
  largestChange,
  nodeSums,
  sumsByGroup,
} = require('../../lib/html/view/diff-model.js');
const { isShareChange, isWeightChange } = require('../../lib/noise.js');
const tree = require('../../lib/html/view/tree.js');
const { inflate, readReport } = require('../../lib/html/view/unpack.js');
const { cli } = require('./cli-support.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

/** @typedef {import('../../lib/html/view/types').ProfileReport} ProfileReport */
/** @typedef {import('../../lib/html/view/types').DiffReport} DiffReport */

const ALL = { categories: true, level: 1 };
const NO_FILTER = {
  thread: -1,
  pool: '',
  phase: -1,
  kinds: new Uint8Array(9).fill(1),
  range: null,
};

const small = () => buildProfile(smallBuild().samples, smallBuild());

/** @param {import('../../lib/profile/profile').Profile} profile @returns {Promise<ProfileReport>} */
const decoded = async (profile) =>
  /** @type {any} */ (readReport(await inflate(encodeProfile(profile, ALL))));

/** @param {ProfileReport} report */
function summed(report, filter = {}) {
  const sums = tree.sumRows(report, { ...NO_FILTER, ...filter });
  return { ...sums, total: tree.totalsOf(report.nodes, sums.self) };
}

/** @param {ProfileReport} report @param {ReturnType<typeof summed>} sums */
function functionRows({ nodes, funcs }, sums) {
  const { self, total, samples } = tree.groupSums(nodes, nodes.func, funcs.name.length, sums);
  return funcs.name.map((symbol, i) => ({
    symbol,
    self: self[i],
    total: total[i],
    samples: samples[i],
  }));
}

for (const [name, profile] of [
  ['a build in small', small()],
  ['a large made-up one', syntheticProfile({ samples: 3000, nodes: 4000 })],
]) {
  test(`self, total and samples of each function are those of hotspots(): ${name}`, async () => {
    const report = await decoded(/** @type {any} */ (profile));
    const rows = functionRows(report, summed(report)).filter(({ total }) => total > 0);
    const wanted = /** @type {any} */ (profile).hotspots({ unnamed: 'together' });
    const plain = (/** @type {any[]} */ list) =>
      list
        .filter(({ symbol }) => symbol !== undefined)
        .map(({ symbol, self, total, samples }) => ({ symbol, self, total, samples }))
        .sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    assert.deepEqual(plain(rows), plain(wanted));
  });
}

test('filters by thread, pool, phase, kind and time count what the profile has', async () => {
  const profile = syntheticProfile({ samples: 2000, nodes: 500 });
  const report = await decoded(profile);
  const { thread, timeNs, node } = profile.raw.samples;
  const count = (/** @type {(i: number) => boolean} */ keep) =>
    Array.from(thread, (_, i) => i).filter(keep).length;
  const samples = (/** @type {object} */ filter) => summed(report, filter).samples;

  assert.equal(
    samples({ thread: 2 }),
    count((i) => thread[i] === 2),
  );
  const tokio = profile.threadPools.map((pool) => pool === 'tokio');
  assert.equal(
    samples({ pool: 'tokio' }),
    count((i) => tokio[thread[i]]),
  );
  const seal = report.phases.findIndex(({ name }) => name === 'seal');
  const { names, phaseOfSample } = profile.phaseColumn;
  assert.equal(
    samples({ phase: seal }),
    count((i) => names[phaseOfSample[i]] === 'seal'),
  );
  assert.ok(samples({ phase: seal }) > 100);
  const kernel = new Uint8Array(9);
  kernel[2] = 1;
  const { kind } = profile.raw.funcs;
  assert.equal(
    samples({ kinds: kernel }),
    count((i) => kind[profile.raw.nodes.func[node[i]]] === 4),
  );
  const [from, to] = [50, 101];
  const ms = (/** @type {number} */ i) => (timeNs[i] - profile.meta.startNs) / 1e6;
  assert.equal(
    samples({ range: [from, to] }),
    count((i) => ms(i) >= from && ms(i) < to),
  );
});

test('boxes of siblings stand side by side inside of their caller, the heaviest first', async () => {
  const report = await decoded(syntheticProfile({ samples: 5000, nodes: 2000 }));
  const { nodes } = report;
  const { total } = summed(report);
  const place = tree.placesOf(nodes, total);
  for (let i = 0; i < nodes.parent.length; i++) {
    let at = place[i];
    /** @type {number[]} */
    const children = [];
    for (let c = i + 1; c < nodes.end[i]; c = nodes.end[c]) if (total[c] > 0) children.push(c);
    children.sort((a, b) => place[a] - place[b]);
    children.forEach((child, n) => {
      assert.equal(place[child], at);
      if (n > 0) assert.ok(total[child] <= total[children[n - 1]]);
      at += total[child];
    });
    assert.ok(at <= place[i] + total[i]);
  }
});

test('callers add up to a total, and so do its own code and what it calls, recursion or not', async () => {
  const report = await decoded(
    buildProfile([
      { stack: 'main;f;g;f;h', weight: 4 },
      { stack: 'main;f;f;h', weight: 2 },
      { stack: 'main;f;g', weight: 3 },
      { stack: 'other;f', weight: 1 },
      { stack: 'f', weight: 5 },
    ]),
  );
  const { name } = report.funcs;
  const related = tree.relatedOf(report.nodes, name.indexOf('f'), summed(report));
  const named = (/** @type {[number, number][]} */ list) =>
    Object.fromEntries(list.map(([func, weight]) => [name[func] ?? '', weight]));
  assert.deepEqual(named(related.callers), { main: 9, '': 5, other: 1 });
  assert.deepEqual(named(related.callees), { h: 6, g: 3 });
  assert.deepEqual([related.self, related.total], [6, 15]);
});

test('what is searched for counts once in a stack', async () => {
  const profile = small();
  const report = await decoded(profile);
  for (const pattern of [/swc_ecma::/, /memcpy/, /_start/, /nothing at all/]) {
    const mask = Uint8Array.from(report.funcs.name, (name) => Number(pattern.test(name)));
    const { total, weight } = summed(report);
    assert.equal(
      tree.weightThrough(report.nodes, mask, total) / weight,
      profile.share(pattern, { total: true }),
    );
  }
});

test('noise: shares and weights of few samples are no change, of many they are', () => {
  const of = (/** @type {number} */ samples, /** @type {number} */ all) => ({
    samples,
    all,
    perSample: 2,
  });
  assert.equal(isShareChange(of(10, 1000), of(14, 1000)), false);
  assert.equal(isShareChange(of(1000, 100_000), of(1400, 100_000)), true);
  assert.equal(isShareChange(of(1400, 100_000), of(1000, 100_000)), true);
  assert.equal(isShareChange(of(1000, 100_000), of(2000, 200_000)), false);
  assert.equal(isShareChange(of(0, 0), of(5, 10)), false);
  assert.equal(isWeightChange(of(100, 1000), of(120, 1000)), false);
  assert.equal(isWeightChange(of(1000, 10_000), of(1200, 12_000)), true);
});

test('a difference has both profiles by node; builds that differ in hashes and lines match', async () => {
  const base = buildProfile([
    ...Array.from({ length: 300 }, () => ({ stack: 'main;a::h0123456789abcdef', weight: 1 })),
    ...Array.from({ length: 700 }, () => ({ stack: 'main;b', weight: 1 })),
  ]);
  const candidate = buildProfile([
    ...Array.from({ length: 600 }, () => ({ stack: 'main;a::hfedcba9876543210', weight: 1 })),
    ...Array.from({ length: 690 }, () => ({ stack: 'main;b', weight: 1 })),
    ...Array.from({ length: 10 }, () => ({ stack: 'main;c', weight: 1 })),
  ]);
  const packed = encodeDiff(/** @type {any} */ (base), /** @type {any} */ (candidate));
  /** @type {DiffReport} */
  const report = /** @type {any} */ (readReport(await inflate(packed)));
  assert.deepEqual(report.funcs.name, ['main', 'a::hfedcba9876543210', 'b', 'c']);
  const sums = nodeSums(report);
  assert.deepEqual([sums[0].whole, sums[1].whole], [1000, 1300]);
  const byFunc = sumsByGroup(report, sums, report.nodes.func, 4);
  /** @type {import('../../lib/html/view/diff-model').How} */
  const share = { norm: 'share', by: 'total' };
  const [main, a, b] = [0, 1, 2].map((func) => changeOf(byFunc, func, share));
  assert.deepEqual([main.change, main.isNoise], [0, true]);
  assert.deepEqual([a.isNoise, b.isNoise], [false, false]);
  assert.ok(Math.abs(a.change - (600 / 1300 - 0.3)) < 1e-12 && b.change < 0);
  const time = changeOf(byFunc, 2, { norm: 'time', by: 'self' });
  assert.deepEqual([time.change, time.isNoise], [-10, true]);
  assert.ok(largestChange(byFunc, 4, share) >= Math.abs(a.change));
});

test('names of another build: hashes, closure numbers, suffixes and lines are no difference', () => {
  assert.equal(symbolKey('a::b::{closure#12}::h0123456789abcdef'), 'a::b::{closure}');
  assert.equal(symbolKey('_int_malloc.isra.0'), '_int_malloc');
  assert.equal(symbolKey('f /app/x.js:12:34'), 'f /app/x.js');
  assert.equal(symbolKey('std::vec::Vec<u8>::push'), 'std::vec::Vec<u8>::push');
});

test('names are data only: no markup, no script gets through, nothing is loaded', async () => {
  const evil = '</script><script>alert(1)</script><img src=x onerror=alert(2)>{{DATA}}$&';
  const profile = buildProfile([{ stack: 'main;x', weight: 9 }]);
  profile.raw.strings[profile.raw.funcs.name[1]] = evil;
  profile.meta.command = `node ${evil}`;
  const page = htmlReport(/** @type {any} */ (profile)).join('');
  assert.equal(page.includes('<script>alert'), false);
  assert.equal(page.includes('<img'), false);
  const markup = page.replace(/<(script|style)[\s\S]*?<\/\1>/g, '');
  assert.equal(/<[a-z][^>]*\s(?:src|href)=/.test(markup), false);
  assert.equal(/url\(|@import/.test(page), false);
  const data = /<script type="text\/plain" id="data">([^<]*)<\/script>/.exec(page)?.[1] ?? '';
  const report = readReport(await inflate(data));
  assert.deepEqual(report.funcs.name, ['main', evil]);
});

test('export --to html and diff --html write for the user alone; a write that fails leaves nothing', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-html-'));
  const file = path.join(folder, 'p.json.gz');
  small().write(file);
  const report = path.join(folder, 'report.html');
  const diff = path.join(folder, 'diff.html');
  assert.equal((await cli(['export', file, '--to', 'html', '-o', report])).exitCode, 0);
  assert.equal((await cli(['diff', file, file, '--html', diff])).exitCode, 0);
  for (const page of [report, diff]) {
    assert.equal(fs.statSync(page).mode & 0o777, 0o600);
    assert.match(fs.readFileSync(page, 'utf8'), /^<!doctype html>/);
  }
  const failed = await cli(['diff', file, file, '--html', path.join(folder, 'no', 'x.html')]);
  assert.equal(failed.exitCode, 1);
  assert.deepEqual(fs.readdirSync(folder).sort(), ['diff.html', 'p.json.gz', 'report.html']);
  fs.rmSync(folder, { recursive: true });
});
