'use strict';
// What finding a build's phases costs it, without any recording: the same build with our taps and
// without, in turns.
//   node bench/phases.js [--case NAME] [--runs N] [--binding debug|release|FILE]
// Each ratio is of two builds that ran one after the other; every second pair runs in turned order.

const { parseArgs } = require('node:util');
const { environment } = require('./build.js');
const { buildHere } = require('./in-process.js');
const { measure } = require('./measure.js');
const { shownRatios } = require('./statistics.js');
const { generate } = require('./workloads/generate.js');

/** The measured program: `node bench/phases.js --build FOLDER none|phases`. */
async function build(/** @type {string} */ folder, /** @type {string} */ how) {
  const watch = how === 'phases' ? require('../lib/phases/index.js').watchPhases() : null;
  await buildHere(folder);
  const found = watch?.markers(0, Infinity).length ?? 0;
  if (watch && found === 0) throw new Error('no phases were found');
  process.stdout.write(`${found}\n`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', default: 'react-10k' },
      runs: { type: 'string', default: '8' },
      binding: { type: 'string', default: 'release' },
    },
  });
  const { folder } = generate(values.case);
  const env = environment(values.binding);
  /** @type {number[]} */
  const wall = [];
  /** @type {number[]} */
  const cpu = [];
  let markers = '';
  for (let round = 0; round < Number(values.runs); round++) {
    /** @type {Record<string, import('./measure.js').Measured>} */
    const runs = {};
    for (const how of round % 2 ? ['phases', 'none'] : ['none', 'phases']) {
      runs[how] = await measure(process.execPath, [__filename, '--build', folder, how], {
        cwd: folder,
        env,
      });
      if (runs[how].code !== 0) throw new Error(`the build failed:\n${runs[how].output}`);
    }
    wall.push(runs.phases.wallMs / runs.none.wallMs);
    cpu.push(runs.phases.cpuMs / runs.none.cpuMs);
    markers = runs.phases.output.trim();
  }
  console.log(`${values.case}, ${values.binding} binding, ${values.runs} pairs, ${markers} phases`);
  console.log(`with phases / without: wall ${shownRatios(wall)}, CPU ${shownRatios(cpu)}`);
}

if (process.argv[2] === '--build') build(process.argv[3], process.argv[4]);
else main();
