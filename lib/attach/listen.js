'use strict';
// Makes this process one that `rspack-prof record -p PID` can record: a socket of this user's that waits
// for a request, and nothing else: no thread, no timer, no event is opened, the addon is not loaded until
// somebody connects. It keeps no process alive, and no error of it reaches the program.
//
// Who connects is checked by the kernel's word (SO_PEERCRED), beside the folder's and the socket's modes.
// One client records at a time; when it goes away without asking for the profile, the recording is dropped.

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { ProfError } = require('../errors.js');
const { loadNative } = require('../native.js');
const profiler = require('../profiler.js');
const { PROTOCOL, peerOf, readLines, sendLine } = require('./lines.js');
const { makeFolder, ownUid, socketIn } = require('./place.js');
const { Remote } = require('./remote.js');
const workers = require('./workers.js');
const { version } = require('../../package.json');

/** A status line and a recording at once, some of each. */
const MOST_CONNECTIONS = 16;
const KEY = Symbol.for('rspack-prof attachable 1');
const holder = /** @type {{[KEY]?: import('../index').Attachable | null}} */ (globalThis);

/** @param {import('node:net').Socket} socket @param {unknown} error */
function sendError(socket, error) {
  const { code = 'ERR_PROF_SYSTEM', message } = /** @type {NodeJS.ErrnoException} */ (error);
  sendLine(socket, { error: { code, message } });
}

/**
 * @param {import('node:net').Socket} socket
 * @param {Remote} remote
 */
function serve(socket, remote) {
  socket.unref();
  socket.on('error', () => socket.destroy());
  try {
    const peer = peerOf(socket, loadNative());
    if (peer.uid !== ownUid()) {
      throw new ProfError(
        'ERR_PROF_PERMISSION',
        `process ${process.pid} belongs to uid ${ownUid()} and takes nothing from uid ${peer.uid}`,
      );
    }
    sendLine(socket, { rspackProf: version, protocol: PROTOCOL, pid: process.pid });
    // Answers come in the order of the requests, and a hang-up after them.
    let turn = Promise.resolve();
    readLines(socket, {
      onMessage: (request) => {
        // One at a time: a client that asks without reading its answers fills no memory.
        socket.pause();
        turn = turn.then(async () => {
          try {
            sendLine(socket, { ok: await remote.answer(request, { socket, peer }) });
          } catch (error) {
            sendError(socket, error);
          }
          if (socket.writableNeedDrain) socket.once('drain', () => socket.resume());
          else socket.resume();
        });
      },
      onBad: (problem) => {
        sendError(socket, new ProfError('ERR_PROF_BAD_OPTION', problem));
        socket.destroySoon();
      },
    });
    socket.on('close', () => {
      turn = turn.then(() => remote.hungUp(socket));
    });
  } catch (error) {
    sendError(socket, error);
    socket.end();
  }
}

/** @param {string} file */
function remove(file) {
  try {
    fs.unlinkSync(file);
  } catch {
    // Gone already, with its folder perhaps.
  }
}

/** @param {string} file @param {(error: Error) => void} onError */
function listen(file, onError) {
  const remote = new Remote(profiler, workers.wake);
  const server = net.createServer({ allowHalfOpen: false }, (socket) => serve(socket, remote));
  server.maxConnections = MOST_CONNECTIONS;
  server.on('error', onError);
  // Of a process that had this number before us.
  remove(file);
  // exclusive: in a cluster's worker it would be the primary's socket. The folder is ours alone, so
  // nobody comes in between bind and chmod.
  server.listen({ path: file, exclusive: true, readableAll: false, writableAll: false });
  server.unref();
  if (server.listening) fs.chmodSync(file, 0o600);
  return server;
}

/**
 * @returns {import('../index').Attachable} the same for each call, until it is closed
 */
function attachable() {
  if (!isMainThread) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      'attachable() in a worker thread: call it in the main thread, whose recordings have the workers in them',
    );
  }
  if (holder[KEY]) return holder[KEY];
  const file = socketIn(makeFolder(), process.pid);
  /** @type {Error | null} */
  let failed = null;
  const server = listen(file, (error) => (failed = error));
  if (!server.listening) {
    throw new ProfError(
      'ERR_PROF_SYSTEM',
      `${path.dirname(file)}: no control socket can be made there`,
      { cause: failed ?? undefined },
    );
  }
  const follow = workers.follow();
  const onExit = () => remove(file);
  process.on('exit', onExit);
  const close = () => {
    if (holder[KEY] !== own) return;
    holder[KEY] = null;
    process.removeListener('exit', onExit);
    follow.stop();
    server.close();
    remove(file);
  };
  const own = { socket: file, close };
  Object.defineProperty(holder, KEY, { value: own, configurable: true, writable: true });
  return own;
}

module.exports = { attachable };
