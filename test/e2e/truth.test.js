'use strict';
// Stacks are true: at every instruction of the fixtures in test/truth the walk is what calls and
// returns made the stack (docs/unwinding.md tells how, and which classes differ).

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const TRUTH = path.join(__dirname, '..', 'truth');
/** Of the instructions of V8's own code, at which a walk may lack or add a frame. */
const V8_SHARE = 0.012;

const whyNot =
  process.platform === 'linux' && process.arch === 'x64' ? false : 'needs Linux on x86_64';

/** @param {string} command @param {string[]} args */
function rows(command, args) {
  const { stdout, stderr } = spawnSync(command, args, { cwd: TRUTH, encoding: 'utf8' });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  assert.notEqual(lines.length, 0, stderr);
  return { rows: lines.map((line) => JSON.parse(line)), stdout };
}

/** Stops at which gdb and the walk are compared. */
const STOPS = 300;

/** @returns {string | false} */
function whyNoGdb() {
  const python = ['-nx', '-batch', '-ex', 'python print(6 * 7)', '-ex', 'run', '--args', 'true'];
  const { stdout, error } = spawnSync('gdb', python, { encoding: 'utf8' });
  if (error || !stdout.startsWith('42')) return 'gdb with Python is not installed';
  return stdout.includes('exited normally') ? false : 'gdb may not trace here';
}

test('truth', { skip: whyNot }, async (t) => {
  const made = spawnSync('make', ['-s', '-j2'], { cwd: TRUTH, encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);

  await t.test('native code: every instruction of every fixture', () => {
    const { rows: fixtures, stdout } = rows('./build/native', ['build/plugin.so']);
    assert.ok(fixtures.length >= 11);
    for (const row of fixtures) {
      assert.ok(row.instructions > 10000, row.fixture);
      assert.equal(row.wrong, 0, stdout);
      assert.equal(row.notRecalled, 0, stdout);
      assert.ok(row.leaving < 0.01 * row.instructions, row.fixture);
    }
    // Most frames are as they were. Not where all registers are needed: those walks keep nothing.
    const recalling = fixtures.filter((row) => row.recalled > row.instructions);
    assert.ok(recalling.length >= fixtures.length - 2, stdout);
  });

  const v8 = rows(process.execPath, ['--allow-natives-syntax', 'v8.js', './build/truth.node']).rows;

  await t.test('JavaScript: the names are those of new Error().stack', () => {
    const named = v8.filter((row) => 'names' in row);
    assert.ok(named.length > 30);
    for (const row of named) assert.ok(!row.wrong, JSON.stringify(row));
  });

  await t.test('JavaScript: instructions of interpreter, compiled code and builtins', () => {
    // Deoptimisation replaces frames by hand, which the list of calls and returns cannot follow.
    const stepped = v8.filter((row) => 'steps' in row && row.steps !== 'deoptimised');
    const sum = (/** @type {string} */ key) => stepped.reduce((total, row) => total + row[key], 0);
    assert.ok(stepped.length > 40);
    assert.equal(sum('notRecalled'), 0);
    assert.ok(sum('recalled') > sum('instructions'));
    assert.ok(sum('wrong') < V8_SHARE * sum('instructions'), `${sum('wrong')} wrong`);
  });

  const noGdb = whyNoGdb();
  await t.test('gdb, stopped where we walk: the same frames', { skip: noGdb }, (t) => {
    const args = ['--args', './build/native', '--stops', String(STOPS)];
    const gdb = ['-q', '-nx', '-batch', '-x', 'stops.py', ...args];
    const { stdout } = spawnSync('gdb', gdb, { cwd: TRUTH, encoding: 'utf8' });
    const lines = (/** @type {string} */ tag) =>
      Array.from(stdout.matchAll(new RegExp(`^${tag} (.*)$`, 'gm')), ([, text]) => text.split(' '));
    const ours = lines('stop');
    const theirs = lines('gdb');
    assert.equal(ours.length, STOPS);
    assert.equal(theirs.length, STOPS);
    let beyond = 0;
    let leaving = 0;
    theirs.forEach((words, i) => {
      const end = ours[i].splice(ours[i].findIndex((word) => !/^[\da-f]+$/.test(word))).join(' ');
      if (end !== 'complete') {
        // An exception's landing is written over the frames that it leaves: gdb ends there as well.
        assert.deepEqual(words, ours[i], end);
        leaving += 1;
      }
      // gdb ends where a stack is switched to a higher address ("previous frame inner to this").
      if (ours[i].length > words.length) beyond += 1;
      assert.deepEqual(ours[i].slice(0, words.length), words);
    });
    t.diagnostic(`${STOPS - beyond} of ${STOPS} equal, ${beyond} go on where gdb stops`);
    assert.ok(beyond < STOPS / 5);
    assert.ok(leaving < STOPS / 50, `${leaving} while an exception lands`);
  });
});
