'use strict';
// What tracing calls costs: a hit of a probe, a traced call of a loop, and a build with 10, 100 and 1,000
// functions traced. Needs root and a C compiler.
//   node bench/trace-calls.js [--calls N] [--case NAME] [--runs N] [--functions 10,100,1000] [--only hits|loop|xray|stacks|size|build]
// CPU time, as other work on the machine makes wall time worthless; ratios to the build without a trace
// of the same round. No budget: nothing is dropped.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { bindingFile, prepareBuild } = require('./build.js');
const { compile } = require('./compile.js');
const { shownRatios } = require('./statistics.js');
const { summaryFromEvents } = require('../lib/calls/from-events.js');
const prof = require('../lib/index.js');
const { loadNative } = require('../lib/native.js');

/** No function is dropped, and nothing else is watched. */
const WHOLE = { budget: 100_000, spans: false };
const ROOT = path.join(__dirname, '..');
const CLI = path.join(ROOT, 'lib', 'cli', 'main.js');

/** @param {string} command @param {string[]} args */
function must(command, args) {
  const { status, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr}`);
  return stdout;
}

/** @param {string} calls */
function hits(calls) {
  console.log(`one hit, ${Number(calls).toLocaleString('en-US')} calls each:`);
  process.stdout.write(must(compile('trace-calls.c', { core: true }), [calls]));
}

/** @param {string} folder @param {string} calls */
function loop(folder, calls) {
  const program = path.join(folder, 'traced');
  const source = path.join(ROOT, 'test', 'live', 'traced.cpp');
  must('c++', ['-O1', '-pthread', '-o', program, source]);
  const wanted = ['--functions', '^traced_leaf$', '--object', program, '--budget', '100000'];
  const out = path.join(folder, 'loop');
  const json = must(process.execPath, [
    CLI,
    ...['trace', ...wanted, '--json', '-o', out, '--', program, 'loop', calls],
  ]);
  const { cost, functions, quality } = JSON.parse(json);
  const [leaf] = functions;
  console.log(
    `a traced loop: ${leaf.calls} calls, ${Math.round(cost.cpuNs / leaf.calls)} ns of CPU time a call; ` +
      `${quality.lost} lost, ${(quality.eventBytes / quality.events).toFixed(1)} bytes an event on disk`,
  );
}

/** Sleds of clang's, in this process. @param {string} folder @param {number} calls */
function xray(folder, calls) {
  const object = path.join(folder, 'sleds.node');
  const include = path.join(require.resolve('node-api-headers/package.json'), '../include');
  const source = path.join(ROOT, 'test', 'live', 'sleds.c');
  const flags = ['-O2', '-fPIC', '-shared', `-I${include}`, source, '-o', object];
  must('clang', ['-fxray-instrument', ...flags]);
  const sleds = require(object);
  const plain = sleds.run(calls) / calls;
  const trace = prof.trace({
    functions: /^sled_leaf$/,
    objects: [object],
    method: 'xray',
    ...WHOLE,
  });
  const traced = sleds.run(calls) / calls;
  const { functions, quality } = trace.stop();
  const after = sleds.run(calls) / calls;
  console.log(
    `XRay: ${((traced - plain) / 2).toFixed(1)} ns an event (${functions[0].calls} calls, ${quality.lost} ` +
      `events lost); a call ${plain.toFixed(1)} ns before, ${after.toFixed(1)} ns after it was put back`,
  );
}

/** The stack at entries of a function that node calls for each statSync(). @param {string} folder @param {number} calls */
function stacks(folder, calls) {
  const script = path.join(folder, 'stat.js');
  const text = `const fs = require('node:fs');
    const before = process.cpuUsage();
    for (let i = 0; i < ${calls}; i++) fs.statSync('/');
    const { user, system } = process.cpuUsage(before);
    process.stderr.write(String((user + system) / ${calls}));`;
  fs.writeFileSync(script, text);
  const wanted = ['trace', '--functions', '^uv_fs_stat$', '--object', process.execPath, '--json'];
  const more = ['--no-spans', '--budget', '100000'];
  const options = { encoding: /** @type {const} */ ('utf8') };
  const plain = Number(spawnSync(process.execPath, [script], options).stderr);
  console.log(`fs.statSync(), ${calls.toLocaleString('en-US')} calls: ${plain.toFixed(2)} us each`);
  for (const each of [0, 100, 10, 1]) {
    const out = path.join(folder, `stacks-${each}`);
    const own = each > 0 ? ['--stacks', String(each)] : [];
    const args = [CLI, ...wanted, ...more, ...own, '-o', out, '--', process.execPath, script];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      ...options,
      maxBuffer: 1 << 28,
    });
    const us = Number(/[\d.]+/.exec(stderr)?.[0]);
    const { stacks: found } = JSON.parse(stdout);
    const what = each > 0 ? `a stack at each ${each}` : 'no stacks';
    console.log(
      `traced, ${what}: ${us.toFixed(2)} us each` +
        (found
          ? `; ${found.samples} stacks, ${(found.completeShare * 100).toFixed(2)} % complete`
          : ''),
    );
  }
}

/** @param {() => void} work */
function timed(work) {
  const start = process.hrtime.bigint();
  work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const peakMb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  return `${seconds.toFixed(1)} s, peak of memory so far ${Math.round(peakMb)} MB`;
}

/** Two events a call, on disk, summed up and as tables. @param {string} folder @param {number} calls */
function size(folder, calls) {
  const object = path.join(folder, 'sleds.node');
  const sleds = require(object);
  const output = path.join(folder, 'size');
  const trace = prof.trace({
    functions: /^sled_leaf$/,
    objects: [object],
    output,
    method: 'xray',
    ...WHOLE,
  });
  const wait = new Int32Array(new SharedArrayBuffer(4));
  const recorded = timed(() => {
    // In portions, so that the thread which packs them keeps up.
    for (let left = calls; left > 0; left -= 200_000) {
      sleds.run(Math.min(left, 200_000));
      Atomics.wait(wait, 0, 0, 60);
    }
  });
  const { quality } = trace.stop();
  console.log(
    `${quality.events.toLocaleString('en-US')} events (${quality.lost} lost), ` +
      `${(quality.eventBytes / quality.events).toFixed(1)} bytes each on disk: recorded in ${recorded}`,
  );
  console.log(`summed up from disk in ${timed(() => void summaryFromEvents(output))}`);
  const tables = path.join(folder, 'tables');
  console.log(`as Parquet in ${timed(() => void trace.write(tables, { format: 'parquet' }))}`);
}

/** Functions of rspack_core, evenly spread over all there are. @param {number} count @param {string} object */
function someFunctions(count, object) {
  const native = /** @type {any} */ (loadNative());
  const names = native
    .callsSymbols(object)
    .name.filter((/** @type {string} */ name) => /^<?rspack_core::/.test(name));
  const unique = [...new Set(names)];
  return unique.filter((_, i) => i % Math.floor(unique.length / count) === 0).slice(0, count);
}

/** CPU time of what `run` waits for. @param {() => void} run */
function cpuOf(run) {
  const native = /** @type {any} */ (loadNative());
  const before = native.childrenUsage();
  run();
  const after = native.childrenUsage();
  return after.userMs + after.systemMs - before.userMs - before.systemMs;
}

/** @param {string} folder @param {{ name: string, runs: number, counts: number[] }} options */
function builds(folder, { name, runs, counts }) {
  const build = prepareBuild(name, { binding: 'debug' });
  const object = /** @type {string} */ (bindingFile('debug'));
  const options = { env: build.env, cwd: build.folder, stdio: /** @type {const} */ ('ignore') };
  /** @type {Map<number, number[]>} */
  const ratios = new Map(counts.map((count) => [count, []]));
  /** @type {Map<number, any>} */
  const summaries = new Map();
  for (let run = 0; run < runs; run++) {
    const plain = cpuOf(() => spawnSync(build.command, build.args, options));
    for (const count of counts) {
      const list = path.join(folder, `list-${count}`);
      fs.writeFileSync(list, someFunctions(count, object).join('\n'));
      const out = path.join(folder, `out-${count}-${run}`);
      const wanted = [
        'trace',
        '--no-spans',
        '--list',
        list,
        '--object',
        object,
        '--budget',
        '100000',
        '-o',
        out,
      ];
      const command = [CLI, ...wanted, '--', build.command, ...build.args];
      const cpu = cpuOf(() => spawnSync(process.execPath, command, options));
      ratios.get(count)?.push(cpu / plain);
      summaries.set(count, JSON.parse(fs.readFileSync(path.join(out, 'trace.json'), 'utf8')));
      fs.rmSync(out, { recursive: true });
    }
  }
  console.log(
    `${name}, debug binding, ${runs} rounds, CPU time to no trace (the tracer's own included):`,
  );
  for (const [count, list] of ratios) {
    const { cost, quality } = summaries.get(count);
    console.log(
      `${count} functions: ${shownRatios(list)}; ${quality.called} called, ` +
        `${cost.hits.toLocaleString('en-US')} hits, ${quality.lost} lost`,
    );
  }
}

function main() {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '1000000' },
      case: { type: 'string', default: 'react-1k' },
      runs: { type: 'string', default: '3' },
      functions: { type: 'string', default: '10,100,1000' },
      only: { type: 'string' },
    },
  });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'trace-calls-'));
  try {
    const { only } = values;
    if (!only || only === 'hits') hits(values.calls);
    if (!only || only === 'loop') loop(folder, values.calls);
    if (!only || only === 'xray' || only === 'size') xray(folder, Number(values.calls));
    if (!only || only === 'stacks') stacks(folder, Math.min(100_000, Number(values.calls)));
    if (only === 'size') size(folder, Number(values.calls));
    if (!only || only === 'build') {
      const counts = values.functions.split(',').map(Number);
      builds(folder, { name: values.case, runs: Number(values.runs), counts });
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main();
