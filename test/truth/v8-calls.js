'use strict';
// Ways to call a function that go through code of V8's own, and small functions for each tier.

/** @typedef {() => any} Callee */

class Base {
  /** @param {Callee} f */
  constructor(f) {
    this.value = f();
  }
}
class Derived extends Base {
  /** @param {Callee} f */
  constructor(f) {
    super(f);
    this.f = f;
  }
  get got() {
    return this.f();
  }
  /** @param {Callee} f */
  set put(f) {
    f();
  }
  /** @param {Callee} f */
  *items(f) {
    yield 1;
    yield f();
  }
  [Symbol.toPrimitive]() {
    return this.f();
  }
}

/** A Derived whose constructor did not run. @param {Callee} f @returns {Derived} */
const bare = (f) => Object.assign(Object.create(Derived.prototype), { f });

const WASM = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 7, 1, 1, 101, 1, 102, 0, 0, 3, 3, 2, 0, 0,
  7, 7, 1, 3, 114, 117, 110, 0, 2, 10, 11, 2, 4, 0, 16, 0, 11, 4, 0, 16, 1, 11,
]);

/**
 * @param {(...all: any[]) => any} through a native function that calls its argument
 * @returns {Record<string, (f: Callee) => unknown>}
 */
const calls = (through) => ({
  map: (f) =>
    [1].map(function mapped() {
      return f();
    }),
  forEach: (f) => [1].forEach(() => f()),
  sort: (f) =>
    [2, 1, 3].sort(function compare(a, b) {
      f();
      return a - b;
    }),
  reduce: (f) => [1, 2].reduce((a, b) => f() + b),
  from: (f) =>
    Array.from([1], function mapper() {
      return f();
    }),
  replace: (f) =>
    'abc'.replace(/b/, function replacer() {
      return String(f());
    }),
  replaceAll: (f) => 'a1b2'.replace(/\d/g, () => String(f())),
  stringify: (f) =>
    JSON.stringify({
      toJSON() {
        return f();
      },
    }),
  parse: (f) =>
    JSON.parse('[1]', function revive(k, v) {
      f();
      return v;
    }),
  construct: (f) => new Derived(f),
  reflect: (f) => Reflect.construct(Derived, [f]),
  apply: (f) => /** @type {(...all: any[]) => any} */ ((...all) => all[0]()).apply(null, [f, 1, 2]),
  bind: (f) => /** @type {(a: null, b: Callee) => any} */ ((_a, b) => b()).bind(null, null)(f),
  spread: (f) =>
    /** @type {any} */ ((/** @type {any} */ _a, /** @type {any[]} */ ...rest) => rest[0]())(
      ...[1, f, 3],
    ),
  tooFew: (f) =>
    /** @type {any} */ (
      (/** @type {any} */ g, /** @type {any} */ _a, /** @type {any} */ _b) => g()
    )(f),
  tooMany: (f) => /** @type {any} */ ((/** @type {any} */ g) => g())(f, 1, 2, 3, 4),
  getter: (f) => bare(f).got,
  setter: (f) => {
    bare(f).put = f;
  },
  primitive: (f) => `${bare(f)}`,
  generator: (f) => [...Derived.prototype.items(f)],
  iterator: (f) => {
    const next = () => ({ done: f() === 1, value: 1 });
    for (const x of { [Symbol.iterator]: () => ({ next }) }) return x;
    return 0;
  },
  proxy: (f) => /** @type {any} */ (new Proxy({}, { get: () => f() })).x,
  eval: (f) => {
    /** @type {any} */ (globalThis).evaluated = f;
    return (0, eval)('(function viaEval() { return evaluated() })()');
  },
  thrown: (f) => {
    try {
      return [1].map(() => {
        throw new Error('x');
      });
    } catch {
      return f();
    } finally {
      Math.max(1, 2);
    }
  },
  mapForEach: (f) => new Map([[1, 2]]).forEach(() => f()),
  native: (f) => through(f),
  nativeTwice: (f) =>
    through(function inner() {
      return through(f);
    }),
  typed: (f) => new Uint8Array([1, 2]).map(() => f()),
  instanceOf: (f) => ({}) instanceof /** @type {any} */ ({ [Symbol.hasInstance]: () => f() }),
  tagged: (f) =>
    ((/** @type {TemplateStringsArray} */ _parts, /** @type {Callee} */ g) => g())`x${f}y`,
  deep: (f) => {
    /** @type {(n: number) => any} */
    const down = (n) => (n ? down(n - 1) : f());
    return down(200);
  },
  wasm: (f) => {
    const { Instance, Module } = /** @type {any} */ (globalThis).WebAssembly;
    return new Instance(new Module(WASM), { e: { f } }).exports.run();
  },
});

/** @type {((a: any) => unknown)[]} */
const hot = [
  function add(a) {
    let s = 0;
    for (let i = 0; i < 20; i++) s += a[i % 3] * i;
    return s;
  },
  function text(a) {
    return a.join('-').split('-').map(Number).length + `${a[0]}${a[1]}`.length;
  },
  function shape(a) {
    /** @type {any} */
    const o = { x: a[0], y: a };
    o.z = o.y.concat(o.x);
    return Object.keys(o).length;
  },
  function regexp(a) {
    return /(\d+)-(\w+)/.exec(`a${a[0]}-b`)?.[1].length;
  },
  function bigint(a) {
    return Number(BigInt(a[0]) ** 5n % 7n);
  },
  function thrower(a) {
    try {
      return a.none.x;
    } catch {
      return a.length;
    }
  },
  /** @returns {number} */
  function recursive(a) {
    return a.length ? recursive(a.slice(1)) + 1 : 0;
  },
];
module.exports = { calls, hot };
