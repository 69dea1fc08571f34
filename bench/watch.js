'use strict';
// What a long watch holds: the same rebuilds with all of them kept, and with the last ten.
//   node bench/watch.js [--case NAME] [--rebuilds N]
// Memory is the profiler's own (quality.cost.peakBytes) at the end.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { measure } = require('./measure.js');
const { generate } = require('./workloads/generate.js');

/** The measured program: `node bench/watch.js --watch FOLDER OUTPUT REBUILDS KEEP`. */
async function watch(/** @type {string[]} */ [folder, output, rebuilds, keep]) {
  const session = require('../lib/index.js').start({ quiet: true, watch: { keep: Number(keep) } });
  const { rspack } = await import('@rspack/core');
  const config = require(path.join(folder, 'build.config.js'));
  const entry = path.join(output, 'entry.js');
  const write = (/** @type {number} */ n) =>
    fs.writeFileSync(
      entry,
      `import ${JSON.stringify(path.join(folder, 'src/index.jsx'))};\n//${n}\n`,
    );
  write(0);
  const compiler = rspack({
    ...config,
    entry,
    output: { ...config.output, path: path.join(output, 'dist') },
  });
  let builds = 0;
  await new Promise((resolve, reject) => {
    compiler.watch({ aggregateTimeout: 1 }, (error, stats) => {
      if (error || stats?.hasErrors()) return reject(error ?? new Error(stats?.toString({})));
      if (builds++ === Number(rebuilds)) compiler.close(resolve);
      else setTimeout(() => write(builds), 20);
    });
  });
  const profile = await session.stop();
  const { quality } = profile;
  const { rss } = process.memoryUsage();
  const found = { samples: quality.samples, peakBytes: quality.cost.peakBytes, rss };
  process.stdout.write(JSON.stringify({ ...found, finishMs: quality.cost.finishMs }));
}

async function main() {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', default: 'react-100' },
      rebuilds: { type: 'string', default: '100' },
    },
  });
  const { folder } = generate(values.case);
  console.log(`${values.case}, ${values.rebuilds} rebuilds`);
  for (const keep of [1000, 10]) {
    const output = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-bench-'));
    const args = [__filename, '--watch', folder, output, values.rebuilds, String(keep)];
    const { code, output: text } = await measure(process.execPath, args, { cwd: folder });
    fs.rmSync(output, { recursive: true });
    if (code !== 0) throw new Error(`the watch failed:\n${text}`);
    const { samples, peakBytes, rss, finishMs } = JSON.parse(text);
    console.log(
      `keep ${keep}: ${samples.toLocaleString('en-US')} samples, profiler ` +
        `${(peakBytes / 1e6).toFixed(1)} MB, process ${(rss / 1e6).toFixed(0)} MB, ` +
        `profile made in ${finishMs.toFixed(0)} ms`,
    );
  }
}

if (process.argv[2] === '--watch') watch(process.argv.slice(3));
else main();
