'use strict';
// Every check, in the order in which they fail fastest, all of them even when one fails. The
// runners' output goes through as it comes; what they counted stands at the end, skips by name.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { cmockaTotals, nodeTotals } = require('./totals.js');

const ROOT = path.resolve(__dirname, '..');
const bin = path.join(ROOT, 'node_modules', '.bin');

/** @typedef {import('./totals.js').Totals} Totals */
/** @typedef {{ name: string, command: string[], totals?: (output: string) => Totals }} Step */
/** @typedef {Totals & { name: string, isRunner: boolean, seconds: number }} Result */

/** @type {Step[]} */
const STEPS = [
  { name: 'lint', command: [path.join(bin, 'eslint'), '.'] },
  { name: 'format, JavaScript', command: [path.join(bin, 'prettier'), '--check', '.'] },
  { name: 'format, C', command: [process.execPath, '.ci/clang-format.js'] },
  { name: 'types', command: [path.join(bin, 'tsc'), '--checkJs', '--noEmit', '-p', '.'] },
  {
    name: 'types, the page of a report',
    command: [path.join(bin, 'tsc'), '--checkJs', '--noEmit', '-p', 'lib/html/view'],
  },
  { name: 'include direction', command: [process.execPath, '.ci/includes.js'] },
  {
    name: 'C tests',
    command: ['make', '--no-print-directory', '-j2', '-C', 'test/c', 'check'],
    totals: cmockaTotals,
  },
  {
    name: 'what fuzzing kept',
    command: ['make', '--no-print-directory', '-j2', '-C', 'test/fuzz', 'replay'],
  },
  {
    name: 'JavaScript tests',
    command: [process.execPath, '.ci/node-test.js', 'test/js'],
    totals: nodeTotals,
  },
  {
    name: 'end-to-end tests',
    command: [process.execPath, '.ci/node-test.js', 'test/e2e'],
    totals: nodeTotals,
  },
];

/**
 * Runs a step and shows its output as it comes. Both its streams are one, or a test's reason for
 * skipping could come after the line that says so.
 * @param {string[]} command
 * @returns {Promise<{ passed: boolean, output: string }>}
 */
function run(command) {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...command], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('error', (error) => {
      console.error(error.message);
      resolve({ passed: false, output });
    });
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

/**
 * What a step counts for. A check without tests of its own is one test; it skipped if it said so.
 * @param {Step} step
 * @param {{ passed: boolean, output: string }} outcome
 * @returns {Totals}
 */
function totalsOf({ name, totals }, { passed, output }) {
  if (!totals) {
    const reason = /^skipped: .*$/m.exec(output)?.[0];
    const skipped = passed && reason ? 1 : 0;
    return {
      passed: passed && !skipped ? 1 : 0,
      failed: passed ? 0 : 1,
      skipped,
      skips: skipped ? [`${name}: ${reason}`] : [],
    };
  }
  const counted = totals(output);
  // A runner that crashed, or ran nothing, counts as a failure, whatever it printed.
  const ran = counted.passed + counted.failed + counted.skipped > 0;
  const unsaid = counted.failed === 0 && (!passed || !ran);
  return unsaid ? { ...counted, failed: 1 } : counted;
}

/** @param {Totals} totals */
function countLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** @param {Result[]} results */
function printSummary(results) {
  console.log('');
  const skips = results.flatMap((result) => result.skips);
  if (skips.length > 0) console.log(`skipped:\n${skips.map((line) => `  ${line}`).join('\n')}\n`);
  for (const result of results) {
    const counts = result.isRunner ? `: ${countLine(result)}` : '';
    const word = result.failed > 0 ? 'FAILED' : result.passed > 0 ? 'ok    ' : 'skip  ';
    console.log(`${word} ${result.name} (${result.seconds.toFixed(1)} s)${counts}`);
  }
  /** @param {'passed' | 'failed' | 'skipped'} key */
  const all = (key) => results.reduce((sum, result) => sum + result[key], 0);
  const total = { passed: all('passed'), failed: all('failed'), skipped: all('skipped'), skips };
  console.log(`\ntotal: ${countLine(total)}`);
}

/** @returns {Promise<number>} the exit code */
async function main() {
  /** @type {Result[]} */
  const results = [];
  for (const step of STEPS) {
    const [program, ...args] = step.command;
    console.log(`\n== ${step.name}: ${[path.basename(program), ...args].join(' ')}`);
    const began = performance.now();
    const outcome = await run(step.command);
    const seconds = (performance.now() - began) / 1000;
    const isRunner = step.totals !== undefined;
    results.push({ name: step.name, isRunner, seconds, ...totalsOf(step, outcome) });
  }
  printSummary(results);
  return results.every((result) => result.failed === 0) ? 0 : 1;
}

module.exports = { totalsOf };

if (require.main === module) {
  main().then((code) => {
    process.exitCode = code;
  });
}
