'use strict';
// Builds bench/unwind.c with the unwinder's sources and runs it: `node bench/unwind.js [--json]`.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const parts =
  'memory cfi cfi_table expr images row rows step code v8frame guess recall unwind'.split(' ');
const base = 'arena array status table'.split(' ');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-bench-'));
const program = path.join(folder, 'unwind');

try {
  execFileSync(
    process.env.CC || 'cc',
    [
      '-std=c11',
      '-D_GNU_SOURCE',
      '-O2',
      '-g',
      `-I${path.join(root, 'src')}`,
      '-o',
      program,
      path.join(__dirname, 'unwind.c'),
      ...parts.map((name) => path.join(root, 'src', 'stack', `${name}.c`)),
      ...base.map((name) => path.join(root, 'src', 'base', `${name}.c`)),
      '-ldw',
      '-lelf',
      '-ldl',
    ],
    { stdio: 'inherit' },
  );
  const output = execFileSync(program, { encoding: 'utf8' });
  if (process.argv.includes('--json')) {
    process.stdout.write(output);
  } else {
    for (const row of output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))) {
      console.log(
        `${row.frames} frames: ${row.cachedNs} ns cached, ${row.cachedNewPagesNs} ns with ${row.pages} pages ` +
          `asked for, ${row.medianNs} ns at the median and ${row.p99Ns} ns at p99 of single walks with cold ` +
          `caches; ${row.recalledNs}, ${row.recalledMedianNs} and ${row.recalledP99Ns} ns with the same walk ` +
          `before at hand; ${row.uncachedNs} ns without rows; backtrace() ${row.backtraceNs} ns ` +
          `(${row.backtraceRatio} x), libdwfl ${row.libdwflNs} ns (${row.libdwflRatio} x)`,
      );
    }
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
