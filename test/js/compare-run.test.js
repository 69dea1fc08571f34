'use strict';
// The runner: what a run took, of all its processes, and that none of them is left.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { findRunner, runOnce } = require('../../lib/compare/run.js');
const { folder, isAlive, until } = require('./compare-support.js');

const node = process.execPath;
/** Burns CPU time, not wall time: a busy machine changes nothing. @param {number} ms */
const burn = (ms) =>
  `const u = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };` +
  `const s = u(); while (u() - s < ${ms});`;

/**
 * @param {string[]} command
 * @param {object} [options]
 */
const run = (command, options = {}) =>
  runOnce(command, { env: process.env, cwd: os.tmpdir(), ...options });

test('CPU time is that of the whole tree, also of a child that its parent did not wait for', async (t) => {
  const done = path.join(folder(t), 'done');
  const burning = `'${node}' -e '${burn(200)}'`;
  const waited = await run(['/bin/sh', '-c', `${burning}; :`]);
  // The inner shell's parent is gone at once: nobody of the command waits for it.
  const orphan = `( ( ${burning}; : > '${done}' ) & ); until [ -e '${done}' ]; do sleep 0.05; done`;
  for (const { figures, code } of [waited, await run(['/bin/sh', '-c', orphan])]) {
    assert.equal(code, 0);
    const cpu = figures.userMs + figures.sysMs;
    assert.ok(cpu >= 200, `${cpu}`);
  }
  // However many CPUs: one thread takes no less.
  assert.ok(waited.figures.wallMs >= 190, `${waited.figures.wallMs}`);
});

test('what outlives the command is ended half a second later, and counted', async (t) => {
  const file = path.join(folder(t), 'pid');
  const apart = `setsid sh -c 'echo $$ > "${file}"; exec sleep 301' &`;
  const script = `sleep 300 & ${apart} until [ -s "${file}" ]; do sleep 0.05; done`;
  const { figures, code } = await run(['/bin/sh', '-c', script]);
  assert.equal(code, 0);
  assert.equal(isAlive(Number(fs.readFileSync(file, 'utf8'))), false);
  assert.equal(figures.left, 2);
});

test('peak memory is the command’s own, not that of who started it', async () => {
  const small = await run(['/bin/true']);
  assert.ok(small.figures.peakBytes < 16 * 2 ** 20, `${small.figures.peakBytes}`);
  const fill = 'globalThis.b = Buffer.alloc(200 * 2 ** 20, 1)';
  const large = await run([node, '-e', fill]);
  assert.ok(large.figures.peakBytes > 200 * 2 ** 20, `${large.figures.peakBytes}`);
});

test('an abort ends all that was started, whatever it ignores', async (t) => {
  const file = path.join(folder(t), 'pids');
  const deaf = `trap '' TERM INT; echo $$ >> "${file}"; while :; do sleep 1; done`;
  const controller = new AbortController();
  const script = `setsid sh -c '${deaf.replace(/'/g, "'\\''")}' & ${deaf}`;
  const running = run(['/bin/sh', '-c', script], { signal: controller.signal });
  const pids = () =>
    fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
  await until(() => pids().length === 2);
  controller.abort();
  const { aborted } = await running;
  assert.equal(aborted, true);
  assert.deepEqual(pids().filter(isAlive), []);
});

test('a runner whose parent was killed ends its command', async (t) => {
  const file = path.join(folder(t), 'pid');
  const script = `require('child_process').spawn(${JSON.stringify(findRunner())},
    [String(process.pid), '/bin/sh', '-c', 'echo $$ > "${file}"; exec sleep 300'],
    { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] }); setInterval(() => {}, 1000);`;
  const parent = spawn(node, ['-e', script], { stdio: 'ignore' });
  const pid = () => (fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0);
  await until(() => pid() > 0);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await until(() => !isAlive(pid()));
});

test('a runner that was killed itself leaves nobody of its group, and it is said', async (t) => {
  const file = path.join(folder(t), 'pids');
  const script = `sleep 60 & echo $PPID $$ $! > "${file}"; wait`;
  const running = assert.rejects(run(['/bin/sh', '-c', script]), /its runner was killed/);
  const pids = () =>
    fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split(' ').map(Number) : [];
  await until(() => pids().length === 3);
  process.kill(pids()[0], 'SIGKILL');
  await running;
  await until(() => !pids().some(isAlive));
});

test('exit codes and signals of the command, and the end of what it printed', async () => {
  const failed = await run(['/bin/sh', '-c', 'echo said; echo wrong >&2; exit 3']);
  assert.deepEqual([failed.code, failed.signal, failed.tail], [3, null, 'said\nwrong']);
  const killed = await run(['/bin/sh', '-c', 'kill -KILL $$']);
  assert.deepEqual([killed.code, killed.signal], [null, 'SIGKILL']);
  await assert.rejects(run(['/no/such/command']), /command not found/);
  await assert.rejects(run([os.tmpdir()]), /cannot be run \(EACCES\)/);
});

test('instructions are counted, or it is said why not', async () => {
  const { figures, counterProblem } = await run([node, '-e', burn(20)]);
  if (counterProblem === '') assert.ok(Number(figures.instructions) > 1e6);
  else assert.equal(figures.instructions, null);
});

test('nothing is left in the temporary folder', async (t) => {
  const tmp = folder(t);
  const script = `const { runOnce } = require(${JSON.stringify(require.resolve('../../lib/compare/run.js'))});
    runOnce(['/bin/echo', 'x'], { env: process.env, cwd: '/' }).then(({ tail }) => console.log(tail));`;
  const child = spawn(node, ['-e', script], { env: { ...process.env, TMPDIR: tmp } });
  await once(child, 'close');
  assert.deepEqual(fs.readdirSync(tmp), []);
});
