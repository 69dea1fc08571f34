'use strict';
// What the HTML report takes at 500,000 samples on 50,000 nodes: to write, to open, to search, filter and
// zoom; and d3-flame-graph with the same tree, the most used flame graph library on npm, as the peer.
//   node bench/html.js [--samples N] [--nodes N | --profile FILE] [--runs N]
// Times in the page are its own performance measures, the median of the runs, in headless Chromium.

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { median } = require('simple-statistics');
const { htmlReport } = require('../lib/html/report.js');
const { Browser, whyNoBrowser } = require('../test/js/helpers/browser.js');
const { syntheticProfile } = require('./synthetic.js');

/** @typedef {import('../lib/profile/profile').Profile} Profile */
/** @typedef {Awaited<ReturnType<Browser['open']>>} Page */

/** d3-flame-graph's peers, each after what it needs. */
const D3 = [
  ...['array', 'color', 'dispatch', 'ease', 'format', 'hierarchy', 'interpolate', 'time'],
  ...['time-format', 'timer', 'scale', 'selection', 'transition'],
];

/** @param {string} name @param {() => unknown} work */
function timed(name, work) {
  const start = performance.now();
  const result = work();
  return { name, ms: performance.now() - start, result };
}

/**
 * @param {Profile} profile
 * @returns {string[]} a page that draws the profile's tree with d3-flame-graph
 */
function peerPage(profile) {
  const fromChart = createRequire(require.resolve('d3-flame-graph'));
  const sources = D3.map((name) => {
    const folder = path.join(path.dirname(fromChart.resolve(`d3-${name}`)), '..');
    return fs.readFileSync(path.join(folder, 'dist', `d3-${name}.min.js`), 'utf8');
  });
  const chart = require.resolve('d3-flame-graph').replace(/\.js$/, '.min.js');
  sources.push(fs.readFileSync(chart, 'utf8'));
  const tree = JSON.stringify(profile.callTree(), (key, value) =>
    ['samples', 'self', 'object', 'kind'].includes(key) ? undefined : value,
  ).replace(/"total":/g, '"value":');
  const script = `
    const chart = flamegraph.default().width(1240).inverted(true).minFrameSize(1);
    const measured = (name, work) => {
      const start = performance.now();
      work();
      performance.measure(name, { start, end: performance.now() });
    };
    measured('filter', () => d3.select('#chart').datum(${tree}).call(chart));
    measured('search', () => chart.search('visit_4'));
    chart.clear();
    const child = document.querySelectorAll('#chart .frame')[1];
    measured('zoom', () => child.dispatchEvent(new MouseEvent('click')));
    requestAnimationFrame(() => setTimeout(() => performance.mark('painted')));`;
  const safe = [...sources, script].map((text) => text.replace(/<\/script/gi, '<\\/script'));
  return [
    '<!doctype html><body><div id="chart"></div>',
    ...safe.map((text) => `<script>${text}</script>`),
  ];
}

/** @param {Page} page @param {string} name @returns {Promise<number[]>} ms */
const measures = (page, name) =>
  page.evaluate(`performance.getEntriesByName('${name}').map((one) => one.duration)`);

/** @param {Page} page @returns {Promise<number>} ms from the start of loading */
const painted = (page) => page.evaluate(`performance.getEntriesByName('painted')[0].startTime`);

/**
 * @param {Browser} browser
 * @param {string[]} pieces
 * @returns {Promise<Record<string, number[]>>}
 */
async function useReport(browser, pieces) {
  const page = await browser.open(pieces);
  const first = await painted(page);
  for (const text of ['visit_4', 'visit_1', 'Type77']) {
    await page.fill('#search', text);
    await page.waitForTimeout(200);
  }
  await page.fill('#search', '');
  for (const phase of [1, 2, 3]) await page.selectOption('#phase', { index: phase });
  await page.selectOption('#phase', '');
  const box = /** @type {{x: number, y: number}} */ (await page.locator('#graph').boundingBox());
  for (const row of [1, 2, 3]) {
    await page.mouse.click(box.x + 100, box.y + row * 18 + 9);
    await page.settled();
  }
  await page.click('text=By time');
  await page.settled();
  const [cold, ...filter] = await measures(page, 'filter');
  const result = {
    'first paint': [first],
    'first sums': [cold],
    filter,
    search: await measures(page, 'search'),
    zoom: await measures(page, 'zoom'),
    draw: await measures(page, 'draw'),
  };
  await page.done();
  return result;
}

/**
 * @param {Browser} browser
 * @param {string[]} pieces
 * @returns {Promise<Record<string, number[]>>}
 */
async function usePeer(browser, pieces) {
  const page = await browser.open(pieces);
  const [layout] = await measures(page, 'filter');
  const result = {
    'first paint': [await painted(page)],
    'first sums': [layout],
    search: await measures(page, 'search'),
    zoom: await measures(page, 'zoom'),
  };
  await page.close();
  return result;
}

/** @param {Record<string, number[]>[]} runs @param {string} name */
function cell(runs, name) {
  const values = runs.flatMap((run) => run[name] ?? []);
  return (values.length > 0 ? median(values).toFixed(1) : '-').padStart(16);
}

async function main() {
  const { values } = parseArgs({
    options: {
      samples: { type: 'string', default: '500000' },
      nodes: { type: 'string', default: '50000' },
      runs: { type: 'string', default: '3' },
      profile: { type: 'string' },
    },
  });
  if (whyNoBrowser) throw new Error(whyNoBrowser);
  const [wanted, size, runs] = [values.samples, values.nodes, values.runs].map(Number);
  const profile =
    values.profile === undefined
      ? syntheticProfile({ samples: wanted, nodes: size })
      : /** @type {any} */ (require('../lib/index.js').read(values.profile));
  // What the table and the folded stacks of an exit have worked out before.
  profile.hotspots({ unnamed: 'together' });
  profile.mergedBy(profile.namesByObject);
  profile.phases();
  const { samples, nodes } = { ...profile.quality, nodes: profile.raw.nodes.parent.length };
  const atExit = timed('at exit', () => htmlReport(profile, { atExit: true }).join(''));
  const whole = timed('whole', () => htmlReport(profile).join(''));
  console.log(`${samples} samples, ${nodes} nodes`);
  for (const { name, ms, result } of [atExit, whole]) {
    const mb = /** @type {string} */ (result).length / 1e6;
    console.log(`written, ${name}: ${ms.toFixed(0)} ms, ${mb.toFixed(2)} MB`);
  }
  const peer = peerPage(profile);
  /** @type {Record<string, number[]>[]} */
  const ours = [];
  /** @type {Record<string, number[]>[]} */
  const theirs = [];
  const browser = new Browser();
  await browser.start();
  try {
    for (let run = 0; run < runs; run++) {
      ours.push(await useReport(browser, [/** @type {string} */ (whole.result)]));
      theirs.push(await usePeer(browser, peer));
    }
  } finally {
    await browser.stop();
  }
  console.log(`\nms, median of ${runs} runs  the report  d3-flame-graph`);
  for (const name of Object.keys(ours[0])) {
    console.log(`${name.padEnd(22)}${cell(ours, name)}${cell(theirs, name)}`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
