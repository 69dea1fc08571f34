'use strict';
// Builds a small project again and again in this process, first without the profiler, then at 20,000
// samples a second: each build must give what it gave before. Prints JSON.
//   node tokio-child.js FOLDER SECONDS
// The binding's run time is tokio's: its workers park and are woken, its blocking pool reads and writes
// files (the modules, the output, the cache that the next build starts from), its timers run.

const fs = require('node:fs');
const path = require('node:path');
const { rspack } = require('@rspack/core');
const prof = require('../../lib/index.js');
const { hashOf } = require('./support.js');

const MODULES = 60;
const VARIANTS = 3;

const [folder, seconds] = process.argv.slice(2);
const source = path.join(folder, 'src');
const output = path.join(folder, 'dist');
/** @type {string[]} what rspack itself complained of */
const complaints = [];

/** @param {number} variant */
function writeSources(variant) {
  fs.mkdirSync(source, { recursive: true });
  const names = Array.from({ length: MODULES }, (_, i) => `m${i}`);
  const imports = names.map((name) => `import { ${name} } from './${name}.js';`).join('\n');
  fs.writeFileSync(
    path.join(source, 'index.js'),
    `${imports}\nconsole.log(${variant}, ${names.join(', ')});\n`,
  );
  for (const [i, name] of names.entries()) {
    const text = `export const ${name} = [${Array.from({ length: 50 }, (_, k) => k * i + variant)}];\n`;
    fs.writeFileSync(path.join(source, `${name}.js`), text);
  }
}

/** @param {number} variant @returns {Promise<string>} hash of what was built */
async function build(variant) {
  writeSources(variant);
  fs.rmSync(output, { recursive: true, force: true });
  const compiler = rspack({
    ...{ context: folder, entry: './src/index.js', mode: 'production', target: 'node' },
    output: { path: output },
    cache: {
      type: 'persistent',
      storage: { type: 'filesystem', directory: path.join(folder, 'cache') },
    },
    infrastructureLogging: {
      level: 'warn',
      console: /** @type {any} */ ({
        ...console,
        warn: (/** @type {string} */ text) => complaints.push(text),
        error: (/** @type {string} */ text) => complaints.push(text),
      }),
    },
  });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, done) => (error ? reject(error) : resolve(done)));
  });
  await new Promise((resolve, reject) => {
    compiler.close((error) => (error ? reject(error) : resolve(undefined)));
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  complaints.push(...[...errors, ...warnings].map(({ message }) => message));
  return hashOf(output);
}

async function main() {
  const plain = [];
  for (let variant = 0; variant < VARIANTS; variant += 1) plain.push(await build(variant));
  const session = prof.start({ frequency: 20_000, quiet: true });
  let builds = 0;
  let different = 0;
  const end = Date.now() + 1000 * Number(seconds);
  for (; builds < VARIANTS || Date.now() < end; builds += 1) {
    if ((await build(builds % VARIANTS)) !== plain[builds % VARIANTS]) different += 1;
  }
  const { raw, quality } = /** @type {any} */ (await session.stop());
  /** @type {Record<string, number>} */
  const threads = {};
  for (const thread of raw.samples.thread) {
    const name = raw.strings[raw.threads.name[thread]];
    threads[name] = (threads[name] ?? 0) + 1;
  }
  const tokio = new Set();
  raw.samples.node.forEach((/** @type {number} */ leaf) => {
    for (let node = leaf; node > 0; node = raw.nodes.parent[node]) {
      const name = raw.strings[raw.funcs.name[raw.nodes.func[node]]];
      if (/\btokio::/.test(name)) tokio.add(name.match(/tokio::[a-z_]+::[a-z_]+/)?.[0]);
    }
  });
  console.log(
    JSON.stringify({
      ...{ builds, different, complaints, threads },
      ...{ tokio: [...tokio], samples: quality.samples, completeShare: quality.completeShare },
    }),
  );
}

main();
