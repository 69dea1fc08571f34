'use strict';
// rspack-prof diff: whose share changed between two profiles, by more than chance explains. One run of
// each is no proof: it says where to look.

const fs = require('node:fs');
const { choiceOf, numberOf, regexOf, textOf, UsageError } = require('./args.js');
const { renderDiff, renderMarkdown } = require('./diff-table.js');
const { openProfile, profilePath, writeJson, writeResult } = require('./files.js');
const { keysOf } = require('./report.js');
const { terminalOf } = require('../terminal.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'diff',
  summary: 'whose share changed between two profiles',
  usage: 'BASE CANDIDATE [OPTIONS]',
  positionals: [1, 2],
  options: {
    by: { type: 'string', value: 'KEY[,KEY]', help: 'symbol, crate, phase .. as in report --sort' },
    sort: { type: 'string', short: 's', value: 'KEY[,KEY]', help: 'the same' },
    children: { type: 'boolean', help: 'the change of the total instead of self' },
    normalize: { type: 'string', value: 'HOW', help: 'share (of each profile) or time' },
    all: { type: 'boolean', help: 'changes within noise too' },
    'percent-limit': { type: 'string', value: 'P', help: 'leave out changes below P points (0.1)' },
    limit: { type: 'string', value: 'N', help: 'at most N rows (40)' },
    filter: { type: 'string', value: 'REGEX', help: 'only rows whose key matches' },
    addresses: { type: 'boolean', help: 'places without a symbol apart, by address' },
    json: { type: 'boolean', help: 'as JSON, names in full; all rows unless limited' },
    markdown: { type: 'boolean', help: 'as Markdown, for a comment on a pull request' },
    html: {
      type: 'string',
      value: 'OUT',
      help: 'as a page to look around in, instead of the table',
    },
  },
  notes: [
    'A bundle of compare alone stands for both: rspack-prof diff BUNDLE.',
    'Changes that the sample counts cannot tell from chance are counted, not listed.',
  ],
};

/** @param {import('./args.js').Parsed} parsed */
function keysAsked(parsed) {
  const [by, sort] = [textOf(parsed, 'by'), textOf(parsed, 'sort')];
  if (by !== undefined && sort !== undefined) {
    throw new UsageError('--by and --sort are the same: give one of them');
  }
  return keysOf(by ?? sort ?? 'symbol', by === undefined ? 'sort' : 'by', 'diff');
}

/**
 * @param {string[]} files one alone is a bundle: its two sides
 * @param {string} cwd
 * @returns {import('../profile/profile').Profile[]}
 */
function openBoth(files, cwd) {
  if (files.length === 2) return files.map((file) => openProfile(file, cwd));
  const file = profilePath(files[0], cwd);
  const bundle = fs.existsSync(file) && require('../compare/bundle.js').readBundle(file);
  if (!bundle) throw new UsageError(`usage: rspack-prof diff ${spec.usage}`);
  return [bundle.profile('base'), bundle.profile('candidate')];
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const { values } = parsed;
  const page = textOf(parsed, 'html');
  const { json, markdown } = values;
  if ([json, markdown, page].filter((value) => value !== undefined).length > 1) {
    throw new UsageError('--json, --markdown and --html exclude each other');
  }
  const all = values.all === true || json === true;
  const limit = numberOf(parsed, 'limit', { least: 0, whole: true });
  const normalize = choiceOf(parsed, 'normalize', ['share', 'time']) ?? 'share';
  /** @type {import('../index').DiffOptions} */
  const options = {
    by: keysAsked(parsed),
    sort: values.children === true ? 'total' : 'self',
    normalize: /** @type {'share' | 'time'} */ (normalize),
    percentLimit: numberOf(parsed, 'percent-limit', { least: 0, most: 100 }) ?? (json ? 0 : 0.1),
    filter: regexOf(parsed, 'filter'),
    unnamed: values.addresses ? 'apart' : 'together',
  };
  const [base, candidate] = openBoth(parsed.positionals, world.cwd);
  const diff = require('../profile/diff.js').diff(base, candidate, options);
  if (page !== undefined) {
    const { htmlDiff } = require('../html/encode-diff.js');
    await writeResult(htmlDiff(base, candidate), page, world);
    return 0;
  }
  const rows = diff.rows.filter(
    ({ isSignificant, selfDelta, totalDelta }) =>
      json === true ||
      isSignificant ||
      (all && (options.sort === 'total' ? totalDelta : selfDelta) !== 0),
  );
  const shown = { ...diff, rows: rows.slice(0, limit ?? (json ? Infinity : 40)) };
  if (json) writeJson({ schema: 1, ...shown }, world);
  else if (markdown) world.stdout.write(renderMarkdown(shown));
  else world.stdout.write(renderDiff(shown, terminalOf({ stream: world.stdout })));
  return 0;
}

module.exports = { run, spec };
