'use strict';
// The side that attaches: finds a process's socket, makes sure by the kernel's word that it is this very
// process of this very user that listens, and asks.

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { startOf } = require('../process-start.js');
const { PROTOCOL, peerOf, readLines, sendLine } = require('./lines.js');
const { allSockets, ownNamespace, ownUid, sockets } = require('./place.js');

/** @typedef {{pid: number, node: string, command: string, cwd: string,
 *    recording: {since: string, by: number} | null}} RemoteStatus */
/** @typedef {{resolve: (value: any) => void, reject: (error: Error) => void}} Waiting */

/** After this it is said that nobody answers yet. */
const NOTE_MS = 1000;
/** A build's longest stretch of JavaScript without a turn of the loop should be shorter. */
const PATIENCE_MS = 60_000;

const HOW =
  "start it with NODE_OPTIONS=--require=rspack-prof/attachable, or call require('rspack-prof').attachable() in it";

/** @param {number} pid @param {string} name */
function procFile(pid, name) {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** @param {number} pid */
function commandOf(pid) {
  const words = procFile(pid, 'cmdline').split('\0').filter(Boolean);
  const text = words.map((word, i) => (i === 0 ? path.basename(word) : word)).join(' ');
  // Somebody else's text: it goes into one line of a terminal.
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 80) || procFile(pid, 'comm').trim();
}

/**
 * Refuses what is no process of this user's.
 * @param {number} pid
 */
function checkProcess(pid) {
  let isForeign = false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    isForeign = /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
    if (!isForeign) throw new ProfError('ERR_PROF_NOT_RUNNING', `there is no process ${pid}`);
  }
  const status = procFile(pid, 'status');
  const group = Number(/^Tgid:\s+(\d+)/m.exec(status)?.[1] ?? pid);
  if (group !== pid) {
    const problem = `${pid} is a thread of process ${group}: give -p ${group}`;
    throw new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  const [, uid] = (/^Uid:\s+(\d+)\s+(\d+)/m.exec(status) ?? []).slice(1).map(Number);
  if (isForeign || (uid !== undefined && uid !== ownUid())) {
    throw new ProfError(
      'ERR_PROF_PERMISSION',
      `process ${pid} belongs to uid ${uid ?? 'of somebody else'} and you are uid ${ownUid()}: run this as its user${uid === undefined ? '' : ` (sudo -u '#${uid}' ..)`}`,
    );
  }
  if (startOf(pid) === '')
    throw new ProfError('ERR_PROF_NOT_RUNNING', `process ${pid} has ended already`);
}

/** @param {number} pid that does not listen */
function whyNot(pid) {
  let file = '';
  try {
    file = path.basename(fs.readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '');
  } catch {
    // Not to be read: what it runs is not known.
  }
  if (file !== '' && !/^node/.test(file)) {
    const problem = `process ${pid} is '${file}', no node process: 'rspack-prof processes' lists those to attach to`;
    return new ProfError('ERR_PROF_BAD_OPTION', problem);
  }
  const problem = `process ${pid} (${commandOf(pid)}) does not listen for rspack-prof: ${HOW}`;
  return new ProfError('ERR_PROF_NOT_RUNNING', problem);
}

/** @param {number} pid @param {string} file @returns {Promise<net.Socket>} */
function connectTo(pid, file) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(file);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error) => {
      const { code, errno, message } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'ECONNREFUSED') fs.rmSync(file, { force: true }); // of a process that is gone
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return reject(whyNot(pid));
      const where = `the control socket of process ${pid}: ${message}`;
      reject(new ProfError('ERR_PROF_SYSTEM', where, { errno, syscall: 'connect', cause: error }));
    });
  });
}

/**
 * Removes what killed processes left: sockets that no process here has, and at which nobody listens. Which
 * processes another namespace has is not known: there it is only asked who listens.
 */
async function sweep() {
  const own = ownNamespace();
  const left = allSockets().filter(
    ({ pid, namespace }) => namespace !== own || startOf(pid) === '',
  );
  const asked = left.map(({ pid, file }) =>
    connectTo(pid, file).then(
      (socket) => socket.destroy(),
      () => {},
    ),
  );
  await Promise.all(asked);
}

class Attached {
  /** @type {Waiting[]} */
  #waiting = [];
  #socket;
  #startTime;
  /** Resolves when the connection is over. @type {Promise<void>} */
  closed;

  /**
   * @param {net.Socket} socket
   * @param {number} pid
   */
  constructor(socket, pid) {
    this.#socket = socket;
    this.pid = pid;
    this.#startTime = startOf(pid);
    const fail = (/** @type {Error} */ error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    };
    readLines(socket, {
      onMessage: (message) => {
        const next = this.#waiting.shift();
        const { error } = message;
        if (!error) return next?.resolve(message);
        next?.reject(new ProfError(error.code, `process ${pid}: ${error.message}`));
      },
      onBad: (problem) => {
        fail(new ProfError('ERR_PROF_SYSTEM', `process ${pid} sent ${problem}`));
        socket.destroy();
      },
    });
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        fail(new ProfError('ERR_PROF_NOT_RUNNING', `process ${pid} hung up`));
        resolve();
      });
    });
  }

  /** @returns {Promise<any>} the next line */
  #next() {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /**
   * @param {'status' | 'start' | 'stop'} what
   * @param {object} [options]
   * @returns {Promise<any>}
   */
  async ask(what, options) {
    if (this.#socket.destroyed) {
      throw new ProfError('ERR_PROF_NOT_RUNNING', `process ${this.pid} hung up`);
    }
    const answer = this.#next();
    sendLine(this.#socket, { do: what, options });
    return (await answer).ok;
  }

  /**
   * The first line, which comes when the process has a turn of its loop.
   * @param {{say?: (line: string) => void, patienceMs?: number}} [how]
   */
  async greeted({ say = () => {}, patienceMs = PATIENCE_MS } = {}) {
    const note = setTimeout(
      () =>
        say(`process ${this.pid} does not answer yet: its JavaScript is busy, or it is stopped`),
      NOTE_MS,
    );
    const end = setTimeout(() => {
      const problem = `process ${this.pid} did not answer in ${patienceMs / 1000} s: its JavaScript is busy, or it is stopped`;
      for (const { reject } of this.#waiting.splice(0))
        reject(new ProfError('ERR_PROF_SYSTEM', problem));
    }, patienceMs);
    try {
      const { protocol, rspackProf } = await this.#next();
      if (protocol !== PROTOCOL) {
        throw new ProfError(
          'ERR_PROF_BAD_OPTION',
          `process ${this.pid} has rspack-prof ${String(rspackProf)}, which this version does not understand: use the command line of that version`,
        );
      }
    } finally {
      clearTimeout(note);
      clearTimeout(end);
    }
  }

  /** Whether the process lives: not another one that got its number. */
  isAlive() {
    return this.#startTime !== '' && startOf(this.pid) === this.#startTime;
  }

  close() {
    this.#socket.destroy();
  }
}

/**
 * @param {number} pid
 * @param {import('../profile/raw').NativeAddon} addon
 * @param {{say?: (line: string) => void, patienceMs?: number}} [how] say: told when it takes long
 * @returns {Promise<Attached>}
 */
async function attach(pid, addon, how) {
  checkProcess(pid);
  const found = sockets().find((one) => one.pid === pid);
  if (!found) throw whyNot(pid);
  const socket = await connectTo(pid, found.file);
  try {
    const peer = peerOf(socket, addon);
    if (peer.uid !== ownUid() || peer.pid !== pid) {
      throw new ProfError(
        'ERR_PROF_PERMISSION',
        `the socket of process ${pid} belongs to process ${peer.pid} of uid ${peer.uid}: nothing is sent to it; remove ${found.file}`,
      );
    }
    const attached = new Attached(socket, pid);
    await attached.greeted(how);
    return attached;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

module.exports = { Attached, attach, sweep };
