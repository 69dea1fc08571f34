'use strict';
// rspack-prof open: what it serves, to whom, and that it ends; progress on a terminal and in a pipe.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const test = require('node:test');
const { serve } = require('../../lib/cli/serve.js');
const { browsers } = require('../../lib/cli/open.js');
const { buildProfile, cli } = require('./cli-support.js');

const MAIN = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const FIREFOX = 'https://profiler.firefox.com';

/** @param {import('node:test').TestContext} t */
function written(t) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-open-'));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  const file = path.join(cwd, 'one.json.gz');
  buildProfile().write(file);
  return { cwd, file };
}

/**
 * @param {string} url
 * @param {http.RequestOptions} [options]
 * @returns {Promise<{status: number | undefined, headers: http.IncomingHttpHeaders, body: Buffer}>}
 */
function ask(url, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, options, (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

const PAGE =
  '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'" /><p>page</p>';

/** @param {import('node:test').TestContext} t */
async function served(t, idleMs = 60_000) {
  const one = await serve({ page: PAGE, profile: Buffer.from([0x1f, 0x8b, 7]), idleMs });
  t.after(() => one.close());
  return one;
}

test('the command serves report and profile, starts the browser, ends on Ctrl-C', async (t) => {
  const { cwd, file } = written(t);
  const noted = path.join(cwd, 'noted');
  const browser = path.join(cwd, 'browser.sh');
  fs.writeFileSync(
    browser,
    `#!/bin/sh\nprintf '%s' "$*" > ${noted}.part\nmv ${noted}.part ${noted}\n`,
    {
      mode: 0o755,
    },
  );
  const child = spawn(process.execPath, [MAIN, 'open', file], {
    cwd,
    env: { ...process.env, BROWSER: `/nowhere/browser:${browser} --new %s` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  /** @type {string[]} */
  const lines = [];
  for await (const line of readline.createInterface({ input: child.stdout })) {
    if (lines.push(line) === 2) break;
  }
  const [url, firefox] = lines;
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
  const page = await ask(url);
  assert.equal(page.status, 200);
  assert.match(page.body.toString(), /^<!doctype html>[^]*rspack build/);
  assert.match(String(page.headers['content-security-policy']), /script-src 'unsafe-inline'/);

  assert.ok(firefox.startsWith(`${FIREFOX}/from-url/`));
  const from = decodeURIComponent(firefox.slice(`${FIREFOX}/from-url/`.length));
  const profile = await ask(from, { headers: { origin: FIREFOX } });
  assert.deepEqual(profile.body, fs.readFileSync(file));
  assert.equal(profile.headers['access-control-allow-origin'], FIREFOX);

  for (let i = 0; i < 200 && !fs.existsSync(noted); i++)
    await new Promise((r) => setTimeout(r, 20));
  assert.equal(fs.readFileSync(noted, 'utf8'), `--new ${url}`);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  // No progress in a pipe, no word on the browser that did not start: the next one did.
  assert.equal(stderr, 'rspack-prof: Ctrl-C ends this, as do 30 minutes without a request\n');
});

test('the page: not kept, in no frame, read by no other site', async (t) => {
  const { url } = await served(t);
  const { status, headers, body } = await ask(url, { headers: { origin: FIREFOX } });
  assert.equal(status, 200);
  assert.equal(body.toString(), PAGE);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors/);
  assert.equal(headers['access-control-allow-origin'], undefined);
});

test('the profile may be read by profiler.firefox.com, and by no other site', async (t) => {
  const { url } = await served(t);
  const file = `${url}profile.json.gz`;
  for (const origin of ['https://evil.example', 'http://profiler.firefox.com', 'null']) {
    const { headers } = await ask(file, { headers: { origin } });
    assert.equal(headers['access-control-allow-origin'], undefined, origin);
    assert.equal(headers.vary, 'Origin');
  }
  const { headers } = await ask(file, { headers: { origin: FIREFOX } });
  assert.equal(headers['access-control-allow-origin'], FIREFOX);
  assert.equal(headers['content-type'], 'application/gzip');
});

test('HEAD: what GET would say, and no body', async (t) => {
  const { url } = await served(t);
  for (const path of [url, `${url}profile.json.gz`]) {
    const [head, get] = [await ask(path, { method: 'HEAD' }), await ask(path)];
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    assert.ok(get.body.length > 0);
    for (const name of ['content-length', 'content-type', 'content-security-policy']) {
      assert.equal(head.headers[name], get.headers[name]);
    }
  }
});

test('other paths, methods and hosts get nothing', async (t) => {
  const { url, port } = await served(t);
  const root = new URL(url).origin;
  for (const wrong of ['/', '/favicon.ico', '/0123/', `${new URL(url).pathname}../x`]) {
    assert.equal((await ask(root + wrong)).status, 404, wrong);
  }
  assert.equal((await ask(`${url}?x`)).status, 404);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers, body } = await ask(url, { method });
    assert.deepEqual([status, headers.allow, body.length], [405, 'GET, HEAD', 0], method);
  }
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
  ]) {
    const { status, body } = await ask(url, { headers: { host } });
    assert.deepEqual([status, body.length], [404, 0], host);
  }
  assert.equal((await ask(url, { headers: { host: `localhost:${port}` } })).status, 200);
});

test('each run has a path of its own', async (t) => {
  const [one, other] = [await served(t), await served(t)];
  assert.notEqual(new URL(one.url).pathname, new URL(other.url).pathname);
});

test('it listens on loopback alone', async (t) => {
  const { port } = await served(t);
  const outer = Object.values(os.networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4');
  if (!outer) return t.skip('no other address here');
  const socket = net.connect(port, outer.address);
  t.after(() => socket.destroy());
  const answer = await new Promise((resolve) => {
    socket.once('connect', () => resolve('connected'));
    socket.once('error', (error) => resolve(/** @type {NodeJS.ErrnoException} */ (error).code));
  });
  assert.equal(answer, 'ECONNREFUSED');
});

test('without a request it ends, with a connection left open too', async () => {
  const one = await serve({ page: PAGE, profile: Buffer.from('{}'), idleMs: 150 });
  const agent = new http.Agent({ keepAlive: true });
  assert.equal((await ask(one.url, { agent })).status, 200);
  assert.equal((await ask(`${one.url}profile.json`, { agent })).status, 200);
  assert.equal(await one.ended, 'idle');
  agent.destroy();
});

test('it ends while a request is half sent', async (t) => {
  const one = await serve({ page: PAGE, profile: Buffer.from('{}'), idleMs: 60_000 });
  const socket = net.connect(one.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write('GET /');
  // The server has the connection, and the beginning of the request with it.
  await ask(one.url);
  const closed = once(socket, 'close');
  one.close();
  const late = new Promise((resolve) => setTimeout(resolve, 20_000, 'late').unref());
  assert.equal(await Promise.race([one.ended, late]), 'closed');
  await closed;
});

test('a port in use, a port that is none, a bad file: one line each', async (t) => {
  const { cwd, file } = written(t);
  const { port } = await served(t);
  const taken = await cli(['open', file, '--port', String(port), '--no-browser'], { cwd });
  assert.equal(taken.exitCode, 1);
  assert.match(taken.stderr, new RegExp(`^rspack-prof: port ${port} is in use: .*\\n$`));
  const bad = await cli(['open', file, '--port', '70000'], { cwd });
  assert.equal(bad.exitCode, 2);
  assert.match(bad.stderr, /^rspack-prof: --port takes a whole number from 0 to 65535.*\n$/);
  for (const name of ['absent.json', '.']) {
    const { exitCode, stdout, stderr } = await cli(['open', name, '--no-browser'], { cwd });
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, /^rspack-prof: .*\(ERR_PROF_BAD_FILE\)\n$/);
  }
});

test('which browser: $BROWSER first, xdg-open only where there is a display', () => {
  const url = 'http://127.0.0.1:1/x/';
  assert.deepEqual(browsers({}, url), []);
  assert.deepEqual(browsers({ DISPLAY: ':0' }, url), [['xdg-open', url]]);
  assert.deepEqual(browsers({ WAYLAND_DISPLAY: 'wayland-0' }, url), [['xdg-open', url]]);
  assert.deepEqual(browsers({ BROWSER: 'one:two --tab=%s', DISPLAY: ':0' }, url), [
    ['one', url],
    ['two', `--tab=${url}`],
  ]);
});
