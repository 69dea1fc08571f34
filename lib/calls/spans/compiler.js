'use strict';
// A compiler's taps and loaders, each call of them a span. For a trace that was asked for: a recording
// wraps nothing (lib/phases/follow.js). Checked with rspack 2.2.7.

const path = require('node:path');
const { eachHook } = require('../../phases/follow.js');
const { timedLoader, timedTap } = require('./timed.js');
const { reasonOf } = require('../../errors.js');

/** @typedef {import('./log').SpanLog} SpanLog */

/** As lib/phases/ does: its own taps are not shown. */
const NAME = '[rspack-prof]';
const FIRST = -1_000_000_000;
const LAST = 1_000_000_000;
const BUILTIN = 'builtin:';

/** Of this process: a child compiler has its parent's taps. @type {WeakSet<object>} */
const wrapped = new WeakSet();

/** @param {Record<string, any>} hooks @param {SpanLog} log */
function wrapTaps(hooks, log) {
  eachHook(hooks, (hookName, hook) => {
    for (const tap of /** @type {any[]} */ (hook.taps)) {
      if (tap.name === NAME || wrapped.has(tap) || typeof tap.fn !== 'function') continue;
      wrapped.add(tap);
      const label = /** @type {const} */ ({ kind: 'tap', name: `${tap.name}: ${hookName}` });
      tap.fn = timedTap(tap.fn, tap.type, log, label);
    }
  });
}

/** The npm package that a loader's file is in, else the file's name. @param {string} file */
function loaderName(file) {
  const inPackage = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file);
  return inPackage ? inPackage[1].replace('\\', '/') : path.basename(file);
}

/** Wrapped when it is loaded. @param {any} loader rspack's LoaderObject @param {SpanLog} log */
function wrapLoader(loader, log) {
  // One that runs in a worker is sent there as data.
  if (wrapped.has(loader) || loader.parallel || loader.request?.startsWith(BUILTIN)) return;
  wrapped.add(loader);
  for (const key of ['normal', 'pitch']) {
    const name = loaderName(loader.path) + (key === 'pitch' ? ' (pitch)' : '');
    const wrap = (/** @type {unknown} */ fn) =>
      typeof fn === 'function' ? timedLoader(fn, log, name) : fn;
    let value = wrap(loader[key]);
    Object.defineProperty(loader, key, {
      configurable: true,
      enumerable: true,
      get: () => value,
      set: (fn) => {
        value = wrap(fn);
      },
    });
  }
}

/** @param {any} compiler with its plugins still to come @param {SpanLog} log */
function wrapCompiler(compiler, log) {
  const safely = (/** @type {() => void} */ work) => {
    try {
      work();
    } catch (error) {
      log.problem = reasonOf(error);
    }
  };
  const tap = (/** @type {string} */ name, /** @type {number} */ stage, /** @type {any} */ fn) => {
    if (name in compiler.hooks) {
      compiler.hooks[name].tap({ name: NAME, stage }, (/** @type {any[]} */ ...args) => {
        safely(() => fn(...args));
      });
    }
  };
  tap('initialize', LAST, () => wrapTaps(compiler.hooks, log));
  tap('thisCompilation', LAST, (/** @type {any} */ compilation, /** @type {any} */ params) => {
    const { normalModuleFactory, contextModuleFactory } = params ?? {};
    for (const owner of [compilation, normalModuleFactory, contextModuleFactory]) {
      if (owner?.hooks) wrapTaps(owner.hooks, log);
    }
    const hooks = compiler.rspack?.NormalModule?.getCompilationHooks?.(compilation);
    hooks?.loader?.tap({ name: NAME, stage: LAST }, (/** @type {any} */ context) => {
      safely(() => {
        for (const loader of context.loaders ?? []) wrapLoader(loader, log);
      });
    });
  });
  // What plugins have tapped since, in `compilation` above all.
  tap('make', FIRST, (/** @type {any} */ compilation) => {
    wrapTaps(compiler.hooks, log);
    wrapTaps(compilation.hooks, log);
  });
}

module.exports = { loaderName, wrapCompiler };
