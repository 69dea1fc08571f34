'use strict';
// A difference for people: a table that fits the terminal, or Markdown for a comment on a pull request.

const { plural } = require('../grouped.js');
const {
  PIPE_COLUMNS,
  columnsOf,
  fit,
  pad,
  printable,
  warningLines,
  wrap,
} = require('../terminal.js');

/** @typedef {import('../index').Diff} Diff */
/** @typedef {import('../index').DiffRow} DiffRow */
/** @typedef {import('../terminal').Terminal} Terminal */

const LEAST_NAME_COLUMNS = 16;
const MARKDOWN_NAME_COLUMNS = 80;
const GAP = '  ';
const TAGS = { both: '', new: 'new', vanished: 'gone' };

/** @param {Diff} diff */
function formatter({ sort, normalize, base }) {
  const isTime = normalize === 'time';
  const value = (/** @type {number} */ number) =>
    isTime ? (number / 1e6).toFixed(1) : (number * 100).toFixed(2);
  const signed = (/** @type {number} */ number) => {
    const text = value(number);
    return number > 0 ? `+${text}` : text;
  };
  const unit = base.unit === 'ns' ? 'ms' : `million ${base.unit}`;
  return {
    unit: isTime ? unit : '%',
    what: isTime ? `${sort} in ${unit}` : `${sort} in % of each profile`,
    cells(/** @type {DiffRow} */ row) {
      const isTotal = sort === 'total';
      const delta = isTotal ? row.totalDelta : row.selfDelta;
      const [low, high] = isTotal ? row.totalInterval : row.selfInterval;
      const share = isTotal
        ? [row.baseTotalShare, row.candidateTotalShare]
        : [row.baseSelfShare, row.candidateSelfShare];
      const weight = isTotal
        ? [row.baseTotal, row.candidateTotal]
        : [row.baseSelf, row.candidateSelf];
      const [was, is] = isTime ? weight : share;
      return {
        delta,
        change: signed(delta),
        margin: `±${value((high - low) / 2)}`,
        was: value(was),
        is: value(is),
      };
    },
  };
}

/** @param {Diff} diff @param {number} shown */
function restLines({ significant, withinNoise, leastErrors }, shown) {
  const hidden = significant - Math.min(shown, significant);
  const lines = [];
  if (significant === 0) lines.push('no difference to show: no change is more than noise');
  if (hidden > 0) lines.push(`${plural(hidden, 'more change')} beyond noise`);
  if (withinNoise > 0) {
    const limit = `${leastErrors.toFixed(1)} standard errors`;
    lines.push(`${plural(withinNoise, 'change')} within noise (below ${limit})`);
  }
  return lines;
}

/**
 * A function by its own name; what else rows are by, by that, also where one function alone is in it.
 * @param {DiffRow} row
 * @param {string} by
 */
const nameOf = ({ symbol, key }, by) => (by === 'symbol' ? (symbol ?? key) : key);

/**
 * @param {Diff} diff whose rows are all shown
 * @param {Terminal} terminal
 * @returns {string} ends in a newline
 */
function renderDiff(diff, { width, paint }) {
  const { base, candidate, rows, by, warnings } = diff;
  const format = formatter(diff);
  const lines = [
    `base ${plural(base.samples, 'sample')}, candidate ${plural(candidate.samples, 'sample')}`,
    `${format.what}, ± is the 95% interval of that row`,
    '',
  ];
  if (rows.length > 0) {
    const cells = rows.map((row) => {
      const { change, margin, was, is } = format.cells(row);
      return [change, margin, was, is, row.isSignificant ? TAGS[row.status] : 'noise'];
    });
    const heads = ['CHANGE', '±', 'BASE', 'CANDIDATE', ''];
    const widths = heads.map((head, i) =>
      Math.max(columnsOf(head), ...cells.map((row) => columnsOf(row[i]))),
    );
    // Without new and vanished rows the fifth column takes no room.
    const shown = heads.map((_, i) => i).filter((i) => widths[i] > 0);
    const used = shown.reduce((sum, i) => sum + widths[i] + GAP.length, 0);
    const left = width === Infinity ? PIPE_COLUMNS : Math.max(LEAST_NAME_COLUMNS, width - used);
    const line = (/** @type {string[]} */ row) => shown.map((i) => pad(row[i], widths[i], i < 4));
    lines.push(paint('bold', [...line(heads), by.toUpperCase()].join(GAP)));
    rows.forEach((row, r) => {
      const [change, ...rest] = line(cells[r]);
      const grew = format.cells(row).delta > 0;
      const style = !row.isSignificant ? 'dim' : grew ? 'red' : 'bold';
      const name = fit(nameOf(row, by), left, row.kind);
      lines.push([paint(style, change), ...rest, name].join(GAP).trimEnd());
    });
  }
  const measure = Math.min(width, 100);
  const shownChanges = rows.filter((row) => row.isSignificant).length;
  lines.push(...restLines(diff, shownChanges).flatMap((text) => wrap(text, measure)));
  if (warnings.length > 0) lines.push('', ...warningLines(warnings, { width, paint }));
  return `${lines.join('\n')}\n`;
}

/**
 * A name as code in a cell: a bar ends the cell even there, a backtick the code.
 * @param {string} text
 */
const code = (text) => `\`${text.replace(/`/g, "'").replace(/\|/g, '\\|')}\``;

/** Text outside of code: nothing of it is markup. @param {string} text */
const plain = (text) => printable(text).replace(/[\\`*_{}[\]<>#|@&~]/g, '\\$&');

/**
 * @param {Diff} diff
 * @returns {string} ends in a newline
 */
function renderMarkdown(diff) {
  const { base, candidate, rows, by, sort, warnings } = diff;
  const format = formatter(diff);
  const row = (/** @type {DiffRow} */ one) => {
    const { change, margin, was, is } = format.cells(one);
    const tag = TAGS[one.status] && ` **${TAGS[one.status]}**`;
    const name = code(fit(nameOf(one, by), MARKDOWN_NAME_COLUMNS, one.kind));
    return `| ${change} ${margin} | ${was} | ${is} | ${name}${tag} |`;
  };
  const table = (/** @type {DiffRow[]} */ some) =>
    some.length === 0
      ? []
      : [
          `| change (${format.unit}) | base | candidate | ${by} |`,
          '| ---: | ---: | ---: | :--- |',
          ...some.map(row),
          '',
        ];
  const significant = rows.filter(({ isSignificant }) => isSignificant);
  const others = rows.filter(({ isSignificant }) => !isSignificant);
  const lines = [
    `**rspack-prof**: ${plural(diff.significant, 'change')} of ${sort} by ${by}`,
    '',
    ...table(significant),
    ...warnings.map(({ message }) => `- warning: ${plain(message)}`),
    ...(warnings.length > 0 ? [''] : []),
    '<details><summary>How to read this</summary>',
    '',
    `Base ${plural(base.samples, 'sample')}, candidate ${plural(candidate.samples, 'sample')}; ${format.what}; ` +
      '± is the 95 % interval of that row.',
    ...restLines(diff, significant.length).map((text) => `${text}.`),
    'One run of each is a hint, no proof.',
    '',
    ...table(others),
    '</details>',
  ];
  return `${lines.join('\n')}\n`;
}

module.exports = { renderDiff, renderMarkdown };
