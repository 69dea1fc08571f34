'use strict';
// What rspack's own trace costs a build, without any recording: the same build without it, with our
// default filter, and with rspack's OVERVIEW, in turns.
//   node bench/trace.js [--case NAME] [--runs N] [--binding debug|release|FILE] [--filters A;B]
// Each ratio is to the build without a trace of the same round; every round begins with another one.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { environment } = require('./build.js');
const { buildHere } = require('./in-process.js');
const { measure } = require('./measure.js');
const { shownRatios } = require('./statistics.js');
const { generate } = require('./workloads/generate.js');
const { checkFilter } = require('../lib/trace/filter.js');

/** By rspack's own function, which also turns V8's profiler on and intercepts each hook. */
const REGISTER = 'OVERVIEW by globalTrace.register()';

/** The measured program: `node bench/trace.js --build FOLDER FILTER FILE`. */
async function build(
  /** @type {string} */ folder,
  /** @type {string} */ filter,
  /** @type {string} */ file,
) {
  const { globalTrace } = (await import('@rspack/core')).rspack.experiments;
  if (filter === REGISTER) await globalTrace.register('OVERVIEW', 'logger', file);
  else if (filter !== 'none') {
    const addon = process.env.RSPACK_BINDING ?? require.resolve('@rspack/binding');
    require(addon).registerGlobalTrace(checkFilter(filter), 'logger', file);
  }
  await buildHere(folder);
  if (filter === REGISTER) await globalTrace.cleanup();
}

async function main() {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', default: 'react-10k' },
      runs: { type: 'string', default: '6' },
      binding: { type: 'string', default: 'release' },
      filters: { type: 'string', default: `stages;OVERVIEW;${REGISTER}` },
    },
  });
  const { folder } = generate(values.case);
  const env = environment(values.binding);
  const filters = values.filters.split(';');
  const all = ['none', ...filters];
  const logs = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-bench-'));
  /** @type {Record<string, {wall: number[], cpu: number[], bytes: number, lines: number}>} */
  const took = Object.fromEntries(
    filters.map((filter) => [filter, { wall: [], cpu: [], bytes: 0, lines: 0 }]),
  );
  for (let round = 0; round < Number(values.runs); round++) {
    /** @type {Record<string, import('./measure.js').Measured>} */
    const runs = {};
    const turn = round % all.length;
    for (const filter of [...all.slice(turn), ...all.slice(0, turn)]) {
      const file = path.join(logs, 'rspack.log');
      runs[filter] = await measure(
        process.execPath,
        [__filename, '--build', folder, filter, file],
        {
          cwd: folder,
          env,
        },
      );
      if (runs[filter].code !== 0) throw new Error(`the build failed:\n${runs[filter].output}`);
      if (filter === 'none') continue;
      took[filter].bytes = fs.statSync(file).size;
      took[filter].lines = fs
        .readFileSync(file)
        .reduce((sum, byte) => sum + Number(byte === 10), 0);
      fs.rmSync(file);
    }
    for (const filter of filters) {
      took[filter].wall.push(runs[filter].wallMs / runs.none.wallMs);
      took[filter].cpu.push(runs[filter].cpuMs / runs.none.cpuMs);
    }
  }
  fs.rmSync(logs, { recursive: true });
  console.log(`${values.case}, ${values.binding} binding, ${values.runs} rounds; to no trace:`);
  for (const [filter, { wall, cpu, bytes, lines }] of Object.entries(took)) {
    console.log(
      `${filter}: CPU ${shownRatios(cpu)}, wall ${shownRatios(wall)}, ` +
        `${lines.toLocaleString('en-US')} spans, ${(bytes / 1e6).toFixed(2)} MB`,
    );
  }
}

if (process.argv[2] === '--build') build(process.argv[3], process.argv[4], process.argv[5]);
else main();
