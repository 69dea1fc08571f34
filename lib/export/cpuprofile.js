'use strict';
// V8's .cpuprofile, as Chrome DevTools and VS Code open it: the calling-context tree and one thread's
// samples in the order of time. The format has room for one thread: the main one, unless another is
// asked for. DevTools gives a sample the time up to the next one, so a thread that slept in between
// gets V8's own `(idle)` node.

const { ProfError } = require('../errors.js');
const { KINDS } = require('../profile/keys.js');
const { selectSamples } = require('../profile/select.js');

/** @typedef {import('../profile/profile').Profile} Profile */

/** A gap of so many sampling periods is sleep. */
const IDLE_PERIODS = 3;

/**
 * @param {Profile} profile
 * @param {string | number} [thread]
 * @returns {number[]} samples, ascending in time
 */
function samplesOfThread(profile, thread) {
  const { tid } = profile.raw.threads;
  const main = tid.includes(profile.meta.pid) ? profile.meta.pid : undefined;
  const wanted = thread ?? main;
  if (wanted === undefined) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      "a .cpuprofile has one thread, and this profile has no main thread: name one with 'thread'",
    );
  }
  const selected = selectSamples(profile, { thread: wanted });
  return Array.from(profile.raw.samples.node.keys()).filter((sample) => selected?.[sample] === 1);
}

/**
 * @param {Profile} profile
 * @param {number[]} samples
 */
function nodesOf(profile, samples) {
  const { raw, names } = profile;
  // V8's tiers of one function are one: their names have its place in the file.
  const { parent, node: first, merged } = profile.mergedBy(names);
  const func = Int32Array.from(first, (node) => raw.nodes.func[node]);
  const { file, line, column, symbol, kind } = raw.funcs;
  const hits = new Uint32Array(parent.length);
  const used = new Uint8Array(parent.length);
  used[0] = 1;
  for (const sample of samples) {
    const leaf = merged[raw.samples.node[sample]];
    hits[leaf]++;
    for (let node = leaf; used[node] === 0; node = parent[node]) used[node] = 1;
  }
  const frameOf = (/** @type {number} */ own) => ({
    // DevTools puts the file behind a JavaScript function by itself.
    functionName:
      (KINDS[kind[own]] === 'js' ? raw.strings[symbol[own]] : names.text[names.id[own]]) ||
      '(anonymous)',
    scriptId: '0',
    url: file[own] > 0 ? raw.strings[file[own]] : '',
    lineNumber: line[own] - 1,
    columnNumber: column[own] - 1,
  });
  const root = {
    functionName: '(root)',
    scriptId: '0',
    url: '',
    lineNumber: -1,
    columnNumber: -1,
  };
  /** @type {{id: number, callFrame: ReturnType<typeof frameOf>, hitCount: number, children: number[]}[]} */
  const nodes = [];
  /** @type {(typeof nodes)[number][]} */
  const byNode = [];
  for (let node = 0; node < parent.length; node++) {
    if (used[node] === 0) continue;
    const callFrame = node === 0 ? root : frameOf(func[node]);
    const entry = { id: node + 1, callFrame, hitCount: hits[node], children: [] };
    byNode[node] = entry;
    nodes.push(entry);
    if (node > 0) byNode[parent[node]].children.push(entry.id);
  }
  const idle = { id: parent.length + 1, callFrame: { ...root, functionName: '(idle)' } };
  nodes[0].children.push(idle.id);
  nodes.push({ ...idle, hitCount: 0, children: [] });
  return { nodes, idle: idle.id, merged };
}

/**
 * A budget may have lowered the rate.
 * @param {Profile['meta']} meta
 * @returns {number} us
 */
function longestPeriod({ frequency, budget }) {
  const rates = [frequency || 1000, ...(budget?.changes ?? []).map((change) => change.frequency)];
  return 1e6 / Math.min(...rates.filter((rate) => rate > 0));
}

/**
 * @param {Profile} profile
 * @param {{thread?: string | number}} [options]
 */
function toCpuprofile(profile, { thread } = {}) {
  const { raw, meta } = profile;
  const own = samplesOfThread(profile, thread);
  const { nodes, idle, merged } = nodesOf(profile, own);
  const periodUs = longestPeriod(meta);
  const startTime = Math.round(meta.startNs / 1e3);
  /** @type {number[]} */
  const samples = [];
  /** @type {number[]} */
  const timeDeltas = [];
  let before = startTime;
  const add = (/** @type {number} */ id, /** @type {number} */ time) => {
    samples.push(id);
    timeDeltas.push(time - before);
    before = time;
  };
  add(idle, startTime);
  for (const sample of own) {
    const time = Math.round(raw.samples.timeNs[sample] / 1e3);
    const slept = time - before > IDLE_PERIODS * periodUs;
    if (slept && samples[samples.length - 1] !== idle) add(idle, before + Math.round(periodUs));
    add(merged[raw.samples.node[sample]] + 1, time);
  }
  const endTime = Math.max(Math.round(meta.endNs / 1e3), before);
  if (endTime - before > IDLE_PERIODS * periodUs) add(idle, before + Math.round(periodUs));
  return { nodes, startTime, endTime, samples, timeDeltas };
}

module.exports = { toCpuprofile };
