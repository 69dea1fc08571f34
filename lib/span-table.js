'use strict';
// rspack's own spans for people: self and total, how often and how long, and the hottest functions of
// each; and the builds of a watch.

const { grouped } = require('./grouped.js');
const { printable, terminalOf } = require('./table.js');
const { shorten } = require('./shorten.js');

/** @typedef {import('./index').SpanRow} SpanRow */
/** @typedef {import('./index').Rebuild} Rebuild */
/** @typedef {import('./table').TableOptions} TableOptions */
/** @typedef {{head: string, right?: boolean, cells: string[]}} Column */

const LEAST_SHARE = 0.005;
/** A pipe has no width; Rust names have up to 22,000 characters. */
const NAME_WIDTH = 160;
/** Functions below a span. */
const SYMBOLS = 2;

/** @param {number} share */
const percent = (share) => (share * 100).toFixed(2);

/** @param {Column[]} columns @returns {string[]} the heading first */
function lay(columns) {
  const widths = columns.map(({ head, cells }) =>
    Math.max(head.length, ...cells.map((c) => c.length)),
  );
  const line = (/** @type {string[]} */ texts) =>
    texts
      .map((text, i) => (columns[i].right ? text.padStart(widths[i]) : text.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  const rows = columns[0].cells.map((_, row) => line(columns.map(({ cells }) => cells[row])));
  return [line(columns.map(({ head }) => head)), ...rows];
}

/** @param {{markers: readonly import('./index').Marker[]}} profile */
function aboutTrace({ markers }) {
  const found = markers.find(({ type }) => type === 'trace');
  if (!found) return [];
  const { spans, dropped, bytes, uncertainUs, layer } = /** @type {import('./index').TraceInfo} */ (
    found.data
  );
  const less = dropped > 0 ? `, the ${grouped(dropped)} shortest left out` : '';
  const sure = uncertainUs >= 1000 ? `${(uncertainUs / 1000).toFixed(1)} ms` : `${uncertainUs} us`;
  return [
    `${grouped(spans)} spans of rspack's ${layer} layer${less}, ${(bytes / 1e6).toFixed(2)} MB; clocks agree to ${sure}`,
    '',
  ];
}

/**
 * @param {{spans(): SpanRow[], markers: readonly import('./index').Marker[]}} profile
 * @param {TableOptions & {all?: boolean}} [options]
 */
function renderSpans(profile, options = {}) {
  const every = profile.spans();
  if (every.length === 0) {
    return "no spans of rspack's in this profile: record with --trace stages, or give a log with --trace FILE\n";
  }
  const { width, paint } = terminalOf(options);
  const rows = options.all ? every : every.filter((row) => row.selfShare >= LEAST_SHARE);
  const [head, ...lines] = lay([
    { head: 'SELF%', right: true, cells: rows.map((row) => percent(row.selfShare)) },
    { head: 'TOTAL%', right: true, cells: rows.map((row) => percent(row.totalShare)) },
    { head: 'CPU ms', right: true, cells: rows.map((row) => row.selfCpuMs?.toFixed(1) ?? '-') },
    { head: 'SPANS', right: true, cells: rows.map((row) => grouped(row.spans)) },
    { head: 'WALL ms', right: true, cells: rows.map((row) => row.wallMs.toFixed(1)) },
    { head: 'SPAN', cells: rows.map((row) => printable(row.name)) },
  ]);
  const indent = head.indexOf('SPAN', head.indexOf('WALL')) + 2;
  const below = rows.map(({ symbols }) =>
    symbols.slice(0, SYMBOLS).map(({ symbol, share }) => {
      const room = Math.max(20, Math.min(NAME_WIDTH, width - indent - 8));
      return `${' '.repeat(indent)}${percent(share).padStart(6)}  ${shorten(printable(symbol), room)}`;
    }),
  );
  const left = every.filter((row) => !rows.includes(row));
  const rest = left.reduce((sum, row) => sum + row.selfShare, 0);
  const shared = every.reduce((sum, row) => sum + row.sharedSamples, 0);
  const samples = every.reduce((sum, row) => sum + row.samples, 0);
  return [
    ...aboutTrace(profile),
    paint('bold', head),
    ...lines.flatMap((line, i) => [line, ...below[i]]),
    ...(left.length > 0
      ? [`${left.length} more: ${percent(rest)}% together (--json has all)`]
      : []),
    ...(shared > 0
      ? [
          `${percent(shared / samples)}% of the samples lay under one of several open spans, and nothing told which: they count to the span around those`,
        ]
      : []),
    '',
  ].join('\n');
}

/**
 * @param {{rebuilds(): Rebuild[]}} profile
 * @param {TableOptions} [options]
 */
function renderBuilds(profile, options = {}) {
  const rows = profile.rebuilds();
  if (rows.length === 0) return 'no build ended in this profile\n';
  const { paint } = terminalOf(options);
  const several = rows.some(({ compiler }) => compiler !== rows[0].compiler);
  const files = (/** @type {Rebuild} */ { changed, changedCount }) => {
    const more = changedCount > 3 ? ` and ${changedCount - 3} more` : '';
    return printable(changed.slice(0, 3).join(' ')) + more;
  };
  const [head, ...lines] = lay([
    { head: 'BUILD', right: true, cells: rows.map(({ build }) => String(build)) },
    { head: 'AT s', right: true, cells: rows.map(({ startMs }) => (startMs / 1000).toFixed(2)) },
    { head: 'WALL ms', right: true, cells: rows.map(({ ms }) => ms.toFixed(1)) },
    ...(several
      ? [{ head: 'COMPILER', cells: rows.map(({ compiler }) => printable(compiler)) }]
      : []),
    { head: 'CHANGED', cells: rows.map(files) },
  ]);
  return `${[paint('bold', head), ...lines].join('\n')}\n`;
}

module.exports = { renderBuilds, renderSpans };
