'use strict';
// How long it takes to name 20,000 distinct places of the symbolized rspack binding, against
// libdwfl, llvm-symbolizer and addr2line, as ratios of medians from alternating runs.
//   node bench/symbolize.js [FILE]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { median } = require('simple-statistics');
const { compile } = require('./compile.js');

const ROOT = path.resolve(__dirname, '..');
const BINDING = 'node_modules/@rspack-debug/binding-linux-x64-gnu/rspack.linux-x64-gnu.node';
const PLACES = 20000;
const ROUNDS = 5;
/** Places for the peers that search linearly; their time is scaled up. */
const FEW = 200;

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} [input]
 */
function run(command, args, input) {
  const done = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.error || done.status !== 0) {
    throw new Error(`${command}: ${done.error ? done.error.message : done.stderr}`);
  }
  return done.stdout;
}

/** @param {string} command */
function exists(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/**
 * Milliseconds that a program takes for `places` (an empty list: its start alone).
 * @param {string} command
 * @param {string[]} args
 * @param {string} places
 */
function time(command, args, places) {
  const start = process.hrtime.bigint();
  run(command, args, places);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** @param {string} file */
function main(file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-bench-'));
  try {
    const program = compile('symbolize.c', { core: true });
    const list = path.join(folder, 'addresses');
    /** @type {Record<string, number[]>} */
    const took = {};
    const add = (/** @type {string} */ name, /** @type {number} */ ms) =>
      (took[name] ??= []).push(ms);
    for (let round = 0; round < ROUNDS; round++) {
      const args = [file, String(PLACES), String(FEW), list];
      const own = JSON.parse(run(program, args));
      add('rspack-prof', own.loadMs + own.nameMs);
      add('  of that, reading the table', own.loadMs);
      add(`libdwfl (from ${FEW})`, own.peerLoadMs + (own.peerUs * PLACES) / 1e3);
      const places = fs.readFileSync(list, 'utf8');
      if (exists('llvm-symbolizer')) {
        add('llvm-symbolizer', time('llvm-symbolizer', ['--no-inlines', `--obj=${file}`], places));
      }
      if (exists('addr2line') && round < 2) {
        const few = places.split('\n').slice(0, FEW).join('\n');
        const start = time('addr2line', ['-f', '-C', '-e', file], '0x0\n');
        const some = time('addr2line', ['-f', '-C', '-e', file], few);
        add(`addr2line -f -C (from ${FEW})`, start + ((some - start) * PLACES) / FEW);
      }
    }
    const own = median(took['rspack-prof']);
    console.log(`${PLACES} places of ${path.basename(file)}, medians:`);
    for (const [name, values] of Object.entries(took)) {
      const ms = median(values);
      const spread = `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;
      const ratio = (ms / own).toFixed(2);
      console.log(`  ${name.padEnd(32)} ${ms.toFixed(1).padStart(10)} ms  ${ratio} x  (${spread})`);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const file = process.argv[2] ?? path.join(ROOT, BINDING);
if (fs.existsSync(file)) {
  main(file);
} else {
  console.error(`symbolize: ${file} is missing: npm install --include=dev, or name another file`);
  process.exitCode = 1;
}
