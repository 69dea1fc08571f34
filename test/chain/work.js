'use strict';
// Works under the profiler, started with the options in argv, and prints what came of it as JSON.
// Two threads: the main one and a worker. Ends by CPU time, whatever the machine's load.

const { Worker } = require('node:worker_threads');
const prof = require('../../lib/index.js');

const WORK = `
  function burnSomeCpu(ms) {
    const clock = () => process.cpuUsage().user / 1000;
    const end = clock() + ms;
    let n = 0;
    while (clock() < end) for (let i = 0; i < 20000; i++) n += Math.sqrt(n + 1);
    return n;
  }
  return burnSomeCpu;`;
/** @type {(ms: number) => number} */
const burnSomeCpu = new Function(WORK)();

async function main() {
  const options = JSON.parse(process.argv[2] ?? '{}');
  const session = prof.start({ quiet: true, ...options });
  const before = process.cpuUsage();
  burnSomeCpu(250);
  await new Promise((resolve, reject) => {
    const named = `require(${JSON.stringify(require.resolve('../../lib/index.js'))});`;
    new Worker(`${named}new Function(${JSON.stringify(WORK)})()(200)`, { eval: true })
      .on('exit', resolve)
      .on('error', reject);
  });
  const profile = /** @type {any} */ (session.stopSync());
  const { user, system } = process.cpuUsage(before);
  const { meta, quality, raw } = profile;
  /** @param {number} sum @param {number} weight */
  const plus = (sum, weight) => sum + weight;
  console.log(
    JSON.stringify({
      ...{ meta, quality, cpuMs: (user + system) / 1000 },
      sampledMs: raw.samples.weight.reduce(plus, 0) / 1e6,
      burn: profile.share(/burnSomeCpu/, { total: true }),
      threads: new Set(raw.samples.thread).size,
      names: [...new Set(raw.threads.name)].map((/** @type {number} */ at) => raw.strings[at]),
      top: profile.hotspots({ limit: 3 }).map((/** @type {any} */ row) => row.symbol),
    }),
  );
}

main().catch((error) => console.log(JSON.stringify({ code: error.code, message: error.message })));
