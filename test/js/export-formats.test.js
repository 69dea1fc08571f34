'use strict';
// One table of formats for `export --to` and profile.write(): options, filters, bad input, and no half
// files.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const zlib = require('node:zlib');
const { read } = require('../../lib/export/index.js');
const formats = require('../../lib/export/formats.js');
const { cli } = require('./cli-support.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

/** Those of samples: allocations are of recordings of memory (memory.test.js). */
const FORMATS = { ...formats.FORMATS };
delete FORMATS.heapprofile;

/** @type {import('../../lib/profile/raw').Marker[]} */
const MARKERS = [
  { type: 'span', name: 'make', startNs: 5e12, endNs: 5e12 + 3.5e6, data: undefined },
  { type: 'span', name: 'idle', startNs: 5e12 + 1e9, endNs: 5e12 + 1.1e9, data: undefined },
];
const small = () => buildProfile(smallBuild().samples, smallBuild(), MARKERS);

/** @param {import('node:test').TestContext} t @param {import('../../lib/profile/profile').Profile} [profile] */
function folder(t, profile = small()) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(cwd, { recursive: true }));
  profile.write(path.join(cwd, 'p.json.gz'));
  return cwd;
}

/** @param {string} cwd @param {string[]} args @returns {ReturnType<typeof cli>} */
const exported = (cwd, ...args) => cli(['export', 'p.json.gz', ...args], { cwd });

/** @param {{exitCode: number, stdout: string, stderr: string}} outcome @param {number} code @param {RegExp} message */
function refused({ exitCode, stdout, stderr }, code, message) {
  assert.match(stderr, message);
  assert.match(stderr, /^rspack-prof: [^\n]+\n$/, 'one line');
  assert.equal(exitCode, code);
  assert.equal(stdout, '');
}

test('every format, by the command and by write(), is the same', async (t) => {
  const cwd = folder(t);
  const profile = read(path.join(cwd, 'p.json.gz'));
  for (const format of Object.keys(FORMATS)) {
    const { exitCode, stderr } = await exported(cwd, '--to', format, '-o', `${format}-a`);
    assert.equal(exitCode, 0, stderr);
    profile.write(path.join(cwd, `${format}-b`), { format: /** @type {any} */ (format) });
    const [a, b] = ['a', 'b'].map((name) => path.join(cwd, `${format}-${name}`));
    if (format === 'parquet') {
      for (const name of fs.readdirSync(a)) {
        assert.deepEqual(fs.readFileSync(path.join(a, name)), fs.readFileSync(path.join(b, name)));
      }
    } else {
      assert.deepEqual(fs.readFileSync(a), fs.readFileSync(b), format);
      assert.ok(fs.statSync(a).size > 100, format);
    }
  }
});

test('the format follows the name', (t) => {
  const cwd = folder(t);
  const begins = {
    'x.svg': '<?xml',
    'x.html': '<!doctype',
    'x.speedscope.json': '{"$schema"',
    'x.json': '{"meta"',
    'x.folded': '[no stack] 1',
    'x.cpuprofile': '{"nodes"',
    'x.pftrace': '\n',
    'perf.data': 'PERFILE2',
  };
  for (const [name, start] of Object.entries(begins)) {
    small().write(path.join(cwd, name));
    const text = fs.readFileSync(path.join(cwd, name), 'latin1');
    assert.ok(text.toLowerCase().startsWith(start.toLowerCase()), `${name}: ${text.slice(0, 30)}`);
  }
  small().write(path.join(cwd, 'x.pb.gz'));
  assert.ok(zlib.gunzipSync(fs.readFileSync(path.join(cwd, 'x.pb.gz'))).length > 100);
  assert.throws(() => small().write(path.join(cwd, 'x.xyz')), { code: 'ERR_PROF_BAD_OPTION' });
});

test('an option of another format is refused, an unknown one with the nearest', async (t) => {
  const cwd = folder(t);
  refused(
    await exported(cwd, '--to', 'pprof', '--title', 'x'),
    2,
    /--title belongs to --to flamegraph, not to --to pprof/,
  );
  refused(await exported(cwd, '--to', 'folded', '--anotate'), 2, /unknown option '--anotate'/);
  refused(await exported(cwd, '--to', 'flamegraph', '--invert'), 2, /did you mean '--inverted'/);
  refused(await exported(cwd, '--to', 'flamgraph'), 2, /did you mean 'flamegraph'\?/);
  refused(await exported(cwd, '--to', 'flamegraph', '--colors', 'hott'), 2, /mean 'hot'\?/);
  refused(await exported(cwd, '--to', 'flamegraph', '--width', '5'), 2, /at least 200/);
  refused(await exported(cwd, '--to', 'folded', '--pid', '--tid'), 2, /'pid' and 'tid' exclude/);
  const write = (/** @type {any} */ options) => () => small().write(path.join(cwd, 'o'), options);
  const bad = (/** @type {RegExp} */ message) => ({ code: 'ERR_PROF_BAD_OPTION', message });
  assert.throws(
    write({ format: 'pprof', title: 'x' }),
    bad(/format 'pprof' has no option 'title': it takes phase, thread, through, time/),
  );
  assert.throws(write({ format: 'flamegraph', invert: true }), bad(/did you mean 'inverted'\?/));
  assert.throws(write({ format: 'flamegraph', title: 7 }), bad(/'title' must be a string/));
  assert.throws(write({ format: 'flamegraph', minwidth: NaN }), bad(/at least 0/));
  assert.throws(write({ format: 'flamegraph', base: 'p.json' }), bad(/'base' must be a profile/));
  assert.throws(write({ format: 'speedscop' }), bad(/did you mean 'speedscope'\?/));
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
});

test('filters: phase, thread, function and time, for every format', async (t) => {
  const cwd = folder(t);
  const count = async (/** @type {string[]} */ ...args) => {
    const outcome = await exported(cwd, '--to', 'folded', ...args);
    assert.equal(outcome.stderr, '');
    return outcome.stdout
      .trimEnd()
      .split('\n')
      .reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1]), 0);
  };
  assert.equal(await count(), 9);
  assert.equal(await count('--phase', 'make'), 3);
  assert.equal(await count('--thread', 'tokio'), 4);
  assert.equal(await count('--thread', 'tokio/4300'), 1);
  assert.equal(await count('--through', '^loader'), 2);
  assert.equal(await count('--time', '0.0025,0.0055'), 3);
  assert.equal(await count('--time', '0.0055,'), 4);
  assert.equal(await count('--time', ',0.0055', '--thread', 'tokio'), 2);
  for (const format of Object.keys(FORMATS)) {
    const out = `${format}-out`;
    const { exitCode, stderr } = await exported(
      ...[cwd, '--to', format, '-o', out, '--time', '0,0.0045', '--thread', 'node'],
    );
    assert.equal(exitCode, 0, `${format}: ${stderr}`);
  }
  const back = read(path.join(cwd, 'firefox-out'));
  assert.equal(back.quality.samples, 3);
  assert.deepEqual(back.quality.warnings, [], 'no counter disagrees');
  assert.equal(JSON.parse(fs.readFileSync(path.join(cwd, 'json-out'), 'utf8')).quality.samples, 3);
});

test('no sample left: one line, and no file', async (t) => {
  const cwd = folder(t);
  for (const [args, message] of /** @type {[string[], RegExp][]} */ ([
    [['--phase', 'idle'], /no sample is left of 9: nothing was sampled with phase idle/],
    [['--phase', 'mack'], /there is no phase 'mack' in this profile: it has .*make/],
    [['--thread', 'rayon'], /there is no thread 'rayon' in this profile: it has node, tokio/],
    [['--time', '7,8'], /nothing was sampled with time 7,8/],
    [['--time', '2,1'], /'time' is FROM,TO in seconds .* not '2,1'/],
    [['--time', 'x'], /'time' is FROM,TO in seconds/],
    [['--through', '('], /'through' is no regular expression/],
  ])) {
    for (const format of ['folded', 'firefox', 'parquet', 'perfetto']) {
      refused(await exported(cwd, '--to', format, '-o', 'out', ...args), 2, message);
    }
  }
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
});

test('a profile without samples: said, or written by formats that say it themselves', async (t) => {
  const cwd = folder(t, buildProfile([]));
  for (const format of Object.keys(FORMATS)) {
    const outcome = await exported(cwd, '--to', format, '-o', 'out');
    if (FORMATS[format].takesEmpty) {
      assert.equal(outcome.exitCode, 0, format);
      fs.rmSync(path.join(cwd, 'out'));
    } else {
      refused(outcome, 1, /the profile has no samples: there is nothing to write as/);
    }
  }
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
});

test('a truncated, foreign or newer file: one line, and no file', async (t) => {
  const cwd = folder(t);
  const whole = fs.readFileSync(path.join(cwd, 'p.json.gz'));
  const json = JSON.parse(String(zlib.gunzipSync(whole)));
  const newer = { ...json, meta: { ...json.meta, rspackProf: { version: 2 } } };
  /** @type {[Buffer | string, RegExp][]} */
  const files = [
    [whole.subarray(0, whole.length >> 1), /it is no whole gzip file/],
    ['', /it is empty/],
    ['PERFILE2', /it is no JSON/],
    ['{"nodes":[],"samples":[]}', /cannot read/],
    [JSON.stringify(newer), /it is of version 2 and this rspack-prof reads 1/],
  ];
  for (const [content, message] of files) {
    fs.writeFileSync(path.join(cwd, 'p.json.gz'), content);
    for (const format of ['speedscope', 'parquet', 'perf.data']) {
      refused(await exported(cwd, '--to', format, '-o', 'out'), 1, message);
    }
    refused(await exported(cwd, '--to', 'flamegraph', '--base', 'p.json.gz'), 1, message);
  }
  assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
});

test('an export that fails half-way leaves what was there before', async (t) => {
  const cwd = folder(t);
  const profile = small();
  const file = path.join(cwd, 'out');
  fs.writeFileSync(file, 'before');
  // In the middle of the samples: the last one has no node any more.
  profile.raw.samples.node.fill(1e6, 8);
  const formats = ['folded', 'speedscope', 'perf-script', 'pprof', 'perfetto', 'flamegraph'];
  let failed = 0;
  for (const format of /** @type {any[]} */ (formats)) {
    try {
      profile.write(file, { format });
      fs.writeFileSync(file, 'before');
    } catch {
      failed++;
    }
    assert.equal(fs.readFileSync(file, 'utf8'), 'before', format);
    assert.deepEqual(fs.readdirSync(cwd).sort(), ['out', 'p.json.gz']);
  }
  assert.ok(failed > 0);
});

test('a folder of tables replaces its like, and nothing else', async (t) => {
  const cwd = folder(t);
  const to = (/** @type {string} */ out) => exported(cwd, '--to', 'parquet', '-o', out);
  assert.equal((await to('tables')).exitCode, 0);
  assert.equal((await to('tables')).exitCode, 0, 'again');
  fs.writeFileSync(path.join(cwd, 'tables', 'mine.txt'), 'x');
  refused(await to('tables'), 1, /it is there and no export of ours \(mine\.txt\)/);
  refused(await to('p.json.gz'), 1, /no export of ours \(it is no folder\)/);
  refused(await to('none/tables'), 1, /cannot write .*none\/tables/);
  refused(await exported(cwd, '--to', 'parquet'), 2, /writes several files: say where with -o/);
  refused(await exported(cwd, '--to', 'perf.data', '-o', '-'), 2, /writes several files/);
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['p.json.gz', 'tables']);
  assert.equal(fs.readdirSync(path.join(cwd, 'tables')).length, 6);
});

test('perf.data says where its perf-map belongs', async (t) => {
  const cwd = folder(t);
  const { stderr } = await exported(cwd, '--to', 'perf.data', '-o', 'perf.data');
  assert.match(
    stderr,
    /^rspack-prof: perf looks for names in \/tmp: cp \/.*\/perf-4242\.map \/tmp\/ /,
  );
  assert.deepEqual(fs.readdirSync(cwd).sort(), ['p.json.gz', 'perf-4242.map', 'perf.data']);
});

test('folded: the marks and prefixes of FlameGraph and inferno', async (t) => {
  const cwd = folder(t);
  const lines = async (/** @type {string[]} */ ...args) =>
    (await exported(cwd, '--to', 'folded', ...args)).stdout.trimEnd().split('\n');
  const has = (/** @type {string[]} */ list, /** @type {string} */ line) =>
    assert.ok(list.includes(line), `${line}\n${list.join('\n')}`);
  const js = 'loader /app/node_modules/@x/ldr/i.js:3:7';
  has(await lines(), `_start;${js};do_syscall_64 1`);
  has(await lines('--kernel'), `_start;${js};do_syscall_64_[k] 1`);
  has(await lines('--jit'), `_start;${js}_[j];do_syscall_64 1`);
  has(await lines('--inline'), '_start;rspack_core::compile;swc_ecma::fold<T: U>_[i] 1');
  has(await lines('--all'), `_start;${js}_[j];do_syscall_64_[k] 1`);
  has(await lines('--comm'), 'tokio;memcpy 1');
  has(await lines('--pid'), 'tokio-4242;memcpy 1');
  has(await lines('--tid'), 'tokio-4242/4300;swc_ecma::visit 1');
  has(await lines('--count', 'weight'), 'memcpy 2000000');
  const sum = (/** @type {string[]} */ list) =>
    list.reduce((all, line) => all + Number(/ (\d+)$/.exec(line)?.[1]), 0);
  for (const args of [['--all', '--tid'], ['--pid'], ['--inline']]) {
    assert.equal(sum(await lines(...args)), 9, args.join(' '));
  }
  assert.throws(() => small().folded(/** @type {any} */ ({ annotate: ['kernal'] })), /kernal/);
  assert.throws(() => small().folded(/** @type {any} */ ({ byThread: 'cpu' })), /'cpu'/);
});

/**
 * What stackcollapse-perf.pl makes of it, by its rules: an event line, frames `hex name (place)` with
 * the leaf first, a frame in parentheses is skipped, an empty line ends a stack.
 * @param {string} text
 */
function collapsed(text) {
  /** @type {Record<string, number>} */
  const stacks = {};
  for (const block of text.split('\n\n').filter((one) => one.trim() !== '')) {
    const [head, ...frames] = block.split('\n');
    const event = /^(\S.+?)\s+(\d+)\/(\d+)\s+\[(\d+)\]\s+(\d+\.\d{6}):\s+(\d+)\s+(\S+):\s*$/.exec(
      head,
    );
    assert.ok(event, head);
    const names = frames.map((line) => {
      const found = /^\s*([0-9a-f]+)\s+(.+) \((\S*)\)$/.exec(line);
      assert.ok(found, line);
      assert.ok(!found[2].startsWith('('), 'would be skipped');
      return found[2].replace(/;/g, ':');
    });
    const key = names.reverse().join(';') || '[no stack]';
    stacks[key] = (stacks[key] ?? 0) + 1;
  }
  return stacks;
}

test('perf-script: collapses to the same stacks as folded', async () => {
  const { samples, funcs } = smallBuild();
  const profile = buildProfile(
    [
      ...samples,
      { stack: '_start;(anonymous) /app/a.js:1:2;(garbage collector)' },
      { stack: 'in a; place', thread: 'odd\nname' },
    ],
    { funcs: { ...funcs, 'in a': { object: 'my lib.so' }, ' place': { object: 'x\ty.so' } } },
  );
  const folded = Object.fromEntries(
    profile
      .folded()
      .replace('(anonymous)', '<anonymous>')
      .replace('(garbage collector)', '<garbage collector>')
      .replace('; place', ';place')
      .trimEnd()
      .split('\n')
      .map((line) => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line)?.[0])]),
  );
  const text = [...require('../../lib/export/perf-script.js').perfScript(profile)].join('');
  assert.deepEqual(collapsed(text), folded);
  assert.match(text, /\(\/opt\/my_lib\.so\)/);
  assert.match(text, /^odd name 4242\/\d+ \[/m);
});
