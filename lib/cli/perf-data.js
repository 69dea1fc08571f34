'use strict';
// Writes a profile as perf.data and, beside it, the perf-map that perf looks for in /tmp.

const path = require('node:path');
const { UsageError } = require('./args.js');
const { writeResult } = require('./files.js');
const { toPerfData } = require('../export/perf-data.js');

/**
 * @param {import('../profile/profile').Profile} profile
 * @param {string | undefined} output
 * @param {import('./main.js').World} world
 */
async function writePerfData(profile, output, world) {
  if (output === undefined || output === '-') {
    throw new UsageError('--to perf.data writes two files: say where with -o OUT');
  }
  const { data, perfMap, perfMapName, truncated } = toPerfData(profile);
  await writeResult(data, output, world);
  if (truncated > 0) {
    world.stderr.write(
      `rspack-prof: ${truncated} stacks are deeper than a record of perf.data: cut at the outer end\n`,
    );
  }
  if (perfMap === '') return;
  const map = path.join(path.dirname(path.resolve(world.cwd, output)), perfMapName);
  await writeResult([perfMap], map, world);
  world.stderr.write(
    `rspack-prof: perf looks for names in /tmp: cp ${map} /tmp/ before 'perf report'\n`,
  );
}

module.exports = { writePerfData };
