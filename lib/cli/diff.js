'use strict';
// rspack-prof diff: which functions' shares changed between two profiles. One run of each is no
// proof (that is `compare`'s work): it says where to look.

const { numberOf, regexOf, textOf } = require('./args.js');
const { openProfile, writeJson, writeResult } = require('./files.js');
const { keysOf } = require('./report.js');
const { printable, terminalOf } = require('../table.js');
const { shorten } = require('../shorten.js');

const PIPE_COLUMNS = 160;

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'diff',
  summary: 'whose share changed between two profiles',
  usage: 'BASE CANDIDATE [OPTIONS]',
  positionals: [2, 2],
  options: {
    sort: { type: 'string', short: 's', value: 'KEY[,KEY]', help: 'as in report' },
    children: { type: 'boolean', help: 'order by the change of the total share' },
    'percent-limit': { type: 'string', value: 'P', help: 'leave out changes below P points (0.1)' },
    limit: { type: 'string', value: 'N', help: 'at most N rows (40)' },
    filter: { type: 'string', value: 'REGEX', help: 'only rows whose key matches' },
    json: { type: 'boolean', help: 'as JSON, names in full; all rows unless limited' },
    html: {
      type: 'string',
      value: 'OUT',
      help: 'as a page to look around in, instead of the table',
    },
  },
};

/** @param {number} share */
function points(share) {
  return `${share > 0 ? '+' : ''}${(share * 100).toFixed(2)}`;
}

/**
 * @param {import('../index').Diff} diff
 * @param {ReturnType<typeof terminalOf> & { children: boolean }} options
 * @returns {string} ends in a newline
 */
function renderDiff({ base, candidate, rows }, { width, paint, children }) {
  const count = (/** @type {number} */ samples) => `${samples.toLocaleString('en-US')} samples`;
  const lines = [`base ${count(base.samples)}, candidate ${count(candidate.samples)}`, ''];
  if (rows.length === 0) lines.push('no difference to show');
  else lines.push(paint('bold', '  DELTA   BASE%  CANDIDATE%  SYMBOL'));
  for (const row of rows) {
    const delta = children ? row.totalDelta : row.selfDelta;
    const before = children ? row.baseTotalShare : row.baseSelfShare;
    const after = children ? row.candidateTotalShare : row.candidateSelfShare;
    const cells = [
      paint(delta > 0 ? 'red' : 'dim', points(delta).padStart(7)),
      (before * 100).toFixed(2).padStart(6),
      (after * 100).toFixed(2).padStart(10),
    ];
    const left = (width === Infinity ? PIPE_COLUMNS : width) - 29;
    cells.push(shorten(printable(row.key), Math.max(16, left), row.kind));
    lines.push(cells.join('  '));
  }
  if (base.unit !== candidate.unit) {
    lines.push('', `note: ${base.unit} are compared with ${candidate.unit}: shares only, no more`);
  }
  return `${lines.join('\n')}\n`;
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const json = parsed.values.json === true;
  const children = parsed.values.children === true;
  /** @type {import('../index').DiffOptions} */
  const options = {
    by: keysOf(textOf(parsed, 'sort') ?? 'symbol'),
    sort: children ? 'total' : 'self',
    percentLimit: numberOf(parsed, 'percent-limit', { least: 0, most: 100 }) ?? (json ? 0 : 0.1),
    limit: numberOf(parsed, 'limit', { least: 0, whole: true }) ?? (json ? undefined : 40),
    filter: regexOf(parsed, 'filter'),
    // Addresses of two builds have nothing in common.
    unnamed: json ? 'apart' : 'together',
  };
  const [base, candidate] = parsed.positionals.map((file) => openProfile(file, world.cwd));
  const page = textOf(parsed, 'html');
  if (page !== undefined) {
    const { htmlDiff } = require('../html/encode-diff.js');
    // The page is made of the columns, which the public type does not show.
    await writeResult(
      htmlDiff(/** @type {any} */ (base), /** @type {any} */ (candidate)),
      page,
      world,
    );
    return 0;
  }
  const diff = require('../index.js').diff(base, candidate, options);
  if (json) writeJson({ schema: 1, ...diff }, world);
  else world.stdout.write(renderDiff(diff, { ...terminalOf({ stream: world.stdout }), children }));
  return 0;
}

module.exports = { renderDiff, run, spec };
