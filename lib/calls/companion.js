'use strict';
// Loaded into each node process of a traced command (NODE_OPTIONS), with the file that says what to do in
// RSPACK_PROF_TRACE: spans of its JavaScript, sleds of a library that it loads, stacks at entries. What it finds
// goes into a folder of this process's, which the tracer reads when the command has ended (command.js).
// It is loaded into other people's processes: whatever happens here, the process goes on as it would.

const fs = require('node:fs');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');

/**
 * @typedef {object} Orders
 * @property {string} folder
 * @property {boolean} spans
 * @property {string | null} filter of rspack's own trace
 * @property {{ event: string, period: number } | null} stacks
 * @property {import('./tracer').NativeOptions | null} xray
 */

/** Made when there is something to write. @param {Orders} orders */
function ownFolder({ folder }) {
  const own = path.join(folder, `process-${process.pid}`);
  fs.mkdirSync(own, { recursive: true, mode: 0o700 });
  return own;
}

/** @param {Orders} orders @param {unknown} error */
function tell(orders, error) {
  const { code = 'ERR_PROF_SYSTEM', message } = /** @type {NodeJS.ErrnoException} */ (error);
  fs.writeFileSync(path.join(ownFolder(orders), 'failed.json'), JSON.stringify({ code, message }));
}

/** @param {Orders} orders @returns {() => void} to be called at the end */
function followSpans(orders) {
  const { watchSpans } = require('./spans/index.js');
  const watch = watchSpans(orders.filter);
  return () => {
    const found = watch.stop();
    // A process that only starts others has nothing to tell.
    if (found.spans.length === 0) return;
    const about = { schema: 1, pid: process.pid, command: process.argv.join(' '), ...found };
    fs.writeFileSync(path.join(ownFolder(orders), 'spans.json'), JSON.stringify(about));
  };
}

/**
 * Traces by sleds from the moment when a library that has them is loaded.
 * @param {Orders} orders
 * @returns {() => void} to be called at the end
 */
function followSleds(orders) {
  const { Trace } = require('./tracer.js');
  const { isLoaded } = require('./objects.js');
  const { writeSummary } = require('./store.js');
  const native = /** @type {any} */ (require('../native.js').loadNative());
  const given = /** @type {import('./tracer').NativeOptions} */ (orders.xray);
  const options = {
    ...given,
    objects: given.objects.map(({ path: file, rows }) => ({
      path: file,
      rows: Uint32Array.from(rows),
    })),
  };
  /** @type {InstanceType<typeof Trace> | null} */
  let trace = null;
  const begin = () => {
    const objects = options.objects.filter(({ path: file }) => isLoaded(file));
    if (trace || objects.length === 0) return;
    const begun = new Trace({ ...options, objects }, { native, folder: ownFolder(orders) }, null);
    begun.start();
    trace = begun;
  };
  const { dlopen } = process;
  /** @type {typeof process.dlopen} */
  const watched = function (/** @type {any[]} */ ...args) {
    Reflect.apply(dlopen, process, args);
    if (trace || process.dlopen !== watched) return;
    try {
      begin();
      if (trace) process.dlopen = dlopen;
    } catch (error) {
      process.dlopen = dlopen;
      tell(orders, error);
    }
  };
  process.dlopen = watched;
  begin();
  return () => {
    process.dlopen = process.dlopen === watched ? dlopen : process.dlopen;
    if (trace) writeSummary(/** @type {string} */ (trace.folder), trace.stop());
  };
}

/**
 * A recording whose event is the entry of a traced function; it writes itself when the process ends.
 * @param {Orders} orders
 */
function followStacks(orders) {
  const { event, period } = /** @type {{ event: string, period: number }} */ (orders.stacks);
  const output = ownFolder(orders);
  const options = { event, period, output, quiet: true, journal: false };
  require('../profiler.js').start(options, { shared: true });
}

/** @param {Orders} orders */
function follow(orders) {
  /** @type {(() => void)[]} */
  const ends = [];
  const safely = (/** @type {() => void} */ work) => {
    try {
      work();
    } catch (error) {
      tell(orders, error);
    }
  };
  if (orders.spans) safely(() => ends.push(followSpans(orders)));
  if (orders.xray) safely(() => ends.push(followSleds(orders)));
  // Last: what loads the rest makes calls too.
  if (orders.stacks) safely(() => followStacks(orders));
  require('../atexit.js').installExitHooks(() => {
    for (const end of ends) {
      try {
        safely(end);
      } catch {
        // The folder is gone, or its disk is full: the process ends as it would.
      }
    }
  });
}

const orders = process.env.RSPACK_PROF_TRACE;
if (isMainThread && orders) {
  try {
    follow(JSON.parse(fs.readFileSync(orders, 'utf8')));
  } catch (error) {
    if (process.env.RSPACK_PROF_DEBUG) {
      process.stderr.write(`rspack-prof: ${/** @type {Error} */ (error).message}\n`);
    }
  }
}
