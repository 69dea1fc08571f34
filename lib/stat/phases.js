'use strict';
// Counts per build phase: the counters are read whenever a phase begins or ends, and what lies between
// two readings belongs to the phase that was innermost then, by the rule that samples follow.
// Refuses to grow for ever: after MOST_READINGS the rest of the run has no phases, and that is said.

const { assignPhases } = require('../profile/phases.js');

/** @typedef {import('./counters').Counters} Counters */
/** @typedef {import('./counters').Reading} Reading */
/** @typedef {import('./result').PhaseRun} PhaseRun */
/** @typedef {import('../profile/raw').Marker} Marker */

/** Some 500 rebuilds. */
const MOST_READINGS = 8192;

class PhaseCounts {
  /** @type {Reading[]} */
  #readings = [];
  #counters;
  #watch;
  /** @type {(() => void) | undefined} */
  #leave;
  isCut = false;

  /**
   * @param {Counters} counters
   * @param {import('../phases/index').PhaseWatch} watch
   */
  constructor(counters, watch) {
    this.#counters = counters;
    this.#watch = watch;
  }

  /** @param {Reading} first where the run begins */
  begin(first) {
    this.#readings = [first];
    this.#leave = this.#watch.onChange?.(() => {
      if (this.#readings.length < MOST_READINGS) this.#readings.push(this.#counters.read());
      else this.isCut = true;
    });
  }

  stop() {
    this.#leave?.();
    this.#leave = undefined;
  }

  /**
   * @param {Reading} last where the run ends
   * @returns {PhaseRun[]} none where nothing was built
   */
  end(last) {
    this.stop();
    const readings = [...this.#readings, last];
    this.#readings = [];
    if (readings.length === 2) return [];
    // Those before the first compiler are found afterwards: nothing was read where they began.
    const markers = this.#watch
      .markers(readings[0].atNs, last.atNs)
      .filter(({ type, data }) => type === 'phase' && data !== undefined);
    if (markers.length === 0) return [];
    return share(readings, numberAgain(markers), this.#counters);
  }
}

/**
 * The recorder numbers all compilers of a process; of several runs each has its own, which are the same
 * to who compares them: numbers here begin again in each run, and a lone compiler has none.
 * @param {Marker[]} markers
 * @returns {Marker[]}
 */
function numberAgain(markers) {
  const nameOf = (/** @type {Marker} */ { data }) =>
    /** @type {{compiler: string}} */ (data).compiler;
  const baseOf = (/** @type {string} */ name) => name.replace(/ #\d+$/, '');
  const names = [...new Set(markers.map(nameOf))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  return markers.map((marker) => {
    const base = baseOf(nameOf(marker));
    const same = names.filter((name) => baseOf(name) === base);
    const lone = base === 'compiler' ? '' : base;
    const compiler = same.length === 1 ? lone : `${base} #${same.indexOf(nameOf(marker)) + 1}`;
    return { ...marker, data: { .../** @type {object} */ (marker.data), compiler } };
  });
}

/**
 * @param {Reading[]} readings
 * @param {Marker[]} markers
 * @param {Pick<Counters, 'between'>} counters
 * @returns {PhaseRun[]}
 */
function share(readings, markers, counters) {
  const middles = Float64Array.from(
    readings.slice(1),
    ({ atNs }, i) => (readings[i].atNs + atNs) / 2,
  );
  const { phases, phaseOfSample } = assignPhases(middles, markers);
  /** @type {Map<number, {startNs: number, wallNs: number, words: Float64Array}>} */
  const sums = new Map();
  for (let i = 0; i < middles.length; i++) {
    const [from, to] = [readings[i], readings[i + 1]];
    const sum = sums.get(phaseOfSample[i]) ?? {
      startNs: from.atNs - readings[0].atNs,
      wallNs: 0,
      words: new Float64Array(to.words.length),
    };
    sum.wallNs += to.atNs - from.atNs;
    for (let w = 0; w < sum.words.length; w++) sum.words[w] += to.words[w] - from.words[w];
    sums.set(phaseOfSample[i], sum);
  }
  const nothing = (/** @type {Float64Array} */ words) => ({
    atNs: 0,
    words: new Float64Array(words.length),
  });
  return [...sums].map(([phase, { startNs, wallNs, words }]) => ({
    ...phases[phase],
    startNs,
    wallNs,
    counts: counters.between(nothing(words), { atNs: 0, words }),
  }));
}

/**
 * @param {{isCut: boolean}} counts
 * @returns {import('../index').Warning[]}
 */
function cutWarning({ isCut }) {
  const message = 'there were too many phases: the later ones are not told apart';
  return isCut ? [{ code: 'phases-dropped', message, fix: '' }] : [];
}

module.exports = { PhaseCounts, cutWarning, numberAgain, share };
