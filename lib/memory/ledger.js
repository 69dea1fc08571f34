'use strict';
// The ledger of sampled allocations: what each sample stands for, what was live when, and which samples
// were at the peak and at the end. Pure arithmetic over columns.
//
// A thread is sampled each `meanBytes` bytes in the mean, at exponential distances: a piece of n bytes is
// hit with probability p = 1 - exp(-n / meanBytes), so that a hit stands for n / p bytes and 1 / p pieces
// (Horvitz and Thompson 1952). Sums of these are unbiased whatever the sizes are.

/** @typedef {{timeNs: Float64Array, freedNs: Float64Array, bytes: Float64Array}} Pieces */

/** Of freedNs: it lives; nobody knows (src/heap/sampler.h). */
const LIVES = 0;
const UNKNOWN = 1;
const MOST_POINTS = 2048;

/**
 * How many pieces of this size one sample stands for.
 * @param {number} bytes
 * @param {number} meanBytes
 */
const piecesPerSample = (bytes, meanBytes) => 1 / -Math.expm1(-Math.max(bytes, 1) / meanBytes);

/**
 * @param {Pieces} pieces
 * @param {number} meanBytes
 * @param {number} endNs what is freed later lives
 */
function ledgerOf({ timeNs, freedNs, bytes }, meanBytes, endNs) {
  const count = timeNs.length;
  const calls = new Float64Array(count);
  const weight = new Float64Array(count);
  /** @type {{at: number, row: number, sign: number}[]} */
  const steps = [];
  let unknown = 0;
  for (let row = 0; row < count; row++) {
    calls[row] = piecesPerSample(bytes[row], meanBytes);
    weight[row] = bytes[row] * calls[row];
    if (freedNs[row] === UNKNOWN) {
      unknown++;
      continue;
    }
    steps.push({ at: timeNs[row], row, sign: 1 });
    if (freedNs[row] !== LIVES && freedNs[row] <= endNs) {
      steps.push({ at: Math.max(freedNs[row], timeNs[row]), row, sign: -1 });
    }
  }
  // At one time: what comes, comes first; a piece that was freed at once was there for a moment.
  steps.sort((a, b) => a.at - b.at || b.sign - a.sign);

  let now = 0;
  let peakBytes = 0;
  let peakStep = -1;
  steps.forEach(({ row, sign }, i) => {
    now += sign * weight[row];
    if (now <= peakBytes) return;
    peakBytes = now;
    peakStep = i;
  });
  /** @param {number} last the last step that counts */
  const liveAfter = (last) => {
    /** @type {Set<number>} */
    const rows = new Set();
    for (let i = 0; i <= last; i++) {
      if (steps[i].sign > 0) rows.add(steps[i].row);
      else rows.delete(steps[i].row);
    }
    return Uint32Array.from(rows).sort();
  };
  return {
    calls,
    weight,
    unknown,
    peakNs: peakStep < 0 ? 0 : steps[peakStep].at,
    peak: liveAfter(peakStep),
    live: liveAfter(steps.length - 1),
    curve: curveOf(steps, weight),
  };
}

/**
 * Live bytes over time, at most MOST_POINTS of them, the highest of each stretch.
 * @param {{at: number, row: number, sign: number}[]} steps
 * @param {Float64Array} weight
 */
function curveOf(steps, weight) {
  const per = Math.max(1, Math.ceil(steps.length / MOST_POINTS));
  const timeNs = [];
  const bytes = [];
  let now = 0;
  for (let from = 0; from < steps.length; from += per) {
    let [highest, at] = [-1, 0];
    for (const step of steps.slice(from, from + per)) {
      now = Math.max(0, now + step.sign * weight[step.row]);
      if (now > highest) [highest, at] = [now, step.at];
    }
    timeNs.push(at);
    bytes.push(highest);
  }
  return { timeNs: Float64Array.from(timeNs), bytes: Float64Array.from(bytes) };
}

module.exports = { ledgerOf, piecesPerSample };
