'use strict';
// Functions that note when they run: a Proxy with the function's name, length and properties, which gets the
// same `this`, arguments, result and errors. Two spans where it goes on after it returned: what it ran itself
// (on its thread's track), and up to its callback or the end of its promise (apart).

const { reasonOf } = require('../../errors.js');

/** @typedef {import('./log').SpanLog} SpanLog */
/** @typedef {{ kind: 'tap' | 'loader', name: string, detail?: string }} Label */

/**
 * @param {SpanLog} log
 * @param {Label} label
 * @returns {{ returned: () => void, ended: () => void }} of a call that begins now
 */
function begin(log, label) {
  const startNs = log.now();
  let over = false;
  const add = (/** @type {boolean} */ apart) =>
    log.add({ ...label, startNs, endNs: log.now(), apart });
  return {
    returned: () => add(false),
    ended: () => {
      if (!over) add(true);
      over = true;
    },
  };
}

/**
 * @param {Function} fn of a hook
 * @param {string} type tapable's: 'sync', 'async' (with a callback, the last argument), 'promise'
 * @param {SpanLog} log
 * @param {Label} label
 */
function timedTap(fn, type, log, label) {
  return new Proxy(fn, {
    apply(target, self, args) {
      const call = begin(log, label);
      const callback = type === 'async' ? args.at(-1) : undefined;
      const given =
        typeof callback === 'function'
          ? [
              ...args.slice(0, -1),
              (/** @type {unknown[]} */ ...results) => {
                call.ended();
                return callback(...results);
              },
            ]
          : args;
      try {
        const result = Reflect.apply(target, self, given);
        // A thenable of another sort may begin its work when it is asked: it is left alone.
        if (result instanceof Promise) result.then(call.ended, call.ended);
        return result;
      } finally {
        call.returned();
      }
    },
  });
}

/**
 * A loader's function, whose `this` is told by async() or callback() that it has ended.
 * @param {Function} fn
 * @param {SpanLog} log
 * @param {string} name
 */
function timedLoader(fn, log, name) {
  return new Proxy(fn, {
    apply(target, self, args) {
      const call = begin(log, { kind: 'loader', name, detail: self?.resourcePath });
      try {
        // rspack's runner sets both anew for each function that it runs.
        const { async: makeAsync, callback } = self;
        const ending =
          (/** @type {Function} */ inner) =>
          (/** @type {unknown[]} */ ...results) => {
            call.ended();
            return inner(...results);
          };
        if (typeof makeAsync === 'function' && typeof callback === 'function') {
          self.callback = ending(callback);
          self.async = () => {
            const inner = makeAsync();
            return inner === callback ? self.callback : inner;
          };
        }
      } catch (error) {
        log.problem = reasonOf(error);
      }
      try {
        const result = Reflect.apply(target, self, args);
        if (result instanceof Promise) result.then(call.ended, call.ended);
        return result;
      } finally {
        call.returned();
      }
    },
  });
}

module.exports = { timedLoader, timedTap };
