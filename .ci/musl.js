'use strict';
// Programs that run JavaScript and are linked with musl, for test/e2e/musl.test.js: a node and a bun, out of
// npm packages. Gets them into .setup/musl/ once, some 240 MB, and runs that test.
//   node .ci/musl.js

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const FOLDER = path.join(ROOT, '.setup', 'musl');

/**
 * @typedef {object} Runtime
 * @property {string} package
 * @property {string} version
 * @property {string} file its executable, in the package
 * @property {(script: string) => { args: string[], env: Record<string, string> }} running a script, which
 *   must end by process.exit()
 */

/** @type {Record<string, Runtime>} */
const RUNTIMES = {
  // pnpm as a single executable: a node 26 for Alpine, which runs what NODE_OPTIONS requires first.
  node: {
    package: '@pnpm/linuxstatic-x64',
    version: '11.21.0',
    file: 'pnpm',
    running: (script) => ({ args: [], env: { NODE_OPTIONS: `--require=${script}` } }),
  },
  bun: {
    package: '@oven/bun-linux-x64-musl',
    version: '1.4.4',
    file: path.join('bin', 'bun'),
    running: (script) => ({ args: [script], env: {} }),
  },
};

/** @param {Runtime} runtime @returns {string} which may not be there */
const fileOf = (runtime) => path.join(FOLDER, 'node_modules', runtime.package, runtime.file);

function main() {
  const wanted = Object.values(RUNTIMES).filter((runtime) => !fs.existsSync(fileOf(runtime)));
  if (wanted.length > 0) {
    fs.mkdirSync(FOLDER, { recursive: true });
    const names = Object.values(RUNTIMES).map((one) => `${one.package}@${one.version}`);
    // --force: they are for another libc than this one.
    const options = ['--force', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    const args = ['install', '--prefix', FOLDER, ...options, ...names];
    const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' });
    if (status !== 0) {
      console.error(`npm ${args.join(' ')} failed:\n${stderr}`);
      return 1;
    }
    for (const runtime of Object.values(RUNTIMES)) fs.chmodSync(fileOf(runtime), 0o755);
  }
  const test = [path.join(__dirname, 'node-test.js'), 'test/e2e/musl.test.js'];
  return spawnSync(process.execPath, test, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
}

module.exports = { RUNTIMES, fileOf };

if (require.main === module) process.exitCode = main();
