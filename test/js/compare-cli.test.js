'use strict';
// rspack-prof compare as a program: real processes, profiles made up in them (cli-fake-register.js).

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const support = require('./compare-support.js');

const DRIVER = path.join(__dirname, 'cli-driver.js');
const node = process.execPath;
/** A node process that a fake profile says 600 samples of. */
const BUILD = `'${node}' -e 'globalThis.fake = { samples: 600, binding: true };'`;

/** With a temporary folder in it. @param {import('node:test').TestContext} t */
function folder(t) {
  const made = support.folder(t);
  fs.mkdirSync(path.join(made, 'tmp'));
  return made;
}

/** @param {string} cwd */
const worldOf = (cwd) => ({ cwd, env: { ...process.env, TMPDIR: path.join(cwd, 'tmp') } });

/**
 * @param {string} cwd
 * @param {string[]} argv
 */
const compare = (cwd, ...argv) =>
  spawnSync(node, [DRIVER, 'compare', ...argv], {
    ...worldOf(cwd),
    encoding: 'utf8',
    // Against hanging alone: a hundred others may want this machine too.
    timeout: 400_000,
  });

/** What a comparison left in its folder and the temporary one. @param {string} cwd */
const leftIn = (cwd) => fs.readdirSync(cwd, { recursive: true }).sort();

test('an obviously slower candidate: decision, reason, exit code, nothing left', (t) => {
  const cwd = folder(t);
  const run = compare(
    cwd,
    ...['--base', `sleep 0.02; ${BUILD}`, '--candidate', `sleep 1; ${BUILD}`],
    ...['--runs', '3', '--warmup', '0', '--profiles', '1', '--json'],
  );
  const result = JSON.parse(run.stdout);
  assert.equal(result.schema, 1);
  // A second of sleep in each: however busy the machine, that is no faster.
  assert.ok(result.runs.candidate.every((/** @type {any} */ { wallMs }) => wallMs >= 1000));
  assert.ok(['slower', 'inconclusive'].includes(result.verdict.decision), run.stdout);
  assert.equal(run.status, 1);
  assert.match(result.runs.order, /^(ABBA|BAAB)(AB|BA)$/);
  assert.deepEqual(
    [result.runs.base.length, result.runs.candidate.length, result.runs.pairs],
    [3, 3, 3],
  );
  assert.equal(result.runs.stopped, 'planned');
  assert.deepEqual(
    [result.profiled.runs, result.profiled.samples],
    [1, { base: 600, candidate: 600 }],
  );
  const few = result.warnings.filter((/** @type {any} */ { code }) => /few/.test(code));
  assert.deepEqual(
    few.map((/** @type {any} */ { message }) => message),
    [
      'only 600 and 600 samples show large changes alone: take more profiled runs, or a higher frequency',
    ],
  );
  const [hotspot] = result.hotspots;
  assert.equal(hotspot.symbol, 'main');
  assert.equal(typeof hotspot.delta, 'number');
  assert.equal(hotspot.interval.length, 2);
  assert.deepEqual(leftIn(cwd), ['tmp']);
});

test('real processes: twice the work is found, with an interval that holds it', (t) => {
  // Burns CPU time, so that a busy machine changes little; node's own start is in both.
  const burn = (/** @type {number} */ ms) =>
    `'${node}' -e 'const u = () => { const { user, system } = process.cpuUsage(); return user + system; };` +
    ` const s = u(); while (u() - s < ${ms * 1000});'`;
  const how = ['--metric', 'cpu', '--runs', '4', '--warmup', '0', '--profiles', '0', '--json'];
  const run = compare(folder(t), ...how, '--base', burn(60), '--candidate', burn(180));
  const { verdict, metrics, runs } = JSON.parse(run.stdout);
  assert.deepEqual([verdict.decision, verdict.metric, runs.stopped], ['slower', 'cpu', 'planned']);
  // 180 + start against 60 + start: below three, however long the start is.
  const [low, high] = metrics.cpu.interval;
  assert.ok(low > 1 && low < 3 && high > 1.3, `${low} to ${high}`);
});

test('a table for people, Markdown for a pull request', (t) => {
  const cwd = folder(t);
  const how = ['--runs', '1', '--warmup', '0', '--profiles', '0'];
  const text = compare(cwd, ...how, '--base', 'true', '--', '/bin/sh', '-c', 'exit 0');
  assert.match(text.stdout, /^base +true\ncandidate +\/bin\/sh -c 'exit 0'\n1 run of each in ABBA/);
  assert.match(text.stdout, /^wall time .* unknown {2}\?$/m);
  assert.match(text.stdout, /^INCONCLUSIVE {2}these runs do not decide/m);
  assert.equal(text.status, 1);
  const markdown = compare(
    cwd,
    ...how,
    '--markdown',
    '--base',
    'true',
    '--candidate',
    'true | true',
  );
  assert.match(markdown.stdout, /^\*\*rspack-prof compare: inconclusive\*\*/);
  assert.match(markdown.stdout, /^\| wall time \| .* \| unknown \|$/m);
  assert.match(markdown.stdout, /^- candidate: `true \\\| true`$/m);
});

test('a build that fails: which, how, what it said; what was measured is reported', (t) => {
  const cwd = folder(t);
  const fails = `echo x >> count; test $(wc -l < count) -lt 3 || { echo broken >&2; exit 7; }`;
  const how = ['--warmup', '0', '--profiles', '0', '--base', 'true', '--candidate', fails];
  const run = compare(cwd, '--runs', '9', ...how, '--bundle', 'b.gz');
  assert.equal(run.status, 1);
  assert.match(run.stderr, /the candidate's timed run 3 \(.*\) failed with exit code 7/);
  assert.match(run.stderr, /^ {2}\| broken$/m);
  assert.match(run.stdout, /INCONCLUSIVE {2}stopped by a run that failed.*so far wall time/s);
  assert.ok(fs.existsSync(path.join(cwd, 'b.gz')), 'the bundle has what there was');
  const first = compare(folder(t), '--base', 'true', '--candidate', 'echo no; exit 1');
  assert.equal(first.status, 1);
  assert.equal(first.stdout, '', 'nothing was measured');
  assert.match(first.stderr, /the candidate's warm-up run 1 .* failed with exit code 1/);
  const missing = compare(folder(t), '--base', 'true', '--', 'no-such-command');
  assert.match(missing.stderr, /no-such-command: command not found: is it in PATH/);
  assert.equal(missing.status, 1);
});

/**
 * A comparison under way, whose sides write their numbers to `pids`.
 * @param {string} cwd
 * @param {string[]} argv
 */
function compareBeside(cwd, ...argv) {
  const child = spawn(node, [DRIVER, 'compare', ...argv], worldOf(cwd));
  let stdout = '';
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.resume();
  const file = path.join(cwd, 'pids');
  const pids = () =>
    fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
  return {
    pids,
    /** @param {NodeJS.Signals} name @param {number} run that is under way by then */
    async signalIn(name, run) {
      await support.until(() => pids().length === run);
      child.kill(name);
      const [code, signal] = await once(child, 'close');
      return { code, signal, stdout };
    },
  };
}

test('SIGINT: no process and no file stays, and what there is is reported', async (t) => {
  const cwd = folder(t);
  const side =
    'echo $$ >> pids; setsid sleep 300 & test $(wc -l < pids) -lt 5 || exec sleep 301; kill $!';
  const how = ['--warmup', '0', '--base', side, '--candidate', side, '--json'];
  const { pids, signalIn } = compareBeside(cwd, ...how);
  const { code, signal, stdout } = await signalIn('SIGINT', 5);
  assert.deepEqual([code, signal], [null, 'SIGINT']);
  const { runs, verdict } = JSON.parse(stdout);
  assert.deepEqual([runs.stopped, runs.pairs, verdict.decision], ['aborted', 2, 'inconclusive']);
  const alive = spawnSync('ps', ['-eo', 'pid,sid,args'], { encoding: 'utf8' });
  for (const pid of pids()) assert.equal(fs.existsSync(`/proc/${pid}`), false, alive.stdout);
  assert.deepEqual(leftIn(cwd), ['pids', 'tmp']);
});

test('SIGINT in the profiled runs: the verdict of the timed ones stays, and says what it had', async (t) => {
  for (const [run, warning, profiled] of /** @type {const} */ ([
    [4, /^no profiles: stopped in profiled run 2 of 4; the verdict is of the timed runs/, 0],
    [5, /^only 1 profiled run of each: stopped in profiled run 3 of 4; /, 1],
  ])) {
    const cwd = folder(t);
    const side = `echo $$ >> pids; test $(wc -l < pids) -lt ${run} || exec sleep 300; ${BUILD}`;
    const how = ['--warmup', '0', '--runs', '1', '--base', side, '--candidate', side, '--json'];
    const { signal, stdout } = await compareBeside(cwd, ...how).signalIn('SIGINT', run);
    assert.equal(signal, 'SIGINT');
    const result = JSON.parse(stdout);
    assert.deepEqual([result.runs.stopped, result.runs.pairs], ['aborted', 1]);
    assert.match(result.verdict.reason, /^these runs do not decide/);
    assert.equal(result.profiled.runs, profiled);
    const messages = result.warnings.map((/** @type {any} */ { message }) => message);
    assert.ok(
      messages.some((/** @type {string} */ one) => warning.test(one)),
      messages.join('\n'),
    );
    assert.deepEqual(leftIn(cwd), ['pids', 'tmp']);
  }
});

test('killed outright in the profiled runs: its processes end, the next one removes its folder', async (t) => {
  const cwd = folder(t);
  const side = 'echo $$ >> pids; test $(wc -l < pids) -lt 3 || exec sleep 300';
  const how = ['--warmup', '0', '--runs', '1', '--base', side, '--candidate', side];
  const { pids, signalIn } = compareBeside(cwd, ...how);
  assert.equal((await signalIn('SIGKILL', 3)).signal, 'SIGKILL');
  await support.until(() => !pids().some(support.isAlive));
  const tmp = path.join(cwd, 'tmp');
  assert.match(fs.readdirSync(tmp).join(), /^rspack-prof-compare-[-\w]+$/);
  compare(cwd, '--warmup', '0', '--runs', '1', '--profiles', '0', '--base', 'true', '--', 'true');
  assert.deepEqual(fs.readdirSync(tmp), []);
});

test('a build that fails when it is profiled: the timed runs decide, and it is said why', (t) => {
  const cwd = folder(t);
  const side = 'test -z "$RSPACK_PROF_OPTIONS" || { echo broken; exit 3; }';
  const how = ['--warmup', '0', '--runs', '1', '--base', side, '--candidate', side];
  const { stdout, status } = compare(cwd, ...how, '--json');
  const { warnings, runs, profiled } = JSON.parse(stdout);
  assert.deepEqual([runs.stopped, profiled.runs, status], ['planned', 0, 1]);
  const none = warnings.find((/** @type {any} */ { code }) => code === 'no-profiles');
  assert.match(none.message, /the base's profiled run 1 .* failed with exit code 3: broken$/);
  assert.deepEqual(leftIn(cwd), ['tmp']);
});

test('what cannot be compared is refused before anything runs', (t) => {
  const cwd = folder(t);
  fs.writeFileSync(path.join(cwd, 'text.node'), 'no binding');
  const ran = path.join(cwd, 'ran');
  const touch = `touch '${ran}'`;
  /** @type {[string[], RegExp][]} */
  const wrong = [
    [['--', 'true'], /nothing to compare: give --candidate-binding FILE/],
    [[], /nothing to compare/],
    [['--base', touch], /the candidate has no command: give --candidate CMD/],
    [['--candidate', touch], /the base has no command/],
    [['--base', touch, '--candidate', touch, '--', 'true'], /would run nowhere/],
    [['--candidate-binding', 'no.node', '--', 'touch', ran], /no\.node: there is no such file/],
    [['--candidate-binding', 'text.node', '--', 'touch', ran], /it is no binding \(no ELF\)/],
    [['--candidate-binding', node], /the base has no command/],
    [['--base', touch, '--runs', '0', '--', 'true'], /--runs takes auto or a whole number/],
    [['--base', touch, '--metric', 'walls', '--', 'true'], /did you mean 'wall'/],
    [['--base', touch, '--json', '--markdown', '--', 'true'], /exclude each other/],
    [['--base', touch, '--cache', 'cold', '--cache-folder', '..', '--', 'true'], /not below this/],
    [['--base', touch, '--cache-folder', 'x', '--', 'true'], /--cache-folder is for --cache cold/],
  ];
  for (const [argv, message] of wrong) {
    const { status, stderr } = compare(cwd, ...argv);
    assert.match(stderr, message);
    assert.equal(status, 2, stderr);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
  const placeless = compare(cwd, '--base', touch, '--bundle', 'no/such/b.gz', '--', 'true');
  assert.match(placeless.stderr, /cannot write no\/such\/b\.gz.*ENOENT/);
  assert.equal(fs.existsSync(ran), false);
});

test('a build that records itself is told of: that is in its times', (t) => {
  const how = ['--warmup', '0', '--runs', '1', '--profiles', '0', '--json'];
  const warned = (/** @type {string} */ side) => {
    const { stdout } = compare(folder(t), ...how, '--base', side, '--candidate', side);
    const { warnings } = JSON.parse(stdout);
    return warnings.find((/** @type {any} */ { code }) => code === 'recorded-runs')?.message;
  };
  assert.match(
    warned('mkdir -p .rspack-prof/$$'),
    /\(2 profiles in \.rspack-prof\/\): take it out$/,
  );
  assert.equal(warned('mkdir -p dist/$$'), undefined);
});

test('prepare and a cold cache come before each run, and only a cold one', (t) => {
  const cwd = folder(t);
  const cache = path.join(cwd, 'node_modules', '.cache', 'rspack');
  const side = `if test -e '${cache}/x'; then echo warm >> log; else echo cold >> log; fi; mkdir -p '${cache}'; : > '${cache}/x'`;
  const how = ['--runs', '2', '--warmup', '1', '--profiles', '0', '--prepare', 'echo p >> log'];
  for (const [kind, expected] of /** @type {const} */ ([
    ['warm', ['cold', ...Array(5).fill('warm')]],
    ['cold', Array(6).fill('cold')],
  ])) {
    fs.rmSync(path.join(cwd, 'log'), { force: true });
    fs.rmSync(cache, { recursive: true, force: true });
    const run = compare(cwd, ...how, '--cache', kind, '--base', side, '--candidate', side);
    assert.match(run.stdout, new RegExp(`${kind} cache`), run.stderr);
    const log = fs.readFileSync(path.join(cwd, 'log'), 'utf8').trim().split('\n');
    assert.deepEqual(
      log.filter((line) => line !== 'p'),
      expected,
    );
    assert.equal(log.filter((line) => line === 'p').length, 6);
  }
});

test('a bundle holds all of it: report, diff and export read it', (t) => {
  const cwd = folder(t);
  const how = ['--runs', '1', '--warmup', '0', '--profiles', '2', '--bundle', 'b.gz'];
  const made = compare(cwd, ...how, '--base', BUILD, '--candidate', BUILD);
  assert.match(made.stderr, /bundle: b\.gz \(0\.\d\d MB\): figures and both profiles/);
  const cli = (/** @type {string[]} */ ...argv) =>
    spawnSync(node, [DRIVER, ...argv], { ...worldOf(cwd), encoding: 'utf8' });
  assert.equal(cli('report', 'b.gz').stdout, made.stdout);
  assert.equal(JSON.parse(cli('report', 'b.gz', '--json').stdout).schema, 1);
  assert.match(cli('report', 'b.gz#base').stdout, /^1,200 samples of cycles:uk/);
  assert.match(cli('diff', 'b.gz').stdout, /^base 1,200 samples, candidate 1,200 samples/);
  assert.match(cli('export', 'b.gz#candidate', '--to', 'folded').stdout, /^main 1200$/m);
  for (const [argv, message, status] of /** @type {const} */ ([
    [['report', 'b.gz', '--children'], /name one of the two in it, b\.gz#base/, 2],
    [['export', 'b.gz', '--to', 'folded'], /is a bundle of two profiles: take '.*#base'/, 1],
    [['report', 'b.gz#middle'], /ENOENT/, 1],
    [['symbolize', 'b.gz', '--with', node], /-o is missing/, 2],
  ])) {
    const refused = cli(...argv);
    assert.match(refused.stderr, message);
    assert.equal(refused.status, status, refused.stderr);
  }
  fs.writeFileSync(
    path.join(cwd, 'bad.gz'),
    JSON.stringify({ rspackProfBundle: 1, compare: { schema: 1, verdict: 7 }, profiles: {} }),
  );
  const malformed = cli('report', 'bad.gz');
  assert.match(malformed.stderr, /^rspack-prof: cannot read bad\.gz: its figures are malformed/);
  assert.match(cli('report', 'bad.gz#base').stderr, /no bundle with a profile of the base/);
});
