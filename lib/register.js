'use strict';
// `node --require rspack-prof/register build.js` profiles a process without touching its code;
// `rspack-prof record` puts this file into NODE_OPTIONS, with its options in RSPACK_PROF_OPTIONS.
// It is loaded into other people's processes: whatever happens here, the process goes on as it would.
//
// RSPACK_PROF_OPTIONS is JSON: the options of start(), and `failures`, a folder that `record` reads
// afterwards: a process that cannot be profiled leaves a note there instead of a line on its stderr.
// With `stat` in it the process's phases are counted instead: lib/stat/child.js.

const fs = require('node:fs');
const path = require('node:path');
const { isMainThread, threadId } = require('node:worker_threads');

/** @returns {{ failures?: string, stat?: object } & import('./index').StartOptions} */
function readOptions() {
  const text = process.env.RSPACK_PROF_OPTIONS;
  return text ? JSON.parse(text) : {};
}

/**
 * @param {unknown} error
 * @param {string | undefined} failures
 */
function tell(error, failures) {
  const { code = 'ERR_PROF_SYSTEM', message } = /** @type {NodeJS.ErrnoException} */ (error);
  if (failures === undefined) {
    process.stderr.write(`rspack-prof: this process is not profiled: ${message} (${code})\n`);
    return;
  }
  const note = { pid: process.pid, command: process.argv, code, message };
  fs.writeFileSync(path.join(failures, `${process.pid}.failed`), JSON.stringify(note));
}

function register() {
  if (!isMainThread) {
    require('./worker.js').nameThisThread();
    return;
  }
  /** @type {string | undefined} */
  let failures;
  try {
    const options = readOptions();
    failures = options.failures;
    delete options.failures;
    if (options.stat) {
      require('./stat/child.js').begin(/** @type {any} */ (options.stat));
      return;
    }
    if (options.raw) options.raw = path.join(options.raw, `perf-${process.pid}.data`);
    require('./profiler.js').start(options, { shared: true });
  } catch (error) {
    tell(error, failures);
  }
}

try {
  register();
} catch (error) {
  // The note could not be written, or a worker's names are not to be had: its frames stay addresses.
  if (process.env.RSPACK_PROF_DEBUG) {
    process.stderr.write(
      `rspack-prof: thread ${threadId}: ${/** @type {Error} */ (error).message}\n`,
    );
  }
}
