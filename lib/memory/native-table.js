'use strict';
// Native allocations for people: what was allocated, live at the peak and at the end, and for whom.

const { fit, pad, terminalOf } = require('../table.js');
const { EVENTS } = require('./native.js');

/** @typedef {import('../index').HotspotRow} HotspotRow */
/** @typedef {{memory: import('../index').Memory | null,
 *    event: (name: string) => {hotspots: (options: {by: any}) => HotspotRow[]}}} Profile */

const MOST_ROWS = 20;
/** A row that is below this in every column is summed up. */
const LEAST_SHARE = 0.005;
const GAP = '  ';
/** A pipe has no width. */
const PIPE_COLUMNS = 160;
const HEADS = ['ALLOC MB', 'PEAK MB', 'END MB', 'CALLS', 'MEAN B'];

const mb = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(1);

/** @param {number} count */
const grouped = (count) => Math.round(count).toLocaleString('en-US');

/**
 * By function or another key: bytes, calls, what was live.
 * @param {Profile} profile
 * @param {string} by
 * @returns {import('../index').NativeAllocationRow[]} the most bytes first
 */
function nativeRows(profile, by = 'symbol') {
  /** @type {Map<string, import('../index').NativeAllocationRow>} */
  const rows = new Map();
  /** @typedef {'bytes' | 'calls' | 'peakBytes' | 'liveBytes'} Figure */
  const read = (/** @type {string} */ event, /** @type {Figure} */ figure) => {
    for (const { key, symbol, object, crate, kind, self, samples } of profile
      .event(event)
      .hotspots({ by })) {
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
 * @param {import('../table').TableOptions & {all?: boolean}} [options] all: every row
 * @returns {string[]} lines; none where native allocations were not recorded
 */
function nativeLines(profile, options = {}) {
  const native = profile.memory?.native;
  if (!native) return [];
  const { width, paint } = terminalOf(options);
  const { all, peak, live, sampleBytes, costPercent, detached } = native;
  const stopped = detached ? `, until sampling ended itself (${detached})` : '';
  const lines = [
    `native allocations, about: ${mb(all.bytes)} MB in ${grouped(all.pieces)} calls; live: ${mb(peak.bytes)} MB at the peak, ${mb(live.bytes)} MB at the end`,
    `(one sample in ${grouped(sampleBytes)} bytes, ${grouped(all.samples)} of them; this cost ${costPercent.toFixed(1)} % of the CPU time${stopped})`,
  ];
  const rows = nativeRows(profile);
  const shows = (/** @type {typeof rows[0]} */ row) =>
    row.bytes >= all.bytes * LEAST_SHARE || row.peakBytes >= peak.bytes * LEAST_SHARE;
  const shown = options.all ? rows : rows.filter(shows).slice(0, MOST_ROWS);
  const cells = shown.map(({ bytes, peakBytes, liveBytes, calls }) => [
    mb(bytes),
    mb(peakBytes),
    mb(liveBytes),
    grouped(calls),
    grouped(bytes / Math.max(1, calls)),
  ]);
  const owners = shown.map(({ crate, object }) => fit(crate || object || '', 18, 'rust'));
  const widths = HEADS.map((head, i) =>
    Math.max(head.length, ...cells.map((row) => row[i].length)),
  );
  const ownerWidth = Math.max('CRATE/OBJECT'.length, ...owners.map((owner) => owner.length));
  const used = [...widths, ownerWidth].reduce((sum, columns) => sum + columns + GAP.length, 0);
  const left = width === Infinity ? PIPE_COLUMNS : Math.max(16, width - used);
  const line = (
    /** @type {string[]} */ texts,
    /** @type {string} */ owner,
    /** @type {string} */ last,
  ) =>
    [...texts.map((text, i) => pad(text, widths[i], true)), pad(owner, ownerWidth), last].join(GAP);
  lines.push('', paint('bold', line(HEADS, 'CRATE/OBJECT', 'FUNCTION')));
  shown.forEach((row, i) => {
    const name = row.symbol ?? row.key;
    lines.push(line(cells[i], owners[i], fit(name, left, row.kind ?? 'native')));
  });
  const rest = rows.slice(shown.length);
  if (rows.length > shown.length) {
    const bytes = all.bytes - shown.reduce((sum, row) => sum + row.bytes, 0);
    lines.push(`${grouped(rest.length)} more: ${mb(Math.max(0, bytes))} MB together`);
  }
  return lines;
}

module.exports = { nativeLines, nativeRows };
