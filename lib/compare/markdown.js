'use strict';
// The report of a comparison as Markdown, for a comment on a pull request. Pure.

const { plural } = require('../grouped.js');
const { fit, printable } = require('../terminal.js');
const { METRICS, MOST_ROWS, WORDS, keepText } = require('./text.js');
const { changeText, intervalText, valueText } = require('./words.js');

/** @typedef {import('./compare').Comparison['result']} Result */

const NAME_COLUMNS = 80;

/**
 * A name as code in a cell: a bar ends the cell even there, a backtick the code.
 * @param {string} text
 */
const code = (text) => `\`${printable(text).replace(/`/g, "'").replace(/\|/g, '\\|')}\``;

/** Text outside of code: nothing of it is markup. @param {string} text */
const plain = (text) => printable(text).replace(/[\\`*_{}[\]<>#|@&~]/g, '\\$&');

/** @param {Result} result */
function metricTable({ metrics, runs }) {
  if (runs.pairs === 0) return [];
  const rows = METRICS.flatMap(([name, label]) => {
    const one = metrics[name];
    if (!one) return [];
    const { base, candidate, ratio, interval, unit } = one;
    const change = ratio === null ? '' : `${changeText(ratio)} | ${intervalText(interval)}`;
    const was = valueText(base, unit);
    return [`| ${label.trim()} | ${was} | ${valueText(candidate, unit)} | ${change || ' | '} |`];
  });
  return [
    '| | base | candidate | change | 95 % interval |',
    '| :--- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ];
}

/**
 * @param {any[]} rows
 * @param {'symbol' | 'crate' | 'phase' | 'object'} by
 */
function hotTable(rows, by) {
  const shown = rows.filter(({ isSignificant }) => isSignificant).slice(0, MOST_ROWS);
  if (shown.length === 0) return [];
  const lines = shown.map((row) => {
    const { delta, interval, baseMs, candidateMs } = row;
    const half = ((interval[1] - interval[0]) / 2).toFixed(1);
    const name = code(fit(row[by], NAME_COLUMNS, row.kind));
    const change = `${delta > 0 ? '+' : ''}${delta.toFixed(1)} ±${half}`;
    return `| ${change} | ${baseMs.toFixed(1)} | ${candidateMs.toFixed(1)} | ${name} |`;
  });
  return [`| CPU ms | base | candidate | ${by} |`, '| ---: | ---: | ---: | :--- |', ...lines, ''];
}

/**
 * @param {Result} result
 * @returns {string} ends in a newline
 */
function renderMarkdown(result) {
  const { verdict, runs, sides, environment, warnings, profiled, hotspots, crates, objects } =
    result;
  const { bindings } = environment;
  const bindingLines = Object.entries(bindings).flatMap(([side, one]) => {
    if (!one) return [];
    const id = one.buildId
      ? `build id ${one.buildId}`
      : `code sha256 ${one.textSha256.slice(0, 16)}`;
    const symbols = one.symbols ? 'with symbols' : 'without symbols';
    return [
      `- ${side}'s binding: ${code(one.file)} ${plain(one.version ?? '')}, ${symbols}, ${id}`,
    ];
  });
  const sums = crates.length > 0 ? hotTable(crates, 'crate') : hotTable(objects, 'object');
  const where = [...hotTable(result.phases, 'phase'), ...sums, ...hotTable(hotspots, 'symbol')];
  const lines = [
    `**rspack-prof compare: ${WORDS[verdict.decision].toLowerCase()}** (keep: ${keepText(verdict.keep)})`,
    '',
    plain(verdict.reason),
    '',
    ...metricTable(result),
    ...where,
    ...(profiled.runs > 0 && where.length === 0
      ? ['No function changed by more than noise.', '']
      : []),
    ...warnings.map(({ message }) => `- warning: ${plain(message)}`),
    ...(warnings.length > 0 ? [''] : []),
    '<details><summary>How it was measured</summary>',
    '',
    `- base: ${code(sides.base.title)}`,
    `- candidate: ${code(sides.candidate.title)}`,
    `- ${plural(runs.pairs, 'run')} of each in ABBA blocks (${runs.order}) after ${plural(runs.warmup, 'warm-up')}, ` +
      `${runs.cache} cache; apart from them ${plural(profiled.runs, 'profiled run')} of each`,
    `- ${plain(environment.cpu)}, ${environment.cpus} CPUs${environment.virtual ? ' (virtual)' : ''}, Linux ${plain(environment.kernel)}, ` +
      `node ${plain(environment.node)}${environment.rspack ? `, rspack ${plain(environment.rspack)}` : ''}`,
    ...bindingLines,
    '',
    'Each change is that of the pairs of runs (Hodges-Lehmann; below 10 pairs the mean); the interval holds the truth in at ' +
      'least 19 of 20 comparisons, however often was looked.',
    '',
    '</details>',
  ];
  return `${lines.join('\n')}\n`;
}

module.exports = { renderMarkdown };
