'use strict';
// Places where nothing can be written, or where somebody else waits for what is: the build goes on, its
// exit code and output stay, and the profile is somewhere, which is said.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const prof = require('../../lib/index.js');
const { loadNative } = require('../../lib/native.js');
const { mounted, whyNot } = require('./mounts.js');
const { profileIn, run, temporaryFolder } = require('./support.js');

const { ok, message } = loadNative().probe('');
const skip = ok ? false : `nothing can be recorded here: ${message}`;
const notRoot = process.getuid?.() === 0 ? false : 'not root';
const LIB = JSON.stringify(path.resolve(__dirname, '..', '..', 'lib', 'index.js'));
const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');

/** By its own CPU time and then by the clock: whatever its journal does has been done by the end. */
const WORK = `function work(ms) {
    let n = 0;
    const spent = () => process.cpuUsage().user / 1000;
    for (const end = spent() + ms; spent() < end;) for (let i = 0; i < 20000; i++) n += Math.sqrt(n + 1);
    return n;
  }
  const rest = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);`;

/**
 * A build whose output may not go where it should; node's temporary folder is one of the test's.
 * @param {import('node:test').TestContext} t
 * @param {{output: string, command?: string[], script?: string}} options
 */
async function build(t, { output, command = [], script = '' }) {
  const temporary = temporaryFolder(t);
  const [file, ...args] = [
    ...[...command, process.execPath, '-e'],
    `require(${LIB}).start({ frequency: 500, output: ${JSON.stringify(output)} });
      ${WORK} ${script} work(300); rest(1500); work(100); console.log('built'); process.exitCode = 4;`,
  ];
  const ended = await run(file, args, { env: { ...process.env, TMPDIR: temporary } });
  return { ...ended, temporary };
}

/** What all of them have in common. @param {Awaited<ReturnType<typeof build>>} ended @param {RegExp} why */
function wentElsewhere({ code, stdout, stderr, temporary }, why) {
  assert.deepEqual([code, stdout], [4, 'built\n'], stderr);
  assert.match(stderr, why);
  const [folder] = fs.readdirSync(temporary).filter((name) => name.startsWith('rspack-prof-'));
  const { profile } = profileIn(path.join(temporary, folder));
  assert.ok(profile.quality.samples > 50, `${profile.quality.samples} samples`);
  const warning = profile.quality.warnings.find(({ code: one }) => one === 'no-journal');
  assert.match(warning?.message ?? '', /^a crash would have lost this profile: no journal in /);
  return warning?.message ?? '';
}

describe('the profile of a build', { skip, concurrency: 3 }, () => {
  test('is not written through a link that somebody put in its place', async (t) => {
    const shared = temporaryFolder(t);
    const precious = path.join(shared, 'precious');
    const output = path.join(shared, '.rspack-prof');
    fs.mkdirSync(precious);
    fs.symlinkSync(precious, output);
    const said = wentElsewhere(await build(t, { output }), /is a symbolic link/);
    assert.match(said, /symbolic links$/);
    assert.deepEqual(fs.readdirSync(precious), []);
    assert.ok(fs.lstatSync(output).isSymbolicLink());
  });

  test('goes to the temporary folder where a file is in its place', async (t) => {
    const output = path.join(temporaryFolder(t), 'a-file');
    fs.writeFileSync(output, 'mine\n');
    wentElsewhere(await build(t, { output }), /could not write to .*a-file: /);
    assert.equal(fs.readFileSync(output, 'utf8'), 'mine\n');
  });

  test('goes to the temporary folder where its own is read-only', { skip: notRoot }, async (t) => {
    const output = temporaryFolder(t);
    const script = `mount -t tmpfs -o ro none ${output}`;
    const refused = whyNot(script);
    if (refused) return t.skip(refused);
    const ended = await build(t, { output, command: mounted(script) });
    assert.match(wentElsewhere(ended, /could not write to .*read-only/), /Read-only/);
  });

  test('goes to the temporary folder where the disk is full', { skip: notRoot }, async (t) => {
    const output = temporaryFolder(t);
    // One page, which the .gitignore takes: not the first piece of the journal has room.
    const script = `mount -t tmpfs -o size=4k none ${output} && echo full >${output}/.gitignore`;
    const refused = whyNot(script);
    if (refused) return t.skip(refused);
    const ended = await build(t, { output, command: mounted(script) });
    assert.match(wentElsewhere(ended, /could not write to .*no space left/), /No space left/);
  });

  test('goes to /tmp where TMPDIR is no folder either', { skip: notRoot }, async (t) => {
    const output = temporaryFolder(t);
    const script = `mount -t tmpfs -o ro none ${output} && export TMPDIR=${output}/missing`;
    const refused = whyNot(script);
    if (refused) return t.skip(refused);
    const inside = path.join(output, '.rspack-prof');
    const { code, stderr } = await build(t, { output: inside, command: mounted(script) });
    assert.equal(code, 4, stderr);
    assert.match(stderr, /could not write to .*: EROFS: read-only .*; nor to .*missing: ENOENT/);
    const folder = /profile written to (\/tmp\/rspack-prof-[^/]+)\//.exec(stderr)?.[1] ?? '';
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
    assert.ok(profileIn(folder).profile.quality.samples > 50);
  });

  test('is where it was to be when the build has removed its own folder', async (t) => {
    const output = temporaryFolder(t);
    const script = `const fs = require('fs'), path = require('path');
      const gone = fs.mkdtempSync(path.join(require('os').tmpdir(), 'gone-'));
      process.chdir(gone);
      fs.rmdirSync(gone);`;
    const { code, stdout, stderr, temporary } = await build(t, { output, script });
    assert.deepEqual([code, stdout], [4, 'built\n'], stderr);
    const { folder, profile } = profileIn(output);
    assert.ok(stderr.includes(`profile written to ${folder}/`), stderr);
    assert.ok(!stderr.includes('could not'), stderr);
    assert.ok(profile.quality.warnings.every(({ message: said }) => !/ENOENT/.test(said)));
    assert.deepEqual(fs.readdirSync(temporary), []);
  });

  test('is nowhere: nobody is sent to a journal that has nothing', async (t) => {
    const output = temporaryFolder(t);
    // 1 KB a file: not the first piece of the journal, nor any profile.
    const command = ['sh', '-c', 'ulimit -f 2 && exec "$@"', 'sh'];
    const { code, stdout, stderr } = await build(t, { output, command });
    assert.deepEqual([code, stdout], [4, 'built\n'], stderr);
    assert.match(stderr, /the profile could not be written to .*; nor to /);
    assert.ok(!stderr.includes('rspack-prof recover'), stderr);
    assert.deepEqual(fs.readdirSync(output), []);
  });

  test('a disk that fills up in the middle: the journal is good up to there', async (t) => {
    if (notRoot) return t.skip(notRoot);
    const folder = temporaryFolder(t);
    const output = path.join(folder, 'disk');
    const file = path.join(folder, 'p.json.gz');
    const script = `mkdir -p ${output} && mount -t tmpfs -o size=4m none ${output}`;
    const refused = whyNot(script);
    if (refused) return t.skip(refused);
    const build = `require(${LIB}).start({ frequency: 500, quiet: true, output: ${JSON.stringify(output)} });
      ${WORK}
      const fs = require('fs'), path = require('path');
      const size = () => fs.readdirSync(${JSON.stringify(output)}, { recursive: true })
        .filter((name) => path.basename(name) === 'journal')
        .map((name) => fs.statSync(path.join(${JSON.stringify(output)}, name)).size)[0] ?? 0;
      work(200);
      for (const end = Date.now() + 60_000; size() === 0 && Date.now() < end;) work(20);
      try { fs.writeFileSync(${JSON.stringify(path.join(output, 'filler'))}, Buffer.alloc(8 << 20)); } catch {}
      for (let i = 0; i < 3; i += 1) { work(50); rest(600); }
      process.kill(process.pid, 'SIGKILL');`;
    const recover = `"$@"; exec ${process.execPath} ${CLI} recover ${output} -o ${file}`;
    const [unshare, ...args] = [...mounted(script), 'sh', '-c', recover, 'sh'];
    const ended = await run(unshare, [...args, process.execPath, '-e', build]);
    assert.equal(ended.code, 0, ended.stderr);
    const { quality } = prof.read(file);
    assert.ok(quality.samples > 5, `${quality.samples} samples`);
    assert.ok(quality.warnings.some(({ code }) => code === 'recovered'));
  });
});
