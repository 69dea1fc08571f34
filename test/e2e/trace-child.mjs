// A program that builds with rspack for trace.test.js: what it does is in the JSON of its first argument,
// what came of it is printed as JSON.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
/** @type {{folder: string, options: object | null, config?: string, rebuilds?: number, second?: boolean}} */
const { folder, options, config, rebuilds = 0, second } = JSON.parse(process.argv[2]);
const prof = require('../../lib/index.js');

const session =
  options && prof.start({ quiet: true, output: path.join(folder, 'out'), ...options });
const { rspack } = await import('@rspack/core');
const entry = path.join(folder, 'index.js');
if (!config) {
  fs.writeFileSync(entry, 'console.log(1);\n');
  // Of long ago: a watch takes a file of just now for changed.
  fs.utimesSync(entry, 1e9, 1e9);
}
const output = { path: path.join(folder, 'dist') };
const given = config
  ? { ...require(config), output: { ...require(config).output, ...output } }
  : { mode: 'production', context: folder, entry, output };
const compiler = rspack(given);

await new Promise((resolve, reject) => {
  if (rebuilds === 0) {
    compiler.run((error, stats) => {
      if (error || stats?.hasErrors()) reject(error ?? new Error(stats?.toString({})));
      else compiler.close(resolve);
    });
    return;
  }
  let builds = 0;
  compiler.watch({ aggregateTimeout: 5 }, (error) => {
    if (error) reject(error);
    if (builds++ === rebuilds) compiler.close(resolve);
    else setTimeout(() => fs.appendFileSync(entry, `console.log(${builds});\n`), 80);
  });
});

if (session) {
  const slowest = rebuilds > 0 ? await session.rebuild('slowest') : null;
  const profile = await session.stop();
  const file = path.join(folder, 'profile.json.gz');
  profile.write(file);
  /** @type {Record<string, unknown>} */
  const said = { file, slowest: slowest?.rebuilds() };
  if (second) {
    const again = await prof.start(options ?? {}).stop();
    said.second = again.quality.warnings.map(({ code, message }) => ({ code, message }));
  }
  process.stdout.write(JSON.stringify(said));
}
