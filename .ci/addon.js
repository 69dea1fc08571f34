'use strict';
// Builds the addon with node-gyp when its sources changed since the last build.
//   node .ci/addon.js [--force]
// Refuses to guess: where node-gyp fails, its own output is shown and the exit code is not 0.

const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
/** Inside build/, so that removing the build removes the claim that it is fresh. */
const STAMP = path.join('build', '.sources');

/**
 * @param {string} folder
 * @returns {string[]} files below it, sorted
 */
function filesBelow(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    })
    .sort();
}

/**
 * A hash of everything the build reads from this repository. Contents, not times: a checkout or a
 * `touch` changes times, and must not cost a build.
 * @param {string} root
 * @param {string} nodeVersion the headers' version
 */
function sourceHash(root, nodeVersion = process.version) {
  const hash = crypto.createHash('sha256').update(nodeVersion);
  for (const file of [path.join(root, 'binding.gyp'), ...filesBelow(path.join(root, 'src'))]) {
    hash.update(path.relative(root, file)).update('\0').update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

/** @param {string} root */
function isFresh(root) {
  const release = path.join(root, 'build', 'Release');
  const built = fs.existsSync(release) && fs.readdirSync(release).some((f) => f.endsWith('.node'));
  if (!built || !fs.existsSync(path.join(root, STAMP))) return false;
  return fs.readFileSync(path.join(root, STAMP), 'utf8') === sourceHash(root);
}

/**
 * Where node's own headers lie on disk, or null. With them node-gyp needs no network. Headers of
 * another version do not count: a distribution's may be older than the node that runs.
 * @param {string} execPath
 * @param {string} version like "v20.20.2"
 */
function findNodeDir(execPath, version) {
  const prefix = path.resolve(execPath, '..', '..');
  const include = path.join(prefix, 'include', 'node');
  const header = path.join(include, 'node_version.h');
  if (!fs.existsSync(header) || !fs.existsSync(path.join(include, 'common.gypi'))) return null;
  const text = fs.readFileSync(header, 'utf8');
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  );
  return `v${numbers.join('.')}` === version ? prefix : null;
}

/**
 * The project's own node-gyp, else the one inside the npm or pnpm that runs the install script, else
 * one that came with node or was installed beside it.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null} a JavaScript file
 */
function findNodeGyp(env) {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    const modules = path.resolve(fs.realpathSync(process.execPath), '..', '..', 'lib/node_modules');
    const places = [
      env.npm_config_node_gyp,
      path.join(modules, 'node-gyp/bin/node-gyp.js'),
      path.join(modules, 'npm/node_modules/node-gyp/bin/node-gyp.js'),
      '/usr/share/nodejs/node-gyp/bin/node-gyp.js',
    ];
    return places.find((file) => file && fs.existsSync(file)) ?? null;
  }
}

/**
 * @param {{ root?: string, force?: boolean }} options
 * @returns {{ built: boolean, error?: string }} error: one line saying what to do
 */
function buildAddon({ root = ROOT, force = false } = {}) {
  if (!fs.existsSync(path.join(root, 'binding.gyp'))) {
    return { built: false, error: 'there is no binding.gyp here: run this in a whole checkout' };
  }
  if (!force && isFresh(root)) return { built: false };
  const nodeGyp = findNodeGyp(process.env);
  if (!nodeGyp) {
    return { built: false, error: 'node-gyp was not found: run `npm install -g node-gyp`' };
  }
  // Before the build, not after: a source that is edited meanwhile must be built again.
  const hash = sourceHash(root);
  const nodeDir = findNodeDir(fs.realpathSync(process.execPath), process.version);
  const args = [nodeGyp, 'configure', 'build', '--release', `--jobs=${os.cpus().length}`];
  if (nodeDir) args.push(`--nodedir=${nodeDir}`);
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`);
    const hint = nodeDir ? '' : " (node's headers are not on this disk, so it downloads them)";
    return { built: false, error: `node-gyp failed${hint}: its output is above` };
  }
  fs.writeFileSync(path.join(root, STAMP), hash);
  return { built: true };
}

module.exports = { buildAddon, findNodeDir, findNodeGyp, isFresh, sourceHash };

if (require.main === module) {
  const { built, error } = buildAddon({ force: process.argv.includes('--force') });
  if (error) process.stderr.write(`rspack-prof: ${error}\n`);
  else process.stderr.write(`rspack-prof: the addon ${built ? 'is built' : 'was fresh'}\n`);
  process.exitCode = error ? 1 : 0;
}
