'use strict';
// Follows a compiler through its hooks. A tap of ours does one thing, it notes the time; no loader and
// no function of a hook is wrapped. docs/phases.md has the table: hook -> boundary -> phase.
//
// What is noted of plugins and loaders besides is follow.js's.
//
// Only hooks that fire once per build are tapped, and none that hands over modules: for `finishModules`,
// `optimizeModules` and their like @rspack/core makes a JavaScript object of every module, and a tap on
// `chunkHash` is mixed into the hash. What lies between those is told by rspack's own progress
// reporting (ProgressPlugin), which calls us some 20 times a build. Checked with 2.2.7.

const { reasonOf } = require('../errors.js');
const { CompilerNotes } = require('./follow.js');

/** @typedef {import('./recorder').PhaseRecorder} PhaseRecorder */
/** @typedef {import('./compiler').CompilerPhases} CompilerPhases */
/** @typedef {{tap(options: {name: string, stage: number}, fn: (...args: any[]) => void): void}} Hook */
/** @typedef {Record<string, Hook>} Hooks */
/** @typedef {{hooks: Hooks, name?: string, root?: Compiler, options?: {name?: string},
 *    rspack?: any, modifiedFiles?: Iterable<string>, removedFiles?: Iterable<string>}} Compiler */
/** @typedef {{hooks: Hooks, compiler: Compiler}} Compilation */

/** Whoever brought us, start() or the plugin. */
const NAME = '[rspack-prof]';
/** Before and after what anybody else taps; rspack's stages are 32-bit integers. */
const FIRST = -1_000_000_000;
const LAST = 1_000_000_000;

/** What ProgressPlugin of 2.2.7 says when a hook begins, and the phase that begins then. */
const PHASE_OF_MESSAGE = new Map([
  ['optimize dependencies', 'optimize dependencies'],
  ['optimize modules', 'optimize modules'],
  ['optimize chunks', 'optimize chunks'],
  ['optimize graph', 'optimize tree'],
  ['optimize chunk modules', 'optimize chunk modules'],
  ['assign module ids', 'module ids'],
  ['assign chunk ids', 'chunk ids'],
  ['generate code', 'code generation'],
]);

/** Compilers that are followed already: the plugin in a config, and start() that found it itself. */
const KEY = Symbol.for('rspack-prof followed 1');
const holder = /** @type {{[KEY]?: WeakSet<object>}} */ (globalThis);
if (!holder[KEY]) Object.defineProperty(holder, KEY, { value: new WeakSet() });
const followed = /** @type {WeakSet<object>} */ (holder[KEY]);

/**
 * @param {Hooks} hooks a Proxy that throws for names it does not have
 * @param {string} name
 * @param {number} stage
 * @param {(...args: any[]) => void} fn
 */
function tap(hooks, name, stage, fn) {
  if (!(name in hooks)) return;
  hooks[name].tap({ name: NAME, stage }, (...args) => {
    fn(...args); // what it returns would be the hook's result
  });
}

/**
 * @param {Compiler} compiler
 * @param {CompilerPhases} phases
 */
function followProgress(compiler, phases) {
  const { ProgressPlugin } = compiler.rspack ?? {};
  if (typeof ProgressPlugin !== 'function') return;
  let sealing = false;
  tap(compiler.hooks, 'thisCompilation', FIRST, (/** @type {Compilation} */ { hooks }) => {
    tap(hooks, 'seal', FIRST, () => {
      sealing = true;
    });
    tap(hooks, 'processAssets', FIRST, () => {
      sealing = false;
    });
  });
  new ProgressPlugin((/** @type {number} */ _, /** @type {string} */ message) => {
    const phase = PHASE_OF_MESSAGE.get(message);
    if (sealing && phase !== undefined) phases.enter(phase);
  }).apply(compiler);
}

/**
 * Child compilers are no builds of their own: their samples are their parent's phase's, and a marker
 * shows when each ran.
 * @param {Compilation} compilation
 * @param {CompilerPhases} phases
 */
function followChildren({ hooks }, phases) {
  tap(hooks, 'childCompiler', LAST, (/** @type {Compiler} */ child, /** @type {string} */ name) => {
    let end = () => {};
    tap(child.hooks, 'compile', FIRST, () => {
      end = phases.child(name);
    });
    tap(child.hooks, 'afterCompile', LAST, (/** @type {Compilation} */ { compiler }) => {
      if (compiler === child) end();
    });
    tap(child.hooks, 'thisCompilation', FIRST, (/** @type {Compilation} */ compilation) => {
      if (compilation.compiler === child) followChildren(compilation, phases);
    });
  });
}

/**
 * What a rebuild is for. Folders are told too where files in them came or went.
 * @param {Compiler} compiler
 * @returns {string[]}
 */
const changedFiles = ({ modifiedFiles, removedFiles }) => [
  ...new Set([...(modifiedFiles ?? []), ...(removedFiles ?? [])]),
];

/**
 * Notes the phases of a compiler from now on. A second call for the same one does nothing.
 * @param {Compiler} compiler with all its plugins still to come
 * @param {PhaseRecorder} recorder
 */
function followCompiler(compiler, recorder) {
  if (followed.has(compiler)) return;
  followed.add(compiler);
  const { hooks } = compiler;
  const nameOf = () => compiler.name ?? compiler.options?.name ?? '';
  const phases = recorder.compiler(nameOf());
  const own = (/** @type {Compilation} */ compilation) => compilation.compiler === compiler;
  const notes = new CompilerNotes(compiler, recorder.build);
  // Names of plugins are worth less than the build.
  const note = (/** @type {() => void} */ work) => {
    try {
      work();
    } catch (error) {
      recorder.problem = reasonOf(error);
    }
  };
  /** Of the hook `compilation`. @type {unknown} */
  let params;
  phases.enter('setup');
  tap(hooks, 'initialize', LAST, () => {
    note(() => notes.ready());
    phases.leave();
  });
  for (const name of ['beforeRun', 'watchRun']) {
    tap(hooks, name, FIRST, () => {
      phases.begin({ watching: name === 'watchRun', changed: changedFiles(compiler) });
      phases.name = nameOf();
      phases.enter('setup');
    });
  }
  // What a child inherits of our taps is not for it: its compilation tells.
  tap(hooks, 'make', FIRST, (/** @type {Compilation} */ compilation) => {
    if (!own(compilation)) return;
    phases.enter('make');
    note(() => notes.compilation(compilation, params));
  });
  tap(hooks, 'finishMake', LAST, (/** @type {Compilation} */ compilation) => {
    if (own(compilation)) phases.enter('finish modules');
  });
  tap(hooks, 'thisCompilation', FIRST, (/** @type {Compilation} */ compilation, given) => {
    if (!own(compilation)) return;
    params = given;
    tap(compilation.hooks, 'seal', FIRST, () => phases.enter('seal'));
    tap(compilation.hooks, 'processAssets', FIRST, () => phases.enter('process assets'));
    tap(compilation.hooks, 'afterSeal', FIRST, () => phases.enter('after seal'));
    followChildren(compilation, phases);
  });
  tap(hooks, 'emit', FIRST, () => phases.enter('emit'));
  tap(hooks, 'done', FIRST, () => phases.enter('done'));
  for (const name of ['afterDone', 'failed']) {
    tap(hooks, name, LAST, () => {
      phases.leave();
      phases.end();
      note(() => notes.readTaps());
    });
  }
  tap(hooks, 'shutdown', FIRST, () => phases.enter('close'));
  tap(hooks, 'shutdown', LAST, () => phases.closed());
  followProgress(compiler, phases);
  note(() => recorder.followed?.(compiler));
}

module.exports = { followCompiler };
