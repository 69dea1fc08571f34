'use strict';
// Runs the profiled command as if the profiler were not there: its streams, exit code and signals.

const { spawn } = require('node:child_process');
const os = require('node:os');
const { listen } = require('./signals.js');
const { ProfError } = require('../errors.js');

/** What a shell or a service manager sends to end a command. */
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']);
/** Sent by the terminal to the command as well: a second one would be somebody's "now, really". */
const FROM_TERMINAL = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP']);

class CommandError extends ProfError {
  /**
   * @param {string} message
   * @param {number} exitCode as a shell has it: 127 not found, 126 not to be run
   */
  constructor(message, exitCode) {
    super('ERR_PROF_SYSTEM', message);
    this.exitCode = exitCode;
  }
}

/**
 * @param {string[]} command
 * @param {{ env: NodeJS.ProcessEnv, cwd: string, stdout?: 'inherit' | 2, onStart?: (pid: number) => void }} options
 *   stdout: 2 sends what the command prints to standard error; onStart: at once
 * @returns {Promise<{ ok: boolean, pass: () => number }>} ok: it ended with exit code 0; pass: ends as
 *   the command ended, by its exit code or its signal
 */
function runCommand([file, ...args], { env, cwd, stdout: output = 'inherit', onStart }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd, stdio: ['inherit', output, 'inherit'] });
    if (child.pid !== undefined) onStart?.(child.pid);
    const { stdin, stdout, stderr } = process;
    const atTerminal = [stdin, stdout, stderr].some(({ isTTY }) => isTTY === true);
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      // Kept alive by this handler until the command has ended and its profile is written.
      if (!(atTerminal && FROM_TERMINAL.has(signal))) child.kill(signal);
    };
    const release = listen(SIGNALS, forward);
    child.once('error', (error) => {
      release();
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'ENOENT') {
        reject(new CommandError(`${file}: command not found: is it in PATH (npx ${file})?`, 127));
      } else {
        reject(new CommandError(`${file}: cannot be run (${code})`, 126));
      }
    });
    child.once('exit', (exitCode, signal) => {
      resolve({
        ok: exitCode === 0,
        pass: () => {
          release();
          if (!signal) return exitCode ?? 1;
          process.kill(process.pid, signal);
          // Ignored by whoever started us (nohup): then by the number a shell would show.
          return 128 + os.constants.signals[signal];
        },
      });
    });
  });
}

module.exports = { runCommand };
