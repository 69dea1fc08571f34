'use strict';
// Reports in headless Chromium, driven as a person would: a page from disk, which must neither load
// anything else nor write an error to the console.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { noChromium, program } = require('./chromium.js');

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  '--disable-dev-shm-usage',
];

/** playwright-core runs on node 20 and later. @type {string | false} */
const whyNoBrowser =
  noChromium ||
  (Number(process.versions.node.split('.')[0]) < 20 && 'playwright-core needs node 20 or later');

class Browser {
  /** @type {import('playwright-core').Browser | undefined} */
  #browser;
  #folder = '';
  #pages = 0;

  async start() {
    this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-html-'));
    await this.#launch();
  }

  async #launch() {
    const { chromium } = require('playwright-core');
    this.#browser = await chromium.launch({ executablePath: program, args: FLAGS });
  }

  async stop() {
    await this.#browser?.close();
    if (this.#folder !== '') fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * @param {Iterable<string>} pieces of a page
   * @param {{width?: number, height?: number, scheme?: 'light' | 'dark'}} [screen]
   */
  async open(pieces, screen = {}) {
    const file = path.join(this.#folder, `page-${this.#pages++}.html`);
    fs.writeFileSync(file, [...pieces].join(''));
    for (let tries = 3; ; tries--) {
      try {
        return await this.#show(file, screen);
      } catch (error) {
        // On a machine without a CPU to spare Chromium ends now and then: that says nothing of the page.
        if (tries === 1 || this.#browser?.isConnected()) throw error;
        await this.#launch();
      }
    }
  }

  /**
   * @param {string} file
   * @param {{width?: number, height?: number, scheme?: 'light' | 'dark'}} screen
   */
  async #show(file, { width = 1280, height = 800, scheme = 'light' }) {
    const browser = /** @type {import('playwright-core').Browser} */ (this.#browser);
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
    page.setDefaultTimeout(15_000);
    /** @type {string[]} */
    const problems = [];
    page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => problems.push(String(error.stack)));
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== `file://${file}`) problems.push(`request: ${request.url()}`);
    });
    await page.goto(`file://${file}`);
    // Not waitForFunction(): it evaluates text in the page, which the page's own policy forbids.
    const painted = `performance.getEntriesByName('painted').length > 0`;
    const deadline = Date.now() + 15_000;
    while (!(await page.evaluate(painted)) && problems.length === 0 && Date.now() < deadline) {
      await page.waitForTimeout(10);
    }
    return Object.assign(page, {
      /** Waits for the frame in which the last input is drawn. */
      settled: () =>
        page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))'),
      /** Ends a test: nothing may have gone wrong on the page. */
      async done() {
        assert.deepEqual(problems, []);
        await page.close();
      },
    });
  }
}

module.exports = { Browser, whyNoBrowser };
