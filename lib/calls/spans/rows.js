'use strict';
// Spans summed up by what they are of: the table below the functions, and `spans` of `trace --json`.

/** @typedef {{ kind: string, name: string, calls: number, totalNs: number, ownNs: number, maxNs: number }} SpanRow
 *    total: from a call to its callback, or to the end of its promise; own: what it ran before it returned */

/**
 * @param {{ spans: import('./log').Span[] }[]} processes
 * @returns {SpanRow[]} longest first
 */
function spanRows(processes) {
  /** @type {Map<string, SpanRow & { apart: number }>} */
  const rows = new Map();
  for (const { spans } of processes) {
    for (const { kind, name, startNs, endNs, apart } of spans) {
      const key = `${kind}\0${name}`;
      let row = rows.get(key);
      if (!row) {
        rows.set(key, (row = { kind, name, calls: 0, totalNs: 0, ownNs: 0, maxNs: 0, apart: 0 }));
      }
      const ns = endNs - startNs;
      row.maxNs = Math.max(row.maxNs, ns);
      row[apart ? 'totalNs' : 'ownNs'] += ns;
      row[apart ? 'apart' : 'calls']++;
    }
  }
  return [...rows.values()]
    .map(({ apart, ...row }) => ({
      ...row,
      calls: Math.max(row.calls, apart),
      totalNs: apart > 0 ? row.totalNs : row.ownNs,
    }))
    .sort((a, b) => b.totalNs - a.totalNs || (a.name < b.name ? -1 : 1));
}

module.exports = { spanRows };
