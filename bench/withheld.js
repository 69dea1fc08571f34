'use strict';
// How right the stacks of a binding without unwind rows are: the debug binding is built with rows, so
// each walk of a real build is done twice, once with the binding's rows withheld, and compared.
// Makes an addon of its own (test/truth/withheld.c linked in) beside a copy of lib/.
//   node bench/withheld.js [CASE] [--frequency HZ]
// TRUTH_VERBOSE=1: the frames of up to 400 walks that differ, the true ones and those found.

const { spawnSync } = require('node:child_process');
const { parseArgs } = require('node:util');
const { withTruth } = require('./truth-addon.js');

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { frequency: { type: 'string', default: '4000' } },
  });
  const args = ['bench/profile.js', positionals[0] ?? 'react-1k', '--frequency', values.frequency];
  const counted = withTruth(
    'withheld.c',
    ['prof_unwind_walk', 'prof_rows_refresh', 'prof_sampler_arm'],
    (work, counts) =>
      spawnSync(process.execPath, args, {
        cwd: work,
        encoding: 'utf8',
        env: { ...process.env, TRUTH_OUTPUT: counts },
      }),
  );
  process.stdout.write(counted);
}

main();
