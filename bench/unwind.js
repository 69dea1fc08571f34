'use strict';
// Builds bench/unwind.c against the core and runs it: `node bench/unwind.js [--json]`.
const { execFileSync } = require('node:child_process');
const { compile } = require('./compile.js');

const output = execFileSync(compile('unwind.c', { core: true }), { encoding: 'utf8' });
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
