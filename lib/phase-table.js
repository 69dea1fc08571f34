'use strict';
// The phases of a build for people: how long each was, the CPU it took, how many cores that kept busy,
// and how long the main thread ran alone. In the order of time; widths follow the cells.

const { grouped } = require('./grouped.js');
const { lay } = require('./lay.js');
const { printable, terminalOf } = require('./terminal.js');

/** @typedef {import('./index').PhaseRow} PhaseRow */
/** @typedef {{ phases(): PhaseRow[], markers: readonly { type: string }[] }} Profile what is read of one */
/** @typedef {{head: string, right?: boolean, cell: (row: PhaseRow) => string}} Column */

/** A watch has many: the last ones are of interest, unless all are asked for. */
const MOST_BUILDS = 5;
/** Shorter ones are only counted. */
const LEAST_MS = 1;

/** @param {number | null} value */
const ms = (value) => (value === null ? '-' : value.toFixed(1));

/** @type {Column[]} */
const COLUMNS = [
  { head: 'WALL ms', right: true, cell: (row) => ms(row.wallMs) },
  { head: 'CPU ms', right: true, cell: (row) => ms(row.cpuMs) },
  { head: 'CORES', right: true, cell: (row) => row.busyCores?.toFixed(2) ?? '-' },
  { head: 'MAIN ms', right: true, cell: (row) => ms(row.mainMs) },
  { head: 'ALONE ms', right: true, cell: (row) => ms(row.mainAloneMs) },
  { head: 'SAMPLES', right: true, cell: (row) => grouped(row.samples) },
  { head: 'SHARE%', right: true, cell: (row) => (row.share * 100).toFixed(2) },
];
/** @type {Column} */
const NAME = { head: 'PHASE', cell: (/** @type {PhaseRow} */ row) => printable(row.name) };
/** @type {Column} */
const COMPILER = {
  head: 'COMPILER',
  cell: (/** @type {PhaseRow} */ row) => printable(row.compiler),
};
/** @type {Column} */
const BUILD = {
  head: 'BUILD',
  right: true,
  cell: (/** @type {PhaseRow} */ row) => (row.build > 0 ? String(row.build) : ''),
};

/** The most of what all threads but the main one waited for. */
const SHOWN_REASONS = 2;
/** @type {Column} */
const WAITS = {
  head: 'OTHERS WAIT FOR',
  cell: ({ waits }) => {
    const others = Object.entries(waits?.others ?? {});
    const all = others.reduce((sum, [, own]) => sum + own, 0);
    return others
      .sort(([, a], [, b]) => b - a)
      .slice(0, SHOWN_REASONS)
      .filter(([, own]) => own >= all / 100)
      .map(([reason, own]) => `${reason} ${Math.round((100 * own) / all)}%`)
      .join(', ');
  },
};

/** @param {Profile} profile */
const hasPhases = (profile) => profile.markers.some(({ type }) => type === 'phase');

/**
 * @param {Profile} profile
 * @param {import('./terminal').TerminalOptions & {all?: boolean}} [options]
 * @returns {string} lines; one that says so where there are no phases
 */
function renderPhases(profile, options = {}) {
  if (!hasPhases(profile)) return 'no build phases in this profile\n';
  const { width, paint } = terminalOf(options);
  const every = profile.phases();
  const last = Math.max(...every.map(({ build }) => build));
  const long = (/** @type {PhaseRow} */ { wallMs, samples }) => wallMs >= LEAST_MS || samples > 1;
  const recent = (/** @type {PhaseRow} */ { build }) => build === 0 || build > last - MOST_BUILDS;
  const rows = options.all ? every : every.filter((row) => recent(row) && long(row));
  const columns = [
    ...COLUMNS,
    ...(every.some(({ waits }) => waits) ? [WAITS] : []),
    ...(last > 1 ? [BUILD] : []),
    ...(new Set(every.map(({ compiler }) => compiler)).size > 2 ? [COMPILER] : []),
    NAME,
  ];
  const table = lay(
    columns.map(({ head, right, cell }) => ({ head, right, cells: rows.map(cell) })),
    width,
  );
  const lines = [paint('bold', table.head), ...table.lines];
  const left = every.filter((row) => !rows.includes(row));
  if (left.length > 0) {
    const cost = left.reduce((sum, { wallMs }) => sum + wallMs, 0);
    lines.push(`${left.length} more: ${ms(cost)} ms together (rspack-prof report --phases)`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * What stands above a table of hotspots: nothing where the profile has no phases.
 * @param {Profile} profile
 * @param {import('./terminal').TerminalOptions} options
 */
function phasesAbove(profile, options) {
  return hasPhases(profile) ? `${renderPhases(profile, options)}\n` : '';
}

module.exports = { phasesAbove, renderPhases };
