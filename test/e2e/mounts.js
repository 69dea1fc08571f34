'use strict';
// A command in a mount namespace of its own: what it sees of the file system is changed for it alone.

const { spawnSync } = require('node:child_process');

/** @param {string} script @returns {string[]} the command that runs what follows, after the script */
const mounted = (script) => ['unshare', '-m', 'sh', '-c', `${script} && exec "$@"`, 'sh'];

/** Why mounts like this are refused here. @param {string} script */
function whyNot(script) {
  const [file, ...args] = mounted(script);
  const { status, stderr, error } = spawnSync(file, [...args, 'true'], { encoding: 'utf8' });
  return status === 0 ? false : `mount namespaces are refused here: ${error ?? stderr}`;
}

module.exports = { mounted, whyNot };
