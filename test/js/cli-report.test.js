'use strict';
// report, export and diff on written profiles.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { VISIT, buildProfile, buildRecipe, cli } = require('./cli-support.js');

/** @param {import('node:test').TestContext} t */
function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-report-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** @param {import('node:test').TestContext} t */
function written(t) {
  const cwd = folder(t);
  const file = path.join(cwd, 'one.json.gz');
  buildProfile().write(file);
  return { cwd, file };
}

test('report prints the table of a file', async (t) => {
  const { cwd, file } = written(t);
  const { stdout, stderr, exitCode } = await cli(['report', file], { cwd });
  assert.equal(exitCode, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^1,000 samples of cpu-clock:u at 1000 Hz in 3\.32 s on 2 CPUs/);
  assert.match(stdout, /^45\.60 +55\.30 +456 +rust +swc_ecma_ast +<swc_ecma_ast::jsx/m);
});

test('report takes the profile written last when none is named', async (t) => {
  const cwd = folder(t);
  const none = await cli(['report'], { cwd });
  assert.equal(none.exitCode, 1);
  assert.match(none.stderr, /no profile below \.rspack-prof\/ here: record one with/);

  const at = (/** @type {string} */ name) =>
    path.join(cwd, '.rspack-prof', name, 'profile.json.gz');
  for (const name of ['b-older', 'a-newer', '.unfinished']) {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  }
  buildProfile({ meta: { cpus: 3 } }).write(at('b-older'));
  buildProfile({ meta: { cpus: 5 } }).write(at('a-newer'));
  buildProfile({ meta: { cpus: 7 } }).write(at('.unfinished'));
  fs.utimesSync(at('b-older'), 1000, 1000);
  fs.utimesSync(at('a-newer'), 2000, 2000);
  assert.match((await cli(['report'], { cwd })).stdout, /on 5 CPUs/);
});

test('a folder of a recording stands for its profile', async (t) => {
  const { cwd, file } = written(t);
  fs.renameSync(file, path.join(cwd, 'profile.json.gz'));
  assert.equal((await cli(['report', '.'], { cwd })).exitCode, 0);
});

test('report --json has exactly the fields of the contract', async (t) => {
  const { cwd, file } = written(t);
  const { stdout } = await cli(['report', file, '--json'], { cwd });
  const report = JSON.parse(stdout);
  assert.deepEqual(Object.keys(report), ['schema', 'meta', 'quality', 'rows', 'hints']);
  assert.equal(report.schema, 1);
  assert.deepEqual(Object.keys(report.meta).sort(), [
    ...[
      'binding',
      'command',
      'cpus',
      'durationMs',
      'event',
      'frequency',
      'kernel',
      'node',
      'rspack',
    ],
  ]);
  assert.deepEqual(Object.keys(report.quality).sort(), [
    ...['broken', 'byObject', 'complete', 'completeShare', 'cost', 'joined', 'lost', 'samples'],
    ...['throttled', 'truncated', 'unnamedLeaf', 'warnings'],
  ]);
  assert.deepEqual(Object.keys(report.quality.cost).sort(), ['cpuMs', 'finishMs', 'peakBytes']);
  const [first] = report.rows;
  assert.deepEqual(Object.keys(first).sort(), [
    ...['crate', 'key', 'kind', 'object', 'samples', 'self', 'selfShare', 'symbol', 'total'],
    'totalShare',
  ]);
  assert.equal(first.symbol, VISIT, 'in full');
  assert.equal(report.rows.length, buildRecipe().funcs.length, 'all rows unless limited');
  const limited = await cli(['report', file, '--json', '--limit', '2'], { cwd });
  assert.equal(JSON.parse(limited.stdout).rows.length, 2);
});

test('report --sort by one key, by a pair, and by perf’s names', async (t) => {
  const { cwd, file } = written(t);
  const keys = async (/** @type {string} */ sort) => {
    const { stdout } = await cli(['report', file, '--json', '--sort', sort], { cwd });
    return JSON.parse(stdout).rows.map((/** @type {{ key: string }} */ { key }) => key);
  };
  assert.ok((await keys('crate')).includes('rspack_core'));
  assert.ok((await keys('kind,object')).includes('rust,rspack.linux-x64-gnu.node'));
  assert.deepEqual(await keys('dso'), await keys('object'));
  const table = await cli(['report', file, '--sort', 'crate'], { cwd });
  assert.match(table.stdout, /^SELF% +TOTAL% +SAMPLES +CRATE$/m);
});

test('report --filter, --percent-limit and --children', async (t) => {
  const { cwd, file } = written(t);
  const rows = async (/** @type {string[]} */ ...flags) => {
    const { stdout } = await cli(['report', file, ...flags], { cwd });
    return stdout.split('\n').filter((line) => /^ *\d+\.\d\d /.test(line));
  };
  assert.equal((await rows('--filter', 'memmove')).length, 1);
  assert.equal((await rows('--percent-limit', '20')).length, 2);
  assert.match((await rows('--children'))[0], /_start$/);
  assert.match(
    (await cli(['report', file, '--filter', 'zzz'], { cwd })).stdout,
    /no sample matches/,
  );
});

test('report -g callee leads from the hot function up, -g caller from the start down', async (t) => {
  const { cwd, file } = written(t);
  const callee = await cli(['report', file, '-g', 'callee', '--filter', 'memmove'], { cwd });
  const lines = callee.stdout.trimEnd().split('\n').slice(2);
  assert.match(lines[0], /^ {2}9\.90% {2}__memmove/);
  assert.match(lines[1], /^ {2}9\.70% .*visit_children_with$/);
  assert.match(lines.at(-1) ?? '', /^ {2}9\.70% +_start$/);
  const caller = await cli(['report', file, '-g', 'caller'], { cwd });
  const [first, second] = caller.stdout.split('\n').slice(2);
  assert.match(first, /^ 99\.80% {2}_start$/);
  assert.match(second, /^ 77\.90% {4}rayon_core::registry::in_worker/);
  const pair = await cli(['report', file, '-g', 'caller', '--sort', 'crate'], { cwd });
  assert.equal(pair.exitCode, 2);
});

test('a stack of 4,000 frames is no problem for -g', async (t) => {
  const cwd = folder(t);
  const funcs = Array.from({ length: 4000 }, (_, i) => ({ name: `f${i}`, kind: 'native' }));
  const stack = funcs.map(({ name }) => name);
  buildProfile({ funcs, modules: [], samples: [{ stack, count: 5 }] }).write(`${cwd}/deep.json.gz`);
  for (const graph of ['caller', 'callee']) {
    const { exitCode, stdout } = await cli(['report', 'deep.json.gz', '-g', graph], { cwd });
    assert.equal(exitCode, 0);
    assert.equal(stdout.match(/100\.00% +f/g)?.length, 4000);
  }
});

test('a file that is no profile is refused in one line', async (t) => {
  const cwd = folder(t);
  fs.writeFileSync(path.join(cwd, 'broken.json.gz'), 'not gzip');
  fs.writeFileSync(path.join(cwd, 'other.json'), '{"meta":{}}');
  for (const name of ['broken.json.gz', 'other.json', 'missing.json.gz', '.']) {
    for (const command of [
      ['report', name],
      ['export', name, '--to', 'folded'],
      ['diff', name, name],
    ]) {
      const { stdout, stderr, exitCode } = await cli(command, { cwd });
      assert.equal(exitCode, 1, `${command}`);
      assert.equal(stdout, '');
      assert.match(stderr, /^rspack-prof: [^\n]+ \(ERR_PROF_BAD_FILE\)\n$/);
    }
  }
});

test('what is no file at all: one line, and no endless reading', async (t) => {
  const cwd = folder(t);
  for (const [name, why] of [
    ['/dev/zero', 'it is no file'],
    ['.', 'it is a folder'],
  ]) {
    const { stderr, exitCode } = await cli(['report', name], { cwd });
    assert.equal(exitCode, 1);
    assert.ok(stderr.endsWith(`: ${why} (ERR_PROF_BAD_FILE)\n`), stderr);
  }
  fs.writeFileSync(path.join(cwd, '.rspack-prof'), '');
  const { stderr, exitCode } = await cli(['report'], { cwd });
  assert.equal(exitCode, 1);
  assert.equal(
    stderr,
    'rspack-prof: cannot look into .rspack-prof/ here: it is no folder (ERR_PROF_BAD_FILE)\n',
  );
});

test('a profile comes through a pipe as well', (t) => {
  const { file } = written(t);
  const main = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
  const script = `cat '${file}' | '${process.execPath}' '${main}' report /dev/stdin`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  assert.match(stdout, /^1,000 samples/, stderr);
});

test('a full standard output: one line, exit code 1', (t) => {
  const { file } = written(t);
  const main = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
  for (const args of [
    ['report', file],
    ['report', file, '--json'],
    ['export', file, '--to', 'folded', '-o', '-'],
  ]) {
    const full = fs.openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    fs.closeSync(full);
    assert.equal(
      stderr,
      'rspack-prof: cannot write standard output: no space left on device (ENOSPC) (ERR_PROF_BAD_FILE)\n',
    );
    assert.equal(status, 1);
  }
});

test('export --to folded: to standard output and to a file', async (t) => {
  const { cwd, file } = written(t);
  const { stdout, exitCode } = await cli(['export', file, '--to', 'folded'], { cwd });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^_start;rspack_core.*|_start;/m);
  const counts = stdout
    .trimEnd()
    .split('\n')
    .map((line) => Number(/ (\d+)$/.exec(line)?.[1]));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    1000,
  );
  const to = await cli(['export', file, '--to', 'folded', '-o', 'out.folded'], { cwd });
  assert.equal(to.stdout, '');
  assert.equal(fs.readFileSync(path.join(cwd, 'out.folded'), 'utf8'), stdout);
  const dash = await cli(['export', file, '--to', 'folded', '-o', '-'], { cwd });
  assert.equal(dash.stdout, stdout);
});

test('export --to firefox is read back as the same profile', async (t) => {
  const { cwd, file } = written(t);
  await cli(['export', file, '--to', 'firefox', '-o', 'again.json.gz'], { cwd });
  await cli(['export', file, '--to', 'firefox', '-o', 'plain.json'], { cwd });
  const report = async (/** @type {string} */ name) =>
    (await cli(['report', name, '--json'], { cwd })).stdout;
  assert.equal(await report('again.json.gz'), await report(file));
  assert.equal(await report('plain.json'), await report(file));
});

test('export to a place that cannot be written leaves nothing behind', async (t) => {
  const { cwd, file } = written(t);
  fs.mkdirSync(path.join(cwd, 'taken'));
  for (const out of ['none/out.folded', 'one.json.gz/out.folded']) {
    const { stderr, exitCode } = await cli(['export', file, '--to', 'folded', '-o', out], { cwd });
    assert.equal(exitCode, 1);
    assert.match(stderr, /^rspack-prof: cannot write [^\n]+ \(ERR_PROF_BAD_FILE\)\n$/);
  }
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['one.json.gz', 'taken']);
});

test('diff shows what grew, as a table and as JSON', async (t) => {
  const { cwd, file } = written(t);
  const { samples } = buildRecipe();
  samples.push({ stack: ['_start', '__memmove_avx_unaligned_erms'], count: 1000 });
  buildProfile({ samples }).write(path.join(cwd, 'two.json.gz'));
  const { stdout, exitCode } = await cli(['diff', file, 'two.json.gz'], { cwd });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^base 1,000 samples, candidate 2,000 samples$/m);
  assert.match(
    stdout.split('\n')[4],
    /^\+45\.05 +±2\.86 +9\.90 +54\.95 +__memmove_avx_unaligned_erms$/,
  );
  const json = JSON.parse((await cli(['diff', file, 'two.json.gz', '--json'], { cwd })).stdout);
  assert.equal(json.schema, 1);
  assert.equal(json.rows[0].key, '__memmove_avx_unaligned_erms');
  const same = await cli(['diff', file, file], { cwd });
  assert.match(same.stdout, /no difference to show/);
});

test('export of folded stacks waits for a slow reader', async () => {
  const { writeResult } = require('../../lib/cli/files.js');
  const { Writable } = require('node:stream');
  let got = 0;
  let most = 0;
  const stdout = new Writable({
    highWaterMark: 1024,
    write(chunk, _encoding, done) {
      got += chunk.length;
      setImmediate(done);
    },
  });
  const line = `${'x'.repeat(1023)}\n`;
  const lines = (function* () {
    for (let i = 0; i < 20_000; i++) {
      most = Math.max(most, stdout.writableLength);
      yield line;
    }
  })();
  await writeResult(lines, '-', /** @type {any} */ ({ stdout, cwd: '/' }));
  await new Promise((resolve) => stdout.end(() => resolve(null)));
  assert.equal(got, 20_000 * 1024);
  assert.ok(most <= 2 << 20, `${most} bytes waited`);
});
