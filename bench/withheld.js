'use strict';
// How right the stacks of a binding without unwind rows are: the debug binding is built with rows, so
// each walk of a real build is done twice, once with the binding's rows withheld, and compared.
// Makes an addon of its own (test/truth/withheld.c linked in) beside a copy of lib/.
//   node bench/withheld.js [CASE] [--frequency HZ]

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
  const files = [...sources(path.join(ROOT, 'src')), path.join(ROOT, 'test/truth/withheld.c')];
  const out = path.join(work, 'build', 'Release');
  fs.mkdirSync(out, { recursive: true });
  execFileSync('cc', [
    ...[...flags, '-fvisibility=hidden', '-shared', ...includes.map((folder) => `-I${folder}`)],
    ...['-o', path.join(out, 'rspack_prof.node'), ...files],
    ...['-Wl,-z,now', '-Wl,--wrap=prof_unwind_walk,--wrap=prof_rows_refresh'],
    ...['-ldw', '-lelf', '-lpfm', '-l:libiberty.a', '-lpthread', '-ldl'],
  ]);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { frequency: { type: 'string', default: '4000' } },
  });
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-withheld-'));
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
    const args = [
      'bench/profile.js',
      positionals[0] ?? 'react-1k',
      '--frequency',
      values.frequency,
    ];
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: work,
      encoding: 'utf8',
      env: { ...process.env, TRUTH_OUTPUT: counts },
    });
    if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
    process.stdout.write(fs.readFileSync(counts, 'utf8').replace(/^#.*\n/gm, ''));
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

main();
