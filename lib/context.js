'use strict';
// What was profiled: the command, node's version, rspack's and the binding that was loaded.

const fs = require('node:fs');
const path = require('node:path');
const { workingFolder } = require('./folder.js');
const { isBinding } = require('./rspack-binding.js');

/** @typedef {import('./profile/raw').RawProfile} RawProfile */

/**
 * @param {RawProfile} raw
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null} path of the rspack binding that this process mapped
 */
function findBinding({ strings, modules }, env) {
  const wanted = env.RSPACK_BINDING;
  for (let i = 0; i < modules.path.length; i++) {
    const file = strings[modules.path[i]];
    if (isBinding(file) || (wanted && file === wanted)) return file;
  }
  return null;
}

/**
 * The version of the @rspack/core that code in one of these folders would load.
 * @param {string[]} folders
 * @returns {string | null}
 */
function coreVersion(folders) {
  for (const start of folders) {
    for (let folder = start, up = ''; folder !== up; up = folder, folder = path.dirname(folder)) {
      const file = path.join(folder, 'node_modules', '@rspack', 'core', 'package.json');
      try {
        return JSON.parse(fs.readFileSync(file, 'utf8')).version ?? null;
      } catch {
        // Not here: the next folder up may have it.
      }
    }
  }
  return null;
}

/** @param {string} file */
function realFolder(file) {
  try {
    return path.dirname(fs.realpathSync(file));
  } catch {
    return path.dirname(file); // `node -e` has no script
  }
}

/**
 * @param {RawProfile} raw
 * @param {{argv: string[], env: NodeJS.ProcessEnv, version: string}} proc
 * @param {string} cwd
 * @returns {import('./profile/profile').Context}
 */
function describeProcess(raw, proc = process, cwd = workingFolder()) {
  const binding = findBinding(raw, proc.env);
  const [node = 'node', ...rest] = proc.argv;
  const folders = binding ? [cwd, realFolder(rest[0] ?? ''), path.dirname(binding)] : [];
  return {
    command: [path.basename(node), ...rest].join(' '),
    node: proc.version,
    rspack: coreVersion(folders),
    binding,
  };
}

module.exports = { describeProcess };
