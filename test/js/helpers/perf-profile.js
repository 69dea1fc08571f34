'use strict';
// Profiles with so many samples here and there, of several runs: what the assertions decide by.

const { Profile } = require('../../../lib/profile/profile.js');
const { rawProfile } = require('../cli-support.js');

const RUST = '/app/node_modules/@rspack/binding-linux-x64-gnu/rspack.linux-x64-gnu.node';
const context = { command: 'node build', node: 'v20.1.0', rspack: '2.2.7', binding: RUST };

const MODULES = [{ path: RUST, flags: 0 }];
/** @type {import('../cli-support').Func[]} */
const FUNCS = [
  { name: 'main', kind: 'native' },
  { name: 'transform /app/loader.js:3:7', kind: 'js' },
  { name: 'swc_core::visit', kind: 'rust', crate: 'swc_core', module: 0 },
  { name: 'swc_core::parse', kind: 'rust', crate: 'swc_core', module: 0 },
  { name: 'napi_call_function', kind: 'native' },
  { name: '[rspack.linux-x64-gnu.node+0x10]', kind: 'native', module: 0 },
  { name: 'rest', kind: 'native' },
];
const UNNAMED = 5;

/** @type {Record<string, string[]>} */
const STACKS = {
  transform: ['main', 'transform /app/loader.js:3:7'],
  visit: ['main', 'swc_core::visit'],
  parse: ['main', 'swc_core::visit', 'swc_core::parse'],
  napi: ['main', 'transform /app/loader.js:3:7', 'napi_call_function'],
  unnamed: ['main', '[rspack.linux-x64-gnu.node+0x10]'],
  rest: ['main', 'rest'],
};

/** @typedef {Partial<Record<keyof typeof STACKS, number>>} Counts samples by their stack's name */

/** @param {Counts} counts @param {object} [meta] */
function profile(counts, meta = {}) {
  const samples = Object.entries(counts).map(([name, count]) => ({ stack: STACKS[name], count }));
  const raw = rawProfile({ funcs: FUNCS, modules: MODULES, samples, meta });
  raw.funcs.named[UNNAMED] = 0;
  return new Profile(raw, { context });
}

/** @param {Counts[]} all */
function sumOf(all) {
  /** @type {Counts} */
  const sum = {};
  for (const counts of all) {
    for (const [name, count = 0] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

/**
 * As profileBuild() gives it.
 * @param {Counts[]} runs
 * @param {{values?: Record<string, number[]>, missing?: Record<string, string>, counted?: string,
 *    meta?: object, isCovered?: boolean}} [more]
 */
function buildProfile(runs, { values, missing = {}, counted = 'profiled', meta, ...more } = {}) {
  return Object.assign(profile(sumOf(runs), meta), {
    runs: runs.map((counts) => profile(counts, meta)),
    isCovered: more.isCovered ?? false,
    counters: { counted, values: values ?? { wallMs: runs.map(() => 100) }, missing },
  });
}

/** A message with each of its paragraphs on one line again. @param {string} message */
const unwrapped = (message) =>
  message.replace(/^(?:ERR_|Expected|Found|Note)[^]*?(?=\n\S|\n\n|$(?![^]))/gm, (text) =>
    text.replace(/\n {2}/g, ' '),
  );

module.exports = { buildProfile, profile, unwrapped };
