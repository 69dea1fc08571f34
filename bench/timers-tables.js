'use strict';
// Shares of profiles for timers.js: of functions, crates and objects with kernel time given to the function
// that called the kernel, and of threads by name; added up over several profiles. Pure.

/**
 * @typedef {Map<string, number>} Shares
 * @typedef {Record<'symbol' | 'crate' | 'object' | 'thread', Shares>} Tables
 * @typedef {{ tables: Tables, weight: number, taken: number, samples: number, cpuMs: number, handlerMs: number,
 *    complete: number, buildMs: number, unseen: string }} Sum
 */

/** The profiler's own, which it does not sample. */
const OWN_THREAD = 'rspack-prof';
const OWN_OBJECT = /^rspack[_-]prof\.(glibc\.)?node$/;

/** @returns {Sum} */
const nothing = () => ({
  tables: {
    symbol: new Map(),
    crate: new Map(),
    object: new Map(),
    thread: new Map(),
  },
  ...{
    weight: 0,
    taken: 0,
    samples: 0,
    cpuMs: 0,
    handlerMs: 0,
    complete: 0,
    buildMs: 0,
    unseen: '',
  },
});

/** @param {Shares} shares @param {string} key @param {number} weight */
const add = (shares, key, weight) => shares.set(key, (shares.get(key) ?? 0) + weight);

/** A thread's name without its number. @param {string} name */
const pool = (name) => name.replace(/[-_ ]?\d+$/, '');

/**
 * @param {Sum} sum
 * @param {any} profile
 * @param {{ from: number, to: number } | null} [stretch] of the samples, ns; then V8's code is one
 *   function and the profiler's own is left out: what a recording from outside can tell
 */
function takeIn(sum, { raw, quality, meta }, stretch = null) {
  const { samples, nodes, funcs, threads, strings, modules } = raw;
  const isKernel = (/** @type {number} */ func) => funcs.kind[func] === 4;
  for (let i = 0; i < samples.node.length; i += 1) {
    const weight = samples.weight[i];
    const [timeNs, name] = [samples.timeNs[i], pool(strings[threads.name[samples.thread[i]]])];
    if (stretch && (timeNs < stretch.from || timeNs > stretch.to || name === OWN_THREAD)) continue;
    let leaf = -1;
    for (let node = samples.node[i]; node > 0 && leaf < 0; node = nodes.parent[node]) {
      if (!isKernel(nodes.func[node])) leaf = nodes.func[node];
    }
    const module = leaf < 0 ? -1 : funcs.module[leaf];
    const object = module < 0 ? '[jit]' : strings[modules.name[module]];
    if (stretch && OWN_OBJECT.test(object)) continue; // its handler
    sum.weight += weight;
    sum.taken += 1;
    add(sum.tables.thread, name, weight);
    if (leaf < 0) continue; // the kernel's alone: a thread that starts or ends
    const symbol = stretch && module < 0 ? '[jit]' : strings[funcs.name[leaf]];
    add(sum.tables.symbol, symbol, weight);
    if (funcs.crate[leaf] >= 0) add(sum.tables.crate, strings[funcs.crate[leaf]], weight);
    add(sum.tables.object, object, weight);
  }
  sum.samples += quality.samples;
  sum.complete += quality.complete;
  sum.cpuMs += quality.cost.cpuMs;
  sum.handlerMs += quality.cost.handlerMs;
  sum.buildMs += (meta.endNs - meta.startNs) / 1e6;
  const unseen = quality.warnings.find(
    (/** @type {any} */ { code }) => code === 'cpu-timers-unseen',
  );
  if (unseen) sum.unseen = unseen.message;
}

/** @param {Sum} a @param {Sum} b @param {keyof Tables} table */
function differences(a, b, table) {
  const [one, other] = [a.tables[table], b.tables[table]];
  return [...new Set([...one.keys(), ...other.keys()])]
    .map((key) => ({
      key,
      events: (one.get(key) ?? 0) / a.weight,
      timers: (other.get(key) ?? 0) / b.weight,
    }))
    .sort((x, y) => Math.abs(y.events - y.timers) - Math.abs(x.events - x.timers));
}

/**
 * What a share of so many samples is uncertain by, 95 times of 100.
 * @param {{ events: number }} row
 * @param {Sum} sum
 */
const noise = ({ events }, { taken }) => 1.96 * Math.sqrt((events * (1 - events)) / taken);

module.exports = { differences, nothing, noise, takeIn };
