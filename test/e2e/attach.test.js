'use strict';
// `record -p`: processes that run already, their ends and their clients' ends, and who is refused.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { describe, test } = require('node:test');
const { allSockets, makeFolder, socketIn, sockets } = require('../../lib/attach/place.js');
const { read } = require('../../lib/index.js');
const { temporaryFolder, whyNoEvents } = require('./support.js');

const skip = whyNoEvents();
const LIB = path.resolve(__dirname, '..', '..', 'lib');
const NOBODY = 65534;
/** Ends by itself, should a test fail. */
const SERVER = `
function serveSomeRequest() { let n = 0; for (let i = 0; i < 3e6; i++) n += Math.sqrt(n + i); return n; }
const timer = setInterval(serveSomeRequest, 20);
setTimeout(() => process.exit(9), 120_000).unref();
process.stdin.on('data', (text) => eval(String(text)));
process.stdin.on('end', () => { clearInterval(timer); process.stdin.destroy(); });
console.log('ready');`;

/**
 * @typedef {object} Started
 * @property {import('node:child_process').ChildProcess} child
 * @property {number} pid
 * @property {(pattern: RegExp) => Promise<string>} says waits until its output matches
 * @property {Promise<{code: number | null, signal: NodeJS.Signals | null, output: string}>} ended
 */

/**
 * @param {import('node:test').TestContext} t
 * @param {string[]} args of node
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Started}
 */
function start(t, args, options = {}) {
  return startAny(t, process.execPath, args, options);
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Started}
 */
function startAny(t, program, args, options = {}) {
  const child = spawn(program, args, { stdio: 'pipe', ...options });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  /** @type {Set<() => void>} */
  const listeners = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    for (const listener of listeners) listener();
    return { code, signal, output };
  });
  const says = (/** @type {RegExp} */ pattern) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (pattern.test(output)) resolve(output);
        else if (child.exitCode !== null || child.signalCode !== null) reject(new Error(output));
      };
      listeners.add(look);
      look();
    });
  return { child, pid: /** @type {number} */ (child.pid), says, ended };
}

/** @param {import('node:test').TestContext} t @param {string} [script] */
async function server(t, script = '') {
  const listener = path.join(LIB, 'attachable.js');
  const started = start(t, ['--require', listener, '-e', script + SERVER]);
  await started.says(/ready/);
  return started;
}

/**
 * @param {import('node:test').TestContext} t
 * @param {(string | number)[]} args
 * @param {string} [cwd]
 */
function record(t, args, cwd = temporaryFolder(t)) {
  return start(t, [path.join(LIB, 'cli', 'main.js'), 'record', ...args.map(String)], { cwd });
}

/** @param {string} cwd */
function recordings(cwd) {
  const root = path.join(cwd, '.rspack-prof');
  return fs.existsSync(root) ? fs.readdirSync(root) : [];
}

/** @param {string} cwd */
function profileIn(cwd) {
  const names = recordings(cwd);
  assert.equal(names.length, 1, `one recording and nothing temporary: ${names.join()}`);
  return read(path.join(cwd, '.rspack-prof', names[0], 'profile.json.gz'));
}

/** @param {() => boolean} is */
async function until(is) {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const RECORDING = /recording process \d+/;

describe('a process that listens', { skip }, () => {
  test('is recorded again and again, and its own end is what it would have been', async (t) => {
    const { child, pid, ended } = await server(t);
    for (const round of [1, 2]) {
      const cwd = temporaryFolder(t);
      const client = record(t, ['-p', pid, '--duration', 0.7, '-e', 'cpu-clock:u'], cwd);
      const { code, output } = await client.ended;
      assert.equal(code, 0, output);
      const profile = profileIn(cwd);
      assert.equal(profile.meta.pid, pid, `round ${round}`);
      assert.ok(profile.share(/serveSomeRequest/, { total: true }) > 0.5, output);
      const folder = path.join(cwd, '.rspack-prof', recordings(cwd)[0]);
      const files = fs.readdirSync(folder).sort();
      const all = ['flamegraph.html', 'hotspots.txt', 'profile.folded', 'profile.json.gz'];
      assert.deepEqual(files, all);
    }
    child.stdin?.end();
    const { code, output } = await ended;
    assert.deepEqual({ code, output }, { code: 0, output: 'ready\n' });
    assert.ok(!sockets().some((one) => one.pid === pid), 'its socket is gone with it');
  });

  test('Ctrl-C ends the recording and not the process', async (t) => {
    const { child, pid } = await server(t);
    const cwd = temporaryFolder(t);
    const client = record(t, ['-p', pid, '-o', 'p.json.gz'], cwd);
    await client.says(RECORDING);
    client.child.kill('SIGINT');
    const { code, output } = await client.ended;
    assert.equal(code, 0, output);
    assert.deepEqual(fs.readdirSync(cwd), ['p.json.gz']);
    assert.equal(child.exitCode, null);
  });

  test('workers that ran before have their JavaScript named', async (t) => {
    const work = `function workOfTheWorker() { let n = 0; for (let i = 0; i < 3e6; i++) n += Math.sqrt(n + i); return n; }
      setInterval(workOfTheWorker, 1);`;
    const script = `const { Worker } = require('node:worker_threads');
      new Worker(${JSON.stringify(work)}, { eval: true }).on('online', () => console.log('works')).unref();`;
    const { pid, says } = await server(t, script);
    await says(/works/);
    // Twice: a worker that is told again goes on, too.
    assert.equal((await record(t, ['-p', pid, '--duration', 0.1]).ended).code, 0);
    const cwd = temporaryFolder(t);
    const { output } = await record(t, ['-p', pid, '--duration', 1], cwd).ended;
    assert.ok(profileIn(cwd).share(/workOfTheWorker/, { total: true }) > 0.1, output);
  });

  test('ends by itself in the middle: its profile is there', async (t) => {
    const { child, pid, ended } = await server(t);
    const cwd = temporaryFolder(t);
    const client = record(t, ['-p', pid], cwd);
    await client.says(RECORDING);
    child.stdin?.write('for (let i = 0; i < 50; i++) serveSomeRequest(); process.exit(7)');
    assert.equal((await ended).code, 7);
    const { code, output } = await client.ended;
    assert.equal(code, 0, output);
    assert.match(output, /process \d+ has ended/);
    assert.equal(profileIn(cwd).meta.pid, pid);
  });

  test('is killed in the middle: its profile comes from the journal', async (t) => {
    const { child, pid } = await server(t);
    const cwd = temporaryFolder(t);
    const client = record(t, ['-p', pid], cwd);
    await client.says(RECORDING);
    const root = path.join(cwd, '.rspack-prof');
    const journal = () =>
      fs
        .readdirSync(root, { recursive: true, encoding: 'utf8' })
        .filter((name) => path.basename(name) === 'journal')
        .some((name) => fs.statSync(path.join(root, name)).size > 20_000);
    await until(journal);
    child.kill('SIGKILL');
    const { code, output } = await client.ended;
    assert.equal(code, 0, output);
    assert.match(output, /its profile comes from its journal/);
    assert.ok(profileIn(cwd).quality.samples > 0);
  });

  test('its client is killed: the recording is dropped, and the next client is served', async (t) => {
    const { child, pid } = await server(t);
    const cwd = temporaryFolder(t);
    const first = record(t, ['-p', pid], cwd);
    await first.says(RECORDING);
    first.child.kill('SIGKILL');
    await first.ended;
    await until(() => recordings(cwd).length === 0);
    const { code, output } = await record(t, ['-p', pid, '--duration', 0.2]).ended;
    assert.equal(code, 0, output);
    assert.equal(child.exitCode, null);
  });

  test('its client is killed while the program has a start() of its own: that has its profile', async (t) => {
    const { child, pid, says } = await server(
      t,
      `const prof = require(${JSON.stringify(LIB)});
       let own;
       const begin = () => { own = prof.start({ event: 'cpu-clock:u', quiet: true }); console.log('begun'); };
       const end = () => own.stop().then(
         (profile) => console.log('samples: ' + (profile.quality.samples > 0)),
         (error) => console.log('error: ' + error.message));\n`,
    );
    const client = record(t, ['-p', pid, '-e', 'cpu-clock:u']);
    await client.says(RECORDING);
    child.stdin?.write('begin()\n');
    await says(/begun/);
    client.child.kill('SIGKILL');
    await client.ended;
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.stdin?.write('end()\n');
    assert.match(await says(/samples|error/), /samples: true/);
  });

  test('an endless line is refused once, and no more of it is read', async (t) => {
    const { child, pid, ended } = await server(t);
    const [own] = sockets().filter((one) => one.pid === pid);
    // Like nc: it goes on writing when the other side has ended.
    const socket = net.connect({ path: own.file, allowHalfOpen: true });
    let answers = '';
    socket.on('data', (text) => (answers += text));
    socket.on('error', () => {}); // it is cut off while we write
    const line = 'y'.repeat(1 << 20);
    let megabytes = 0;
    for (; megabytes < 200 && !socket.destroyed; megabytes++) {
      if (!socket.write(line)) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(megabytes < 200, 'it is cut off');
    assert.ok(answers.split('more than 64 KB').length <= 2, answers);
    child.stdin?.end();
    assert.equal((await ended).code, 0);
  });

  test('containers with processes of one number leave each other their sockets', async (t) => {
    const inside = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    const can = spawnSync('unshare', [...inside, 'true']);
    if (can.status !== 0) return t.skip('no pid namespace can be made here');
    const node = [process.execPath, '--require', path.join(LIB, 'attachable.js'), '-e', SERVER];
    const before = new Set(allSockets().map(({ file }) => file));
    const both = [1, 2].map(() => startAny(t, 'unshare', [...inside, ...node]));
    for (const one of both) await one.says(/ready/);
    const made = allSockets().filter(({ file }) => !before.has(file));
    assert.deepEqual(
      made.map(({ pid }) => pid),
      [1, 1],
    );
    for (const { file } of made) {
      const socket = net.connect(file);
      t.after(() => socket.destroy());
      const [line] = await once(socket, 'data');
      assert.match(String(line), /"rspackProf":.*"pid":1/);
      socket.destroy();
    }
    for (const { child, ended } of both) {
      child.stdin?.end();
      assert.equal((await ended).code, 0);
    }
    assert.ok(made.every(({ file }) => !fs.existsSync(file)));
  });

  test('has one client at a time, and none beside a start() of its own', async (t) => {
    const { child, pid, says } = await server(t);
    const first = record(t, ['-p', pid]);
    await first.says(RECORDING);
    const second = await record(t, ['-p', pid]).ended;
    assert.equal(second.code, 1);
    assert.match(second.output, new RegExp(`process ${first.pid} records it .*ERR_PROF_BUSY`));
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    const own = `globalThis.own = require(${JSON.stringify(LIB)}).start({ journal: false }); console.log('started')`;
    child.stdin?.write(own);
    await says(/started/);
    const third = await record(t, ['-p', pid]).ended;
    assert.match(third.output, /a session runs in this process since .*ERR_PROF_BUSY/);
    child.stdin?.write("own.stopSync(); console.log('stopped')");
    await says(/stopped/);
  });

  test('a wrong option is refused by it, and nothing is left', async (t) => {
    const { pid } = await server(t);
    const cwd = temporaryFolder(t);
    const { code, output } = await record(t, ['-p', pid, '-e', 'no-such-event'], cwd).ended;
    assert.equal(code, 2, output);
    assert.match(output, /^rspack-prof: process \d+: .*\(ERR_PROF_BAD_EVENT\)\n$/);
    assert.deepEqual(recordings(cwd), []);
  });

  test('is listed, with who records it; what killed ones left is removed', async (t) => {
    const killed = await server(t);
    killed.child.kill('SIGKILL');
    await killed.ended;
    assert.ok(sockets().some((one) => one.pid === killed.pid));
    const { pid } = await server(t);
    const client = record(t, ['-p', pid]);
    await client.says(RECORDING);
    const list = start(t, [path.join(LIB, 'cli', 'main.js'), 'processes', '--json']);
    const { processes } = JSON.parse((await list.ended).output);
    const own = processes.find((/** @type {{pid: number}} */ one) => one.pid === pid);
    assert.equal(own.recording.by, client.pid);
    assert.equal(own.node, process.version);
    assert.ok(!sockets().some((one) => one.pid === killed.pid));
  });

  test('takes nothing from another user, whatever the modes say', async (t) => {
    const can = spawnSync(process.execPath, ['-v'], { uid: NOBODY, gid: NOBODY });
    if (process.getuid?.() !== 0 || can.status !== 0) return t.skip('needs root and a public node');
    const { pid } = await server(t);
    const open = temporaryFolder(t);
    fs.chmodSync(open, 0o777);
    const moved = path.join(open, 'socket');
    fs.renameSync(socketIn(makeFolder(), pid), moved);
    fs.chmodSync(moved, 0o777);
    const script = `require('node:net').connect(${JSON.stringify(moved)}).pipe(process.stdout)`;
    const stranger = start(t, ['-e', script], { uid: NOBODY, gid: NOBODY, cwd: '/' });
    const { output } = await stranger.ended;
    assert.match(output, /^\{"error":\{"code":"ERR_PROF_PERMISSION".*uid 65534"\}\}\n$/);
  });
});

describe('refused with one line', () => {
  /** @param {import('node:test').TestContext} t @param {(string | number)[]} args */
  async function refused(t, args) {
    const cwd = temporaryFolder(t);
    const { code, output } = await record(t, args, cwd).ended;
    assert.deepEqual(recordings(cwd), []);
    assert.match(output, /^rspack-prof: [^\n]+\n$/);
    return { code, output };
  }

  test('a number that no process has, a thread, a word', async (t) => {
    const none = await refused(t, ['-p', 2 ** 22]);
    assert.deepEqual([none.code, /there is no process/.test(none.output)], [1, true]);
    const tid = fs.readdirSync('/proc/self/task').find((one) => Number(one) !== process.pid);
    const thread = await refused(t, ['-p', String(tid)]);
    assert.equal(thread.code, 2);
    assert.match(thread.output, new RegExp(`is a thread of process ${process.pid}`));
    for (const word of ['self', '0', '-1', '1.5', '12,13']) {
      assert.equal((await refused(t, [`-p${word}`])).code, 2, word);
    }
  });

  test('flags that do not go together', async (t) => {
    const both = await refused(t, ['-p', process.pid, '--', 'sleep', '1']);
    assert.match(both.output, /leave the command out/);
    const alone = await refused(t, ['--duration', '1', '--', 'sleep', '1']);
    assert.match(alone.output, /--duration goes with -p and -a/);
  });

  test('a process that is no node, or does not listen', async (t) => {
    const sleep = spawn('sleep', ['60']);
    t.after(() => sleep.kill());
    const other = await refused(t, ['-p', String(sleep.pid)]);
    assert.match(other.output, /is 'sleep', no node process.*ERR_PROF_BAD_OPTION/);
    const deaf = await refused(t, ['-p', process.pid]);
    assert.equal(deaf.code, 1);
    assert.match(deaf.output, /NODE_OPTIONS=--require=rspack-prof\/attachable/);
  });

  test("somebody else's process", async (t) => {
    /** @type {number | undefined} */
    let pid = 1;
    if (process.getuid?.() === 0) {
      const sleep = spawn('sleep', ['60'], { uid: NOBODY, gid: NOBODY, cwd: '/' });
      t.after(() => sleep.kill());
      pid = sleep.pid;
    }
    const { code, output } = await refused(t, ['-p', String(pid)]);
    assert.equal(code, 3, output);
    assert.match(output, /belongs to uid \d+ and you are uid \d+.*ERR_PROF_PERMISSION/);
  });

  test('a socket that was left, and one that another process listens at', async (t) => {
    const deaf = start(t, ['-e', "console.log('ready'); setTimeout(() => {}, 60_000)"]);
    await deaf.says(/ready/);
    const file = socketIn(makeFolder(), deaf.pid);
    const listen = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => console.log('ready'))`;
    const gone = start(t, ['-e', listen]);
    await gone.says(/ready/);
    gone.child.kill('SIGKILL');
    await gone.ended;
    assert.match((await refused(t, ['-p', deaf.pid])).output, /does not listen/);
    assert.ok(!fs.existsSync(file), 'what was left is gone');
    const wrong = net.createServer().listen(file);
    t.after(() => wrong.close());
    await once(wrong, 'listening');
    const { code, output } = await refused(t, ['-p', deaf.pid]);
    assert.equal(code, 3, output);
    assert.match(output, new RegExp(`belongs to process ${process.pid} of uid`));
  });
});
