'use strict';
// Builds the C programs of the benchmarks, each from one file of this folder, against the core
// library that the addon is made of (build/Release, by .ci/addon.js). Results go to build/bench.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const CORE = path.join(ROOT, 'build', 'Release', 'rspack_prof_core.a');
const FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-g', '-Wall', '-Wextra', '-Werror'];
const LIBRARIES = ['-ldw', '-lelf', '-lpfm', '-l:libiberty.a', '-lpthread', '-ldl'];

/** @type {Map<string, string>} source to program: each is built once a process */
const built = new Map();

/**
 * @param {string} source file name in this folder
 * @param {{ core?: boolean, shared?: boolean }} options core: it uses src/; shared: an addon for
 *   node, ending in .node, and no program
 * @returns {string} the file that was made
 */
function compile(source, { core = false, shared = false } = {}) {
  const known = built.get(source);
  if (known) return known;
  if (core && !fs.existsSync(CORE)) throw new Error(`${CORE} is missing: run \`npm run build\``);
  const folder = path.join(ROOT, 'build', 'bench');
  const target = path.join(folder, path.basename(source, '.c') + (shared ? '.node' : ''));
  const fresh = `${target}.${process.pid}`;
  fs.mkdirSync(folder, { recursive: true });
  execFileSync(
    process.env.CC || 'cc',
    [
      ...FLAGS,
      ...(shared ? ['-shared', '-fPIC', '-fvisibility=hidden', '-Wl,-z,now'] : []),
      ...[`-I${path.join(ROOT, 'src')}`, '-o', fresh, path.join(__dirname, source)],
      ...(core ? [CORE, ...LIBRARIES] : []),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  // Renamed when whole: another benchmark may run the same program now.
  fs.renameSync(fresh, target);
  built.set(source, target);
  return target;
}

module.exports = { compile };
