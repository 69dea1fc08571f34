'use strict';
// What may be asked over a control socket: `status`, `start`, `stop`. The recording is that of the client
// who started it: it goes on until this client asks for the profile, hangs up, or the process ends (then the
// profile is written into the client's folder, as any recording's is at exit).

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { DISPOSE } = require('../dispose.js');
const { workingFolder } = require('../folder.js');
const { handOver } = require('../output.js');

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {{pid: number, uid: number}} Peer */
/** @typedef {{socket: Socket, peer: Peer}} Client */
/** @typedef {ReturnType<typeof import('../create-profiler').createProfiler>} Profiler */
/** @typedef {{client: Client, session: import('../session').Session, output: string, since: string}} Running */

class Remote {
  /** @type {Running | null} */
  #running = null;
  #profiler;
  #onStart;

  /**
   * @param {Pick<Profiler, 'start' | 'status'>} profiler
   * @param {() => void} onStart
   */
  constructor(profiler, onStart) {
    this.#profiler = profiler;
    this.#onStart = onStart;
  }

  /**
   * @param {Record<string, any>} request
   * @param {Client} client
   * @returns {Promise<object>}
   */
  async answer({ do: what, options }, client) {
    if (what === 'status') return this.#status();
    if (what === 'start') return this.#start(options, client);
    if (what === 'stop') return this.#stop(client);
    throw new ProfError('ERR_PROF_BAD_OPTION', `there is no request '${String(what)}'`);
  }

  #status() {
    const { running, startedAt } = this.#profiler.status();
    return {
      pid: process.pid,
      node: process.version,
      command: [path.basename(process.argv0), ...process.argv.slice(1)].join(' ').slice(0, 4000),
      cwd: workingFolder(),
      recording: running
        ? { since: startedAt?.toISOString(), by: this.#running?.client.peer.pid ?? process.pid }
        : null,
    };
  }

  /**
   * @param {any} options of start(); output: a folder of the client's
   * @param {Client} client
   */
  #start(options, client) {
    if (this.#running) {
      const { client: other, since } = this.#running;
      const who = other.peer.pid === client.peer.pid ? 'you' : `process ${other.peer.pid}`;
      throw new ProfError('ERR_PROF_BUSY', `${who} records it since ${since}`);
    }
    const output = options?.output;
    if (typeof output !== 'string' || !path.isAbsolute(output) || !fs.existsSync(output)) {
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        `the folder for the profile, '${String(output)}', cannot be seen from this process`,
      );
    }
    // Shared: a start() of the program's own, in a configuration that is loaded again, has a part in it.
    const session = this.#profiler.start({ ...options, quiet: true }, { shared: true });
    this.#running = {
      client,
      session: /** @type {import('../session').Session} */ (session),
      output,
      since: new Date().toISOString(),
    };
    this.#onStart();
    return { pid: process.pid };
  }

  /** @param {Client} client */
  async #stop(client) {
    const own = this.#running;
    if (own?.client.socket !== client.socket) {
      throw new ProfError('ERR_PROF_NOT_RUNNING', 'you have no recording here: start one first');
    }
    this.#running = null;
    const profile = await own.session.handOver();
    return { folder: handOver(profile, own.output, own.session.journal) };
  }

  /** Nobody is left who wants it. @param {Socket} socket */
  hungUp(socket) {
    const own = this.#running;
    if (own?.client.socket !== socket) return;
    this.#running = null;
    try {
      // A start() of the program's own wants its profile still: it stays in memory for that.
      if (own.session.hasParts) own.session.handOver().catch(() => {});
      else own.session[DISPOSE]();
      fs.rmdirSync(own.output);
    } catch {
      // Ended already; or the folder is not empty, and somebody's to look into.
    }
  }
}

module.exports = { Remote };
