'use strict';
// Where recordings keep for the next ones what takes long to work out and is the same again: the kernel's
// names (for this boot), symbol tables and names of large binaries. src/base/stash.h has the rules.

const os = require('node:os');
const path = require('node:path');

/**
 * Of the XDG base directory specification; a path that is not absolute is to be ignored. Empty: nothing
 * is kept, since nobody says where.
 * @param {NodeJS.ProcessEnv} [env]
 */
function stashFolder(env = process.env) {
  const given = env.XDG_CACHE_HOME ?? '';
  if (path.isAbsolute(given)) return path.join(given, 'rspack-prof');
  let home = '';
  try {
    home = os.homedir();
  } catch {
    // neither HOME nor an entry in the user database
  }
  return path.isAbsolute(home) ? path.join(home, '.cache', 'rspack-prof') : '';
}

module.exports = { stashFolder };
