'use strict';
// `rspack-prof diff`: what it prints for people, for programs and for pull requests.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { renderDiff } = require('../../lib/cli/diff-table.js');
const { diff } = require('../../lib/profile/diff.js');
const { cli } = require('./cli-support.js');
const { buildProfile } = require('./helpers/raw-profile.js');

const LONG = `<core::${'very::'.repeat(30)}Type as Trait>::method`;
const PIPED = 'operator|<`a`>';

/** @param {Record<string, number>} counts */
const counted = (counts) =>
  buildProfile(
    Object.entries(counts).flatMap(([stack, count]) =>
      Array.from({ length: count }, () => ({ stack })),
    ),
  );
const pair = () => [
  counted({ a: 1000, b: 1000, gone: 100, [LONG]: 200 }),
  counted({ a: 1250, b: 1250, [PIPED]: 150, [LONG]: 400 }),
];

/** @param {import('node:test').TestContext} t */
function written(t) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'diff-cli-'));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  pair().forEach((profile, i) => profile.write(path.join(cwd, `${i}.json.gz`)));
  counted({}).write(path.join(cwd, 'empty.json.gz'));
  return (/** @type {string[]} */ ...more) => cli(['diff', ...more], { cwd });
}

test('the table lists what counts, counts the rest, and fits 80 columns', async (t) => {
  const run = written(t);
  const { stdout, exitCode } = await run('0.json.gz', '1.json.gz');
  assert.equal(exitCode, 0);
  assert.match(stdout, /^ \+4\.92 +±0\.77 +0\.00 +4\.92 +new +operator\|/m);
  assert.match(stdout, /^ \+4\.42 +±1\.66 +8\.70 +13\.11 +.*::method$/m);
  assert.match(stdout, /^ -4\.35 .* gone +gone$/m);
  assert.match(stdout, /^2 changes within noise \(below 3\.1 standard errors\)$/m);
  assert.doesNotMatch(stdout, / b$/m);
  assert.match((await run('0.json.gz', '1.json.gz', '--all')).stdout, / noise +b$/m);
  const [base, candidate] = pair();
  const paint = (/** @type {string} */ _, /** @type {string} */ text) => text;
  const lines = renderDiff(diff(base, candidate), { width: 80, paint }).split('\n');
  assert.ok(
    lines.every((line) => line.length <= 80),
    lines.join('\n'),
  );
  assert.match((await run('0.json.gz', '1.json.gz', '--limit', '1')).stdout, /^2 more changes/m);
});

test('Markdown: a table that no name breaks, the rest folded away', async (t) => {
  const { stdout } = await written(t)('0.json.gz', '1.json.gz', '--markdown', '--filter', 'op|^b');
  assert.equal(
    stdout,
    [
      '**rspack-prof**: 1 change of self by symbol',
      '',
      '| change (%) | base | candidate | symbol |',
      '| ---: | ---: | ---: | :--- |',
      "| +4.92 ±0.77 | 0.00 | 4.92 | `operator\\|<'a'>` **new** |",
      '',
      '<details><summary>How to read this</summary>',
      '',
      'Base 2,300 samples, candidate 3,050 samples; self in % of each profile; ± is the 95 % interval of that row.',
      '1 change within noise (below 3.0 standard errors).',
      'One run of each is a hint, no proof.',
      '',
      '</details>',
      '',
    ].join('\n'),
  );
});

test('JSON has all rows, with what is known of each', async (t) => {
  const json = JSON.parse((await written(t)('0.json.gz', '1.json.gz', '--json')).stdout);
  assert.equal(json.rows.length, 5);
  assert.deepEqual([json.significant, json.withinNoise], [3, 2]);
  assert.equal(json.rows[0].isSignificant, true);
  assert.equal(json.rows[0].selfInterval.length, 2);
  assert.equal(json.rows.at(-1).isSignificant, false);
});

test('exit codes: 0 for any comparison, 1 for files, 2 for the command line', async (t) => {
  const run = written(t);
  assert.equal((await run('0.json.gz', '0.json.gz')).exitCode, 0);
  for (const [args, exitCode, text] of /** @type {[string[], number, RegExp][]} */ ([
    [['0.json.gz', 'empty.json.gz'], 1, /the candidate has no samples/],
    [['0.json.gz', 'empty.json.gz', '--html', 'x.html'], 1, /the candidate has no samples/],
    [['0.json.gz', 'none.json.gz'], 1, /none\.json\.gz/],
    [
      ['0.json.gz', '1.json.gz', '--by', 'crat'],
      2,
      /--by: unknown key 'crat': did you mean 'crate'/,
    ],
    [['0.json.gz', '1.json.gz', '--by', 'crate', '--sort', 'crate'], 2, /are the same/],
    [['0.json.gz', '1.json.gz', '--json', '--markdown'], 2, /exclude each other/],
    [['0.json.gz', '1.json.gz', '--normalize', 'tim'], 2, /did you mean 'time'/],
  ])) {
    const failed = await run(...args);
    assert.equal(failed.exitCode, exitCode, args.join(' '));
    assert.equal(failed.stdout, '');
    assert.match(failed.stderr, text);
    assert.equal(failed.stderr.trim().split('\n').length, 1);
  }
});
