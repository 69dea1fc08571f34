// A program that builds something small with rspack, for phases.test.js: what it does is in the JSON
// of its first argument, what the profile says of it is printed as JSON.

import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
/** @type {{mode: string, folder: string, burnMs?: number}} */
const { mode, folder, burnMs = 0 } = JSON.parse(process.argv[2]);
const prof = require('../../lib/index.js');

const entry = path.join(folder, 'index.js');
fs.writeFileSync(entry, "import('./lazy.js').then((m) => console.log(m.default));\n");
fs.writeFileSync(path.join(folder, 'lazy.js'), 'export default 1;\n');

/**
 * Hooks, the phase that each is in, and a function of its own that burns there.
 * @type {[string, string, () => void][]}
 */
const BURNS = [
  [
    'beforeRun',
    'setup',
    function burnBeforeRun() {
      spin(burnMs);
    },
  ],
  [
    'make',
    'make',
    function burnMake() {
      spin(burnMs);
    },
  ],
  [
    'finishMake',
    'make',
    function burnFinishMake() {
      spin(burnMs);
    },
  ],
  [
    'finishModules',
    'finish modules',
    function burnFinishModules() {
      spin(burnMs);
    },
  ],
  [
    'seal',
    'seal',
    function burnSeal() {
      spin(burnMs);
    },
  ],
  [
    'optimizeModules',
    'optimize modules',
    function burnOptimizeModules() {
      spin(burnMs);
    },
  ],
  [
    'optimizeTree',
    'optimize tree',
    function burnOptimizeTree() {
      spin(burnMs);
    },
  ],
  [
    'optimizeChunkModules',
    'optimize chunk modules',
    function burnChunkModules() {
      spin(burnMs);
    },
  ],
  [
    'runtimeModule',
    'code generation',
    function burnRuntimeModule() {
      spin(burnMs);
    },
  ],
  [
    'processAssets',
    'process assets',
    function burnProcessAssets() {
      spin(burnMs);
    },
  ],
  [
    'afterProcessAssets',
    'process assets',
    function burnAfterAssets() {
      spin(burnMs);
    },
  ],
  [
    'afterSeal',
    'after seal',
    function burnAfterSeal() {
      spin(burnMs);
    },
  ],
  [
    'emit',
    'emit',
    function burnEmit() {
      spin(burnMs);
    },
  ],
  [
    'afterEmit',
    'emit',
    function burnAfterEmit() {
      spin(burnMs);
    },
  ],
  [
    'done',
    'done',
    function burnDone() {
      spin(burnMs);
    },
  ],
  [
    'shutdown',
    'close',
    function burnShutdown() {
      spin(burnMs);
    },
  ],
];
/** @type {{name: string, phase: string, fn: string, startNs: number, endNs: number}[]} */
const burned = [];

/** Of a burn: some 15 ms of work, however little of a processor there is for it. */
const LEAST_LOOPS = 1e7;

/** @param {number} ms at least */
function spin(ms) {
  const end = performance.now() + ms;
  let sum = 0;
  for (let i = 0; i < (ms > 0 ? LEAST_LOOPS : 0) || performance.now() < end; i++) {
    sum += Math.sqrt(i);
  }
  return sum;
}

class Burn {
  /** @param {any} compiler */
  apply(compiler) {
    const tap = (
      /** @type {any} */ hooks,
      /** @type {(typeof BURNS)[0]} */ [name, phase, burn],
    ) => {
      let done = false;
      hooks[name].tap('Burn', () => {
        if (done) return;
        done = true;
        const startNs = Number(process.hrtime.bigint());
        burn();
        burned.push({
          name,
          phase,
          fn: burn.name,
          startNs,
          endNs: Number(process.hrtime.bigint()),
        });
      });
    };
    for (const burn of BURNS) if (burn[0] in compiler.hooks) tap(compiler.hooks, burn);
    compiler.hooks.thisCompilation.tap('Burn', (/** @type {any} */ compilation) => {
      for (const burn of BURNS) if (!(burn[0] in compiler.hooks)) tap(compilation.hooks, burn);
    });
  }
}

class Child {
  /** @param {any} compiler */
  apply(compiler) {
    compiler.hooks.make.tapAsync(
      'Child',
      (/** @type {any} */ compilation, /** @type {any} */ callback) => {
        const { EntryPlugin } = compiler.rspack;
        const lazy = new EntryPlugin(folder, path.join(folder, 'lazy.js'), { name: 'kid' });
        compilation
          .createChildCompiler('kid', { filename: 'kid.js' }, [lazy])
          .runAsChild((/** @type {unknown} */ error) => callback(error));
      },
    );
  }
}

/** @returns {any} */
const config = (name = 'main', /** @type {object[]} */ plugins = []) => ({
  name,
  mode: 'production',
  context: folder,
  entry,
  output: { path: path.join(folder, `dist-${name}`) },
  plugins,
});

/** @param {any} value */
function freeze(value) {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const key of Reflect.ownKeys(value)) freeze(value[key]);
  return Object.freeze(value);
}

const run = (/** @type {any} */ compiler) =>
  new Promise((resolve, reject) => {
    compiler.run((/** @type {unknown} */ error, /** @type {any} */ stats) => {
      if (error || stats.hasErrors()) return reject(error ?? new Error(stats.toString()));
      compiler.close(resolve);
    });
  });

const core = () => import('@rspack/core');
const { _extensions: extensions } = /** @type {any} */ (Module);
const extension = extensions['.node'];
const start = () => prof.start({ quiet: true, frequency: 1000 });
/** @type {any} */
let session;
/** @type {Record<string, () => Promise<void>>} */
const MODES = {
  async burn() {
    session = start();
    const { rspack } = await core();
    await run(rspack(config('main', [new Burn()])));
  },
  async frozen() {
    session = start();
    const { rspack } = await core();
    await run(rspack(freeze(config('main', [new Burn()]))));
  },
  async plain() {
    const { rspack } = await core();
    await run(rspack(config('main', [new Burn()])));
  },
  async required() {
    session = start();
    const { rspack } = require('@rspack/core');
    await run(rspack(config()));
  },
  /** rspack is there before start(), its compiler is not: a rspack.config.js under @rspack/cli. */
  async late() {
    const { rspack } = await core();
    session = start();
    await run(rspack(config()));
  },
  async missed() {
    const { rspack } = await core();
    const compiler = rspack(config());
    session = start();
    await run(compiler);
  },
  async plugin() {
    const { rspack } = await core();
    // What the plugin starts is asked for again below, by the same call: it is kept here instead.
    const profiler = require('../../lib/profiler.js');
    const { start: begin } = profiler;
    profiler.start = (/** @type {any} */ options) => (session = begin(options));
    await run(rspack(config('main', [new prof.RspackProfPlugin({ quiet: true })])));
  },
  async pluginMissed() {
    const { rspack } = await core();
    const compiler = rspack(config());
    session = start();
    new prof.RspackProfPlugin().apply(compiler);
    await run(compiler);
  },
  async multi() {
    session = start();
    const { rspack } = await core();
    await run(rspack([config('client', [new Child()]), config('server')]));
  },
  async watch() {
    session = start();
    const { rspack } = await core();
    const compiler = rspack(config());
    await new Promise((resolve, reject) => {
      let builds = 0;
      compiler.watch({ aggregateTimeout: 5 }, (error) => {
        if (error) reject(error);
        builds++;
        if (builds === 1) setTimeout(() => fs.appendFileSync(entry, 'console.log(2);\n'), 100);
        if (builds === 2) compiler.close(resolve);
      });
    });
  },
};

await MODES[mode]();
if (session) {
  const profile = await session.stop();
  const file = path.join(folder, 'profile.json.gz');
  profile.write(file);
  const { NodeEnvironmentPlugin } = (await core()).node;
  const left = {
    extension: extensions['.node'] === extension,
    apply: /watched/.test(String(NodeEnvironmentPlugin.prototype.apply)) === false,
  };
  process.stdout.write(JSON.stringify({ file, burned, left }));
}
