'use strict';
// How calls end, on programs whose calls are known: jumps through registers, Rust's panics, exceptions and
// terminations of V8, process.exit() in the middle; and jobs that other threads run.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const {
  LIVE,
  build,
  callersOf,
  callsOf,
  cliIn,
  noProbes,
  parsed,
  script,
} = require('./calls-support.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-ends-'));
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));
const cli = cliIn(FOLDER);
const skip = noProbes();
const NODE = fs.realpathSync(process.execPath);
const BUDGET = ['--budget', '100000'];

test(
  'jumps through registers are ends where they leave, and nothing where they stay',
  {
    skip,
  },
  (t) => {
    const program = path.join(FOLDER, 'traced');
    const flags = ['-O1', '-fPIC', '-foptimize-sibling-calls', '-pthread', '-o', program];
    const missing = build('c++', [...flags, path.join(LIVE, 'traced.cpp')]);
    if (missing) return t.skip(missing);
    const wanted = ['--functions', '^(traced_(jumps|switch|virtual|pointer|leaf)|Square::area)$'];
    const { stdout } = cli([
      ...['trace', ...wanted, '--object', program, ...BUDGET, '--json', '-o', 'jumps'],
      ...['--', program, 'jumps', '800'],
    ]);
    const summary = parsed(stdout);
    assert.deepEqual(callsOf(summary), {
      traced_jumps: [1, 0, 0],
      traced_switch: [800, 0, 0],
      traced_virtual: [800, 0, 0],
      traced_pointer: [800, 0, 0],
      'Square::area': [800, 0, 0],
      traced_leaf: [2000, 0, 0],
    });
    assert.equal(summary.quality.unmatched, 0);
    // Of a switch's four calls two are tail calls (whose caller is the switch's), of a pointer's all are.
    assert.deepEqual(callersOf(summary, 'traced_leaf'), {
      traced_jumps: 1000,
      'Square::area': 800,
      traced_switch: 200,
    });
  },
);

test(
  'a panic that passes traced frames leaves them, and the program is what it was',
  {
    skip,
  },
  (t) => {
    const program = path.join(FOLDER, 'panics');
    const flags = ['--edition', '2021', '-O', '-o', program];
    const missing = build('rustc', [...flags, path.join(LIVE, 'panics.rs')]);
    if (missing) return t.skip(missing);
    const { status, stdout, stderr } = cli([
      ...[
        'trace',
        '--functions',
        '^panic_(catcher|passed|thrower)$',
        '--object',
        program,
        ...BUDGET,
      ],
      ...['--json', '-o', 'panics.trace', '--', program],
    ]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^sum 45$/m);
    assert.deepEqual(callsOf(parsed(stdout)), {
      panic_catcher: [10, 0, 0],
      panic_passed: [10, 5, 0],
      panic_thrower: [10, 5, 0],
    });
    assert.equal(parsed(stdout).quality.unmatched, 0);
  },
);

test(
  'what JavaScript throws, and what V8 terminates, returns through traced frames',
  {
    skip,
  },
  () => {
    const file = script(
      FOLDER,
      'throws.js',
      `const vm = require('node:vm');
    globalThis.end = () => process.exit(9);
    let caught = 0;
    for (let i = 0; i < 50; i++) {
      try { new vm.Script(i % 2 ? 'throw new Error()' : '1').runInThisContext(); } catch { caught++; }
    }
    for (let i = 0; i < 3; i++) {
      try { new vm.Script('for (;;);').runInThisContext({ timeout: 20 }); } catch { caught++; }
    }
    console.log(caught);
    new vm.Script('end()').runInThisContext();`,
    );
    const { status, stdout, stderr } = cli([
      ...['trace', '--functions', '^node::contextify::ContextifyScript::EvalMachine$'],
      ...['--object', NODE, ...BUDGET, '--no-spans', '--json', '-o', 'throws', '--', NODE, file],
    ]);
    assert.equal(status, 9, stderr);
    assert.match(stderr, /^28$/m);
    const [[name, [calls, unseen, open]]] = Object.entries(callsOf(parsed(stdout)));
    assert.match(name, /EvalMachine/);
    // The last one is left by the process's end.
    assert.deepEqual([calls, unseen + open], [54, 1]);
    assert.equal(parsed(stdout).quality.unmatched, 0);
  },
);

test('jobs that other threads run are charged to who handed them over, or said', { skip }, (t) => {
  const program = path.join(FOLDER, 'jobs');
  const flags = ['-O1', '-foptimize-sibling-calls', '-pthread', '-o', program];
  const missing = build('cc', [...flags, path.join(LIVE, 'jobs.c')]);
  if (missing) return t.skip(missing);
  const trace = (/** @type {number} */ attempt) => {
    const { stdout } = cli([
      ...['trace', '--flows', '--functions', '^job_', '--object', program, ...BUDGET, '--json'],
      ...['-o', `jobs-${attempt}`, '--', program],
    ]);
    return { summary: parsed(stdout), folder: path.join(FOLDER, `jobs-${attempt}`) };
  };
  // A record that its CPU commits more than 10 ms after its time stamp (a virtual machine whose CPU was taken
  // away) comes after what another CPU saw later: who ran a job is then known before who handed it over.
  let { summary, folder } = trace(0);
  for (let i = 1; i < 4 && summary.flows?.matched !== 8; i++) ({ summary, folder } = trace(i));
  assert.deepEqual(summary.flows, { jobs: 10, matched: 8, inside: 0, outside: 1, unknown: 1 });
  const run = '<rayon_core::job::StackJob<(), (), ()> as rayon_core::job::Job>::execute';
  assert.deepEqual(callersOf(summary, 'job_work'), { 'job_owner by a job': 3, [`${run}`]: 2 });
  assert.deepEqual(callersOf(summary, 'job_late'), {
    'job_owner by a job': 4,
    'job_work by a job': 1,
  });
  const spawned = Object.fromEntries(
    summary.functions
      .filter((row) => row.spawned > 0)
      .map((row) => [row.symbol, [row.spawned, row.spawnedNs > 0]]),
  );
  assert.deepEqual(spawned, { job_owner: [7, true], job_work: [1, true] });
  // On disk too: both threads, both moments.
  const { readEvents } = require('../../lib/calls/events.js');
  const flows = [...readEvents(path.join(folder, 'events.bin'))].flatMap((b) => b.flows);
  assert.equal(flows.length, 8);
  for (const { frame, spawner, tid, spawnerTid, timeNs, spawnedNs } of flows) {
    assert.ok(spawner < frame && tid !== spawnerTid && spawnedNs < timeNs);
  }
});
