'use strict';
// Every check, in the order in which they fail fastest, all of them even when one fails. The
// runners' output goes through as it comes; what they counted stands at the end, skips by name.
//
// Live tests ask a shared machine's kernel, and may fail once for its sake. So a few that failed are
// run a second time, by file: one that passes then is no failure, but is named as flaky, to be mended.
// More than a few are a broken change, and are not run again.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { cmockaFailures, cmockaTotals, nodeFailures, nodeTotals } = require('./totals.js');

const ROOT = path.resolve(__dirname, '..');
const bin = path.join(ROOT, 'node_modules', '.bin');

/** @typedef {import('./totals.js').Totals} Totals */
/** @typedef {import('./totals.js').Failures} Failures */
/** @typedef {{ totals: (output: string) => Totals, failures: (output: string) => Failures,
 *    again: (targets: string[]) => string[] }} Runner again: the command for these alone */
/** @typedef {{ name: string, command: string[], runner?: Runner }} Step */
/** @typedef {Totals & { name: string, isRunner: boolean, seconds: number, flaky: string[],
 *    broken: string[] }} Result */

/** So many failed tests may be the machine's fault. */
const MAX_AGAIN = 3;

const C_TESTS = ['make', '--no-print-directory', '-j2', '-C', 'test/c', 'check'];
/** @type {Runner} */
const cmocka = {
  totals: cmockaTotals,
  failures: cmockaFailures,
  again: (programs) => [...C_TESTS, `TESTS=${programs.join(' ')}`],
};
const NODE_TESTS = [process.execPath, '.ci/node-test.js'];
/** @type {Runner} */
const nodeTest = {
  totals: nodeTotals,
  failures: nodeFailures,
  again: (files) => [...NODE_TESTS, ...files],
};

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
  { name: 'C tests', command: C_TESTS, runner: cmocka },
  {
    name: 'what fuzzing kept',
    command: ['make', '--no-print-directory', '-j2', '-C', 'test/fuzz', 'replay'],
  },
  { name: 'JavaScript tests', command: [...NODE_TESTS, 'test/js'], runner: nodeTest },
  { name: 'end-to-end tests', command: [...NODE_TESTS, 'test/e2e'], runner: nodeTest },
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
function totalsOf({ name, runner }, { passed, output }) {
  if (!runner) {
    const reason = /^skipped: .*$/m.exec(output)?.[0];
    const skipped = passed && reason ? 1 : 0;
    return {
      passed: passed && !skipped ? 1 : 0,
      failed: passed ? 0 : 1,
      skipped,
      skips: skipped ? [`${name}: ${reason}`] : [],
    };
  }
  const counted = runner.totals(output);
  // A runner that crashed, or ran nothing, counts as a failure, whatever it printed.
  const ran = counted.passed + counted.failed + counted.skipped > 0;
  const unsaid = counted.failed === 0 && (!passed || !ran);
  return unsaid ? { ...counted, failed: 1 } : counted;
}

/**
 * @param {Step} step that was run
 * @param {Totals} totals
 * @param {string} output
 * @returns {Failures | null} what is worth a second run
 */
function worthAgain({ runner }, totals, output) {
  if (!runner || totals.failed === 0) return null;
  const failures = runner.failures(output);
  const { names, parents } = failures;
  if (names.length === 0 || names.length > MAX_AGAIN) return null;
  // A failure that the output does not name would be forgotten.
  return totals.failed <= names.length + parents ? failures : null;
}

/**
 * @param {Step} step
 * @param {(command: string[]) => Promise<{ passed: boolean, output: string }>} runner
 * @returns {Promise<Totals & { flaky: string[], broken: string[] }>} the names of both
 */
async function runStep(step, runner) {
  const outcome = await runner(step.command);
  const totals = totalsOf(step, outcome);
  const failures = worthAgain(step, totals, outcome.output);
  const broken = step.runner?.failures(outcome.output).names ?? [];
  if (!step.runner || !failures) return { ...totals, flaky: [], broken };
  console.log(`\n== ${step.name}, what failed once more: ${failures.targets.join(' ')}`);
  const second = await runner(step.runner.again(failures.targets));
  if (totalsOf(step, second).failed > 0) return { ...totals, flaky: [], broken };
  return {
    ...totals,
    passed: totals.passed + totals.failed,
    failed: 0,
    flaky: failures.names,
    broken: [],
  };
}

/** @param {Totals} totals */
function countLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** @param {Result[]} results */
function printSummary(results) {
  console.log('');
  /** @param {string} title @param {(result: Result) => string[]} linesOf */
  const list = (title, linesOf) => {
    const lines = results.flatMap(linesOf);
    if (lines.length > 0)
      console.log(`${title}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
  };
  list('skipped', (result) => result.skips);
  list('FLAKY, passed when run again', (result) => result.flaky);
  list('FAILED', (result) => result.broken);
  for (const result of results) {
    const counts = result.isRunner ? `: ${countLine(result)}` : '';
    const word = result.failed > 0 ? 'FAILED' : result.passed > 0 ? 'ok    ' : 'skip  ';
    console.log(`${word} ${result.name} (${result.seconds.toFixed(1)} s)${counts}`);
  }
  /** @param {'passed' | 'failed' | 'skipped'} key */
  const all = (key) => results.reduce((sum, result) => sum + result[key], 0);
  const total = {
    passed: all('passed'),
    failed: all('failed'),
    skipped: all('skipped'),
    skips: [],
  };
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
    const totals = await runStep(step, run);
    const seconds = (performance.now() - began) / 1000;
    results.push({ name: step.name, isRunner: step.runner !== undefined, seconds, ...totals });
  }
  printSummary(results);
  return results.every((result) => result.failed === 0) ? 0 : 1;
}

module.exports = { cmocka, nodeTest, runStep, totalsOf };

if (require.main === module) {
  main().then((code) => {
    process.exitCode = code;
  });
}
