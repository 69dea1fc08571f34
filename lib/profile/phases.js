'use strict';
// Which phase a sample belongs to: the innermost span of its moment, which is the one that began
// last of those open then. Spans of asynchronous work may overlap without being nested.

const NO_PHASE = '(no phase)';

/** @typedef {import('./raw').Marker} Marker */

/**
 * @param {Float64Array} timeNs ascending
 * @param {readonly Marker[]} markers
 * @returns {{names: string[], phaseOfSample: Int32Array}} names[0] is NO_PHASE
 */
function assignPhases(timeNs, markers) {
  const spans = markers
    .filter(({ type }) => type === 'span')
    .sort((a, b) => a.startNs - b.startNs || (b.endNs ?? Infinity) - (a.endNs ?? Infinity));
  const names = [NO_PHASE];
  /** @type {Map<string, number>} */
  const idOfName = new Map([[NO_PHASE, 0]]);
  const phaseOfSample = new Int32Array(timeNs.length);
  /** @type {{endNs: number, phase: number}[]} the last to begin on top; ended ones leave when on top */
  const open = [];
  let next = 0;
  for (let i = 0; i < timeNs.length; i++) {
    const time = timeNs[i];
    for (; next < spans.length && spans[next].startNs <= time; next++) {
      const { name, endNs } = spans[next];
      let phase = idOfName.get(name);
      if (phase === undefined) {
        phase = names.length;
        names.push(name);
        idOfName.set(name, phase);
      }
      open.push({ endNs: endNs ?? Infinity, phase });
    }
    while (open.length > 0 && open[open.length - 1].endNs <= time) open.pop();
    phaseOfSample[i] = open.length > 0 ? open[open.length - 1].phase : 0;
  }
  return { names, phaseOfSample };
}

module.exports = { assignPhases, NO_PHASE };
