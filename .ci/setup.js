'use strict';
// Everything between a fresh clone and a first run: system packages, npm packages, the addon.
//   node .ci/setup.js [--for profile|bench|test]
// Node's built-in modules only, since it runs before anything is installed. What is there already
// is left alone, so that a second run takes a fraction of a second and prints nothing.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { buildAddon, isFresh } = require('./addon.js');
const {
  howToInstall,
  missingNeeds,
  packageNames,
  thisMachine,
  unsupportedHere,
} = require('./system.js');

const ROOT = path.resolve(__dirname, '..');
const PURPOSES = ['profile', 'bench', 'test'];

/** What rspack 2 asks for: require() of ES modules. The package itself runs on node 18 too. */
const NODE_NEEDED = '20.19 or later, or 22.12 or later';

/** An error whose message is all that the user needs. */
class SetupError extends Error {}

/** @param {string} line */
function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/**
 * @param {string[]} argv
 * @returns {string} the purpose
 */
function parseArguments(argv) {
  const [flag, value, ...rest] = argv;
  if (flag === undefined) return 'test';
  if (flag !== '--for' || !PURPOSES.includes(value) || rest.length > 0) {
    throw new SetupError(`usage: node .ci/setup.js [--for ${PURPOSES.join('|')}]`);
  }
  return value;
}

/** @param {string} version of node, without the v */
function isNodeRecent(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major === 20) return minor >= 19;
  return major === 22 ? minor >= 12 : major > 22;
}

/**
 * Runs a program whose output matters only when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function runQuietly(command, args, env = process.env) {
  const run = spawnSync(command, args, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.status === 0) return true;
  process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`);
  return false;
}

/** @param {string[]} names */
function aptInstall(names) {
  // `env` because sudo drops the variable; -n where nobody is there to type a password.
  const sudo = process.stdin.isTTY ? ['sudo', 'env'] : ['sudo', '-n', 'env'];
  const prefix = process.getuid?.() === 0 ? ['env'] : sudo;
  const [command, ...args] = [...prefix, 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq'];
  return (
    runQuietly(command, [...args, 'update']) &&
    runQuietly(command, [...args, 'install', '-y', '--no-install-recommends', ...names])
  );
}

/**
 * What tests can do without: they say what they skipped.
 * @param {string[]} names
 * @param {import('./system.js').Machine} machine
 */
function installOptional(names, machine) {
  const canInstall = process.getuid?.() === 0 || machine.hasCommand('sudo');
  if (names.length === 0 || !machine.hasCommand('apt-get') || !canInstall) return;
  say(`installing ${names.join(' ')}`);
  if (!aptInstall(names)) say(`no ${names.join(', ')}: tests that need it are skipped`);
}

/** @param {'build' | 'test'} purpose */
function installSystemPackages(purpose) {
  const machine = thisMachine();
  const needs = missingNeeds(purpose, machine);
  const missing = needs.filter(({ optional }) => !optional);
  installOptional(
    packageNames(
      needs.filter(({ optional }) => optional),
      'apt',
    ),
    machine,
  );
  if (missing.length === 0) return;
  const hasApt = machine.hasCommand('apt-get');
  const advice = howToInstall(missing, hasApt);
  if (!hasApt) throw new SetupError(`libraries or tools are missing; ${advice}`);

  const names = packageNames(missing, 'apt');
  say(`installing ${names.join(' ')}`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !machine.hasCommand('sudo')) {
    throw new SetupError(`not root, and there is no sudo; as root ${advice}`);
  }
  if (!aptInstall(names)) throw new SetupError(`apt-get failed; ${advice}`);
  const left = missingNeeds(purpose, machine).filter(({ optional }) => !optional);
  if (left.length > 0) {
    throw new SetupError(`still missing after apt-get: ${packageNames(left, 'apt').join(' ')}`);
  }
}

/**
 * @typedef {{ version?: string, optional?: boolean, link?: boolean }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> }} Lock
 */

/**
 * The packages that the lock file asks for and the installed tree does not have. Compared by version,
 * not by the files' times: after `git checkout` the times say nothing.
 * @param {Lock} wanted package-lock.json
 * @param {Lock | null} installed npm's record of the tree, node_modules/.package-lock.json
 */
function outdatedPackages(wanted, installed) {
  return Object.entries(wanted.packages)
    .filter(([place, entry]) => place !== '' && !entry.optional && !entry.link)
    .filter(([place, entry]) => installed?.packages[place]?.version !== entry.version)
    .map(([place]) => place);
}

/**
 * @param {string} file
 * @returns {any} null where there is none
 */
function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
}

/**
 * The same record for a tree that pnpm or yarn made: the packages at the top only.
 * @param {Lock} wanted
 * @returns {{ wanted: Lock, installed: Lock }}
 */
function topLevelOnly(wanted) {
  const names = Object.keys({
    .../** @type {any} */ (wanted.packages['']).dependencies,
    .../** @type {any} */ (wanted.packages['']).devDependencies,
  }).map((name) => `node_modules/${name}`);
  return {
    wanted: { packages: Object.fromEntries(names.map((n) => [n, wanted.packages[n]])) },
    installed: {
      packages: Object.fromEntries(
        names.map((n) => [n, readJson(path.join(ROOT, n, 'package.json')) ?? {}]),
      ),
    },
  };
}

function npmPackagesAreFresh() {
  const wanted = readJson(path.join(ROOT, 'package-lock.json'));
  const installed = readJson(path.join(ROOT, 'node_modules', '.package-lock.json'));
  if (installed) return outdatedPackages(wanted, installed).length === 0;
  const top = topLevelOnly(wanted);
  return outdatedPackages(top.wanted, top.installed).length === 0;
}

function installNpmPackages() {
  if (npmPackagesAreFresh()) return;
  say('installing npm packages (npm ci)');
  // No package here needs its install script, and ours is this file's own next step.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!runQuietly('npm', args)) {
    throw new SetupError('npm ci failed: see its output above, then run `npm ci` by hand');
  }
}

function buildStep() {
  if (isFresh(ROOT)) return;
  say('building the addon (node-gyp)');
  const { error } = buildAddon({ root: ROOT });
  if (error) throw new SetupError(error);
}

/** @param {string[]} argv */
function main(argv) {
  try {
    const purpose = parseArguments(argv);
    const reason = unsupportedHere();
    if (reason) throw new SetupError(`it runs on Linux x64 with glibc only, and ${reason}`);
    if (!isNodeRecent(process.versions.node)) {
      throw new SetupError(
        `rspack needs node ${NODE_NEEDED} and this is ${process.version}: use a newer node ` +
          '(from nodejs.org, or by nvm, fnm or your distribution)',
      );
    }
    installSystemPackages(purpose === 'test' ? 'test' : 'build');
    installNpmPackages();
    buildStep();
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return 1;
  }
}

module.exports = { isNodeRecent, outdatedPackages, parseArguments };

if (require.main === module) process.exitCode = main(process.argv.slice(2));
