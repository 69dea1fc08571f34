'use strict';
// The HTML report in headless Chromium, as a person uses it: from disk, with the mouse and the keyboard.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { syntheticProfile } = require('../../bench/synthetic.js');
const { htmlDiff } = require('../../lib/html/encode-diff.js');
const { htmlReport } = require('../../lib/html/report.js');
const { Browser, whyNoBrowser } = require('./helpers/browser.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

/** @typedef {import('../../lib/profile/profile').Profile} Profile */
/** @typedef {Awaited<ReturnType<Browser['open']>>} Page */

const browser = new Browser();
/** @type {Profile} */
const made = syntheticProfile({ samples: 6000, nodes: 3000 });

/** @param {unknown} profile @param {Parameters<Browser['open']>[1]} [screen] */
const open = (profile, screen) =>
  browser.open(htmlReport(/** @type {Profile} */ (profile)), screen);

const percent = (/** @type {number} */ share) =>
  `${(share * 100).toFixed(share < 0.0995 ? 2 : 1)} %`;

/** @param {Page} page */
const chosen = async (page) =>
  Number(/^[\d,]+/.exec(await page.innerText('#chosen'))?.[0].replace(/,/g, ''));

/** How much of the graph's canvas is drawn on. @param {Page} page @returns {Promise<number>} 0 to 1 */
const inked = (page) =>
  page.evaluate(`(() => {
    const canvas = document.querySelector('#graph canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
    return drawn / (data.length / 4);
  })()`);

/** @param {Page} page @param {number} from @param {number} to parts of the width */
async function dragTimeline(page, from, to) {
  const box = await page.locator('#timeline').boundingBox();
  assert.ok(box);
  const x = (/** @type {number} */ part) => box.x + part * box.width;
  await page.mouse.move(x(from), box.y + 60);
  await page.mouse.down();
  await page.mouse.move(x((from + to) / 2), box.y + 60);
  await page.mouse.move(x(to), box.y + 60);
  await page.mouse.up();
  await page.settled();
}

/** @param {Page} page @param {number} x @param {number} row */
async function clickGraph(page, x, row) {
  const box = await page.locator('#graph').boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + x, box.y + row * 18 + 9);
  await page.settled();
}

describe('the report in a browser', { skip: whyNoBrowser, timeout: 60_000 }, () => {
  before(() => browser.start());
  after(() => browser.stop());

  test('the first screen: what was recorded, how good it is, a graph, the same top row as report', async () => {
    const profile = buildProfile(smallBuild().samples, {
      ...smallBuild(),
      quality: { lost: 7, warnings: [{ code: 'x', message: 'mind the gap', fix: 'do this' }] },
    });
    const page = await open(profile);
    assert.equal(await page.innerText('h1'), 'node build.js');
    assert.match(await page.innerText('#summary'), /^9 samples of cycles:uk at 1,000 Hz in 2.00 s/);
    const quality = await page.innerText('#quality');
    assert.match(quality, /66\.7 % of the stacks complete/);
    assert.match(quality, /7 lost\s+1 truncated\s+2 broken/);
    await page.click('#quality summary');
    assert.match(await page.innerText('#quality'), /mind the gap do this/);
    assert.ok((await inked(page)) > 0.1);
    const [top] = profile.hotspots();
    const row = await page.innerText('#table tbody tr:first-child');
    assert.ok(row.includes(top.key) && row.includes(percent(top.selfShare)), row);
    await page.done();
  });

  test('search: the share of the stacks that match, once each; the table follows; a bad pattern says so', async () => {
    const page = await open(made);
    await page.keyboard.press('/');
    await page.keyboard.insertText('visit_1[0-9]$');
    await page.locator('#matched:not(:empty)').waitFor();
    const share = made.share(/visit_1[0-9]$/, { total: true });
    assert.equal(await page.innerText('#matched'), `matched ${percent(share)}`);
    const names = await page
      .locator('#table td .name')
      .evaluateAll((list) => list.map((e) => e.title));
    assert.ok(names.length > 2 && names.every((name) => /visit_1[0-9]$/.test(name)));
    await page.fill('#search', 'visit_(');
    await page.locator('#matched', { hasText: 'regular' }).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.inputValue('#search'), '');
    assert.equal(await page.innerText('#matched'), '');
    await page.done();
  });

  test('zoom: a click goes there, the path and Escape back; the box it hovers is told', async () => {
    const page = await open(made);
    const box = await page.locator('#graph').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 20, box.y + 27);
    const title = await page.innerText('#tooltip .title');
    assert.match(title, /visit_\d+$/);
    assert.match(await page.innerText('#tooltip'), /total .*\nself .*\n[^]*object made\.node/);
    await clickGraph(page, 20, 1);
    await clickGraph(page, 20, 2);
    const path = await page.locator('#path button').evaluateAll((list) => list.map((e) => e.title));
    assert.deepEqual(path.slice(0, 2), ['all', title]);
    assert.equal(path.length, 3);
    assert.match(await page.innerText('#related h3'), /visit_\d+: .* %/);
    await page.click('#path button:nth-of-type(2)');
    assert.equal(await page.locator('#path button').count(), 2);
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#path'), false);
    await page.done();
  });

  test('filters: thread, pool, phase and kind count what the profile has of them', async () => {
    const page = await open(made);
    const { thread } = made.raw.samples;
    const count = (/** @type {(i: number) => boolean} */ keep) =>
      Array.from(thread, (_, i) => i).filter(keep).length;
    assert.equal(await chosen(page), 6000);
    await page.selectOption('#thread', '1');
    assert.equal(
      await chosen(page),
      count((i) => thread[i] === 1),
    );
    await page.selectOption('#thread', 'pool:tokio');
    assert.equal(
      await chosen(page),
      count((i) => made.threadPools[thread[i]] === 'tokio'),
    );
    await page.selectOption('#thread', '');
    const { names, phaseOfSample } = made.phaseColumn;
    const make = names.indexOf('make');
    await page.selectOption('#phase', { index: 2 });
    assert.equal(
      await chosen(page),
      count((i) => phaseOfSample[i] === make),
    );
    await page.selectOption('#phase', '');
    const kernel = page.locator('#legend button', { hasText: 'kernel' });
    await kernel.click({ modifiers: ['Shift'] });
    const { kind } = made.raw.funcs;
    const kernels = count((i) => kind[made.raw.nodes.func[made.raw.samples.node[i]]] === 4);
    assert.equal(await chosen(page), kernels);
    await kernel.click({ modifiers: ['Shift'] });
    await kernel.click();
    assert.equal(await chosen(page), 6000 - kernels);
    assert.equal(await kernel.getAttribute('aria-pressed'), 'false');
    await page.done();
  });

  test('the timeline: a drag is a range, a click on a phase that phase, arrow keys move, Escape ends', async () => {
    const page = await open(made);
    await dragTimeline(page, 0.25, 0.5);
    const quarter = await chosen(page);
    assert.ok(Math.abs(quarter - 1500) < 30, `${quarter}`);
    await page.focus('#timeline');
    await page.keyboard.press('Shift+ArrowRight');
    const more = await chosen(page);
    assert.ok(Math.abs(more - quarter - 150) < 10, `${more}`);
    await page.keyboard.press('ArrowRight');
    assert.ok(Math.abs((await chosen(page)) - more) < 5);
    await page.keyboard.press('Escape');
    assert.equal(await chosen(page), 6000);
    const box = await page.locator('#timeline').boundingBox();
    assert.ok(box);
    await page.mouse.click(box.x + box.width * 0.25, box.y + 6);
    assert.match(await page.locator('#phase option:checked').innerText(), /^make /);
    await page.done();
  });

  test('by time: one thread, its boxes in time; a click on one looks at its time', async () => {
    const page = await open(made);
    await page.click('text=By time');
    assert.match(await page.locator('#thread option:checked').innerText(), /%\)$/);
    assert.notEqual(await page.inputValue('#thread'), '');
    const before = await chosen(page);
    await dragTimeline(page, 0.1, 0.12);
    assert.ok((await inked(page)) > 0.05);
    await clickGraph(page, 300, 1);
    const after = await chosen(page);
    assert.ok(after > 0 && after < before / 10, `${after} of ${before}`);
    await page.click('text=Left-heavy');
    await page.done();
  });

  test('keys: the graph is walked and zoomed without a mouse, flipped and turned dark', async () => {
    const page = await open(made);
    await page.focus('#graph');
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowLeft', 'ArrowUp']) {
      await page.keyboard.press(key);
    }
    assert.match(await page.innerText('#details'), /visit_\d+ · total .* · self/);
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#path button').count(), 2);
    await page.keyboard.press('Backspace');
    assert.equal(await page.isVisible('#path'), false);
    await page.keyboard.press('f');
    assert.equal(await page.getAttribute('#direction [data-value=flame]', 'aria-pressed'), 'true');
    await page.settled();
    assert.ok((await inked(page)) > 0.05);
    await page.keyboard.press('?');
    assert.equal(await page.isVisible('#help'), true);
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('#help'), false);
    await page.done();
  });

  test('the table sorts by its heads, groups by crate, and chooses a function with its callers', async () => {
    const page = await open(made);
    const cells = () =>
      page
        .locator('#table tbody tr td:nth-child(2)')
        .evaluateAll((l) => l.map((e) => parseFloat(e.innerText)));
    await page.click('#table th:nth-child(2) button');
    const down = await cells();
    assert.deepEqual(
      down,
      [...down].sort((a, b) => b - a),
    );
    await page.click('#table th:nth-child(2) button');
    const up = await cells();
    assert.deepEqual(
      up,
      [...up].sort((a, b) => a - b),
    );
    await page.click('#table th:nth-child(1) button');
    await page.click('#table tbody tr:first-child');
    assert.ok((await page.locator('#related ul:first-of-type li').count()) > 0);
    await page.click('#related ul button:not([disabled])');
    for (const group of ['crate', 'object', 'kind', 'category']) {
      await page.selectOption('#group', group);
      assert.ok((await page.locator('#table tbody tr').count()) > 0, group);
    }
    await page.click('#table tbody tr:first-child');
    await page.done();
  });

  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    test(`the system's ${scheme} theme is followed, the button changes it, a narrow window has all`, async () => {
      const page = await open(made, { width: 420, height: 800, scheme });
      const back = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
      const [light, dark] = ['rgb(255, 255, 255)', 'rgb(22, 24, 29)'];
      assert.equal(await back(), scheme === 'dark' ? dark : light);
      await page.click('#theme');
      assert.equal(await back(), scheme === 'dark' ? light : dark);
      const sizes = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
      assert.equal(
        /** @type {any} */ (sizes)[0],
        /** @type {any} */ (sizes)[1],
        'nothing sticks out',
      );
      await page.done();
    });
  }

  test('the difference: changes by function, noise grey and last, by self or total, share or time, both widths', async () => {
    const repeat = (/** @type {string} */ stack, /** @type {number} */ times) =>
      Array.from({ length: times }, () => ({ stack, weight: 1e6 }));
    const base = buildProfile([
      ...repeat('main;a', 300),
      ...repeat('main;b', 700),
      ...repeat('main;n', 9),
    ]);
    const candidate = buildProfile([
      ...repeat('main;a', 600),
      ...repeat('main;b;c', 400),
      ...repeat('main;n', 11),
    ]);
    const page = await browser.open(
      htmlDiff(/** @type {any} */ (base), /** @type {any} */ (candidate)),
    );
    const rows = () =>
      page.locator('#table tbody tr').evaluateAll((list) => list.map((e) => e.innerText));
    const first = await rows();
    assert.match(first[0], /new \+39\.56 points\s+0\.0 %\s+39\.6 %\s+c/);
    const noise = await page
      .locator('#table tr.noise')
      .evaluateAll((l) => l.map((e) => e.innerText));
    assert.ok(
      noise.some((row) => /\bn\b/.test(row)),
      String(noise),
    );
    assert.match(first[first.length - 1], /\b(n|main)\b/);
    await page.click('text=By self');
    assert.ok(
      (await rows()).some((row) => /gone -69\.38 points/.test(row)),
      (await rows()).join('|'),
    );
    await page.click('#norm [data-value=time]');
    assert.ok(
      (await rows()).some((row) => /gone -700\.00 Mcycles/.test(row)),
      (await rows()).join('|'),
    );
    const candidateWidths = await inked(page);
    await page.click('#width [data-value=base]');
    await page.settled();
    assert.notEqual(await inked(page), candidateWidths);
    await page.fill('#search', '^a$');
    await page.locator('#matched:not(:empty)').waitFor();
    assert.equal(await page.innerText('#matched'), 'matched 29.7 % → 59.3 %');
    await page.done();
  });

  test('hostile names are inert, and are shown as they are', async () => {
    const evil = '</script><img src=x onerror=alert(1)><svg onload=alert(2)>"\'&lt;${1}{{DATA}}';
    const profile = buildProfile([{ stack: 'main;x', weight: 9, thread: '<b>t</b>' }], {
      funcs: { x: { object: '<i>o</i>', crate: '<u>c</u>' } },
      quality: { warnings: [{ code: 'c', message: evil, fix: '<s>' }] },
    });
    const { raw } = profile;
    raw.strings[raw.funcs.name[1]] = evil;
    profile.meta.command = evil;
    const page = await open(profile);
    assert.equal(await page.innerText('h1'), evil);
    assert.equal(await page.locator('#table tr:first-child .name').getAttribute('title'), evil);
    await page.click('#table tbody tr:first-child');
    assert.ok((await page.innerText('#related h3')).startsWith(evil));
    await clickGraph(page, 30, 2);
    assert.equal(await page.innerText('#tooltip .title'), evil);
    assert.equal(await page.locator('img, svg, b:has-text("t"), i:has-text("o"), s').count(), 0);
    await page.done();
    const diff = await browser.open(
      htmlDiff(/** @type {any} */ (profile), /** @type {any} */ (profile)),
    );
    assert.equal(await diff.locator('img, svg').count(), 0);
    await diff.done();
  });

  test('no samples, one sample, no phases, no names of threads: the page says so', async () => {
    const none = await open(buildProfile([]));
    assert.match(await none.innerText('#quality'), /no samples/);
    assert.match(await none.innerText('#chosen'), /No samples/);
    assert.equal(await none.isVisible('#empty'), true);
    await none.click('text=By time');
    await none.keyboard.press('t');
    await none.fill('#search', 'x');
    await none.done();
    const one = await open(buildProfile([{ stack: 'main;only', thread: '/7' }]));
    assert.match(await one.innerText('#thread'), /\(no name\)\/7/);
    assert.equal(await one.isDisabled('#phase'), true);
    assert.match(await one.innerText('#table tbody'), /100\.0 %\s+100\.0 %\s+1\s+only/);
    await one.click('text=By time');
    await one.settled();
    await one.done();
    const empty = await browser.open(
      htmlDiff(/** @type {any} */ (buildProfile([])), /** @type {any} */ (made)),
    );
    assert.match(await empty.innerText('#chosen'), /base has no samples/);
    await empty.done();
  });

  test('500,000 samples on 50,000 nodes: opened, searched, filtered, zoomed', async () => {
    const page = await open(syntheticProfile({ samples: 500_000, nodes: 50_000 }));
    await page.fill('#search', 'visit_4');
    await page.locator('#matched:not(:empty)').waitFor();
    for (const phase of [1, 2, 3]) await page.selectOption('#phase', { index: phase });
    await clickGraph(page, 100, 1);
    const spent = await page.evaluate(`Object.fromEntries(['filter', 'search', 'zoom'].map((name) =>
      [name, Math.min(...performance.getEntriesByName(name).map((m) => m.duration))]))`);
    // bench/html.js has the figures; a loaded machine may take some times as long.
    for (const [name, ms] of Object.entries(/** @type {any} */ (spent))) {
      assert.ok(Number(ms) < 400, `${name}: ${ms} ms`);
    }
    await page.done();
  });
});
