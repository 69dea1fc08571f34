'use strict';
// Whatever else a process does with its threads, its copies of the package and its children: worker
// threads in any order, an exit in the middle, two addons, many recordings, clusters. PROF_LONG=1: a
// thousand recordings.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { loadNative } = require('../../lib/native.js');
const prof = require('../../lib/index.js');
const { profileIn, run, temporaryFolder } = require('./support.js');

const { ok, message } = loadNative().probe('');
const skip = ok ? false : `nothing can be recorded here: ${message}`;
const ROOT = path.join(__dirname, '..', '..');
const LIB = JSON.stringify(path.join(ROOT, 'lib', 'index.js'));
const CLI = path.join(ROOT, 'lib', 'cli', 'main.js');
const isLong = Boolean(process.env.PROF_LONG);

/** Works by CPU time of its own thread or process, so that load elsewhere makes no difference. */
const BURN = `function burn(ms) {
  const spent = () => process.cpuUsage().user / 1000;
  let n = 0;
  for (const end = spent() + ms; spent() < end;) for (let i = 0; i < 20000; i++) n += Math.sqrt(n + 1);
  return n;
}`;

/** @param {string} script @param {string} [cwd] */
async function inNode(script, cwd) {
  const ended = await run(process.execPath, ['-e', script], { cwd });
  return { ...ended, said: () => JSON.parse(ended.stdout || JSON.stringify(ended.stderr)) };
}

describe('threads and processes', { skip, concurrency: 2 }, () => {
  test('many recordings leave no memory, descriptors or threads behind', async (t) => {
    const cycles = isLong ? 1000 : 40;
    const { code, stderr, said } =
      await inNode(`const prof = require(${LIB}); const fs = require('fs');
      ${BURN}
      const standing = () => {
        const maps = fs.readFileSync('/proc/self/maps', 'utf8').trim().split('\\n');
        return { rss: process.memoryUsage().rss, fds: fs.readdirSync('/proc/self/fd').length,
          threads: fs.readdirSync('/proc/self/task').length, mappings: maps.length,
          rings: maps.filter((line) => line.endsWith('[perf_event]')).length };
      };
      const rest = () => new Promise((resolve) => setTimeout(resolve, 50));
      // The last one's events are closed by its own thread, after stop() has answered.
      async function settled(most) {
        let now = standing();
        const left = () => now.fds > most.fds || now.threads > most.threads || now.rings > most.rings;
        for (let i = 0; i < 200 && left(); i++) {
          await rest(); now = standing();
        }
        return now;
      }
      (async () => {
        let first;
        for (let i = 0; i < ${cycles}; i++) {
          const session = prof.start({ frequency: 1000, quiet: true });
          burn(2);
          await session.stop();
          if (i === ${Math.floor(cycles / 3)}) { await rest(); await rest(); globalThis.gc?.(); first = standing(); }
        }
        globalThis.gc?.();
        console.log(JSON.stringify([first, await settled(first)]));
      })();`);
    assert.equal(code, 0, stderr);
    const [first, last] = said();
    t.diagnostic(JSON.stringify([first, last]));
    assert.ok(last.fds <= first.fds, `${last.fds} descriptors, ${first.fds} before`);
    assert.ok(last.threads <= first.threads, `${last.threads} threads, ${first.threads} before`);
    assert.ok(last.rings <= first.rings, `${last.rings} rings, ${first.rings} before`);
    // V8's pages come and go by tens; one mapping a recording would show.
    const mappings = first.mappings + cycles / 2;
    assert.ok(last.mappings < mappings, `${last.mappings} mappings, ${first.mappings} before`);
    // V8's heap comes and goes by megabytes; a leak of 0.5 MB a recording would show.
    const most = first.rss + Math.max(32, cycles / 20) * 2 ** 20;
    assert.ok(last.rss < most, `${last.rss} bytes, ${first.rss} before`);
  });

  test('worker threads load, are sampled and end in any order', async () => {
    const ends = [
      '',
      'process.exit(3)',
      "throw new Error('as it should be')",
      'setInterval(() => {}, 1000)', // ended by terminate()
    ];
    const { code, stderr, said } = await inNode(`const prof = require(${LIB});
      const { Worker } = require('node:worker_threads'); ${BURN}
      const ends = ${JSON.stringify(ends)};
      const live = (i) => new Promise((resolve) => {
        const load = i % 2 ? 'require(' + ${JSON.stringify(LIB)} + ');' : '';
        const worker = new Worker(load + ${JSON.stringify(BURN)} + 'burn(' + 10 * (i % 5) + ');' + ends[i % 4],
          { eval: true });
        worker.on('error', () => {}).on('exit', resolve);
        if (i % 4 === 3) setTimeout(() => worker.terminate(), 30 * (i % 3));
      });
      (async () => {
        const before = [live(0), live(3)]; // there before the recording
        const session = prof.start({ frequency: 1000, quiet: true });
        await Promise.all([1, 2, 3, 4, 5, 6, 7].map(live));
        burn(100);
        const during = live(9);
        const { quality } = await session.stop(); // while one lives
        await Promise.all([...before, during]);
        const again = prof.start({ frequency: 1000, quiet: true });
        burn(60);
        const second = again.stopSync().quality;
        console.log(JSON.stringify([quality, second]));
      })();`);
    assert.equal(code, 0, stderr);
    for (const quality of said()) {
      const { samples, complete, truncated, broken } = quality;
      assert.ok(samples > 5, `${samples} samples`);
      assert.equal(complete + truncated + broken, samples);
      assert.ok(complete / samples > 0.9, JSON.stringify(quality));
    }
  });

  test('process.exit() in the middle of it all', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stderr } = await inNode(
      `require(${LIB}).start({ quiet: true }); ${BURN}
      const { Worker } = require('node:worker_threads');
      for (let i = 0; i < 4; i++) new Worker('require(' + ${JSON.stringify(LIB)} + '); for (;;);', { eval: true });
      require('node:fs').readFile('/proc/self/maps', () => {});
      setTimeout(() => { burn(100); process.exit(5); }, 100);`,
      cwd,
    );
    assert.equal(code, 5, stderr);
    assert.ok(profileIn(path.join(cwd, '.rspack-prof')).profile.quality.samples > 5);
  });

  test('two copies of the package: one recording, and ERR_PROF_BUSY for the other', async (t) => {
    const copy = path.join(temporaryFolder(t), 'rspack-prof');
    fs.cpSync(path.join(ROOT, 'lib'), path.join(copy, 'lib'), { recursive: true });
    fs.copyFileSync(path.join(ROOT, 'package.json'), path.join(copy, 'package.json'));
    fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
    const { code, stderr, said } = await inNode(`const [a, b] = [require(${LIB}),
        require(${JSON.stringify(path.join(copy, 'lib', 'index.js'))})]; ${BURN}
      const session = a.start({ quiet: true });
      let refused;
      try { b.start(); } catch (error) { refused = error.code; }
      burn(100);
      const { samples } = session.stopSync().quality;
      const other = b.start({ quiet: true });
      burn(100);
      console.log(JSON.stringify([refused, samples, other.stopSync().quality.samples]));`);
    assert.equal(code, 0, stderr);
    const [refused, first, second] = said();
    assert.equal(refused, 'ERR_PROF_BUSY');
    assert.ok(first > 5 && second > 5, `${first} and ${second} samples`);
  });

  // As where a Jest environment or a vm context hides the first copy's global object.
  test('two addons in one process record one after the other, and at once without harm', async (t) => {
    const built = path.join(ROOT, 'build', 'Release', 'rspack_prof.node');
    if (!fs.existsSync(built)) return t.skip('the addon was not built here');
    const copy = path.join(temporaryFolder(t), 'rspack_prof.node');
    fs.copyFileSync(built, copy);
    const { code, signal, stderr, said } = await inNode(`${BURN}
      const [a, b] = [require(${JSON.stringify(built)}), require(${JSON.stringify(copy)})];
      const options = { frequency: 1000 };
      const ends = [];
      const first = a.start(options); burn(100);
      const second = b.start(options); burn(100);
      ends.push(a.stopSync(first)); burn(100);
      ends.push(b.stopSync(second));
      const third = a.start(options); burn(100);
      ends.push(a.stopSync(third));
      console.log(JSON.stringify(ends.map(({ quality }) => quality)));`);
    assert.deepEqual([code, signal], [0, null], stderr);
    const [first, second, third] = said();
    for (const one of [first, second, third]) assert.ok(one.samples > 5, JSON.stringify(one));
    // The one whose handler was covered says so, and ends there.
    const codes = first.warnings.map((/** @type {any} */ one) => one.code);
    assert.ok(codes.includes('sigtrap-taken'), codes.join());
    assert.ok(third.complete / third.samples > 0.9, JSON.stringify(third));
  });

  test('a cluster: each process has its profile', async (t) => {
    const cwd = temporaryFolder(t);
    const script = `const cluster = require('node:cluster'); ${BURN}
      if (cluster.isPrimary) { for (let i = 0; i < 2; i++) cluster.fork(); burn(100); }
      else { burn(150); process.disconnect(); }`;
    fs.writeFileSync(path.join(cwd, 'cluster.js'), script);
    const args = [
      'record',
      '--all-processes',
      '-o',
      'p.json.gz',
      '--',
      process.execPath,
      'cluster.js',
    ];
    const ended = await run(process.execPath, [CLI, ...args], { cwd });
    assert.equal(ended.code, 0, ended.stderr);
    const files = fs.readdirSync(cwd).filter((name) => name.endsWith('.json.gz'));
    assert.equal(files.length, 3, files.join());
    for (const file of files) {
      const profile = prof.read(path.join(cwd, file));
      assert.ok(profile.quality.samples > 5, `${file}: ${profile.quality.samples} samples`);
      assert.ok(profile.share(/burn/, { total: true }) > 0.2);
    }
  });

  test('fork, exec and a shell go on as they would, and are not mixed in', async () => {
    const { code, stderr, said } =
      await inNode(`const session = require(${LIB}).start({ quiet: true }); ${BURN}
      const { fork, spawnSync, execSync } = require('node:child_process');
      const script = 'process.send(process.argv[2]); process.disconnect()';
      const file = require('node:path').join(require('node:os').tmpdir(), 'rspack-prof-fork-' + process.pid + '.js');
      require('node:fs').writeFileSync(file, script);
      const children = [1, 2, 3].map((i) => new Promise((resolve, reject) => {
        fork(file, [String(i)]).on('message', resolve).on('error', reject);
      }));
      burn(100);
      const shell = execSync('exec echo from a shell', { encoding: 'utf8' });
      const { status } = spawnSync('/bin/false');
      Promise.all(children).then((answers) => {
        require('node:fs').rmSync(file);
        const { raw } = session.stopSync();
        const names = [...raw.threads.name].map((at) => raw.strings[at]);
        console.log(JSON.stringify({ answers, shell, status, foreign: names.filter((name) => /^(sh|echo|false)$/.test(name)) }));
      });`);
    assert.equal(code, 0, stderr);
    assert.deepEqual(said(), {
      answers: ['1', '2', '3'],
      shell: 'from a shell\n',
      status: 1,
      foreign: [],
    });
  });
});
