'use strict';
// Where the difference is: CPU time of each function, crate and phase on either side. Shares come from
// the profiled runs, the time that they are of from the timed ones: profiling slows a build, and few
// profiled runs tell its time badly; which part of it is whose they tell well. Pure.

const { mean } = require('simple-statistics');
const { diff } = require('../profile/diff.js');
const { halfNamed } = require('../profile/matching.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./summary').MetricSummary} MetricSummary */

/** Standard errors either side of a 95 % interval. */
const INTERVAL_ERRORS = 1.96;
/** Samples that a row must have had to be expected in a run for its deviation to count. */
const LEAST_EXPECTED = 10;
/** Rows that are kept, of each table. */
const MOST_ROWS = 200;

/**
 * How much more than by chance counts differ between runs of one side: Pearson's chi-squared by its
 * degrees of freedom, all rows together; never below 1 (McCullagh and Nelder, Generalized Linear
 * Models, 4.5).
 * @param {readonly (readonly Profile[])[]} sides
 */
function dispersionOf(sides) {
  let [squares, freedom] = [0, 0];
  for (const runs of sides) {
    if (runs.length < 2) continue;
    const counts = runs.map(
      (profile) =>
        new Map(
          profile.hotspots({ unnamed: 'together' }).map(({ key, samples }) => [key, samples]),
        ),
    );
    const totals = counts.map((rows) => [...rows.values()].reduce((sum, n) => sum + n, 0));
    const all = totals.reduce((sum, n) => sum + n, 0);
    let rows = 0;
    for (const key of new Set(counts.flatMap((one) => [...one.keys()]))) {
      const own = counts.map((one) => one.get(key) ?? 0);
      const share = own.reduce((sum, n) => sum + n, 0) / all;
      const expected = totals.map((total) => total * share);
      if (Math.min(...expected) < LEAST_EXPECTED) continue;
      rows++;
      own.forEach((n, run) => (squares += (n - expected[run]) ** 2 / expected[run]));
    }
    freedom += Math.max(0, rows - 1) * (runs.length - 1);
  }
  return freedom > 0 ? Math.max(1, squares / freedom) : 1;
}

/**
 * @typedef {object} Hotspot
 * @property {string} symbol or crate, or phase: the row's key
 * @property {string} [object]
 * @property {string} [crate]
 * @property {string} [kind]
 * @property {number} delta ms of CPU time of a build, candidate minus base
 * @property {[number, number]} interval 95 %, of this row alone
 * @property {number} baseMs
 * @property {number} candidateMs
 * @property {number} baseShare
 * @property {number} candidateShare
 * @property {boolean} isSignificant more than chance explains, of all rows
 * @property {boolean} isMoved the same of its share
 */

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @param {'symbol' | 'crate' | 'object' | 'phase'} by
 * @param {{ cpu: MetricSummary, dispersion: number }} known
 */
function rowsBy(base, candidate, by, { cpu, dispersion }) {
  const found = diff(base, candidate, { by, sort: 'self' }, { dispersion });
  const ratio = cpu.ratio ?? cpu.candidate / cpu.base;
  const [baseMs, candidateMs] = [cpu.base, cpu.base * ratio];
  // Half the ratio's own interval, as a part of it.
  const doubt = cpu.interval ? Math.log(cpu.interval[1] / cpu.interval[0]) / 2 : 0;
  const rows = found.rows.map((row) => {
    const [was, is] = [row.baseSelfShare * baseMs, row.candidateSelfShare * candidateMs];
    const shareHalf = (row.selfInterval[1] - row.selfInterval[0]) / 2;
    const half = Math.hypot(shareHalf * mean([baseMs, candidateMs]), is * doubt);
    const delta = is - was;
    const isCompared = row.baseSamples + row.candidateSamples >= LEAST_EXPECTED;
    return {
      symbol: by === 'symbol' ? (row.symbol ?? row.key) : row.key,
      ...(row.object !== undefined && { object: row.object }),
      ...(row.crate !== undefined && { crate: row.crate }),
      ...(row.kind !== undefined && { kind: row.kind }),
      delta,
      interval: /** @type {[number, number]} */ ([delta - half, delta + half]),
      baseMs: was,
      candidateMs: is,
      baseShare: row.baseSelfShare,
      candidateShare: row.candidateSelfShare,
      // Without an interval of the time, nothing but the share is known to be more than chance.
      isSignificant:
        isCompared &&
        (cpu.interval
          ? Math.abs(delta) * INTERVAL_ERRORS > half * found.leastErrors
          : row.isSignificant),
      isMoved: row.isSignificant,
    };
  });
  rows.sort(
    (a, b) =>
      Number(b.isSignificant) - Number(a.isSignificant) || Math.abs(b.delta) - Math.abs(a.delta),
  );
  const kept = rows.slice(0, MOST_ROWS);
  const significant = rows.filter((row) => row.isSignificant).length;
  return { rows: kept, significant, withinNoise: rows.length - significant, found };
}

/**
 * @param {{ base: Profile, candidate: Profile }} merged
 * @param {{ cpu: MetricSummary, dispersion: number }} known
 */
function compareHotspots({ base, candidate }, known) {
  const half = [...halfNamed(base, candidate)];
  const symbols = rowsBy(base, candidate, 'symbol', known);
  /**
   * @template {'crate' | 'object' | 'phase'} By
   * @param {By} by
   */
  const tableOf = (by) =>
    rowsBy(base, candidate, by, known).rows.map(
      ({ symbol, ...rest }) =>
        /** @type {typeof rest & Record<By, string>} */ ({ [by]: symbol, ...rest }),
    );
  return {
    hotspots: symbols.rows,
    // A crate has no counterpart in a file without symbols.
    crates: half.length > 0 ? [] : tableOf('crate'),
    objects: tableOf('object'),
    phases: tableOf('phase'),
    counts: {
      significant: symbols.significant,
      withinNoise: symbols.withinNoise,
      moved: symbols.found.significant,
      halfNamed: half,
    },
    warnings: symbols.found.warnings,
  };
}

/**
 * The result of a comparison whose profiles were given names since.
 * @param {any} result of a bundle
 * @param {{ base: Profile, candidate: Profile }} profiles
 */
function withHotspots(result, profiles) {
  const { cpu } = result.metrics ?? {};
  if (!cpu || !result.profiled) return result;
  const dispersion = result.profiled.dispersion ?? 1;
  const { hotspots, crates, objects, phases, counts } = compareHotspots(profiles, {
    cpu,
    dispersion,
  });
  return {
    ...{ ...result, hotspots, crates, objects, phases },
    profiled: { ...result.profiled, ...counts },
  };
}

module.exports = { compareHotspots, dispersionOf, withHotspots };
