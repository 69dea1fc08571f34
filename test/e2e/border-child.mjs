// A program that builds a small project with rspack, for border.test.js: loaders and plugins that burn
// time and say how much. Its JSON argument says what to do; what was burned is printed as JSON.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import burn from './border-burn.cjs';

const require = createRequire(import.meta.url);
const { folder, record, binding } = JSON.parse(process.argv[2]);
if (binding) process.env.RSPACK_BINDING = binding;
const prof = require('../../lib/index.js');

const MODULES = 30;
const PER_MODULE_MS = 5;
const HOOK_MS = 150;
const file = (/** @type {string} */ name, /** @type {string} */ text) => {
  const full = path.join(folder, name);
  fs.mkdirSync(path.dirname(full), { recursive: true });
  fs.writeFileSync(full, text);
  return full;
};
const shared = JSON.stringify(require.resolve('./border-burn.cjs'));

for (const ending of ['sync', 'async', 'esm']) {
  const imports = Array.from({ length: MODULES }, (_, i) => {
    file(`src/${i}.${ending}.js`, `export default ${i};\n`);
    return `import m${i} from './${i}.${ending}.js'; console.log(m${i});`;
  });
  file(`src/${ending}.js`, imports.join('\n'));
}
file('src/index.js', "import './sync.js'; import './async.js'; import './esm.js';\n");
file(
  'sync-loader.js',
  `const { burn } = require(${shared});
module.exports = function syncLoader(source) {
  burn('./sync-loader.js', ${PER_MODULE_MS});
  return source + '// sync\\n';
};\n`,
);
// A package: what it does after its await is in another file, and nothing of the loader is on the stack.
const pack = path.join('node_modules', 'late-loader');
file(path.join(pack, 'package.json'), '{ "name": "late-loader", "main": "lib/index.js" }\n');
file(
  path.join(pack, 'lib', 'work.js'),
  `const { burn } = require(${shared});
exports.early = () => 0;
exports.late = (source, done) => setTimeout(function later() {
  burn('late-loader', ${PER_MODULE_MS});
  done(null, source + '// late\\n');
}, 1);\n`,
);
file(
  path.join(pack, 'lib', 'index.js'),
  `const { burn } = require(${shared});
const work = require('./work.js');
module.exports = async function lateLoader(source) {
  const done = this.async();
  await new Promise((resolve) => setTimeout(resolve, 1));
  burn('late-loader', ${PER_MODULE_MS});
  work.late(source, done);
};\n`,
);
file(
  'esm-loader.mjs',
  `import { createRequire } from 'node:module';
const { burn } = createRequire(import.meta.url)(${shared});
export default async function (source) {
  burn('./esm-loader.mjs', ${PER_MODULE_MS});
  await null;
  burn('./esm-loader.mjs', ${PER_MODULE_MS});
  return source + '// esm\\n';
}\n`,
);

/** @param {string} name @param {(compilation: any) => void} tap */
const plugin = (name, tap) => ({
  apply: (/** @type {any} */ compiler) => compiler.hooks.thisCompilation.tap(name, tap),
});
const plugins = [
  plugin('BurnFirst', ({ hooks }) =>
    hooks.processAssets.tap('BurnFirst', () => burn.burn('BurnFirst', HOOK_MS)),
  ),
  plugin('BurnSecond', ({ hooks }) =>
    hooks.processAssets.tap('BurnSecond', () => burn.burn('BurnSecond', 2 * HOOK_MS)),
  ),
  plugin('BurnLater', ({ hooks }) =>
    hooks.processAssets.tapPromise('BurnLater', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      burn.burn('BurnLater', HOOK_MS);
    }),
  ),
];
const config = {
  mode: 'production',
  context: folder,
  entry: './src/index.js',
  output: { path: path.join(folder, 'dist') },
  module: {
    rules: [
      { test: /\d\.sync\.js$/, use: ['./sync-loader.js', 'builtin:swc-loader'] },
      { test: /\d\.async\.js$/, use: 'late-loader' },
      { test: /\d\.esm\.js$/, use: './esm-loader.mjs' },
    ],
  },
  plugins,
};
const seen = () =>
  JSON.stringify(config, (_, value) => (value instanceof RegExp ? `${value}` : value));
const before = seen();

const session = record ? prof.start({ event: 'cpu-clock', frequency: 1000, quiet: true }) : null;
const { rspack } = /** @type {any} */ (await import('@rspack/core'));
await new Promise((resolve, reject) => {
  const compiler = rspack(config);
  compiler.run((/** @type {any} */ error, /** @type {any} */ stats) => {
    if (error || stats.hasErrors()) return reject(error ?? new Error(stats.toString()));
    compiler.close(resolve);
  });
});
const written = path.join(folder, 'profile.json.gz');
if (session) (await session.stop()).write(written);
process.stdout.write(
  JSON.stringify({ burned: burn.burned, file: written, same: before === seen(), modules: MODULES }),
);
