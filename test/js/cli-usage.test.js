'use strict';
// What the command line answers to a wrong or a general question: one line, the right exit code.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { cli, fakeNative } = require('./cli-support.js');

const MAIN = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');

/**
 * @param {string[]} argv
 * @param {number} exitCode
 * @param {RegExp} message
 */
async function refuses(argv, exitCode, message) {
  const result = await cli(argv);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^rspack-prof: [^\n]+\n$/, 'one line');
  assert.equal(result.exitCode, exitCode);
}

test('no command and an unknown one', async () => {
  await refuses([], 2, /no command given: see 'rspack-prof --help'/);
  await refuses(['recrod'], 2, /unknown command 'recrod': did you mean 'record'\?/);
  await refuses(['frobnicate'], 2, /unknown command 'frobnicate': see 'rspack-prof --help'/);
  await refuses(['--vresion'], 2, /unknown option '--vresion': did you mean '--version'\?/);
});

test('a flag that does not exist gets its near match', async () => {
  await refuses(['report', '--jsno'], 2, /unknown option '--jsno': did you mean '--json'\?/);
  await refuses(['record', '--frq', '9', 'node'], 2, /'--frq': did you mean '--freq'\?/);
  await refuses(['report', '--zzzzzz'], 2, /'--zzzzzz': see 'rspack-prof report --help'/);
  await refuses(['doctor', '-x'], 2, /unknown option '-x'/);
});

test('flags, keys and formats of a later version say so', async () => {
  await refuses(['record', '--raw', 'x', '--', 'node'], 2, /'raw' keeps copies of stacks/);
});

test('values that are none', async () => {
  await refuses(['record', '-F', 'fast', 'node'], 2, /--freq takes a whole number/);
  await refuses(['record', '-F', '0', 'node'], 2, /--freq takes a whole number from 1 to 100000/);
  await refuses(['record', '-F', '99999999', 'node'], 2, /from 1 to 100000, not '99999999'/);
  await refuses(['record', '-F', '-1', 'node'], 2, /from 1 to 100000, not '-1'/);
  await refuses(['record', '-e', '', 'node'], 2, /'event' must not be empty/);
  await refuses(['record', '-F', '1.5', 'node'], 2, /not '1\.5'/);
  await refuses(['record', '--call-graph', 'ful', 'node'], 2, /did you mean 'full'/);
  await refuses(['record', '--budget', '60%', 'node'], 2, /from 0\.1 to 50 %, not '60%'/);
  await refuses(
    ['record', '--budget', 'much', 'node'],
    2,
    /--budget takes a share like 2 or '2%', from/,
  );
  await refuses(['record', '--stack-bytes', '70000', 'node'], 2, /from 256 to 65528/);
  await refuses(['record', '--stack-bytes', '100', 'node'], 2, /from 256 to 65528/);
  await refuses(['report', '--filter', '('], 2, /--filter '\(' is no regular expression/);
  await refuses(['report', '--percent-limit', '101'], 2, /from 0 to 100/);
  await refuses(['report', '--sort', 'crat'], 2, /unknown key 'crat': did you mean 'crate'\?/);
  await refuses(['report', '--children', '--no-children'], 2, /exclude each other/);
  await refuses(['report', '-g', 'callee', '--json'], 2, /-g has no JSON/);
  await refuses(['report', '--limit'], 2, /--limit/);
  await refuses(['report', '--limit', '-1'], 2, /--limit takes a whole number .*, not '-1'/);
  await refuses(['report', '--sort', '-x'], 2, /that starts with '-' is written --sort=VALUE/);
});

test('too many and too few words', async () => {
  await refuses(['report', 'a', 'b'], 2, /^rspack-prof: usage: rspack-prof report /);
  await refuses(['diff', 'a'], 2, /usage: rspack-prof diff BASE CANDIDATE/);
  await refuses(['export'], 2, /--to is missing/);
  await refuses(['record'], 2, /no command given: rspack-prof record/);
  await refuses(['record', '-F', '99', '--'], 2, /no command given/);
});

test('help for each command, on standard output, in whole sentences at 80 columns', async () => {
  const { stdout, exitCode } = await cli(['--help']);
  assert.equal(exitCode, 0);
  const names = [...stdout.matchAll(/^ {2}(\w+) {2}/gm)].map(([, name]) => name);
  for (const name of ['record', 'report', 'export', 'diff', 'list', 'doctor', 'trace']) {
    assert.ok(names.includes(name), name);
  }
  for (const name of names) {
    const help = await cli([name, '--help']);
    assert.equal(help.exitCode, 0);
    assert.match(help.stdout, new RegExp(`^usage: rspack-prof ${name} `));
    assert.equal(help.stderr, '');
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 80, line);
    const [, ...notes] = help.stdout.split('show this\n')[1].trimEnd().split('\n\n');
    for (const note of notes) assert.ok(note.endsWith('.') || note.startsWith('  '), note);
  }
});

test('--help behind the command of record is the command’s', async () => {
  const { stdout, stderr } = await cli(['record', '-F', 'x', '--', 'node', '--help']);
  assert.equal(stdout, '');
  assert.match(stderr, /--freq/);
});

test('--version', async () => {
  const { version } = require('../../package.json');
  assert.equal((await cli(['--version'])).stdout, `${version}\n`);
});

test('list: globs, JSON, and nothing found', async () => {
  const all = await cli(['list']);
  assert.match(all.stdout, /^cpu-clock {2}software {2}time on a CPU$/m);
  assert.match(all.stdout, /^cycles {5}hardware {2}not here: no hardware counters$/m);
  const some = await cli(['list', 'cpu*', '--json']);
  assert.deepEqual(
    JSON.parse(some.stdout).events.map((/** @type {{ name: string }} */ { name }) => name),
    ['cpu-clock'],
  );
  await refuses(['list', 'x[*'], 2, /no event matches 'x\[\*' \(ERR_PROF_BAD_EVENT\)/);
});

test('what the machine refuses: the exit code tells', async () => {
  const refusing = (/** @type {string} */ code) => ({
    loadNative: () => fakeNative({ probe: () => ({ ok: false, code, message: 'why not' }) }),
  });
  const record = (/** @type {string} */ code) => cli(['record', '--', 'node'], refusing(code));
  const permission = await record('ERR_PROF_PERMISSION');
  assert.equal(permission.exitCode, 3);
  assert.equal(permission.stderr, 'rspack-prof: why not (ERR_PROF_PERMISSION)\n');
  assert.equal((await record('ERR_PROF_BAD_EVENT')).exitCode, 2);
  assert.equal((await record('ERR_PROF_TOO_MANY_FILES')).exitCode, 1);
});

test('as a program: exit code and one line, no stack trace', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'report', 'none.json.gz'], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^rspack-prof: [^\n]*none\.json\.gz[^\n]* \(ERR_PROF_BAD_FILE\)\n$/);
});
