// A program that builds a small project whose loader runs in rspack's worker threads, for parallel.test.js. Its
// JSON argument says where, and whether it is recorded.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { folder, record } = JSON.parse(process.argv[2]);
const prof = require('../../lib/index.js');

const MODULES = 40;
/** Of the loader, per module: at least so much work and so much time. */
const LOOPS = 3_000_000;
const MS = 10;

fs.mkdirSync(path.join(folder, 'src'), { recursive: true });
for (let i = 0; i < MODULES; i++) {
  fs.writeFileSync(path.join(folder, 'src', `m${i}.js`), `export default ${i};\n`);
}
const imports = Array.from({ length: MODULES }, (_, i) => {
  return `import m${i} from './m${i}.js'; console.log(m${i});`;
});
fs.writeFileSync(path.join(folder, 'src', 'index.js'), imports.join('\n'));
fs.writeFileSync(
  path.join(folder, 'parallel-loader.js'),
  `const { isMainThread } = require('node:worker_threads');
module.exports = function parallelLoader(source) {
  let sum = 0;
  const start = performance.now();
  do {
    for (let i = 0; i < ${LOOPS}; i++) sum += Math.sqrt(i);
  } while (performance.now() - start < ${MS});
  const seen = [isMainThread, process.argv.slice(1), process.execArgv];
  return source + '// ' + (sum > 0) + JSON.stringify(seen) + '\\n';
};\n`,
);

/** @type {any} */
const config = {
  mode: 'development',
  devtool: false,
  context: folder,
  entry: './src/index.js',
  output: { path: path.join(folder, 'dist') },
  module: {
    rules: [
      {
        test: /m\d+\.js$/,
        use: [
          {
            loader: path.join(folder, 'parallel-loader.js'),
            parallel: { maxWorkers: 2 },
            options: {},
          },
        ],
      },
    ],
  },
};
const session = record ? prof.start({ event: 'cpu-clock:u', frequency: 1000, quiet: true }) : null;
const { rspack } = await import('@rspack/core');
const compiler = rspack(config);
const stats = await new Promise((resolve, reject) => {
  compiler.run((/** @type {any} */ error, /** @type {any} */ result) => {
    if (error) reject(error);
    else resolve(result);
  });
});
if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
await new Promise((resolve) => compiler.close(resolve));
const file = path.join(folder, 'profile.json.gz');
if (session) (await session.stop()).write(file);
process.stdout.write(JSON.stringify({ file }));
