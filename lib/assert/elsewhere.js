'use strict';
// profileBuild() called in a worker thread (Vitest's pool: 'threads', Jest's workerThreads): a recording
// belongs to a process, and a worker that is terminated would lose it, so the build is made and
// recorded in a process of its own. What is to be built must be something that another process can load: a
// config file's name. That process ends with its answer, or with the worker.

const { fork } = require('node:child_process');
const path = require('node:path');
const { ProfError } = require('../errors.js');

const CHILD = path.join(__dirname, 'elsewhere-child.js');

/** @typedef {ConstructorParameters<typeof import('./build-profile').BuildProfile>} Recorded */
/** @typedef {{code: string, message: string, cause?: string}} Failure */
/** @typedef {{recorded?: Recorded, failure?: Failure}} Answer */

/**
 * @param {unknown} what
 * @param {Record<string, unknown>} options
 * @returns {Promise<Recorded>}
 */
function recordElsewhere(what, options) {
  if (typeof what !== 'string') {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      'profileBuild() in a worker thread takes the name of a config file, which it builds in a process of ' +
        "its own; for anything else run these tests in processes: pool: 'forks' in vitest.config " +
        "(Vitest's default), workerThreads: false in Jest's",
    );
  }
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [], {
      // None of the test runner's own flags.
      execArgv: [],
      // Columns are typed arrays.
      serialization: 'advanced',
      // A reporter may write to standard output.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    /** @type {Answer | undefined} */
    let answer;
    child.once('message', (message) => (answer = /** @type {Answer} */ (message)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (answer?.recorded) resolve(answer.recorded);
      else reject(errorOf(answer?.failure, signal ?? `exit code ${code}`));
    });
    child.send({ what, options: { cwd: process.cwd(), ...options } }, (error) => {
      if (error) reject(error);
    });
  });
}

/**
 * @param {Failure | undefined} failure
 * @param {string} how it ended
 */
function errorOf(failure, how) {
  if (!failure) {
    return new ProfError('ERR_PROF_SYSTEM', `the process of profileBuild() was ended (${how})`);
  }
  const { code, message, cause } = failure;
  return new ProfError(
    /** @type {any} */ (code),
    message,
    cause ? { cause: new Error(cause) } : {},
  );
}

module.exports = { recordElsewhere };
