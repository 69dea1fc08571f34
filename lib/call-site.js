'use strict';
// Where the package was called from: `file:line` of the first frame that is not ours. A config that is
// loaded twice (@rspack/cli: by import, and after any error once more by jiti, which keeps lines but
// not columns) calls start() from the same place twice; two places in a program are two.

const path = require('node:path');
const { fileURLToPath } = require('node:url');

const OWN = __dirname + path.sep;
/** Our own frames are four at most; a stack of this length has the caller's. */
const DEPTH = 10;

/** @param {string} name of a script, as V8 has it: a path or a URL, with a query where it was reloaded */
const plainPath = (name) => (name.startsWith('file:') ? fileURLToPath(name) : name);

/** @returns {string} '' where there is no telling */
function callSite() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = DEPTH;
    Error.prepareStackTrace = (_, sites) => sites;
    const sites = /** @type {unknown} */ (new Error().stack);
    // A loader that has its own idea of stacks (source maps) may have frozen that property.
    if (!Array.isArray(sites)) return '';
    for (const site of /** @type {NodeJS.CallSite[]} */ (sites)) {
      const name = site.getFileName();
      if (!name || name.startsWith('node:')) continue;
      const file = plainPath(name);
      if (!file.startsWith(OWN)) return `${file}:${site.getLineNumber()}`;
    }
    return '';
  } catch {
    return ''; // not worth more than a second session's being refused
  } finally {
    // Frozen (node --frozen-intrinsics, SES): then nothing was changed above either.
    if (!Object.isFrozen(Error)) {
      Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}

module.exports = { callSite };
