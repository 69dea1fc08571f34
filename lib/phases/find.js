'use strict';
// Finds the compilers of a process whose configuration knows nothing of us, so that start() alone has
// the phases. @rspack/core is an ES module, whose loading nobody can follow from inside without a
// loader thread; but it loads its binding by require(), and the first thing that a compiler makes is a
// `JsResolverFactory` of the binding. So:
//   1. the addon with that class is seen when node loads it (or found among what is loaded already);
//   2. a getter in that class's place on the addon's exports tells, at the first compiler, which file
//      @rspack/core is (its caller) at a moment when that module is whole: require() gives it;
//   3. NodeEnvironmentPlugin.prototype.apply there, which each compiler but a child's gets before the
//      user's plugins, tells us of the compiler, and taps are added as a plugin would.
// The configuration object is neither read nor changed. Works for require(), import and rspack's own
// command line, before and after @rspack/core was loaded. Checked with rspack 2.2.7 on node 20 to 26,
// and with 1.0.14, 1.2.8, 1.3.15, 1.7.12, 2.0.8 and 2.3.2 on node 20.

const Module = require('node:module');
const { callSite } = require('../call-site.js');

/** @typedef {Record<string, unknown>} Exports */
/** @typedef {{onCompiler: (compiler: any) => void, onBinding: (interval: {startNs: number,
 *    endNs: number}) => void, onAddon?: (binding: Exports) => void,
 *    onProblem: (error: unknown) => void, now: () => number}} Found */

/** node's own table; its type is not public. */
const { _extensions: extensions, _cache: cache } = /** @type {any} */ (Module);
const CLASS = 'JsResolverFactory';

/** The binding's compiler: `Rspack` in 1.0 to 1.2. */
const COMPILERS = ['JsCompiler', 'Rspack'];

/** @param {unknown} exports of an addon */
function isBinding(exports) {
  if (typeof exports !== 'object' || exports === null || !(CLASS in exports)) return false;
  return COMPILERS.some((name) => name in exports);
}

class Finder {
  /** @type {(() => void)[]} */
  #undo = [];
  /** @type {Set<string>} files of @rspack/core that are followed */
  #cores = new Set();
  #found;
  #watching = false;
  /** A binding was there before we were: a compiler may have been made by then. */
  loadedBefore = false;

  /** @param {Found} found */
  constructor(found) {
    this.#found = found;
  }

  start() {
    this.#watching = true;
    for (const module of Object.values(cache)) {
      const { filename, exports } = /** @type {NodeJS.Module} */ (module ?? {});
      if (!filename?.endsWith('.node') || !isBinding(exports)) continue;
      this.loadedBefore = true;
      this.#arm(exports);
    }
    this.#watchAddons();
  }

  /** Everything is as it was; what somebody else has wrapped meanwhile stays, and does nothing. */
  stop() {
    this.#watching = false;
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  #watchAddons() {
    const load = extensions['.node'];
    const { now, onBinding } = this.#found;
    const finder = this;
    /** @type {(this: unknown, module: NodeJS.Module, filename: string) => unknown} */
    const watched = function (module, filename) {
      const startNs = now();
      const result = load.call(this, module, filename);
      if (finder.#watching && isBinding(module.exports)) {
        onBinding({ startNs, endNs: now() });
        finder.#arm(module.exports);
      }
      return result;
    };
    extensions['.node'] = watched;
    this.#undo.push(() => {
      if (extensions['.node'] === watched) extensions['.node'] = load;
    });
  }

  /** @param {Exports} binding */
  #arm(binding) {
    this.#found.onAddon?.(binding);
    const own = Object.getOwnPropertyDescriptor(binding, CLASS);
    // Not ours to change, or another copy of this package is there already.
    if (!own?.configurable || !('value' in own)) return;
    const get = () => {
      if (this.#watching) this.#learnCore();
      return own.value;
    };
    const set = (/** @type {unknown} */ value) => {
      own.value = value;
    };
    Object.defineProperty(binding, CLASS, {
      configurable: true,
      enumerable: own.enumerable,
      get,
      set,
    });
    this.#undo.push(() => {
      if (Object.getOwnPropertyDescriptor(binding, CLASS)?.get === get) {
        Object.defineProperty(binding, CLASS, own);
      }
    });
  }

  /** Called from @rspack/core, in the making of a compiler. */
  #learnCore() {
    try {
      const file = callSite().replace(/:\d+$/, '');
      if (file === '' || this.#cores.has(file)) return;
      this.#cores.add(file);
      this.#follow(Module.createRequire(file)(file));
    } catch (error) {
      this.#found.onProblem(error);
    }
  }

  /** @param {any} core */
  #follow(core) {
    const prototype = core.node?.NodeEnvironmentPlugin?.prototype;
    const apply = prototype?.apply;
    if (typeof apply !== 'function')
      throw new Error('this @rspack/core has no NodeEnvironmentPlugin');
    const finder = this;
    /** @type {(this: unknown, compiler: unknown) => unknown} */
    const watched = function (compiler) {
      const result = apply.call(this, compiler);
      try {
        if (finder.#watching) finder.#found.onCompiler(compiler);
      } catch (error) {
        finder.#found.onProblem(error);
      }
      return result;
    };
    prototype.apply = watched;
    this.#undo.push(() => {
      if (prototype.apply === watched) prototype.apply = apply;
    });
  }
}

module.exports = { Finder };
