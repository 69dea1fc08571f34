'use strict';
// On which side of the border between JavaScript and Rust each node of the tree is, and what it would
// take to know who called across: border.js adds it up.

const path = require('node:path');
const { isBinding } = require('../rspack-binding.js');
const { KINDS } = require('./keys.js');
const { Names, NOBODY } = require('./owners.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {ReturnType<typeof readPaths>} Paths */

/** Node-API and what calls it in node; the Rust crates on top of it. */
const NAPI = /^(napi_(?!register_module)|node_api_(?!module_get)|node_napi_|v8impl::)/;
const NAPI_CRATE = /^(napi\w*|rspack_napi\w*)$/;
/** Rust's library and the runtimes: they call nobody by themselves. */
const PLUMBING =
  /^(core|alloc|std|__rustc|hashbrown|tokio|futures\w*|stacker|psm|once_cell|scoped_tls)$/;
/** What linkers and compilers add to a function's name. */
const COMPILERS = /(@|\.(part|cold|isra|constprop)\b).*$/;
const CRATE_ROW = 'napi (Rust crates)';

/** @typedef {'js' | 'rust' | 'napi' | 'plumbing' | ''} Side */

/**
 * @param {Profile} profile
 * @returns {Side[]} by function
 */
function sidesOf({ raw, meta }) {
  const { funcs, modules, strings } = raw;
  const binding = meta.binding === null ? '' : path.basename(meta.binding);
  const inBinding = Array.from(modules.name, (name) => {
    return isBinding(strings[name]) || (binding !== '' && strings[name] === binding);
  });
  return Array.from(funcs.name, (name, func) => {
    const kind = KINDS[funcs.kind[func]];
    if (kind === 'js') return 'js';
    if (kind === 'rust') {
      const crate = funcs.crate[func] >= 0 ? strings[funcs.crate[func]] : '';
      if (NAPI_CRATE.test(crate)) return 'napi';
      return PLUMBING.test(crate) ? 'plumbing' : 'rust';
    }
    if (kind === 'native' && NAPI.test(strings[name])) return 'napi';
    // A stripped binding has no crates: all of it is Rust.
    return inBinding[funcs.module[func]] === true && funcs.named[func] === 0 ? 'rust' : '';
  });
}

/**
 * What a node tells of its path: the side that runs, the conversion it is part of, the innermost
 * JavaScript function, and of Rust's frames since JavaScript the innermost one that is not plumbing,
 * and the innermost of all.
 * @param {Profile} profile
 */
function readPaths(profile) {
  const { raw } = profile;
  const { parent, func } = raw.nodes;
  const { id, text } = profile.namesByObject;
  const sides = sidesOf(profile);
  const size = parent.length;
  const column = () => new Int32Array(size).fill(NOBODY);
  const [conversion, caller, rust, anyRust] = [column(), column(), column(), column()];
  /** 1: JavaScript runs, 2: Rust. */
  const running = new Uint8Array(size);
  const conversions = new Names();
  for (let node = 1; node < size; node++) {
    const up = parent[node];
    const own = func[node];
    const side = sides[own];
    const isRust = KINDS[raw.funcs.kind[own]] === 'rust' || side === 'rust';
    running[node] = side === 'js' ? 1 : isRust ? 2 : running[up];
    caller[node] = side === 'js' ? own : caller[up];
    rust[node] = side === 'js' ? NOBODY : side === 'rust' ? own : rust[up];
    anyRust[node] = side === 'js' ? NOBODY : isRust ? own : anyRust[up];
    if (side === 'js' || side === 'rust') conversion[node] = NOBODY;
    else if (side !== 'napi') conversion[node] = conversion[up];
    else if (!isRust) conversion[node] = conversions.id(text[id[own]].replace(COMPILERS, ''));
    else conversion[node] = conversion[up] >= 0 ? conversion[up] : conversions.id(CRATE_ROW);
  }
  return { sides, running, conversion, conversions: conversions.list, caller, rust, anyRust };
}

module.exports = { readPaths };
