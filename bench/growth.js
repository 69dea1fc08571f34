'use strict';
// Whether the cost of a sample stays what it is as builds, machines and thread counts grow.
//   npm run bench:growth -- [--runs N] [--only modules|cpus|threads] [--binding debug|release|FILE] [--json]
// Modules: real builds at 4000 Hz. CPUs: simulated rings (growth.c). Threads: live ones (growth.c).
// Shown are medians of the runs, which go round by round through all sizes.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { linearRegression, median } = require('simple-statistics');
const { compile } = require('./compile.js');
const { measure } = require('./measure.js');
const { align } = require('./overhead-table.js');
const { inProcess } = require('./variants.js');
const { generate } = require('./workloads/generate.js');

/** @typedef {Record<string, number>} Row */
/**
 * @typedef {object} Axis
 * @property {number[]} sizes
 * @property {(size: number, binding: string) => Promise<Row>} run
 * @property {[string, string, number][]} columns head, field, decimals
 * @property {string[]} flat fields that should not grow
 */

/** @param {number} modules */
const caseOf = (modules) => `react-${modules / 1000}k`;

/**
 * @param {number} modules
 * @param {string} binding
 */
async function buildOnce(modules, binding) {
  const prof = { frequency: 4000 };
  const variant = inProcess(caseOf(modules), binding, { key: '', label: '', prof });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-growth-'));
  try {
    const { command, args, env } = variant.command(folder);
    const { code, output } = await measure(command, args, { cwd: folder, env });
    if (code !== 0) throw new Error(`the build of ${caseOf(modules)} failed:\n${output}`);
    const {
      samples = 0,
      lost = 0,
      handlerMs = 0,
      threadMs = 0,
      finishMs = 0,
    } = variant.read(folder);
    return {
      samples,
      lost,
      handlerNs: (handlerMs * 1e6) / samples,
      threadNs: (threadMs * 1e6) / samples,
      threadMs,
      finishMs,
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string[]} args @returns {Row} */
function growth(...args) {
  const program = compile('growth.c', { core: true });
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));
}

/** @type {Record<string, Axis>} */
const AXES = {
  modules: {
    sizes: [1000, 5000, 10000],
    run: buildOnce,
    columns: [
      ['samples', 'samples', 0],
      ['lost', 'lost', 0],
      ['walk ns', 'handlerNs', 0],
      ['thread ns', 'threadNs', 0],
      ['thread ms', 'threadMs', 0],
      ['finish ms', 'finishMs', 0],
    ],
    flat: ['handlerNs', 'threadNs'],
  },
  cpus: {
    sizes: [2, 4, 8, 16, 32, 64],
    run: async (cpus) => growth('cpus', String(cpus)),
    columns: [
      ['samples', 'samples', 0],
      ['thread ns', 'nsPerSample', 0],
    ],
    flat: ['nsPerSample'],
  },
  threads: {
    sizes: [10, 30, 100, 300],
    run: async (threads) => growth('threads', String(threads)),
    columns: [
      ['samples', 'samples', 0],
      ['lost', 'lost', 0],
      ['walk ns', 'handlerNs', 0],
      ['thread ns', 'threadNs', 0],
      ['opening ms', 'openMs', 1],
    ],
    flat: ['handlerNs', 'threadNs'],
  },
};

/**
 * @param {Axis} axis
 * @param {string} binding
 * @param {number} runs
 * @returns {Promise<Map<number, Row[]>>} by size
 */
async function runAxis(axis, binding, runs) {
  /** @type {Map<number, Row[]>} */
  const found = new Map(axis.sizes.map((size) => [size, []]));
  for (let round = 0; round < runs; round += 1) {
    for (const size of axis.sizes) {
      const row = await axis.run(size, binding);
      /** @type {Row[]} */ (found.get(size)).push(row);
    }
  }
  return found;
}

/**
 * Medians by size, and how much the largest costs of what the smallest does.
 * @param {Axis} axis
 * @param {Map<number, Row[]>} found
 */
function summarize({ sizes, columns, flat }, found) {
  const rows = sizes.map((size) => {
    const runs = /** @type {Row[]} */ (found.get(size));
    const values = columns.map(([, field]) => [field, median(runs.map((run) => run[field]))]);
    return { size, ...Object.fromEntries(values) };
  });
  const first = rows[0];
  const last = rows[rows.length - 1];
  const ratios = Object.fromEntries(flat.map((field) => [field, last[field] / first[field]]));
  return { rows, ratios };
}

/**
 * The thread's time as a fixed part and one for each sample.
 * @param {Row[]} runs
 */
function fixedAndEach(runs) {
  const { b, m } = linearRegression(runs.map(({ samples, threadMs }) => [samples, threadMs]));
  return { fixedMs: b, eachNs: m * 1e6 };
}

/**
 * @param {string} name of the axis
 * @param {ReturnType<typeof summarize>} summary
 */
function format(name, { rows, ratios }) {
  const { columns, flat } = AXES[name];
  const growths = columns.map(([, field]) =>
    flat.includes(field) ? `x ${ratios[field].toFixed(2)}` : '',
  );
  return align([
    [name, ...columns.map(([head]) => head)],
    ...rows.map((row) => [
      String(row.size),
      ...columns.map(([, field, decimals]) => row[field].toFixed(decimals)),
    ]),
    ['last to first', ...growths],
  ]);
}

async function main() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5' },
      only: { type: 'string' },
      binding: { type: 'string', default: 'debug' },
      json: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  const names = values.only ? [values.only] : Object.keys(AXES);
  if (!Number.isInteger(runs) || runs < 1 || !names.every((name) => Object.hasOwn(AXES, name))) {
    console.error(
      `usage: npm run bench:growth -- [--runs N] [--only ${Object.keys(AXES).join('|')}]`,
    );
    process.exitCode = 2;
    return;
  }
  for (const name of names) {
    if (name === 'modules') AXES.modules.sizes.forEach((size) => generate(caseOf(size)));
    const found = await runAxis(AXES[name], values.binding, runs);
    const summary = summarize(AXES[name], found);
    if (values.json) {
      console.log(JSON.stringify({ axis: name, runs, ...summary, all: [...found] }));
      continue;
    }
    console.log(format(name, summary));
    if (name === 'modules') {
      const { fixedMs, eachNs } = fixedAndEach([...found.values()].flat());
      console.log(`thread: ${fixedMs.toFixed(0)} ms and ${eachNs.toFixed(0)} ns for each sample`);
    }
    console.log('');
  }
}

module.exports = { AXES, fixedAndEach, format, growth, summarize };

if (require.main === module) main();
