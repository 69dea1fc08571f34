'use strict';
// The one profiler of this process: the package's only state. index.js shows it to users;
// register.js starts it from outside: start(options, { shared: true }).
//
// It hangs on the global object, since this file may be loaded more than once: by jiti, or from
// another copy of the package (`npx rspack-prof record` and the project's own). Two recorders in
// one process would take each other's signals.

const { loadNative } = require('./native.js');
const { createProfiler } = require('./create-profiler.js');

const KEY = Symbol.for('rspack-prof profiler 1');
const holder = /** @type {{[KEY]?: ReturnType<typeof createProfiler>}} */ (globalThis);

if (!holder[KEY]) {
  Object.defineProperty(holder, KEY, { value: createProfiler({ native: () => loadNative() }) });
}

module.exports = /** @type {ReturnType<typeof createProfiler>} */ (holder[KEY]);
