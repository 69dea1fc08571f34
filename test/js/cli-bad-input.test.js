'use strict';
// What report, export, diff and open say to files that are none of ours, and to profiles in which
// nothing is left: one line, or a report that says so; no stack trace, no NaN, no half file.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const zlib = require('node:zlib');
const { buildProfile, cli } = require('./cli-support.js');
const { FORMATS } = require('../../lib/export/formats.js');
const { KEY_NAMES: KEYS } = require('../../lib/profile/keys.js');

const MAIN = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');

/** @param {import('node:test').TestContext} t */
function written(t) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-bad-'));
  t.after(() => fs.rmSync(cwd, { recursive: true, force: true }));
  buildProfile().write(path.join(cwd, 'good.json.gz'));
  buildProfile({ samples: [] }).write(path.join(cwd, 'none.json.gz'));
  return cwd;
}

/** @param {string} file */
const commands = (file) => [
  ['report', file],
  ['report', file, '--json'],
  ['report', file, '-g', 'caller'],
  ['export', file, '--to', 'folded', '-o', 'out'],
  ['diff', file, 'good.json.gz'],
  ['diff', 'good.json.gz', file],
  ['open', file, '--no-browser'],
];

/**
 * @param {string} cwd
 * @param {string} file
 * @param {RegExp} reason
 */
async function refused(cwd, file, reason) {
  for (const command of commands(file)) {
    const { exitCode, stdout, stderr } = await cli(command, { cwd });
    const said = `${command.join(' ')}: ${stderr}`;
    assert.deepEqual([exitCode, stdout], [1, ''], said);
    assert.match(stderr, /^rspack-prof: [^\n]+ \(ERR_PROF_BAD_FILE\)\n$/, said);
    assert.match(stderr, reason, said);
    assert.ok(!fs.existsSync(path.join(cwd, 'out')), said);
  }
}

test('a file cut off anywhere: one line', async (t) => {
  const cwd = written(t);
  const whole = fs.readFileSync(path.join(cwd, 'good.json.gz'));
  for (const length of [5, 100, whole.length >> 1, whole.length - 1]) {
    fs.writeFileSync(path.join(cwd, 'cut.json.gz'), whole.subarray(0, length));
    await refused(cwd, 'cut.json.gz', /cut\.json\.gz: it is no whole gzip file/);
  }
  fs.writeFileSync(path.join(cwd, 'cut.json'), zlib.gunzipSync(whole).subarray(0, 2000));
  await refused(cwd, 'cut.json', /cut\.json: it is no JSON/);
});

test('JSON of others, and what is no JSON: one line', async (t) => {
  const cwd = written(t);
  const foreign = {
    '': /it is empty/,
    null: /it has no top-level object/,
    '[]': /it has no meta/,
    '{"nodes":[],"samples":[],"timeDeltas":[]}': /it has no meta/,
    '{"$schema":"https://www.speedscope.app/file-format-schema.json","profiles":[]}': /no meta/,
    'main;run 12\n': /it is no JSON/,
  };
  for (const [text, reason] of Object.entries(foreign)) {
    fs.writeFileSync(path.join(cwd, 'foreign.json'), text);
    await refused(cwd, 'foreign.json', reason);
  }
});

test('a profile of a newer version: both versions are named', async (t) => {
  const cwd = written(t);
  const whole = zlib.gunzipSync(fs.readFileSync(path.join(cwd, 'good.json.gz')));
  const profile = JSON.parse(whole.toString());
  const own = [profile, profile.meta, profile.shared].flatMap((part) =>
    Object.values(part).filter((one) => one?.version && one.funcs),
  )[0];
  assert.ok(own, 'where the version stands');
  const { version } = own;
  own.version = version + 1;
  fs.writeFileSync(path.join(cwd, 'newer.json'), JSON.stringify(profile));
  await refused(cwd, 'newer.json', new RegExp(`version ${version + 1} and .* reads ${version}`));
  own.version = version;
  for (const [field, known] of Object.entries({ version: 24, preprocessedProfileVersion: 62 })) {
    const newer = { ...profile, meta: { ...profile.meta, [field]: 999 } };
    fs.writeFileSync(path.join(cwd, 'newer.json'), JSON.stringify(newer));
    await refused(cwd, 'newer.json', new RegExp(`version 999 of .* reads ${known}`));
  }
});

test('a profile without samples: reports that say so, and no NaN', async (t) => {
  const cwd = written(t);
  for (const command of [
    ['report', 'none.json.gz'],
    ['report', 'none.json.gz', '--children'],
    ['report', 'none.json.gz', '--sort', 'comm,dso,sym'],
    ['report', 'none.json.gz', '-g', 'caller'],
    ['report', 'none.json.gz', '-g', 'callee'],
  ]) {
    const { exitCode, stdout, stderr } = await cli(command, { cwd });
    assert.deepEqual([exitCode, stderr], [0, ''], `${command}`);
    assert.match(stdout, /^0 samples of [^\n]+\n\nno samples/, `${command}`);
    assert.doesNotMatch(stdout, /NaN|Infinity/);
  }
  for (const command of [
    ['report', 'none.json.gz', '--json'],
    ['report', 'none.json.gz', '--phases'],
    ['report', 'none.json.gz', '--hints'],
    ['report', 'none.json.gz', '--border'],
    ['report', 'none.json.gz', '--spans'],
    ['report', 'none.json.gz', '--builds'],
    ['report', 'none.json.gz', '--build', 'last'],
    ...['phases', 'border', 'spans', 'hints', 'builds'].map((view) => [
      ...['report', 'none.json.gz', '--json', `--${view}`],
    ]),
    ...KEYS.map((key) => ['report', 'none.json.gz', '--sort', key]),
    ...Object.keys(FORMATS).map((format) => [
      ...['export', 'none.json.gz', '--to', format, '-o', `made-${format}`],
    ]),
    ['diff', 'none.json.gz', 'good.json.gz', '--markdown'],
    ['diff', 'none.json.gz', 'good.json.gz', '--html', 'diff.html'],
    ['diff', 'none.json.gz', 'good.json.gz', '--by', 'phase,crate', '--normalize', 'time'],
    ['export', 'none.json.gz', '--to', 'folded'],
    ['diff', 'none.json.gz', 'good.json.gz'],
    ['diff', 'good.json.gz', 'none.json.gz', '--json'],
    ['diff', 'none.json.gz', 'none.json.gz'],
  ]) {
    const { exitCode, stdout, stderr } = await cli(command, { cwd });
    assert.doesNotMatch(stdout + stderr, /NaN|Infinity|^ +at /m, `${command}`);
    if (exitCode !== 0) assert.match(stderr, /^rspack-prof: [^\n]+\n$/, `${command}`);
    else if (command.includes('--json')) JSON.parse(stdout);
  }
});

test('nothing left in a phase, a thread, a filter: said, with what there is', async (t) => {
  const cwd = written(t);
  for (const graph of ['none', 'caller', 'callee']) {
    const ask = (/** @type {string[]} */ ...words) =>
      cli(['report', 'good.json.gz', '-g', graph, ...words], { cwd });
    assert.match((await ask('--thread', 'nobody')).stderr, /no thread 'nobody' .*: it has node/);
    assert.match((await ask('--phase', 'nowhere')).stderr, /no phase 'nowhere' in this profile/);
    const { exitCode, stdout } = await ask('--filter', 'no_such_function');
    assert.equal(exitCode, 0);
    assert.match(stdout, graph === 'callee' ? /^no row matches/m : /^no sample matches$/m);
  }
  for (const words of [
    ['--thread', 'nobody'],
    ['--through', 'no_such_function'],
    ['--time', '9000,9001'],
  ]) {
    const made = await cli(['export', 'good.json.gz', '--to', 'folded', '-o', 'out', ...words], {
      cwd,
    });
    assert.notEqual(made.exitCode, 0);
    assert.match(made.stderr, /^rspack-prof: [^\n]+\n$/);
    assert.ok(!fs.existsSync(path.join(cwd, 'out')));
  }
});

test('progress: on a terminal from the second second on, gone before the report', (t) => {
  const cwd = written(t);
  // A file that comes slowly: a profile that is read for more than a second on any machine.
  const slow = `mkfifo p; (sleep 1.6; cat good.json.gz) > p & ${process.execPath} ${MAIN} report p`;
  const run = (/** @type {string} */ line) =>
    spawnSync('script', ['-qec', line, '/dev/null'], { cwd, input: '', encoding: 'utf8' });
  const terminal = run(slow);
  if (terminal.error) return t.skip('no script(1) here');
  const erase = '\u001b[K';
  const first = terminal.stdout.indexOf('\rrspack-prof report .. 1.');
  const removed = terminal.stdout.lastIndexOf(`\r${erase}`);
  assert.ok(first >= 0, terminal.stdout);
  assert.ok(removed > first);
  assert.match(terminal.stdout.slice(removed + 1 + erase.length), /^1,000 samples/);
  assert.doesNotMatch(terminal.stdout.slice(removed), /rspack-prof report/);
});

test('progress: nothing in a pipe, nothing for what is quick', (t) => {
  const cwd = written(t);
  const slow = `mkfifo p; (sleep 1.3; cat good.json.gz) > p & ${process.execPath} ${MAIN} report p`;
  const { stdout, stderr } = spawnSync('sh', ['-c', slow], { cwd, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.match(stdout, /^1,000 samples/);
  const quick = spawnSync(
    'script',
    ['-qec', `${process.execPath} ${MAIN} report good.json.gz`, '/dev/null'],
    {
      cwd,
      input: '',
      encoding: 'utf8',
    },
  );
  if (!quick.error) assert.match(quick.stdout, /^(?!.*\.\. 1\.)1,000 samples/);
});
