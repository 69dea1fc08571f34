'use strict';
// Checks the layout of the C sources, or mends it.
//   node .ci/clang-format.js [--write]
// Exit 0 also where clang-format is missing or another version, which lays some lines out
// otherwise, but says "skipped": its absence must not pass for a check.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { thisMachine } = require('./system.js');

const ROOT = path.resolve(__dirname, '..');
const VERSION = 14;

/** @returns {string[]} C and C++ sources of ours */
function sources() {
  return ['src', 'test', 'bench']
    .filter((folder) => fs.existsSync(path.join(ROOT, folder)))
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .map((file) => path.join(folder, file)),
    )
    .filter((file) => /\.(c|h|cc|cpp)$/.test(file) && !/(^|\/)(build|node_modules)\//.test(file))
    .sort();
}

/** @returns {{ program: string } | { problem: string }} */
function findClangFormat() {
  const { hasCommand } = thisMachine();
  if (hasCommand(`clang-format-${VERSION}`)) return { program: `clang-format-${VERSION}` };
  if (!hasCommand('clang-format')) return { problem: 'clang-format is not installed' };
  const run = spawnSync('clang-format', ['--version'], { encoding: 'utf8' });
  const found = /version (\d+)/.exec(run.stdout ?? '')?.[1];
  if (Number(found) === VERSION) return { program: 'clang-format' };
  return { problem: `clang-format is version ${found} and the layout is checked with ${VERSION}` };
}

/** @param {boolean} write */
function main(write) {
  const found = findClangFormat();
  if ('problem' in found) {
    console.log(`skipped: ${found.problem}`);
    return 0;
  }
  const files = sources();
  if (files.length === 0) return 0;
  const mode = write ? ['-i'] : ['--dry-run', '--Werror'];
  const run = spawnSync(found.program, [...mode, '--style=file', ...files], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (run.status === 0) console.log(`clang-format: ${files.length} files fine`);
  return run.status ?? 1;
}

process.exitCode = main(process.argv.includes('--write'));
