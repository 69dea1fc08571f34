'use strict';
// The native allocations of a recording as events beside its first one: all bytes that were allocated
// (alloc-bytes), the calls (alloc-calls), what was live at the peak (alloc-peak) and at the end
// (alloc-live). So each table, tree and export of an event is one of allocations too.

const { isBinding } = require('../rspack-binding.js');
const { ledgerOf } = require('./ledger.js');
const { nativeWarnings } = require('./native-warnings.js');

/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {import('../profile/raw').RawNative} RawNative */
/** @typedef {import('../profile/events').OtherEvent} OtherEvent */

const EVENTS = Object.freeze({
  bytes: 'alloc-bytes',
  calls: 'alloc-calls',
  peak: 'alloc-peak',
  live: 'alloc-live',
});

/** Crates and functions that allocate for whoever calls them. */
const STANDARD = new Set(['core', 'alloc', 'std', 'hashbrown', '__rustc']);
const WRAPPER =
  /^(__rust_|__rdl_|__rg_|__rustc::|operator new|std::|__gnu_cxx::|<?(alloc|core|std|hashbrown)::)/;

/**
 * For each node, the one that the memory is for: the innermost that is not the standard library's; itself
 * where all are.
 * @param {RawProfile} raw
 * @returns {Uint32Array} by node
 */
function chargedNodes({ nodes, funcs, strings }) {
  const isWrapper = Uint8Array.from(funcs.name, (name, func) => {
    const crate = funcs.crate[func];
    return Number((crate >= 0 && STANDARD.has(strings[crate])) || WRAPPER.test(strings[name]));
  });
  const charged = new Uint32Array(nodes.parent.length);
  // Parents stand before their children.
  for (let node = 1; node < charged.length; node++) {
    charged[node] = isWrapper[nodes.func[node]] ? charged[nodes.parent[node]] : node;
  }
  return charged.map((to, node) => (to === 0 ? node : to));
}

/**
 * @param {string} name
 * @param {string} unit
 * @param {NonNullable<RawProfile['allocations']>} rows
 * @param {Uint32Array} picked rows
 * @param {Float64Array} weight of each row
 * @returns {OtherEvent}
 */
function eventOf(name, unit, rows, picked, weight) {
  const inTime = picked.slice().sort((a, b) => rows.timeNs[a] - rows.timeNs[b]);
  const take = (/** @type {any} */ column) =>
    column.constructor.from(inTime, (/** @type {number} */ row) => column[row]);
  return {
    about: { event: name, requestedEvent: name, unit, scaledBy: 1, samples: picked.length },
    samples: {
      timeNs: take(rows.timeNs),
      thread: take(rows.thread),
      cpu: take(rows.cpu),
      node: take(rows.node),
      weight: take(weight).map(Math.round),
      end: take(rows.end),
      flags: take(rows.flags),
    },
  };
}

/**
 * Which share of the bytes the binding itself asked for; null where there is no binding.
 * @param {RawProfile} raw
 * @param {Float64Array} weight of each row
 */
function bindingShare({ modules, strings, nodes, funcs, allocations }, weight) {
  const binding = modules.name.findIndex((name) => isBinding(strings[name]));
  if (binding < 0 || !allocations) return null;
  let [own, all] = [0, 0];
  allocations.node.forEach((node, row) => {
    all += weight[row];
    if (nodes.func[node] >= 0 && funcs.module[nodes.func[node]] === binding) own += weight[row];
  });
  return all > 0 ? own / all : null;
}

/**
 * Of the whole recording, before any part of it is taken.
 * @param {RawProfile} raw as the addon gives it
 * @returns {{others: OtherEvent[], native: RawNative | undefined}}
 */
function nativeAllocations(raw) {
  const { allocations: rows, allocated } = raw;
  if (!rows || !allocated) return { others: [], native: undefined };
  const endNs = allocated.endNs || raw.meta.endNs;
  const { calls, weight, unknown, peakNs, peak, live, curve } = ledgerOf(
    rows,
    allocated.meanBytes,
    endNs,
  );
  const charged = chargedNodes(raw);
  const own = { ...rows, node: rows.node.map((node) => charged[node]) };
  const all = Uint32Array.from(rows.node, (_, row) => row);
  const total = (/** @type {Uint32Array} */ picked) => {
    let [bytes, pieces] = [0, 0];
    for (const row of picked) {
      bytes += weight[row];
      pieces += calls[row];
    }
    return { bytes: Math.round(bytes), pieces: Math.round(pieces), samples: picked.length };
  };
  return {
    others: [
      eventOf(EVENTS.bytes, 'bytes', own, all, weight),
      eventOf(EVENTS.calls, 'calls', own, all, calls),
      eventOf(EVENTS.peak, 'bytes', own, peak, weight),
      eventOf(EVENTS.live, 'bytes', own, live, weight),
    ],
    native: {
      ...allocated,
      endNs,
      unknown,
      bindingShare: bindingShare(raw, weight),
      all: total(all),
      peak: total(peak),
      peakNs,
      live: total(live),
      curve,
    },
  };
}

/**
 * The raw profile without the rows of allocations, which have become events.
 * @param {RawProfile} recorded as the addon gives it
 * @param {RawProfile} kept the same, or what a watch has kept of it: whose stacks have other numbers
 * @returns {{raw: RawProfile, others: OtherEvent[], warnings: import('../index').Warning[]}}
 */
function takeAllocations(recorded, kept) {
  if (!recorded.allocated) return { raw: kept, others: [], warnings: [] };
  const raw = { ...kept };
  delete raw.allocations;
  delete raw.allocated;
  if (kept.nodes !== recorded.nodes) {
    const message =
      'allocations are of a whole recording: this one has dropped builds of its watch, and them';
    return { raw, others: [], warnings: [{ code: 'allocations-dropped', message, fix: '' }] };
  }
  const { others, native } = nativeAllocations(recorded);
  if (!native) return { raw, others, warnings: [] };
  return {
    raw: { ...raw, native },
    others,
    warnings: nativeWarnings(native, recorded.meta.startNs),
  };
}

module.exports = { EVENTS, chargedNodes, takeAllocations };
