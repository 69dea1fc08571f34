'use strict';
// Native allocations for people: what was allocated, live at the peak and at the end, and for whom.

const { grouped } = require('../grouped.js');
const { lay } = require('../lay.js');
const { PIPE_COLUMNS, fit, printable, wrap } = require('../terminal.js');
const { EVENTS } = require('./native.js');

/** @typedef {import('../index').HotspotRow} HotspotRow */
/** @typedef {{memory: import('../index').Memory | null,
 *    event: (name: string) => {hotspots: (options: {by: any}) => HotspotRow[]}}} Profile */

const MOST_ROWS = 20;
/** A row that is below this in every column is summed up. */
const LEAST_SHARE = 0.005;
const OWNER_COLUMNS = 18;
/** Of sentences. */
const MEASURE = 120;

/** @param {number} bytes */
const mb = (bytes) => (bytes / 2 ** 20).toFixed(1);

/**
 * By function: bytes, calls, what was live.
 * @param {Profile} profile
 * @returns {import('../index').NativeAllocationRow[]} the most bytes first
 */
function nativeRows(profile) {
  /** @type {Map<string, import('../index').NativeAllocationRow>} */
  const rows = new Map();
  /** @typedef {'bytes' | 'calls' | 'peakBytes' | 'liveBytes'} Figure */
  const read = (/** @type {string} */ event, /** @type {Figure} */ figure) => {
    for (const { key, symbol, object, crate, kind, self, samples } of profile
      .event(event)
      .hotspots({ by: 'symbol' })) {
      const id = `${key}\0${object}`;
      let row = rows.get(id);
      if (!row) {
        const figures = { bytes: 0, calls: 0, peakBytes: 0, liveBytes: 0, samples: 0 };
        rows.set(id, (row = { key, symbol, object, crate, kind, ...figures }));
      }
      row[figure] += self;
      if (figure === 'bytes') row.samples += samples;
    }
  };
  read(EVENTS.bytes, 'bytes');
  read(EVENTS.calls, 'calls');
  read(EVENTS.peak, 'peakBytes');
  read(EVENTS.live, 'liveBytes');
  return [...rows.values()]
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes || b.calls - a.calls);
}

/**
 * @param {Profile} profile
 * @param {import('../terminal').Terminal & {every?: boolean}} options every: row
 * @returns {string[]} lines; none where native allocations were not recorded
 */
function nativeLines(profile, { width, paint, every }) {
  const native = profile.memory?.native;
  if (!native) return [];
  const { all, peak, live, sampleBytes, costPercent, detached } = native;
  const stopped = detached ? `, until sampling ended itself (${detached})` : '';
  const measure = Math.min(width, MEASURE);
  const rows = nativeRows(profile);
  const shows = (/** @type {typeof rows[0]} */ row) =>
    row.bytes >= all.bytes * LEAST_SHARE || row.peakBytes >= peak.bytes * LEAST_SHARE;
  const shown = every ? rows : rows.filter(shows).slice(0, MOST_ROWS);
  const nameOf = (/** @type {typeof rows[0]} */ { symbol, key, kind }) =>
    width === Infinity
      ? fit(symbol ?? key, PIPE_COLUMNS, kind ?? 'native')
      : printable(symbol ?? key);
  const table = lay(
    [
      { head: 'ALLOC MB', right: true, cells: shown.map((row) => mb(row.bytes)) },
      { head: 'PEAK MB', right: true, cells: shown.map((row) => mb(row.peakBytes)) },
      { head: 'END MB', right: true, cells: shown.map((row) => mb(row.liveBytes)) },
      { head: 'CALLS', right: true, cells: shown.map((row) => grouped(row.calls)) },
      {
        head: 'MEAN B',
        right: true,
        cells: shown.map(({ bytes, calls }) => grouped(bytes / Math.max(1, calls))),
      },
      {
        head: 'CRATE/OBJECT',
        cells: shown.map(({ crate, object }) => fit(crate || object || '', OWNER_COLUMNS, 'rust')),
      },
      {
        head: 'FUNCTION',
        cells: shown.map(nameOf),
        kinds: shown.map(({ kind }) => kind ?? 'native'),
      },
    ],
    width,
  );
  const lines = [
    ...wrap(
      `native allocations, about: ${mb(all.bytes)} MB in ${grouped(all.pieces)} calls; live: ${mb(peak.bytes)} MB at the peak, ${mb(live.bytes)} MB at the end`,
      measure,
    ),
    ...wrap(
      `(one sample in ${grouped(sampleBytes)} bytes, ${grouped(all.samples)} of them; this cost ${costPercent.toFixed(1)} % of the CPU time${stopped})`,
      measure,
    ),
    '',
    ...[paint('bold', table.head), ...table.lines],
  ];
  const rest = rows.length - shown.length;
  if (rest > 0) {
    const bytes = all.bytes - shown.reduce((sum, row) => sum + row.bytes, 0);
    lines.push(`${grouped(rest)} more: ${mb(Math.max(0, bytes))} MB together`);
  }
  return lines;
}

module.exports = { mb, nativeLines, nativeRows };
