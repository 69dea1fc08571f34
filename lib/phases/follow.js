'use strict';
// Notes a compiler's taps, their calls and its loaders' runs (notes.js), and changes nothing:
// - taps are read from the hooks' own lists;
// - calls are counted by tapable's `intercept({ tap })`, which tells that a tap is about to be called,
//   and only at hooks that somebody has tapped already: an interceptor makes a hook "used", and
//   rspack calls into JavaScript for used hooks only. `call` and `register` are left alone: the first
//   would make a crossing of its own, the second hands over the tap to be replaced;
// - loaders are counted in NormalModule's hook `loader`, which @rspack/core calls in JavaScript, once
//   for each time that Rust hands it a module.
// Checked with rspack 2.2.7.

/** @typedef {import('./notes').BuildRecord} BuildRecord */
/** @typedef {import('./notes').Tap} Tap */
/** @typedef {{taps: Tap[], intercept(interceptor: {name: string, tap: (tap: Tap) => void}): void}} Hook */
/** @typedef {Record<string, unknown>} Hooks */

/** Whoever brought us, start() or the plugin. */
const NAME = '[rspack-prof]';
/** Of @rspack/core, with hooks of a compilation's that are not in `compilation.hooks`. */
const WITH_HOOKS = ['NormalModule', 'HtmlRspackPlugin', 'RuntimePlugin', 'ExternalModule'];
/** A loader of Rust's own. */
const BUILTIN = 'builtin:';
/** Called before a compiler is ready: counting would begin too late. */
const EARLY = [
  'environment',
  'afterEnvironment',
  'entryOption',
  'afterPlugins',
  'afterResolvers',
  'initialize',
];

/**
 * @param {unknown} value
 * @returns {value is Hook}
 */
function isHook(value) {
  const hook = /** @type {any} */ (value);
  return Array.isArray(hook?.taps) && typeof hook.intercept === 'function';
}

/**
 * Every hook with its name, those of hook maps ("runtimeRequirementInTree[..]") too. Getters (hooks
 * that are deprecated) are not asked.
 * @param {Hooks} hooks
 * @param {(name: string, hook: Hook) => void} visit
 */
function eachHook(hooks, visit) {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(hooks))) {
    if (isHook(value)) visit(name, value);
    else if (value?._map instanceof Map) {
      for (const [key, hook] of value._map) if (isHook(hook)) visit(`${name}[${key}]`, hook);
    }
  }
}

class CompilerNotes {
  #record;
  #compiler;
  /** @type {WeakSet<Hook>} */
  #counted = new WeakSet();
  /** Hooks of a compilation and its factories, which hold them. @type {WeakRef<Hooks>[]} */
  #parts = [];
  #isRead = false;

  /**
   * @param {any} compiler
   * @param {BuildRecord} record
   */
  constructor(compiler, record) {
    this.#compiler = new WeakRef(compiler);
    this.#record = record;
    record.addSource(() => this.readTaps());
  }

  /** Before the first build: all plugins are applied. */
  ready() {
    const compiler = this.#compiler.deref();
    if (!compiler) return;
    this.#record.root ||= compiler.context ?? '';
    for (const plugin of compiler.options?.plugins ?? []) {
      if (typeof plugin === 'function') this.#record.apply(plugin.name || 'function', plugin);
      else if (typeof plugin?.apply === 'function')
        this.#record.apply(plugin.constructor?.name || 'Object', plugin.apply);
    }
    this.#count(compiler.hooks);
  }

  /**
   * When a compilation has its plugins: its hooks are known from now on.
   * @param {any} compilation
   * @param {any} params of the hook `compilation`
   */
  compilation(compilation, params) {
    const compiler = this.#compiler.deref();
    const { normalModuleFactory, contextModuleFactory } = params ?? {};
    const owners = [compilation, normalModuleFactory, contextModuleFactory];
    const all = [
      ...owners.map((owner) => owner?.hooks),
      ...WITH_HOOKS.map((name) => compiler?.rspack?.[name]?.getCompilationHooks?.(compilation)),
    ].filter((hooks) => typeof hooks === 'object' && hooks !== null);
    this.#parts = all.map((hooks) => new WeakRef(hooks));
    for (const hooks of all) this.#count(hooks);
    if (compiler) this.#count(compiler.hooks);
    this.#countLoaders(compiler, compilation);
    // Those too that nobody counts: a build that crashes has no other moment for it.
    if (!this.#isRead) this.readTaps();
    this.#isRead = true;
  }

  /** @param {Hooks} hooks */
  #count(hooks) {
    eachHook(hooks, (name, hook) => {
      if (hook.taps.length === 0 || this.#counted.has(hook) || EARLY.includes(name)) return;
      this.#counted.add(hook);
      for (const tap of hook.taps) this.#record.tap(name, tap).calls ??= 0;
      const tap = (/** @type {Tap} */ called) => {
        const note = this.#record.tap(name, called);
        note.calls = (note.calls ?? 0) + 1;
        this.#record.counted?.();
      };
      hook.intercept({ name: NAME, tap });
    });
  }

  /**
   * @param {any} compiler
   * @param {unknown} compilation
   */
  #countLoaders(compiler, compilation) {
    const { loader } = compiler?.rspack?.NormalModule?.getCompilationHooks?.(compilation) ?? {};
    loader?.tap({ name: NAME, stage: 1_000_000_000 }, (/** @type {any} */ context) => {
      const { loaders, loaderIndex } = context;
      const entered = loaders?.[loaderIndex];
      if (!entered || entered.request.startsWith(BUILTIN)) return;
      this.#record.loader(entered.path).entries++;
      // Pitching comes first, from left to right; then each runs, up to the next of Rust's.
      if (!entered.pitchExecuted) return;
      for (let i = loaderIndex; i >= 0 && !loaders[i].request.startsWith(BUILTIN); i--) {
        this.#record.loader(loaders[i].path).runs++;
      }
      this.#record.counted?.();
    });
  }

  /** Taps that have come since. */
  readTaps() {
    const all = [this.#compiler.deref()?.hooks, ...this.#parts.map((part) => part.deref())];
    for (const hooks of all) {
      if (!hooks) continue;
      eachHook(hooks, (name, hook) => {
        for (const tap of hook.taps) this.#record.tap(name, tap);
      });
    }
  }
}

module.exports = { CompilerNotes, eachHook };
