'use strict';
// How right stacks are that were put together from a dump and live memory (callGraph 'dwarf'): each
// sample also signals its thread, which walks its stack at once; the two are compared at the end.
// Makes an addon of its own (test/truth/dumped.c linked in) beside a copy of lib/.
//   node bench/dumped.js [CASE] [--frequency HZ] [--stack-bytes N]

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { withTruth } = require('./truth-addon.js');

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      frequency: { type: 'string', default: '4000' },
      'stack-bytes': { type: 'string', default: '8192' },
    },
  });
  const prof = {
    callGraph: 'dwarf',
    frequency: Number(values.frequency),
    stackBytes: Number(values['stack-bytes']),
    quiet: true,
  };
  const counted = withTruth('dumped.c', ['prof_tail_walk', 'prof_attr_fill'], (work, counts) => {
    // The copy's: its cases load the profiler that they lie beside.
    const { prepareBuild } = require(path.join(work, 'bench', 'build.js'));
    const build = prepareBuild(positionals[0] ?? 'react-1k', { prof });
    return spawnSync(build.command, build.args, {
      cwd: work,
      encoding: 'utf8',
      env: { ...build.env, TRUTH_OUTPUT: counts },
    });
  });
  process.stdout.write(counted);
}

main();
