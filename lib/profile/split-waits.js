'use strict';
// A wait that goes on from one phase into the next is charged to both: it becomes a sample for each, with
// what lay in it. What is asked of a phase then adds up to the time that its threads had.

const { segmentsOf } = require('./phases.js');
const { countedAgain } = require('./quality.js');

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {import('./raw').Marker} Marker */

/** Shorter parts stay with the one before: nobody sees them, and there may be many. */
const LEAST_NS = 1e5;

/**
 * @param {number} startNs
 * @param {number} endNs
 * @param {number[]} cuts ascending
 * @returns {number[]} where it begins and is cut
 */
function partsOf(startNs, endNs, cuts) {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle] > startNs) high = middle;
    else low = middle + 1;
  }
  const starts = [startNs];
  for (let i = low; i < cuts.length && cuts[i] < endNs; i++) {
    if (cuts[i] - starts[starts.length - 1] >= LEAST_NS && endNs - cuts[i] >= LEAST_NS)
      starts.push(cuts[i]);
  }
  return starts;
}

/**
 * @param {RawProfile} raw
 * @param {readonly Marker[]} markers
 * @returns {RawProfile} the same one where nothing is to be split
 */
function splitWaits(raw, markers) {
  const { timeNs, weight, state } = raw.samples;
  if (!raw.meta.switches || !state) return raw;
  const { segments } = segmentsOf(markers);
  const cuts = segments.flatMap(({ startNs, endNs }) => [startNs, endNs]).filter(Number.isFinite);
  if (cuts.length === 0) return raw;
  /** @type {{from: number, timeNs: number, weight: number}[]} */
  const rows = [];
  for (let i = 0; i < timeNs.length; i++) {
    const endNs = timeNs[i] + weight[i];
    const starts = state[i] === 0 ? [timeNs[i]] : partsOf(timeNs[i], endNs, cuts);
    starts.forEach((start, part) => {
      // The last takes what is left, so that nothing is rounded away.
      const own = part === starts.length - 1 ? endNs : starts[part + 1];
      rows.push({
        from: i,
        timeNs: start,
        weight: state[i] === 0 ? weight[i] : own - start,
      });
    });
  }
  if (rows.length === timeNs.length) return raw;
  rows.sort((a, b) => a.timeNs - b.timeNs || a.from - b.from);
  const samples = /** @type {RawProfile['samples']} */ (
    Object.fromEntries(
      Object.entries(/** @type {Record<string, any>} */ (raw.samples)).map(([name, column]) => [
        name,
        column.constructor.from(rows, (/** @type {{from: number}} */ { from }) => column[from]),
      ]),
    )
  );
  samples.timeNs = Float64Array.from(rows, (row) => row.timeNs);
  samples.weight = Float64Array.from(rows, (row) => row.weight);
  return { ...raw, samples, quality: countedAgain(raw, samples) };
}

module.exports = { splitWaits };
