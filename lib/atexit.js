'use strict';
// Runs one function when the process ends, and leaves the ending as it would have been.
//
// 'exit' covers a normal end, process.exit() and an uncaught exception; it fires in the thread that
// started the recording. SIGINT and SIGTERM are harder: a listener takes the default action away,
// so with nobody else listening we act and raise the signal again, with the default in force.
// process.execve() (node 22.15 and later) is an end without any 'exit': see ../docs/safety.md for what a
// recording would do to the program that comes after. Refuses SIGHUP, SIGQUIT and the rest: they end
// the process, and the profile with it.
//
// Packages that ask "am I the only listener?" (signal-exit, which many tools use, raises the signal
// itself if so) must not be misled by ours: it is taken off while a signal is being delivered.

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM']);

/** @typedef {Pick<NodeJS.Process, 'on' | 'prependListener' | 'removeListener' | 'listenerCount' | 'kill' | 'pid'> &
 *    { execve?: (...given: unknown[]) => void }} Proc */

/**
 * How many listeners of each signal are signal-exit's: version 4 keeps its emitter behind a
 * registered symbol, version 3 behind a property; both count the copies that are loaded.
 * @param {object} proc
 */
function signalExitListeners(proc) {
  const holder = /** @type {Record<string | symbol, {count?: unknown} | undefined>} */ (proc);
  const emitters = [
    /** @type {any} */ (globalThis)[Symbol.for('signal-exit emitter')],
    holder.__signal_exit_emitter__,
  ];
  return emitters.reduce(
    (sum, emitter) => sum + (typeof emitter?.count === 'number' ? emitter.count : 0),
    0,
  );
}

/**
 * @param {Proc} proc
 * @param {() => void} finish
 * @returns {() => void} takes it back
 */
function beforeExecve(proc, finish) {
  const original = proc.execve;
  if (typeof original !== 'function') return () => {};
  const execve = (/** @type {unknown[]} */ ...given) => {
    finish();
    return Reflect.apply(original, proc, given);
  };
  proc.execve = execve;
  return () => {
    if (proc.execve === execve) proc.execve = original;
  };
}

/**
 * @param {() => void} finish must not throw; called at most once
 * @param {Proc} [proc]
 * @returns {() => void} takes the hooks off again
 */
function installExitHooks(finish, proc = process) {
  let installed = true;
  const finishOnce = () => {
    if (!installed) return;
    // A signal now (an impatient user's second Ctrl-C, a parent that passes it on) must not cut the
    // writing short: somebody listens until it is done.
    const hold = () => {};
    for (const signal of SIGNALS) proc.on(signal, hold);
    remove();
    finish();
    for (const signal of SIGNALS) proc.removeListener(signal, hold);
  };

  const handlers = SIGNALS.map((signal) => {
    const handler = () => {
      const others = proc.listenerCount(signal) - 1;
      if (others === 0) {
        finishOnce();
        // No listener is left, so node has put the default action back: this ends the process, and
        // its parent sees "killed by signal" as it would have without us.
        proc.kill(proc.pid, signal);
        return;
      }
      proc.removeListener(signal, handler);
      if (others === signalExitListeners(proc)) {
        // They are about to raise the signal: there will be no 'exit'.
        finishOnce();
      } else {
        // The program has its own plan; 'exit' comes if and when that plan ends the process. Back
        // in place once the others have had their turn.
        setImmediate(() => {
          if (installed) proc.prependListener(signal, handler);
        }).unref();
      }
    };
    return { signal, handler };
  });

  const restoreExecve = beforeExecve(proc, finishOnce);
  const remove = () => {
    installed = false;
    restoreExecve();
    proc.removeListener('exit', finishOnce);
    for (const { signal, handler } of handlers) proc.removeListener(signal, handler);
  };

  proc.on('exit', finishOnce);
  // In front, so that `once` listeners of the program are still there to be counted.
  for (const { signal, handler } of handlers) proc.prependListener(signal, handler);
  return remove;
}

module.exports = { installExitHooks };
