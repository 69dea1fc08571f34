'use strict';
// What each phase cost: how long it was, how much CPU it took, how many cores that kept busy, and how
// long the main thread ran while nobody else did. Wall time is from the markers, exact; all else is
// counted from samples, so that the rows add up to the table's.

const { MAIN } = require('./pools.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').PhaseRow} PhaseRow */

const NS_PER_MS = 1e6;
/** In a window of this many sampling periods a thread that runs is nearly always seen. */
const PERIODS = 5;

/**
 * @param {Profile} profile
 * @returns {((sample: number) => number) | null} CPU ms of a sample; null: the event does not tell time
 */
function cpuOfSample({ raw, meta }) {
  const { weight } = raw.samples;
  if (meta.unit === 'ns') return (sample) => weight[sample] / NS_PER_MS;
  // A counter by frequency: the kernel keeps to so many samples per second that a thread runs.
  if (meta.unit === 'cycles' && meta.frequency > 0) return () => 1000 / meta.frequency;
  return null;
}

/**
 * CPU ms of the main thread's samples in whose window no other thread was seen, by phase.
 * @param {Profile} profile
 * @param {(sample: number) => number} cpu
 * @param {Float64Array} alone
 */
function sumAlone({ raw, meta, threadPools, phaseColumn }, cpu, alone) {
  const { timeNs, thread } = raw.samples;
  const windowNs = PERIODS * (meta.frequency > 0 ? 1e9 / meta.frequency : NS_PER_MS);
  const isMain = Uint8Array.from(threadPools, (pool) => (pool === MAIN ? 1 : 0));
  /** The window's first sample. */
  let first = 0;
  while (first < timeNs.length) {
    const window = Math.floor((timeNs[first] - meta.startNs) / windowNs);
    let isAlone = isMain[thread[first]] === 1;
    let end = first + 1;
    for (; end < timeNs.length; end++) {
      if (Math.floor((timeNs[end] - meta.startNs) / windowNs) !== window) break;
      if (isMain[thread[end]] === 0) isAlone = false;
    }
    for (let i = first; isAlone && i < end; i++) alone[phaseColumn.phaseOfSample[i]] += cpu(i);
    first = end;
  }
}

/**
 * What the threads but the main one, and what that, waited for, by phase: ms by reason.
 * @param {Profile} profile
 * @param {number} count of phases
 * @returns {{main: Record<string, number>, others: Record<string, number>}[] | null} null: not recorded
 */
function waitsByPhase({ raw, waits, threadPools, phaseColumn }, count) {
  if (!waits || !raw.samples.state) return null;
  const rows = Array.from({ length: count }, () => ({
    main: /** @type {Record<string, number>} */ ({}),
    others: /** @type {Record<string, number>} */ ({}),
  }));
  const { state, thread, weight } = raw.samples;
  for (let i = 0; i < weight.length; i++) {
    if (state[i] === 0) continue;
    const row = rows[phaseColumn.phaseOfSample[i]];
    const own = threadPools[thread[i]] === MAIN ? row.main : row.others;
    const reason = waits.names[waits.ofSample[i]];
    own[reason] = (own[reason] ?? 0) + weight[i] / NS_PER_MS;
  }
  return rows;
}

/**
 * @param {Profile} whole
 * @returns {PhaseRow[]} in the order of their beginning
 */
function phaseRows(whole) {
  const profile = whole.onCpu;
  const { raw, meta, phaseColumn, threadPools, totalWeight } = profile;
  const { phases, segments, phaseOfSample } = phaseColumn;
  const cpu = cpuOfSample(profile);
  const count = phases.length;
  const column = () => new Float64Array(count);
  const [wall, samples, weight, cpuMs, mainMs, alone] = Array.from({ length: 6 }, column);
  const first = column().fill(Infinity);
  const last = column().fill(-Infinity);
  const cover = (
    /** @type {number} */ phase,
    /** @type {number} */ from,
    /** @type {number} */ to,
  ) => {
    if (to <= from) return;
    wall[phase] += (to - from) / NS_PER_MS;
    first[phase] = Math.min(first[phase], from);
    last[phase] = Math.max(last[phase], to);
  };
  // What lies outside of the segments is the first and the last phase's: before and after.
  const startNs = segments[0]?.startNs ?? meta.endNs;
  const endNs = Math.max(meta.startNs, segments[segments.length - 1]?.endNs ?? Infinity);
  cover(0, meta.startNs, Math.min(startNs, meta.endNs));
  for (const segment of segments) {
    cover(
      segment.phase,
      Math.max(segment.startNs, meta.startNs),
      Math.min(segment.endNs, meta.endNs),
    );
  }
  if (segments.length > 0) cover(phaseColumn.after, endNs, meta.endNs);

  for (let i = 0; i < phaseOfSample.length; i++) {
    const phase = phaseOfSample[i];
    samples[phase]++;
    weight[phase] += raw.samples.weight[i];
    if (!cpu) continue;
    cpuMs[phase] += cpu(i);
    if (threadPools[raw.samples.thread[i]] === MAIN) mainMs[phase] += cpu(i);
  }
  if (cpu) sumAlone(profile, cpu, alone);

  const waits = waitsByPhase(whole, count);
  const ms = (/** @type {number} */ ns) => (ns - meta.startNs) / NS_PER_MS;
  const known = (/** @type {number} */ value) => (cpu ? value : null);
  return phases
    .map(({ name, compiler, build }, phase) => ({
      name,
      compiler,
      build,
      startMs: first[phase] < Infinity ? ms(first[phase]) : null,
      endMs: first[phase] < Infinity ? ms(last[phase]) : null,
      wallMs: wall[phase],
      samples: samples[phase],
      share: totalWeight > 0 ? weight[phase] / totalWeight : 0,
      cpuMs: known(cpuMs[phase]),
      busyCores: wall[phase] > 0 ? known(cpuMs[phase] / wall[phase]) : null,
      mainMs: known(mainMs[phase]),
      mainShare: cpuMs[phase] > 0 ? known(mainMs[phase] / cpuMs[phase]) : null,
      mainAloneMs: known(alone[phase]),
      ...(waits && { waits: waits[phase] }),
    }))
    .filter((row) => row.wallMs > 0 || row.samples > 0)
    .sort((a, b) => (a.startMs ?? 0) - (b.startMs ?? 0));
}

module.exports = { cpuOfSample, phaseRows };
