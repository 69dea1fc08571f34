'use strict';
// Which phase each moment, and so each sample, belongs to: exactly one. It is the innermost of those open
// then, which is the one that began last: a span of the program's own inside `make` takes its samples
// from `make`; of two compilers that run at once the one whose phase began last has the moment. Spans of
// asynchronous work may overlap without being nested.

/** Where a profile has no build phase at all. */
const NO_PHASE = '(no phase)';
/** Moments outside of all phases, where it has some. */
const BEFORE = 'before';
const BETWEEN = 'between';
const AFTER = 'after';

/** @typedef {import('./raw').Marker} Marker */
/** @typedef {{name: string, compiler: string, build: number}} Phase build: 0 outside of a compiler */
/** @typedef {{startNs: number, endNs: number, phase: number}} Segment phase: index of a Phase */
/** @typedef {{phases: Phase[], segments: Segment[], names: string[],
 *    after: number, phaseOfSample: Int32Array}} PhaseColumn names: of the phases, two may have one name;
 *    0 is what comes before all of them, `after` what comes after */

/**
 * rspack's own spans (docs/trace.md) that tell apart what no time stamp of a hook does: all of it lies in the
 * phase of code generation. Checked with rspack 2.2.7.
 */
const SPLIT = 'code generation';
/** @type {[RegExp, string][]} */
const PHASE_OF_SPAN = [
  [/^Compilation::?process_(modules|chunks)_runtime_requirements$/, 'runtime requirements'],
  [/^Compilation::?create_(module_hashes|hash)$/, 'hash'],
  [/^Compilation::?create_(module|chunk)_assets$/, 'create assets'],
];

/**
 * Phases within phases, where the profile has rspack's spans.
 * @param {readonly Marker[]} markers
 * @returns {Marker[]}
 */
function phasesOfSpans(markers) {
  const whole = markers.filter(({ type, name }) => type === 'phase' && name === SPLIT);
  return markers.flatMap((span) => {
    const name = PHASE_OF_SPAN.find(([pattern]) => pattern.test(span.name))?.[1];
    if (span.type !== 'rspack' || name === undefined) return [];
    // Of compilers that run at once the one whose phase began last, as everywhere.
    const around = whole.filter(({ startNs, endNs }) => {
      return startNs <= span.startNs && (endNs ?? Infinity) > span.startNs;
    });
    const own = around[around.length - 1];
    if (!own || span.endNs === null) return [];
    return [{ ...span, type: own.type, name, data: own.data }];
  });
}

class PhaseTable {
  /** @type {Phase[]} */
  phases = [];
  /** @type {Map<string, number>} */
  #ids = new Map();

  /** @param {Phase} phase */
  id({ name, compiler, build }) {
    const key = [name, compiler, build].join('\0');
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.phases.push({ name, compiler, build }) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }

  /** @param {Marker} marker */
  idOf({ type, name, data }) {
    const { compiler = '', build = 0 } =
      type === 'phase' ? /** @type {Partial<Phase>} */ (data ?? {}) : {};
    return this.id({ name, compiler: String(compiler), build: Number(build) });
  }
}

/**
 * Cuts the time into segments of one phase each; -1: none is open.
 * @param {Marker[]} spans by their start
 * @param {PhaseTable} table
 * @returns {Segment[]} without gaps, from the first span's start
 */
function cutTime(spans, table) {
  /** @type {Segment[]} */
  const segments = [];
  /** @type {{endNs: number, phase: number}[]} the last to begin on top; ended ones leave when on top */
  const open = [];
  let now = spans.length > 0 ? spans[0].startNs : 0;
  const until = (/** @type {number} */ endNs) => {
    while (now < endNs) {
      while (open.length > 0 && open[open.length - 1].endNs <= now) open.pop();
      const top = open[open.length - 1];
      const stop = Math.min(endNs, top?.endNs ?? Infinity);
      if (top === undefined && stop === Infinity) return;
      segments.push({ startNs: now, endNs: stop, phase: top?.phase ?? -1 });
      now = stop;
    }
  };
  for (const marker of spans) {
    until(marker.startNs);
    open.push({ endNs: marker.endNs ?? Infinity, phase: table.idOf(marker) });
  }
  until(Infinity);
  return segments;
}

/**
 * @param {Float64Array} timeNs ascending
 * @param {readonly Marker[]} markers
 * @returns {PhaseColumn}
 */
function assignPhases(timeNs, markers) {
  const { segments, table, before, after } = segmentsOf(markers);
  const phaseOfSample = new Int32Array(timeNs.length);
  let at = 0;
  for (let i = 0; i < timeNs.length; i++) {
    while (at < segments.length && segments[at].endNs <= timeNs[i]) at++;
    if (at === segments.length) phaseOfSample[i] = segments.length > 0 ? after : before;
    else phaseOfSample[i] = segments[at].startNs <= timeNs[i] ? segments[at].phase : before;
  }
  const { phases } = table;
  return { phases, segments, names: phases.map(({ name }) => name), after, phaseOfSample };
}

/**
 * @param {readonly Marker[]} markers
 * @returns {{segments: Segment[], table: PhaseTable, before: number, after: number}}
 */
function segmentsOf(markers) {
  const table = new PhaseTable();
  const spans = [...markers, ...phasesOfSpans(markers)]
    .filter(({ type, startNs, endNs }) => {
      return (type === 'span' || type === 'phase') && (endNs === null || endNs > startNs);
    })
    .sort((a, b) => a.startNs - b.startNs || (b.endNs ?? Infinity) - (a.endNs ?? Infinity));
  const built = spans.some(({ type }) => type === 'phase');
  const outside = (/** @type {string} */ name) =>
    table.id({ name: built ? name : NO_PHASE, compiler: '', build: 0 });
  const before = outside(BEFORE);
  const segments = cutTime(spans, table);
  for (const segment of segments) if (segment.phase < 0) segment.phase = outside(BETWEEN);
  const after = outside(AFTER);
  return { segments, table, before, after };
}

module.exports = { assignPhases, segmentsOf };
