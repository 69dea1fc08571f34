'use strict';
// A result as CSV (RFC 4180): one row for each figure, of the whole first, then of each phase.

/** @typedef {import('../index').StatResult} StatResult */
/** @typedef {import('../index').StatCounts} StatCounts */
/** @typedef {import('../index').StatFigure} StatFigure */

const HEAD = [
  'phase',
  'compiler',
  'build',
  'figure',
  'value',
  'unit',
  'spread',
  'scaledBy',
  'event',
  'reason',
];

/** @param {unknown} value */
function cell(value) {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {[string, string, number | string]} where
 * @param {[string, StatFigure | null][]} times
 * @param {StatCounts} counts
 */
function rowsOf(where, times, { events, derived }) {
  const plain = (/** @type {[string, StatFigure | null]} */ [name, figure]) =>
    figure ? [[...where, name, figure.value, figure.unit, figure.spread, '', '', '']] : [];
  return [
    ...Object.entries(events).map(([name, one]) => [
      ...where,
      ...[name, one.value, one.unit, one.spread, one.scaledBy, one.event, one.reason],
    ]),
    ...times.flatMap(plain),
    ...Object.entries(derived).flatMap(plain),
  ];
}

/** @param {StatResult} result */
function renderCsv(result) {
  const { wallMs, userMs, systemMs, phases } = result;
  const rows = [
    HEAD,
    ...rowsOf(
      ['', '', ''],
      [
        ['wall', wallMs],
        ['user', userMs],
        ['system', systemMs],
      ],
      result,
    ),
    ...phases.flatMap((phase) =>
      rowsOf([phase.name, phase.compiler, phase.build], [['wall', phase.wallMs]], phase),
    ),
  ];
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('');
}

module.exports = { renderCsv };
