'use strict';
// require() as node has it. Jest runs tests, and what they load, in a sandbox: another realm (its RegExp
// is not node's), a copy of `process` whose events never come, a module registry of its own that is
// thrown away after each test file, and no ES modules, which @rspack/core is. A profiler belongs to
// the process, so it is loaded outside: once, not instrumented for coverage, beside the real rspack.
// vm's runInThisContext() is documented to run in the main context, wherever it is called from.
// Checked with Jest 30.5 and Vitest 4.1 on node 20; node before 20.16 has no getBuiltinModule(), and
// rspack 2 does not run there.

const { createRequire } = require('node:module');
const vm = require('node:vm');

/**
 * @param {string} file whose modules are to be found
 * @returns {NodeJS.Require}
 */
function hostRequire(file) {
  const host = /** @type {NodeJS.Process & {getBuiltinModule?: (id: string) => any}} */ (
    vm.runInThisContext('process')
  );
  const create = host.getBuiltinModule?.('node:module').createRequire ?? createRequire;
  return create(file);
}

module.exports = { hostRequire };
