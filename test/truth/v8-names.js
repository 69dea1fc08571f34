'use strict';
// The stack as node tells it (CallSite) and as the unwinder found it, put side by side: the same
// functions, told apart by name and by where they begin, in the same order. Pure but for sites().

/** @typedef {{ name: string, file: string, line: number, column: number }} Site */
/** @typedef {Site & { tier: string }} Frame */

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

/**
 * JavaScript functions on the stack from `below`'s caller on, innermost first. Builtins and wasm,
 * which V8 shows too, are left out; so are the awaiting callers, which are not on the stack.
 * @param {Function} below
 * @returns {Site[]}
 */
function sites(below) {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, list) => list;
  /** @type {{ stack?: any }} */
  const holder = {};
  Error.captureStackTrace(holder, below);
  /** @type {any[]} */
  const list = holder.stack;
  Error.prepareStackTrace = before;
  return list
    .filter(
      (site) =>
        !site.isAsync?.() &&
        !site.isPromiseAll?.() &&
        !site.isNative() &&
        site.getLineNumber() !== null &&
        !site.getFileName()?.startsWith('wasm:'),
    )
    .map((site) => ({
      name: site.getFunctionName() ?? '',
      file: site.getFileName() ?? '',
      line: site.getEnclosingLineNumber(),
      column: site.getEnclosingColumnNumber(),
    }));
}

/**
 * The JavaScript frames of addon.walk(), without wasm's.
 * @param {string[][]} walk
 * @returns {Frame[]}
 */
function frames(walk) {
  return walk
    .filter(([kind, , tier]) => kind === 'js' && TIERS[+tier] !== 'wasm')
    .map(([, spelled, tier]) => {
      const [, name, file, line, column] =
        /^(.*?)(?: (\S*?):(\d+)(?::(\d+))?)?$/.exec(spelled) ?? [];
      return { name, file: file ?? '', line: +line, column: +(column ?? 0), tier: TIERS[+tier] };
    });
}

/** The last word of "Module.load", "get accessor", "async f". @param {string} name */
const plain = (name) => (name.split(' ').pop() ?? '').split('.').pop() ?? '';

/** @param {Site} site @param {Frame} frame */
function isSame(site, frame) {
  // Symbols are no names to the log; functions without a name are, by what V8 infers for them.
  const name = site.name === 'eval' && site.file === '' ? '(eval)' : plain(site.name);
  const isNamed = name !== '' && !site.name.includes('[Symbol.');
  if (isNamed && name !== plain(frame.name)) return false;
  // Code without a file is logged by its name alone. Node's position is that of `function`, the
  // log's that of the parameters; node 18 logs lines alone.
  if (frame.file === '') return site.file === '' && isNamed;
  return (
    site.file === frame.file &&
    site.line === frame.line &&
    (frame.column === 0 || site.column <= frame.column)
  );
}

/**
 * A function that has no frame was inlined into the next one out, which therefore must be
 * optimised code; everything else that differs is wrong.
 * @param {Site[]} shown @param {Frame[]} mine
 */
function match(shown, mine) {
  /** @type {Record<string, number>} */
  const tiers = {};
  /** @type {string[]} */
  const inlined = [];
  /** @type {string[]} */
  const wrong = [];
  let at = 0;
  for (const site of shown) {
    const frame = mine[at];
    const told = `${site.name} ${site.file}:${site.line}:${site.column}`;
    if (frame && isSame(site, frame)) {
      tiers[frame.tier] = (tiers[frame.tier] ?? 0) + 1;
      at++;
    } else if (frame?.tier === 'maglev' || frame?.tier === 'turbofan') {
      inlined.push(site.name);
    } else {
      wrong.push(`lacks ${told}`);
    }
  }
  for (const frame of mine.slice(at))
    wrong.push(`adds ${frame.name} ${frame.file}:${frame.line}:${frame.column} (${frame.tier})`);
  return { tiers, inlined, wrong };
}

module.exports = { sites, frames, match };
