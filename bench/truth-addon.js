'use strict';
// An addon with a part of test/truth linked in, beside a copy of lib/ and bench/ in a folder of its
// own: what withheld.js and dumped.js compare real stacks with.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
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
 * @param {string} source below test/truth
 * @param {string[]} wrapped functions of the addon that the source stands in front of
 * @returns {void} build/Release/rspack_prof.node in work
 */
function buildAddon(work, source, wrapped) {
  const nodeDir = findNodeDir(fs.realpathSync(process.execPath), process.version);
  if (!nodeDir) throw new Error("node's own headers (include/node) are not beside this node");
  const flags = ['-std=c11', '-O2', '-g', '-D_GNU_SOURCE', '-DNAPI_VERSION=8', '-fPIC'];
  const includes = [path.join(ROOT, 'src'), path.join(nodeDir, 'include', 'node')];
  const files = [...sources(path.join(ROOT, 'src')), path.join(ROOT, 'test/truth', source)];
  const out = path.join(work, 'build', 'Release');
  fs.mkdirSync(out, { recursive: true });
  execFileSync('cc', [
    ...[...flags, '-fvisibility=hidden', '-shared', ...includes.map((folder) => `-I${folder}`)],
    ...['-o', path.join(out, 'rspack_prof.node'), ...files],
    ...['-Wl,-z,now', ...wrapped.map((name) => `-Wl,--wrap=${name}`)],
    ...['-ldw', '-lelf', '-lpfm', '-l:libiberty.a', '-lpthread', '-ldl'],
  ]);
}

/**
 * @param {string} source below test/truth, named NAME.c
 * @param {string[]} wrapped
 * @param {(work: string, counts: string) => {status: number | null, stderr: string}} record runs a
 *   build by the copy in work, with TRUTH_OUTPUT=counts
 * @returns {string} what the part counted
 */
function withTruth(source, wrapped, record) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), `rspack-prof-${path.parse(source).name}-`));
  try {
    for (const name of ['lib', 'bench', '.ci', 'package.json']) {
      fs.cpSync(path.join(ROOT, name), path.join(work, name), {
        recursive: true,
        filter: (file) => !file.includes('.cases'),
      });
    }
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(work, 'node_modules'));
    buildAddon(work, source, wrapped);
    const counts = path.join(work, 'counts.txt');
    const { status, stderr } = record(work, counts);
    if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
    const text = fs.existsSync(counts) ? fs.readFileSync(counts, 'utf8') : '';
    if (text === '')
      throw new Error(`nothing was compared: no walk of the build came to ${source}`);
    return process.env.TRUTH_VERBOSE ? text : text.replace(/^#.*\n/gm, '');
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

module.exports = { withTruth };
