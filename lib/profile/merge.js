'use strict';
// Several recordings of the same build as one: samples, stacks and counters of all, one run's time after
// the other's. Threads stay those of their runs; functions, modules and stacks that are equal are one.

const { withoutCounts } = require('./build.js');
const { Profile } = require('./profile.js');

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {Record<string, ArrayLike<number>>} Columns */

/** Rows of all recordings, each different one once. */
class Rows {
  constructor() {
    /** @type {Map<string, number>} */
    this.known = new Map();
    /** @type {number[][]} */
    this.rows = [];
  }

  /**
   * @param {number[]} row
   * @param {string} [key] what makes it another row
   */
  add(row, key = row.join()) {
    let at = this.known.get(key);
    if (at === undefined) this.known.set(key, (at = this.rows.push(row) - 1));
    return at;
  }

  /** @param {number} column */
  column(column) {
    return this.rows.map((row) => row[column]);
  }
}

/**
 * @param {RawProfile['quality'][]} all
 * @returns {RawProfile['quality']}
 */
function mergeQuality(all) {
  const [first] = all;
  /** @type {any} */
  const merged = { ...first };
  for (const [name, value] of Object.entries(first)) {
    if (typeof value !== 'number') continue;
    merged[name] = all.reduce((sum, one) => sum + Number(/** @type {any} */ (one)[name] ?? 0), 0);
  }
  merged.ringBytes = first.ringBytes;
  /** @type {Map<string, { object: string, samples: number, broken: number, reason: string }>} */
  const objects = new Map();
  for (const { object, samples, broken, reason } of all.flatMap(({ byObject }) => byObject)) {
    const before = objects.get(object) ?? { samples: 0, broken: 0 };
    objects.set(object, {
      ...{ object, reason },
      samples: before.samples + samples,
      broken: before.broken + broken,
    });
  }
  merged.byObject = [...objects.values()];
  const total = (/** @type {'cpuMs' | 'finishMs' | 'handlerMs'} */ name) =>
    all.reduce((sum, { cost }) => sum + (cost[name] ?? 0), 0);
  merged.cost = {
    cpuMs: total('cpuMs'),
    peakBytes: Math.max(...all.map(({ cost }) => cost.peakBytes)),
    finishMs: total('finishMs'),
    handlerMs: total('handlerMs'),
  };
  const warnings = new Map(all.flatMap((one) => one.warnings).map((one) => [one.code, one]));
  merged.warnings = [...warnings.values()];
  return merged;
}

/**
 * @param {readonly Profile[]} profiles of one event and unit, at least one
 * @returns {Profile}
 */
const mergeProfiles = (profiles) => merge(profiles, false);

/**
 * The same for recordings of one time, as of the processes of one machine: they stay in it.
 * @param {readonly Profile[]} profiles of one event and unit, at least one
 * @returns {Profile}
 */
const mergeAtOnce = (profiles) => merge(profiles, true);

/**
 * @param {readonly Profile[]} profiles
 * @param {boolean} atOnce
 * @returns {Profile}
 */
function merge(profiles, atOnce) {
  const [first] = profiles;
  if (profiles.length === 1) return first;
  /** @type {Map<string, number>} */
  const known = new Map([['', 0]]);
  const intern = (/** @type {string} */ text) => {
    let at = known.get(text);
    if (at === undefined) known.set(text, (at = known.size));
    return at;
  };
  const [modules, funcs, nodes] = [new Rows(), new Rows(), new Rows()];
  nodes.add([-1, -1, 0]);
  /** @type {Record<'tid' | 'name' | 'startNs' | 'endNs', number[]>} */
  const threads = { tid: [], name: [], startNs: [], endNs: [] };
  /** @type {Record<Exclude<keyof RawProfile['samples'], 'state' | 'event'>, number[]>} */
  const samples = { timeNs: [], thread: [], cpu: [], node: [], weight: [], end: [], flags: [] };
  /** @type {number[]} of recordings of waits */
  let states = [];
  /** @type {import('./raw').Marker[]} */
  const markers = [];
  let endNs = first.raw.meta.startNs;

  for (const { raw, markers: own } of profiles) {
    const times = raw.samples.timeNs;
    // A sample may come a little outside of its recording's time.
    const shift = atOnce ? 0 : endNs - Math.min(raw.meta.startNs, times[0] ?? Infinity);
    const later = (/** @type {number} */ ns) => (ns === 0 ? 0 : ns + shift);
    const lastNs = Math.max(raw.meta.endNs, times[times.length - 1] ?? 0) + shift;
    endNs = Math.max(endNs, lastNs);
    const text = (/** @type {number} */ at) => (at < 0 ? at : intern(raw.strings[at]));
    const { modules: m, funcs: f, nodes: n, threads: t, samples: s } = raw;
    const moduleOf = Array.from(m.name, (_, i) => {
      const [path, name, buildId] = [m.path[i], m.name[i], m.buildId[i]].map(text);
      const row = [path, name, buildId, m.start[i], m.end[i], m.flags[i]];
      return modules.add(row, `${path},${buildId}`);
    });
    const funcOf = Array.from(f.name, (_, i) => {
      const module = f.module[i] < 0 ? -1 : moduleOf[f.module[i]];
      const [name, symbol, crate, file] = [f.name[i], f.symbol[i], f.crate[i], f.file[i]].map(text);
      const row = [name, symbol, module, crate, f.kind[i], file, f.line[i], f.column[i]];
      row.push(f.tier[i], f.named[i]);
      // The address is where it was met first: no part of what it is.
      return funcs.add([...row, f.address?.[i] ?? 0], row.join());
    });
    /** @type {number[]} */
    const nodeOf = [0];
    for (let i = 1; i < n.parent.length; i++) {
      nodeOf.push(nodes.add([nodeOf[n.parent[i]], funcOf[n.func[i]], n.inline[i]]));
    }
    const firstThread = threads.tid.length;
    for (let i = 0; i < t.tid.length; i++) {
      threads.tid.push(t.tid[i]);
      threads.name.push(text(t.name[i]));
      threads.startNs.push(later(t.startNs[i]));
      threads.endNs.push(later(t.endNs[i]));
    }
    for (let i = 0; i < s.node.length; i++) {
      samples.timeNs.push(s.timeNs[i] + shift);
      samples.thread.push(s.thread[i] + firstThread);
      samples.node.push(nodeOf[s.node[i]]);
      for (const name of /** @type {const} */ (['cpu', 'weight', 'end', 'flags'])) {
        samples[name].push(s[name][i]);
      }
      if (s.state) states.push(s.state[i]);
    }
    for (const one of own) {
      const { startNs, endNs: end } = one;
      markers.push({ ...one, startNs: startNs + shift, endNs: end === null ? null : end + shift });
    }
  }

  if (atOnce) {
    const order = samples.timeNs
      .map((_, i) => i)
      .sort((a, b) => samples.timeNs[a] - samples.timeNs[b]);
    for (const [name, column] of Object.entries(samples)) {
      samples[/** @type {keyof typeof samples} */ (name)] = order.map((i) => column[i]);
    }
    if (states.length > 0) states = order.map((i) => states[i]);
  }
  const meta = { ...first.raw.meta, endNs };
  delete meta.budget;
  delete meta.events; // of the first one alone
  /** @type {RawProfile} */
  const raw = {
    strings: [...known.keys()],
    meta,
    threads: {
      tid: Uint32Array.from(threads.tid),
      name: Uint32Array.from(threads.name),
      startNs: Float64Array.from(threads.startNs),
      endNs: Float64Array.from(threads.endNs),
    },
    modules: {
      path: Uint32Array.from(modules.column(0)),
      name: Uint32Array.from(modules.column(1)),
      buildId: Uint32Array.from(modules.column(2)),
      start: Float64Array.from(modules.column(3)),
      end: Float64Array.from(modules.column(4)),
      flags: Uint8Array.from(modules.column(5)),
    },
    funcs: {
      name: Uint32Array.from(funcs.column(0)),
      symbol: Uint32Array.from(funcs.column(1)),
      module: Int32Array.from(funcs.column(2)),
      crate: Int32Array.from(funcs.column(3)),
      kind: Uint8Array.from(funcs.column(4)),
      file: Int32Array.from(funcs.column(5)),
      line: Uint32Array.from(funcs.column(6)),
      column: Uint32Array.from(funcs.column(7)),
      tier: Uint8Array.from(funcs.column(8)),
      named: Uint8Array.from(funcs.column(9)),
      address: Float64Array.from(funcs.column(10)),
    },
    nodes: {
      parent: Int32Array.from(nodes.column(0)),
      func: Int32Array.from(nodes.column(1)),
      inline: Uint8Array.from(nodes.column(2)),
    },
    samples: {
      timeNs: Float64Array.from(samples.timeNs),
      thread: Uint32Array.from(samples.thread),
      cpu: Uint16Array.from(samples.cpu),
      node: Uint32Array.from(samples.node),
      weight: Float64Array.from(samples.weight),
      end: Uint8Array.from(samples.end),
      flags: Uint8Array.from(samples.flags),
      ...(states.length === samples.node.length && { state: Uint8Array.from(states) }),
    },
    quality: mergeQuality(profiles.map((profile) => profile.raw.quality)),
  };
  const others = new Set(profiles.flatMap((one) => one.others.map(({ about }) => about.event)));
  if (others.size > 0) {
    const message = `several recordings as one: of ${meta.event} alone, without ${[...others].join(', ')}`;
    raw.quality.warnings.push({ code: 'other-events', message, fix: '' });
  }
  return new Profile(raw, {
    markers,
    context: first.context,
    build: withoutCounts(first.build),
  });
}

module.exports = { mergeAtOnce, mergeProfiles };
