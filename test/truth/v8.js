'use strict';
// What node itself knows of its stack against what the unwinder says, on the node that runs this:
//   node --allow-natives-syntax v8.js ADDON.node
// Two questions. Names: a native function walks the stack on which it was called, at the place
// where `new Error().stack` is taken, for every tier and every way of calling. Steps: every single
// instruction of such calls is stopped at, and the walk from there must be the stack as calls and
// returns made it (steps.h). One JSON object a line; exit 1 when something was wrong.

const addon = require(process.argv[2]);
const verbose = process.argv.includes('--verbose');

const [slot, header, proven] = addon.attach();
let failed = false;
const say = (row) => console.log(JSON.stringify(row));
say({ node: process.version, slot, header, proven: Boolean(proven) });

/** A function with V8's own intrinsics, null where this V8 lacks one of them. */
function intrinsic(body) {
  try {
    return new Function('f', body);
  } catch {
    return null;
  }
}
const baseline = intrinsic('return %CompileBaseline(f)');
const prepare = intrinsic('%PrepareFunctionForOptimization(f)');
const maglev = intrinsic('%OptimizeMaglevOnNextCall(f)');
const turbofan = intrinsic('%OptimizeFunctionOnNextCall(f)');

// ---- names

Error.stackTraceLimit = Infinity;
/** Function names as V8 tells them, innermost first; builtins that V8 shows are marked native. */
function javascriptStack(below) {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const holder = {};
  Error.captureStackTrace(holder, below);
  const sites = holder.stack;
  Error.prepareStackTrace = before;
  return sites
    .filter((site) => !site.isAsync?.() && !site.isPromiseAll?.())
    .map((site) => ({
      name: site.getFunctionName() ?? '',
      isNative: site.isNative() || site.getLineNumber() === null,
      line: site.getLineNumber(),
      file: site.getFileName(),
    }));
}

let seen;
/** The probe: both stacks at one place. Its own frame is left out of both. */
function probe() {
  seen = { js: javascriptStack(probe), walk: addon.walk() };
  return 1;
}

const TIERS = [
  '',
  'interpreter',
  'baseline',
  'maglev',
  'turbofan',
  'builtin',
  'handler',
  'regexp',
  'wasm',
];

/** Compares what was seen last. Frames that are inlined have no frame of their own on the stack. */
function names(what, mayInline = false) {
  if (!seen) return say({ names: what, error: 'not reached' });
  const { js, walk } = seen;
  seen = undefined;
  const end = walk.pop();
  const ours = walk
    .filter(([kind]) => kind === 'js')
    .map(([, name, tier]) => ({ name, tier: TIERS[tier] }));
  // Up to and with the probe's own frame.
  const from = ours.findIndex(({ name }) => name.split(' ')[0] === 'probe');
  const mine = ours.slice(from + 1);
  const shown = js.filter((site) => !site.isNative);
  const plain = (name) =>
    name
      .replace(/^(get|set|async) (?=\S)/, '')
      .split(' ')[0]
      .split('.')
      .pop();
  const missing = [];
  const tiers = {};
  let at = 0;
  for (const site of shown) {
    // "Module.load", "get accessor", "Object.get [as x]": the function's own name is the last word.
    const wanted = site.name === '' ? '(anonymous)' : plain(site.name);
    const isHere =
      at < mine.length && (plain(mine[at].name) === wanted || mine.length === shown.length);
    if (!isHere) {
      missing.push(site.name || '(anonymous)');
      continue;
    }
    tiers[mine[at].tier] = (tiers[mine[at].tier] ?? 0) + 1;
    at++;
  }
  const extra = mine.length - (shown.length - missing.length);
  const wrong =
    end !== 'complete' ||
    (from < 0 && !mayInline) ||
    (!mayInline && missing.length > 0) ||
    extra !== 0;
  failed ||= wrong;
  say({
    names: what,
    frames: shown.length,
    missing,
    extra,
    end,
    tiers,
    ...(wrong ? { wrong } : {}),
  });
  if (wrong && verbose)
    console.log(
      shown.map((s) => s.name),
      walk,
    );
}

function leaf(n) {
  return probe() + n;
}
function middle(n) {
  return leaf(n) + 1;
}
function outer(n) {
  return middle(n) + 1;
}
outer(1);
names('interpreter');
if (baseline) {
  for (const f of [outer, middle, leaf]) baseline(f);
  outer(1);
  names('baseline');
}

/** The chain compiled by one tier: `apart` without inlining into each other. */
function chain(optimize, apart) {
  const make = new Function(
    'probe',
    `${apart ? 'const id = (f) => f;' : ''}
     function l(n) { return probe() + n; }
     function m(n) { return ${apart ? '%NeverOptimizeFunction' : ''} ? 0 : 0; }
     `.replace(/function m.*\n/, '') +
      `function m(n) { return l(n) + 1; }
     function o(n) { return m(n) + 1; }
     return [l, m, o];`,
  );
  const [l, m, o] = make(probe);
  const all = apart ? [l, m, o] : [o];
  for (const f of [l, m, o]) prepare(f);
  for (let i = 0; i < 3; i++) o(i);
  for (const f of all) {
    optimize(f);
    if (apart) f(1);
  }
  o(1);
}
if (prepare && maglev) {
  chain(maglev, true);
  names('maglev', true);
  chain(maglev, false);
  names('maglev, inlined', true);
}
if (prepare && turbofan) {
  chain(turbofan, true);
  names('turbofan', true);
  chain(turbofan, false);
  names('turbofan, inlined', true);
}

/** Every way to be called that goes through code of V8's own. */
class Base {
  constructor(f) {
    this.value = f();
  }
  static make(f) {
    return f();
  }
}
class Derived extends Base {
  constructor(f) {
    super(f);
    this.more = 1;
  }
  get got() {
    return this.f();
  }
  set put(f) {
    f();
  }
  *items(f) {
    yield 1;
    yield f();
  }
  [Symbol.toPrimitive]() {
    return this.f();
  }
}
const ways = {
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
  apply: (f) => ((...all) => all[0]()).apply(null, [f, 1, 2]),
  bind: (f) => ((a, b) => b()).bind(null, 1)(f),
  spread: (f) => ((a, ...rest) => rest[0]())(...[1, f, 3]),
  tooFew: (f) => ((g, a, b, c) => g())(f),
  tooMany: (f) => ((g) => g())(f, 1, 2, 3, 4),
  getter: (f) => Object.assign(Object.create(Derived.prototype), { f }).got,
  setter: (f) => {
    Derived.prototype.put = f;
    new Derived(() => 1).put = f;
  },
  primitive: (f) => `${Object.assign(Object.create(Derived.prototype), { f })}`,
  generator: (f) => [...Derived.prototype.items(f)],
  iterator: (f) => {
    for (const x of { [Symbol.iterator]: () => ({ next: () => ({ done: f() === 1 }) }) }) return x;
  },
  proxy: (f) => new Proxy({}, { get: () => f() }).x,
  eval: (f) => {
    globalThis.evaluated = f;
    return (0, eval)('(function viaEval() { return evaluated() })()');
  },
  thrown: (f) => {
    try {
      [1].map(() => {
        throw new Error('x');
      });
    } catch {
      return f();
    } finally {
      Math.max(1, 2);
    }
  },
  weak: (f) => new Map([[1, 2]]).forEach(() => f()),
  native: (f) => addon.call(f),
  nativeTwice: (f) =>
    addon.call(function inner() {
      return addon.call(f);
    }),
  typed: (f) => new Uint8Array([1, 2]).map(() => f()),
  instanceOf: (f) => ({}) instanceof { [Symbol.hasInstance]: () => f() },
  tagged: (f) => ((parts, g) => g())`x${f}y`,
  deep: (f) =>
    (function down(n) {
      return n ? down(n - 1) : f();
    })(200),
};
const wasmBytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 7, 1, 1, 101, 1, 102, 0, 0, 3, 3, 2, 0, 0,
  7, 7, 1, 3, 114, 117, 110, 0, 2, 10, 11, 2, 4, 0, 16, 0, 11, 4, 0, 16, 1, 11,
]);
if (typeof WebAssembly === 'object') {
  ways.wasm = (f) =>
    new WebAssembly.Instance(new WebAssembly.Module(wasmBytes), { e: { f } }).exports.run();
}

for (const [name, way] of Object.entries(ways)) {
  way(probe);
  if (name === 'wasm')
    seen = undefined; // V8 counts wasm frames as JavaScript, and we do not
  else names(name);
}

// ---- steps

/** Runs f with a stop behind every instruction. @param {string} what @param {() => void} f */
function steps(what, f) {
  addon.begin();
  f();
  const result = addon.end();
  const { wrongs, ...row } = result;
  const wrong = result.wrong > 0;
  say({ steps: what, ...row });
  if (wrong && verbose)
    for (const one of wrongs.slice(0, 12))
      console.log(
        `# ${one.times} x at ${one.at} (${one.pc.toString(16)}), ${one.frames} of ${one.wanted}, differs at ${one.differsAt}, ${one.end}, flags ${one.flags}\n#  got ${one.got.map((x) => x[1].split('/').pop()).join(' < ')}\n#  want ${one.want.map((x) => x[1].split('/').pop()).join(' < ')}`,
      );
}

const one = () => 1;
for (const [name, way] of Object.entries(ways)) {
  way(one);
  steps(name, () => way(one));
}
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
    const o = { x: a[0], y: a };
    o.z = o.y.concat(o.x);
    return Object.keys(o).length;
  },
  function regexp(a) {
    return /(\d+)-(\w+)/.exec(`a${a[0]}-b`)[1].length;
  },
  function bigint(a) {
    return Number(BigInt(a[0]) ** 5n % 7n);
  },
  function thrower(a) {
    try {
      null.x;
    } catch (e) {
      return a.length;
    }
  },
  function recursive(a) {
    return a.length ? recursive(a.slice(1)) + 1 : 0;
  },
];
for (const [tier, optimize] of [
  ['baseline', baseline],
  ['maglev', maglev],
  ['turbofan', turbofan],
]) {
  if (!optimize || !prepare) continue;
  for (const f of hot) {
    if (tier !== 'baseline') {
      prepare(f);
      f([1, 2, 3]);
      f([1, 2, 3]);
    }
    optimize(f);
    f([1, 2, 3]);
    steps(`${tier}: ${f.name}`, () => f([1, 2, 3]));
  }
}
steps('deoptimised', () => hot[0]([1.5, 'x', null]));

// ---- what comes later: jobs, timers

async function waits(f, later) {
  await null;
  later(f);
}
(async () => {
  await waits(probe, (f) => f());
  names('async');
  await new Promise((resolve) => setImmediate(() => resolve(probe())));
  names('immediate');
  await Promise.all(
    [1].map(async () => {
      await 1;
      probe();
    }),
  );
  names('promise job');
  await (async () => {
    for await (const x of (async function* () {
      yield probe();
    })())
      x;
  })();
  names('async generator');
  process.nextTick(() => probe());
  await new Promise((resolve) => setTimeout(resolve, 2));
  names('next tick');
  addon.begin();
  await waits(one, (f) => f());
  await Promise.resolve(1).then(one).finally(one);
  const result = addon.end();
  const { wrongs, ...row } = result;
  say({ steps: 'async', ...row });
  if (verbose) console.log(wrongs.length);
  process.exitCode = failed ? 1 : 0;
})();
