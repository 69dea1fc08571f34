'use strict';
// How right stacks are that were put together from a dump and live memory (callGraph 'dwarf'): each
// sample also signals its thread, which walks its stack at once; the two are compared at the end.
// Makes an addon of its own (test/truth/dumped.c linked in) beside a copy of lib/.
//   node bench/dumped.js [CASE] [--frequency HZ] [--stack-bytes N]

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { findNodeDir } = require('../.ci/addon.js');

const ROOT = path.resolve(__dirname, '..');

/** @param {string} folder @returns {string[]} */
function sources(folder) {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.c'))
    .map((file) => path.join(folder, file));
}

/**
 * @param {string} work
 * @returns {void} build/Release/rspack_prof.node in work
 */
function buildAddon(work) {
  const nodeDir = findNodeDir(fs.realpathSync(process.execPath), process.version);
  if (!nodeDir) throw new Error("node's own headers (include/node) are not beside this node");
  const flags = ['-std=c11', '-O2', '-g', '-D_GNU_SOURCE', '-DNAPI_VERSION=8', '-fPIC'];
  const includes = [path.join(ROOT, 'src'), path.join(nodeDir, 'include', 'node')];
  const files = [...sources(path.join(ROOT, 'src')), path.join(ROOT, 'test/truth/dumped.c')];
  const out = path.join(work, 'build', 'Release');
  fs.mkdirSync(out, { recursive: true });
  execFileSync('cc', [
    ...[...flags, '-fvisibility=hidden', '-shared', ...includes.map((folder) => `-I${folder}`)],
    ...['-o', path.join(out, 'rspack_prof.node'), ...files],
    ...['-Wl,-z,now', '-Wl,--wrap=prof_tail_walk,--wrap=prof_attr_fill'],
    ...['-ldw', '-lelf', '-lpfm', '-l:libiberty.a', '-lpthread', '-ldl'],
  ]);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      frequency: { type: 'string', default: '4000' },
      'stack-bytes': { type: 'string', default: '8192' },
    },
  });
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-dumped-'));
  try {
    for (const name of ['lib', 'bench', '.ci', 'package.json']) {
      fs.cpSync(path.join(ROOT, name), path.join(work, name), {
        recursive: true,
        filter: (file) => !file.includes('.cases'),
      });
    }
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(work, 'node_modules'));
    buildAddon(work);
    const counts = path.join(work, 'counts.txt');
    const prof = {
      callGraph: 'dwarf',
      frequency: Number(values.frequency),
      stackBytes: Number(values['stack-bytes']),
      quiet: true,
    };
    // The copy's: its cases load the profiler that they lie beside.
    const { prepareBuild } = require(path.join(work, 'bench', 'build.js'));
    const build = prepareBuild(positionals[0] ?? 'react-1k', { prof });
    const { status, stderr } = spawnSync(build.command, build.args, {
      cwd: work,
      encoding: 'utf8',
      env: { ...build.env, TRUTH_OUTPUT: counts },
    });
    if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
    process.stdout.write(fs.readFileSync(counts, 'utf8').replace(/^#.*\n/gm, ''));
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

main();
