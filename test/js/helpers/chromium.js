'use strict';
// Headless Chromium as a reader: loads a page, lets its scripts run, gives the page's text back.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const program = process.env.CHROMIUM ?? PATHS.find((file) => fs.existsSync(file));

/** For `test(name, { skip }, ..)`. */
const noChromium = program === undefined && 'Chromium is not installed (apt-get install chromium)';

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...['--disable-dev-shm-usage', '--allow-file-access-from-files'],
  // Time that passes as fast as the page has nothing to do.
  ...['--virtual-time-budget=10000', '--dump-dom'],
];

/**
 * @param {string} url
 * @returns {Promise<string>} the document as it is in the end
 */
function dumpDom(url) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-chromium-'));
  return new Promise((resolve, reject) => {
    const args = [...FLAGS, `--user-data-dir=${folder}`, url];
    const options = { timeout: 60_000, maxBuffer: 1 << 28 };
    execFile(/** @type {string} */ (program), args, options, (error, stdout, stderr) => {
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

/** @param {string} dom @returns {string} what a person reads */
function textOf(dom) {
  return dom
    .replace(/<(style|script)[^]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');
}

module.exports = { dumpDom, noChromium, program, textOf };
