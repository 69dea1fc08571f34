'use strict';
// What goes over a control socket: one JSON object a line, both ways. The one who listens speaks first:
// `{ rspackProf: VERSION, protocol, pid }`; then each request has one answer, `{ ok: .. }` or
// `{ error: { code, message } }`, in their order.
// Refuses lines above 64 KB and what is no JSON object: the connection ends.

const { ProfError } = require('../errors.js');

/** Raised where an older side would misunderstand a newer one. */
const PROTOCOL = 1;
const MOST_BYTES = 65_536;

/**
 * @param {import('node:net').Socket} socket
 * @param {{onMessage: (message: Record<string, any>) => void, onBad: (problem: string) => void}} to
 */
function readLines(socket, { onMessage, onBad }) {
  let text = '';
  /** What still comes is thrown away, or an endless line would fill the memory. @param {string} problem */
  const refuse = (problem) => {
    text = '';
    socket.removeAllListeners('data');
    socket.resume();
    onBad(problem);
  };
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    text += chunk;
    const lines = text.split('\n');
    text = /** @type {string} */ (lines.pop());
    if (text.length > MOST_BYTES) return refuse('a line of more than 64 KB');
    for (const line of lines) {
      let message;
      try {
        message = JSON.parse(line);
      } catch {
        return refuse('a line that is no JSON');
      }
      if (typeof message !== 'object' || message === null)
        return refuse('a line that is no object');
      onMessage(message);
    }
  });
}

/**
 * @param {import('node:net').Socket} socket
 * @param {object} message
 */
function sendLine(socket, message) {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/**
 * The user and the process at the other end.
 * @param {import('node:net').Socket} socket
 * @param {import('../profile/raw').NativeAddon} addon
 */
function peerOf(socket, addon) {
  // node has no name for it that is public; without it nobody is let in.
  const fd = /** @type {any} */ (socket)._handle?.fd;
  const peer = typeof fd === 'number' && fd >= 0 ? addon.socketPeer?.(fd) : undefined;
  if (!peer) {
    throw new ProfError(
      'ERR_PROF_PERMISSION',
      'this node does not tell who is at the other end of the control socket: use another version of node',
    );
  }
  return peer;
}

module.exports = { PROTOCOL, peerOf, readLines, sendLine };
