'use strict';
// The SVG flame graph: well formed whatever the names are, boxes where the weights say, FlameGraph's
// options, a difference; zoom and search in a real browser.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { dumpDom, noChromium } = require('./helpers/chromium.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const FILE = path.join(FOLDER, 'p.svg');
const SIDE = 10;

/** @param {object} [options] */
function svgOf(options, profile = buildProfile(smallBuild().samples, smallBuild())) {
  profile.write(FILE, { format: 'flamegraph', ...options });
  return fs.readFileSync(FILE, 'utf8');
}

/** @param {string} svg */
function boxesOf(svg) {
  const pattern =
    /<g><title>(.*?) \((\d+) samples, ([\d.]+) %(?:; ([+-][\d.]+) %)?\)<\/title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="\d+" fill="(#\w{6})"/g;
  return [...svg.matchAll(pattern)].map(([, name, samples, share, change, x, y, width, fill]) => ({
    ...{ name, fill, change: change === undefined ? null : Number(change) },
    ...{ samples: Number(samples), share: Number(share) },
    ...{ x: Number(x), y: Number(y), width: Number(width) },
  }));
}
/** @param {ReturnType<typeof boxesOf>} boxes @param {string} name */
const named = (boxes, name) => boxes.filter((box) => box.name === name);

test('a box is as wide as its share, lies on its caller and holds its callees', () => {
  const boxes = boxesOf(svgOf());
  const [all] = named(boxes, 'all');
  assert.deepEqual([all.x, all.width, all.samples, all.share], [SIDE, 1180, 9, 100]);
  // 3 + 1 + 4 + 5 of 20, with the 1 in fold.
  const [compile] = named(boxes, 'rspack_core::compile');
  assert.deepEqual([compile.samples, compile.share], [4, 65]);
  assert.ok(Math.abs(compile.width - 1180 * 0.65) < 0.02);
  const [start] = named(boxes, '_start');
  assert.equal(compile.y, start.y - 16, 'a caller is below');
  for (const one of boxes) {
    assert.ok(one.x >= all.x - 0.01 && one.x + one.width <= all.x + all.width + 0.02);
  }
  // Siblings stand in the order of their names, side by side.
  const row = boxes.filter(({ y }) => y === start.y).sort((a, b) => a.x - b.x);
  assert.deepEqual(
    row.map(({ name }) => name),
    ['_start', 'memcpy', 'swc_ecma::visit'],
  );
  assert.ok(Math.abs(row[0].x + row[0].width - row[1].x) < 0.02);
});

test('inverted, reverse, flamechart, title, width, minwidth, colours', () => {
  const inverted = boxesOf(svgOf({ inverted: true }));
  assert.equal(named(inverted, '_start')[0].y, named(inverted, 'all')[0].y + 16);
  const reverse = boxesOf(svgOf({ reverse: true }));
  const leaves = reverse.filter(({ y }) => y === named(reverse, 'all')[0].y - 16);
  assert.deepEqual(leaves.map(({ name, samples }) => `${name} ${samples}`).sort(), [
    'Builtin:ArrayMap 1',
    'do_syscall_64 1',
    'memcpy 2',
    'rspack_core::compile 1',
    'swc_ecma::fold&lt;T: U&gt; 1',
    'swc_ecma::visit 2',
  ]);
  const chart = boxesOf(svgOf({ flamechart: true }));
  // Four times in the main thread: compile, loader, loader, fold in compile.
  assert.equal(
    named(chart, 'rspack_core::compile').filter(({ samples }) => samples === 1).length,
    2,
  );
  assert.equal(named(chart, 'node/4242').length, 1);
  const order = named(chart, 'rspack_core::compile').sort((a, b) => a.x - b.x);
  assert.ok(order[0].x < named(chart, 'loader /app/node_modules/@x/ldr/i.js:3:7')[0].x);
  assert.match(svgOf({ title: 'A <b> & "c"' }), />A &lt;b&gt; &amp; &quot;c&quot;<\/text>/);
  const narrow = boxesOf(svgOf({ width: 400, minwidth: 50 }));
  assert.equal(named(narrow, 'all')[0].width, 380);
  assert.ok(narrow.every(({ width }) => width >= 50) && narrow.length > 2);
  const fills = (/** @type {object} */ options) => boxesOf(svgOf(options)).map(({ fill }) => fill);
  const [red, green, blue] = fills({ colors: 'blue' })
    .map((fill) => [1, 3, 5].map((at) => parseInt(fill.slice(at, at + 2), 16)))
    .reduce((sum, rgb) => sum.map((part, i) => part + rgb[i]), [0, 0, 0]);
  assert.ok(blue > red && blue > green);
  assert.deepEqual(fills({ colors: 'hot' }), fills({ colors: 'hot' }), 'colours do not change');
});

test('a difference: red where the share grew, blue where it shrank, and what is gone is told', () => {
  const build = (/** @type {Record<string, number>} */ weights) =>
    buildProfile(Object.entries(weights).map(([stack, weight]) => ({ stack, weight })));
  const base = build({ 'main;grew': 10, 'main;shrank': 70, 'main;same': 20, 'gone;child': 100 });
  const now = build({ 'main;grew': 60, 'main;shrank': 20, 'main;same': 10, 'main;new': 10 });
  const svg = svgOf({ base }, now);
  const boxes = boxesOf(svg);
  const change = Object.fromEntries(boxes.map(({ name, change }) => [name, change]));
  assert.deepEqual(change, { all: 0, main: 50, grew: 55, shrank: -15, same: 0, new: 10 });
  const fill = Object.fromEntries(boxes.map((box) => [box.name, box.fill]));
  assert.equal(fill.same, '#e8e8e8');
  assert.match(fill.grew, /^#fa0f0f$/);
  const channels = [1, 3, 5].map((at) => parseInt(fill.shrank.slice(at, at + 2), 16));
  assert.ok(channels[2] > channels[0]);
  assert.match(svg, /50\.00 % of the base is on paths that are not here/);
});

const HARD = [
  'a<b>&"c"',
  ']]></script><script>document.title="bad"</script>',
  '\u0000\u001b[31m\ud800\uffff',
  '解析 😀',
  "onload='x'",
  `long ${'x'.repeat(5000)}`,
];

test('whatever the names are, an XML parser reads it', () => {
  const svg = svgOf({}, buildProfile(HARD.map((stack) => ({ stack }))));
  assert.ok(!svg.includes('<script>document'));
  assert.ok(svg.length < 40_000, `names are cut: ${svg.length}`);
  const code =
    'import sys, xml.etree.ElementTree as e; print(len(list(e.parse(sys.argv[1]).iter())))';
  const { status, stdout, stderr } = spawnSync('python3', ['-c', code, FILE], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.ok(Number(stdout) > 3 * HARD.length);
});

test(
  'in a browser: search tells the share, zoom widens, Escape undoes',
  { skip: noChromium },
  async () => {
    const svg = svgOf();
    const script = `<script><![CDATA[
    const out = [];
    const width = (name) => {
      const group = [...document.querySelectorAll('#frames > g')]
        .find((g) => g.querySelector('title').textContent.startsWith(name + ' ('));
      return group.style.display === 'none' ? 0 : Number(group.querySelector('rect').getAttribute('width'));
    };
    window.addEventListener('error', (event) => out.push('error ' + event.message));
    window.addEventListener('load', () => {
      flamegraph.search('swc_ecma::visit');
      out.push(document.getElementById('matched').textContent);
      const rect = [...document.querySelectorAll('#frames > g')]
        .find((g) => g.querySelector('title').textContent.startsWith('rspack_core::compile ('))
        .querySelector('rect');
      rect.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
      out.push(document.getElementById('details').textContent);
      rect.dispatchEvent(new MouseEvent('click', { bubbles: true }));
      out.push(width('rspack_core::compile'), width('_start'), width('Builtin:ArrayMap'));
      out.push(document.getElementById('matched').textContent);
      window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
      out.push(width('rspack_core::compile'), width('Builtin:ArrayMap'));
      document.getElementById('details').textContent = JSON.stringify(out);
    });
  ]]></script></svg>`;
    fs.writeFileSync(FILE, svg.replace('</svg>', script));
    const dom = await dumpDom(`file://${FILE}`);
    const text = /id="details"[^>]*>([^<]*)</.exec(dom)?.[1] ?? dom;
    assert.deepEqual(JSON.parse(text.replace(/&quot;/g, '"')), [
      // 4 + 5 + 1 of 20, recursion once
      'matched: 50.00 %',
      'rspack_core::compile (4 samples, 65.00 %)',
      ...[1180, 1180, 0],
      // 9 of 13
      'matched: 69.23 %',
      ...[767, 118],
    ]);
  },
);
