'use strict';
// Every check, in the order in which they fail fastest, all of them even when one fails, then one
// line for each. The runners' own closing lines stay on the screen.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const bin = path.join(ROOT, 'node_modules', '.bin');

/** @type {Array<{ name: string, command: string[] }>} */
const STEPS = [
  { name: 'lint', command: [path.join(bin, 'eslint'), '.'] },
  { name: 'format, JavaScript', command: [path.join(bin, 'prettier'), '--check', '.'] },
  { name: 'format, C', command: [process.execPath, '.ci/clang-format.js'] },
  {
    name: 'types',
    command: [path.join(bin, 'tsc'), '--checkJs', '--noEmit', '-p', '.'],
  },
  { name: 'include direction', command: [process.execPath, '.ci/includes.js'] },
  { name: 'C tests', command: ['make', '--no-print-directory', '-C', 'test/c', 'check'] },
  { name: 'JavaScript tests', command: [process.execPath, '.ci/node-test.js', 'test/js'] },
  { name: 'end-to-end tests', command: [process.execPath, '.ci/node-test.js', 'test/e2e'] },
];

const results = STEPS.map(({ name, command: [program, ...args] }) => {
  console.log(`\n== ${name}: ${[path.basename(program), ...args].join(' ')}`);
  const began = process.hrtime.bigint();
  const run = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (run.error) console.error(run.error.message);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  return { name, passed: run.status === 0, seconds };
});

console.log('');
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
}
process.exitCode = results.every((result) => result.passed) ? 0 : 1;
