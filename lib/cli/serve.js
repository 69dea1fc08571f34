'use strict';
// Serves one report and its profile on 127.0.0.1, from memory, to whoever knows the path: 128 random
// bits. Refuses any other path (404), any other method than GET and HEAD (405), and any request whose Host is
// not this server's: a page elsewhere whose name was rebound to 127.0.0.1 gets nothing.

const { randomBytes } = require('node:crypto');
const http = require('node:http');
const { ProfError } = require('../errors.js');

const ADDRESS = '127.0.0.1';
/** The one foreign page that may read a profile: its link is printed, and it fetches from here. */
const FIREFOX = 'https://profiler.firefox.com';

const COMMON = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  // The path is a secret.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * @typedef {object} Served
 * @property {string} url of the page
 * @property {string} firefox opens the profile in Firefox's profiler
 * @property {number} port
 * @property {() => void} close
 * @property {Promise<'closed' | 'idle'>} ended
 */

/**
 * @param {NodeJS.ErrnoException} error
 * @param {number} port
 */
function listenError(error, port) {
  const { code, errno, syscall } = error;
  const why =
    code === 'EADDRINUSE'
      ? `port ${port} is in use: name another one, or leave out --port for a free one`
      : `cannot listen on port ${port} (${code}): leave out --port for a free one`;
  return new ProfError('ERR_PROF_SYSTEM', why, { errno, syscall, cause: error });
}

/**
 * The page's own policy as a header too, which alone can forbid frames.
 * @param {string} page
 */
function policyOf(page) {
  const own = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page)?.[1];
  return `${own ?? "default-src 'none'"}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/**
 * @param {string} page
 * @param {Buffer} profile the file as it is: JSON, gzipped or not
 */
function resources(page, profile) {
  const token = randomBytes(16).toString('hex');
  const gzipped = profile[0] === 0x1f && profile[1] === 0x8b;
  const paths = { page: `/${token}/`, profile: `/${token}/profile.json${gzipped ? '.gz' : ''}` };
  const found = new Map([
    [
      paths.page,
      {
        body: Buffer.from(page),
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': policyOf(page),
        },
      },
    ],
    [
      paths.profile,
      {
        body: profile,
        headers: {
          'content-type': gzipped ? 'application/gzip' : 'application/json',
          'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
          vary: 'Origin',
        },
      },
    ],
  ]);
  return { paths, found };
}

/**
 * @param {{page: string, profile: Buffer, port?: number, idleMs: number}} what port 0 is a free one
 * @returns {Promise<Served>}
 */
function serve({ page, profile, port = 0, idleMs }) {
  const { paths, found } = resources(page, profile);
  return new Promise((resolve, reject) => {
    /** @type {(why: 'closed' | 'idle') => void} */
    let end = () => {};
    const ended = new Promise((done) => {
      end = done;
    });
    const server = http.createServer((request, response) => {
      const { port: own } = /** @type {import('node:net').AddressInfo} */ (server.address());
      const { host, origin } = request.headers;
      const known = host === `${ADDRESS}:${own}` || host === `localhost:${own}`;
      const resource = known ? found.get(request.url ?? '') : undefined;
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (!resource || !isRead) {
        const allow = { ...COMMON, allow: 'GET, HEAD' };
        response.writeHead(resource ? 405 : 404, resource ? allow : COMMON);
        response.end();
        return;
      }
      idle.refresh();
      const shared = request.url === paths.profile && origin === FIREFOX;
      response.writeHead(200, {
        ...COMMON,
        ...resource.headers,
        'content-length': resource.body.length,
        ...(shared && { 'access-control-allow-origin': FIREFOX }),
      });
      response.end(request.method === 'HEAD' ? undefined : resource.body);
    });
    const close = (/** @type {'closed' | 'idle'} */ why) => {
      clearTimeout(idle);
      server.close(() => end(why));
      // One on which a request has begun, or an answer is not taken, would be waited for.
      server.closeAllConnections();
    };
    const idle = setTimeout(() => close('idle'), idleMs);
    server.once('error', (error) => {
      clearTimeout(idle);
      reject(listenError(error, port));
    });
    server.listen(port, ADDRESS, () => {
      const { port: own } = /** @type {import('node:net').AddressInfo} */ (server.address());
      const base = `http://${ADDRESS}:${own}`;
      resolve({
        url: base + paths.page,
        firefox: `${FIREFOX}/from-url/${encodeURIComponent(base + paths.profile)}`,
        port: own,
        close: () => close('closed'),
        ended,
      });
    });
  });
}

module.exports = { serve };
