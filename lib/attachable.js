'use strict';
// `node --require rspack-prof/attachable server.js`, or in NODE_OPTIONS: a process that `rspack-prof
// record -p PID` can record later, without touching its code. Loaded into other people's processes:
// whatever happens here, the process goes on as it would.

const { isMainThread } = require('node:worker_threads');

try {
  if (isMainThread) require('./attach/listen.js').attachable();
  else require('./worker.js').nameThisThread();
} catch (error) {
  const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
  process.stderr.write(`rspack-prof: this process is not attachable: ${message} (${code})\n`);
}
