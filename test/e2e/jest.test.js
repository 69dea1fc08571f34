'use strict';
// The assertions in a project of their own, by Jest, Vitest and node's test runner as a user starts them.
// Shares of the fixture's functions are known (three to one); limits are so wide that load moves nothing
// across them. What is marked FAILS there must fail, for the right reason.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const { run, temporaryFolder, whyNoEvents } = require('./support.js');

const ROOT = path.join(__dirname, '..', '..');
const FIXTURE = path.join(ROOT, 'test', 'fixtures', 'perf-project');
const noEvents = whyNoEvents();
const skip = whyNoRspack || noEvents;

/**
 * The project as after `npm install`.
 * @param {import('node:test').TestContext} t
 */
function project(t) {
  const folder = fs.realpathSync(temporaryFolder(t));
  fs.cpSync(FIXTURE, folder, { recursive: true });
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules);
  fs.symlinkSync(ROOT, path.join(modules, 'rspack-prof'));
  for (const name of ['@rspack', '@jest', 'jest', 'vitest']) {
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  }
  return folder;
}

/** @param {string} folder @param {string[]} args @param {NodeJS.ProcessEnv} [more] */
const node = (folder, args, more = {}) => {
  const env = { ...process.env, ...more };
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete env[name];
  // A runner inside of node's own runner would report to that one.
  delete env.NODE_TEST_CONTEXT;
  return run(process.execPath, args, { cwd: folder, env });
};

/** @typedef {{title: string, status: string, failureMessages: string[]}} Assertion */

/**
 * @param {string} folder
 * @param {string} file of Jest's JSON, which Vitest writes too
 * @returns {Map<string, Assertion>}
 */
function resultsIn(folder, file) {
  const { testResults } = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
  const all = testResults.flatMap(
    (/** @type {{assertionResults: Assertion[]}} */ one) => one.assertionResults,
  );
  return new Map(all.map((/** @type {Assertion} */ one) => [one.title, one]));
}

/**
 * @param {Map<string, Assertion>} results
 * @param {string} output
 */
function asMarked(results, output) {
  for (const { title, status, failureMessages } of results.values()) {
    const wanted = title.startsWith('FAILS') ? 'failed' : 'passed';
    assert.equal(status, wanted, `${title}: ${failureMessages.join('\n')}\n${output}`);
  }
}

/** @param {Map<string, Assertion>} results @param {string} title */
const messageOf = (results, title) => results.get(title)?.failureMessages.join('\n') ?? '';

test(
  'Jest: two workers with coverage, then an update beside a baseline of another machine',
  { skip },
  async (t) => {
    const folder = project(t);
    const jest = (/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ env) =>
      node(
        folder,
        ['node_modules/jest/bin/jest.js', '--json', '--outputFile=out.json', ...args],
        env,
      );

    const first = await jest(['-w', '2', '--coverage'], { CI: undefined });
    const results = resultsIn(folder, 'out.json');
    assert.ok(results.size >= 11, first.stderr);
    asMarked(results, first.stderr);
    assert.equal(first.code, 1);
    assert.match(
      messageOf(results, 'FAILS: it spends more'),
      /Expected: at most 30\.00 %.*\nFound: .*interval/,
    );
    assert.match(messageOf(results, 'FAILS: it spends more'), /SELF% +TOTAL%.*\n.*spinHot/);
    for (const title of ['FAILS: inconclusive', 'FAILS: inconclusive with .not']) {
      assert.match(messageOf(results, title), /ERR_PROF_INCONCLUSIVE/);
    }
    assert.match(messageOf(results, 'FAILS: a promise that nobody awaited'), /await profileBuild/);
    // The report shows the test's line.
    assert.match(
      messageOf(results, 'FAILS: a promise that nobody awaited'),
      /jest\/burn\.test\.js:\d+/,
    );
    const coverage = JSON.parse(
      fs.readFileSync(path.join(folder, 'coverage', 'coverage-final.json'), 'utf8'),
    );
    assert.deepEqual(
      Object.keys(coverage)
        .map((file) => path.basename(file))
        .sort(),
      ['burn.js', 'rspack.config.js', 'upper-loader.js'],
    );

    const file = path.join(folder, 'jest', '__baselines__', 'burn.json');
    assert.match(first.stderr, /baseline written: jest\/__baselines__\/burn\.json \(counters\)/);
    const written = fs.readFileSync(file, 'utf8');
    const json = JSON.parse(written);
    assert.ok(json.entries.every((/** @type {any} */ one) => one.measuredOn.coverage === true));

    const only = ['-i', '--coverage', '-u', 'baseline'];
    for (const entry of json.entries) entry.measuredOn.cores = 4096;
    fs.writeFileSync(file, JSON.stringify(json));
    const update = await jest(only, { CI: 'true' });
    assert.equal(update.code, 0, update.stderr);
    assert.equal(JSON.parse(fs.readFileSync(file, 'utf8')).entries.length, 4);
  },
);

test('Vitest: processes record, worker threads have a process that does', { skip }, async (t) => {
  const folder = project(t);
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=json',
    '--outputFile=out.json',
  ];
  const { code, stdout, stderr } = await node(folder, args, { CI: undefined });
  const results = resultsIn(folder, 'out.json');
  assert.equal(results.size, 7, stdout + stderr);
  asMarked(results, stdout + stderr);
  assert.equal(code, 1);
  assert.match(messageOf(results, 'FAILS: it spends more'), /Expected: at most 30\.00 %/);
  assert.match(messageOf(results, 'FAILS: inconclusive with .not'), /ERR_PROF_INCONCLUSIVE/);
  const baseline = path.join(folder, 'vitest', '__baselines__', 'burn.json');
  const { at } = JSON.parse(fs.readFileSync(baseline, 'utf8')).entries[0];
  const update = await node(folder, [...args, '-u', '--project=forks', '-t', 'what holds'], {
    CI: 'true',
  });
  assert.equal(update.code, 0, update.stdout + update.stderr);
  const { entries } = JSON.parse(fs.readFileSync(baseline, 'utf8'));
  assert.equal(entries.length, 1);
  assert.notEqual(entries[0].at, at);
});

test("node's test runner: the same as functions", { skip: noEvents }, async (t) => {
  const folder = project(t);
  const { code, stdout, stderr } = await node(folder, ['--test', 'node/perf.test.mjs'], {
    CI: undefined,
  });
  assert.equal(code, 0, stdout + stderr);
  assert.ok(fs.existsSync(path.join(folder, 'node', '__baselines__', 'burn.json')));
});
