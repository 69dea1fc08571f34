'use strict';
// What node itself knows of its stack against what the unwinder says, on the node that runs this:
//   node --allow-natives-syntax v8.js ADDON.node [--verbose]
// Two questions. Names: a native function walks the stack on which it was called, at the place
// where node is asked for its own list, for every tier and every way of calling. Steps: every single
// instruction of such calls is stopped at, and the walk from there must be the stack as calls and
// returns made it (steps.h). One JSON object a line; exit 1 when a name was wrong.

const { setFlagsFromString } = require('node:v8');

const { calls, hot } = require('./v8-calls.js');
const { frames, match, sites } = require('./v8-names.js');

/** @typedef {{ times: number, frames: number, wanted: number, differsAt: number, flags: number,
 *    end: string, at: string[], pc: number, got: string[][], want: string[][] }} Wrong */
/** @type {{ attach(): number[], begin(): void, end(): { wrong: number, wrongs: Wrong[] },
 *    walk(): (string[] | string)[], call(...all: any[]): any }} */
const addon = require(process.argv[2]);
const verbose = process.argv.includes('--verbose');

/** @param {object} row */
const say = (row) => console.log(JSON.stringify(row));
const [slot, header, proven] = addon.attach();
say({ node: process.version, slot, header, proven: Boolean(proven) });

/**
 * One of V8's own functions; null where this V8 lacks it.
 * @param {string} body @returns {((f: Function) => void) | null}
 */
function intrinsic(body) {
  try {
    return /** @type {(f: Function) => void} */ (new Function('f', body));
  } catch {
    return null;
  }
}
const prepare = intrinsic('%PrepareFunctionForOptimization(f)');
const compilers = [
  { tier: 'baseline', compile: intrinsic('return %CompileBaseline(f)') },
  { tier: 'maglev', compile: intrinsic('%OptimizeMaglevOnNextCall(f)') },
  { tier: 'turbofan', compile: intrinsic('%OptimizeFunctionOnNextCall(f)') },
];

// ---- names

Error.stackTraceLimit = Infinity;
/** @type {{ shown: import('./v8-names.js').Site[], walk: (string[] | string)[] } | null} */
let seen = null;
/** Both stacks at one place. */
function probe() {
  seen = { shown: sites(sites), walk: addon.walk() };
  return 1;
}

/** Compares what was seen last. @param {string} what */
function names(what) {
  if (!seen) return say({ names: what, wrong: ['not reached'] });
  const { shown, walk } = seen;
  seen = null;
  const end = walk.pop();
  const { tiers, inlined, wrong } = match(shown, frames(/** @type {string[][]} */ (walk)));
  if (end !== 'complete') wrong.push(`ended: ${end}`);
  if (wrong.length) process.exitCode = 1;
  say({
    names: what,
    frames: shown.length,
    tiers,
    inlined,
    ...(wrong.length ? { wrong: wrong.slice(0, 6) } : {}),
  });
  if (wrong.length && verbose) console.log(shown, walk);
}

let chains = 0;
/**
 * Three functions that call each other, compiled: each for itself, or the outermost with the others
 * to inline.
 * @param {(f: Function) => void} compile @param {boolean} apart
 */
function chain(compile, apart) {
  const functions = new Function(
    'probe',
    `// ${chains++}: so that it is not in V8's cache
     function innermost(n) { return probe() + n; }
     function middle(n) { return innermost(n) + 1; }
     function outermost(n) { return middle(n) + 1; }
     return [innermost, middle, outermost];`,
  )(probe);
  for (const f of functions) prepare?.(f);
  for (let i = 0; i < 3; i++) functions[2](i);
  for (const f of apart ? functions : functions.slice(2)) {
    compile(f);
    if (apart) f(1);
  }
  functions[2](1);
}

probe();
names('interpreter');
for (const { tier, compile } of compilers) {
  if (!compile) continue;
  for (const apart of [false, true]) {
    for (const by of ['turbo', 'maglev'])
      setFlagsFromString(`--${apart ? 'no-' : ''}${by}-inlining`);
    chain(compile, apart);
    names(`${tier}${apart ? '' : ', outermost'}`);
  }
}
const ways = calls(addon.call);
for (const [name, way] of Object.entries(ways)) {
  way(probe);
  names(name);
}

// ---- steps

/** @param {string} what @param {{ wrong: number, wrongs: Wrong[] }} result */
function stepped(what, { wrongs, ...row }) {
  /** @param {string[][]} stack */
  const line = (stack) => stack.map(([, name]) => name.split('/').pop()).join(' < ');
  say({ steps: what, ...row });
  for (const one of verbose ? wrongs : [])
    console.log(
      `# ${one.times} x at ${one.at} (${one.pc.toString(16)}), ${one.frames} of ${one.wanted}, ` +
        `differs at ${one.differsAt}, ${one.end}, flags ${one.flags}\n` +
        `#  got ${line(one.got)}\n#  want ${line(one.want)}`,
    );
}
/** A stop behind every instruction of f. @param {string} what @param {() => unknown} f */
function steps(what, f) {
  addon.begin();
  f();
  stepped(what, addon.end());
}

const one = () => 1;
for (const [name, way] of Object.entries(ways)) {
  way(one);
  steps(name, () => way(one));
}
for (const { tier, compile } of compilers)
  for (const f of compile && prepare ? hot : []) {
    if (tier !== 'baseline') {
      prepare?.(f);
      f([1, 2, 3]);
      f([1, 2, 3]);
    }
    compile?.(f);
    f([1, 2, 3]);
    steps(`${tier}: ${f.name}`, () => f([1, 2, 3]));
  }
steps('deoptimised', () => hot[0]([1.5, 'x', null]));

// ---- what comes later: jobs, timers

/** @param {() => any} f @param {(f: () => any) => void} later */
async function waits(f, later) {
  await null;
  later(f);
}
async function later() {
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
  await (async function* () {
    yield probe();
  })().next();
  names('async generator');
  process.nextTick(() => probe());
  await new Promise((resolve) => setTimeout(resolve, 2));
  names('next tick');
  addon.begin();
  await waits(one, (f) => f());
  await Promise.resolve(1).then(one).finally(one);
  stepped('async', addon.end());
}
later();
