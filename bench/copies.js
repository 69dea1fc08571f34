'use strict';
// How whole the stacks of `record --call-graph dwarf` are: one recording of a build for each rate and
// size of the copies, and what its `quality` says.
//   node bench/copies.js [CASE] [--frequency HZ,..] [--stack-bytes N,..] [--binding debug|release|FILE]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const prof = require('../lib/index.js');
const { prepareBuild } = require('./build.js');
const { align } = require('./overhead-table.js');

const CLI = path.join(__dirname, '../lib/cli/main.js');
const HEAD = ['Hz', 'bytes', 'samples', 'lost', 'complete', 'joined', 'truncated', 'broken'];

/** @param {string} list */
const numbers = (list) => list.split(',').map(Number);

/**
 * @param {import('./build.js').Build} build
 * @param {string} folder
 * @param {{ hz: number, bytes: number }} how
 * @returns {string[]} a row
 */
function record(build, folder, { hz, bytes }) {
  const file = path.join(folder, 'p.json.gz');
  const how = ['--call-graph', 'dwarf', '-F', String(hz), '--stack-bytes', String(bytes)];
  const args = [CLI, 'record', ...how, '-o', file, '--', build.command, ...build.args];
  const { status, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: build.env,
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
  const { quality } = prof.read(file);
  const { samples, lost, complete, joined, truncated, broken } = quality;
  const shares = [complete, joined, truncated, broken].map(
    (count) => `${((100 * count) / samples).toFixed(1)} %`,
  );
  return [hz, bytes, samples, lost, ...shares].map(String);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      frequency: { type: 'string', default: '1000,4000' },
      'stack-bytes': { type: 'string', default: '8192' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const name = positionals[0] ?? 'react-1k';
  const build = prepareBuild(name, { binding: values.binding });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-copies-'));
  try {
    const rows = numbers(values.frequency).flatMap((hz) =>
      numbers(values['stack-bytes']).map((bytes) => record(build, folder, { hz, bytes })),
    );
    const [load] = os.loadavg();
    console.log(
      `${name}, ${os.cpus().length} CPUs, load ${load.toFixed(0)}; shares of all samples`,
    );
    console.log(align([HEAD, ...rows]));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main();
