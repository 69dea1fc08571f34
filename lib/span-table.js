'use strict';
// rspack's own spans for people: self and total, how often and how long, and the hottest functions of
// each; and the builds of a watch.

const { grouped } = require('./grouped.js');
const { lay } = require('./lay.js');
const { PIPE_COLUMNS, percent, printable, terminalOf, wrap } = require('./terminal.js');
const { shorten } = require('./shorten.js');

/** @typedef {import('./index').SpanRow} SpanRow */
/** @typedef {import('./index').Rebuild} Rebuild */
/** @typedef {import('./terminal').TerminalOptions} TerminalOptions */

const LEAST_SHARE = 0.005;
/** Of sentences. */
const MEASURE = 120;
/** Functions below a span. */
const SYMBOLS = 2;

/** @param {{markers: readonly import('./index').Marker[]}} profile @param {number} measure */
function aboutTrace({ markers }, measure) {
  const found = markers.find(({ type }) => type === 'trace');
  if (!found) return [];
  const { spans, dropped, bytes, uncertainUs, layer } = /** @type {import('./index').TraceInfo} */ (
    found.data
  );
  const less = dropped > 0 ? `, the ${grouped(dropped)} shortest left out` : '';
  const sure = uncertainUs >= 1000 ? `${(uncertainUs / 1000).toFixed(1)} ms` : `${uncertainUs} us`;
  const text = `${grouped(spans)} spans of rspack's ${layer} layer${less}, ${(bytes / 1e6).toFixed(2)} MB; clocks agree to ${sure}`;
  return [...wrap(text, measure), ''];
}

/**
 * @param {{spans(): SpanRow[], markers: readonly import('./index').Marker[]}} profile
 * @param {TerminalOptions & {all?: boolean}} [options]
 */
function renderSpans(profile, options = {}) {
  const every = profile.spans();
  const { width, paint } = terminalOf(options);
  const measure = Math.min(width, MEASURE);
  if (every.length === 0) {
    const none =
      "no spans of rspack's in this profile: record with --trace stages, or give a log with --trace FILE";
    return `${wrap(none, measure).join('\n')}\n`;
  }
  const rows = options.all ? every : every.filter((row) => row.selfShare >= LEAST_SHARE);
  const { head, lines, indent } = lay(
    [
      { head: 'SELF%', right: true, cells: rows.map((row) => percent(row.selfShare)) },
      { head: 'TOTAL%', right: true, cells: rows.map((row) => percent(row.totalShare)) },
      { head: 'CPU ms', right: true, cells: rows.map((row) => row.selfCpuMs?.toFixed(1) ?? '-') },
      { head: 'SPANS', right: true, cells: rows.map((row) => grouped(row.spans)) },
      { head: 'WALL ms', right: true, cells: rows.map((row) => row.wallMs.toFixed(1)) },
      { head: 'SPAN', cells: rows.map((row) => printable(row.name)) },
    ],
    width,
  );
  const below = rows.map(({ symbols }) =>
    symbols.slice(0, SYMBOLS).map(({ symbol, share }) => {
      const room = Math.max(20, Math.min(PIPE_COLUMNS, width - indent - 10));
      return `${' '.repeat(indent + 2)}${percent(share).padStart(6)}  ${shorten(printable(symbol), room)}`;
    }),
  );
  const left = every.filter((row) => !rows.includes(row));
  const rest = left.reduce((sum, row) => sum + row.selfShare, 0);
  const shared = every.reduce((sum, row) => sum + row.sharedSamples, 0);
  const samples = every.reduce((sum, row) => sum + row.samples, 0);
  return [
    ...aboutTrace(profile, measure),
    paint('bold', head),
    ...lines.flatMap((line, i) => [line, ...below[i]]),
    ...(left.length > 0
      ? [`${left.length} more: ${percent(rest)}% together (--json has all)`]
      : []),
    ...(shared > 0
      ? wrap(
          `${percent(shared / samples)}% of the samples lay under one of several open spans, and nothing told which: they count to the span around those`,
          measure,
        )
      : []),
    '',
  ].join('\n');
}

/**
 * @param {{rebuilds(): Rebuild[]}} profile
 * @param {TerminalOptions} [options]
 */
function renderBuilds(profile, options = {}) {
  const rows = profile.rebuilds();
  if (rows.length === 0) return 'no build ended in this profile\n';
  const { width, paint } = terminalOf(options);
  const several = rows.some(({ compiler }) => compiler !== rows[0].compiler);
  const files = (/** @type {Rebuild} */ { changed, changedCount }) => {
    const more = changedCount > 3 ? ` and ${changedCount - 3} more` : '';
    return printable(changed.slice(0, 3).join(' ')) + more;
  };
  const { head, lines } = lay(
    [
      { head: 'BUILD', right: true, cells: rows.map(({ build }) => String(build)) },
      { head: 'AT s', right: true, cells: rows.map(({ startMs }) => (startMs / 1000).toFixed(2)) },
      { head: 'WALL ms', right: true, cells: rows.map(({ ms }) => ms.toFixed(1)) },
      ...(several
        ? [{ head: 'COMPILER', cells: rows.map(({ compiler }) => printable(compiler)) }]
        : []),
      { head: 'CHANGED', cells: rows.map(files) },
    ],
    width,
  );
  return `${[paint('bold', head), ...lines].join('\n')}\n`;
}

module.exports = { renderBuilds, renderSpans };
