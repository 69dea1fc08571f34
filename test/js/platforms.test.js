'use strict';
// Machines that cannot record, faked in children: the package installs there without a word of failure,
// is required and imported, its plugin lets builds be, and start() throws one line that says what to do.

const test = require('node:test');
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../..');

const FAKE = `
const [platform, arch, libc] = process.env.FAKE_MACHINE.split(' ');
Object.defineProperty(process, 'platform', { value: platform });
Object.defineProperty(process, 'arch', { value: arch });
if (libc === 'musl') {
  const report = process.report.getReport();
  delete report.header.glibcVersionRuntime;
  process.report.getReport = () => report;
}`;

/** The package as it is without an addon: what its install leaves on these machines. */
const LEFT_OUT = [
  'build',
  'prebuilds',
  'node_modules',
  '.git',
  '.rspack-prof',
  'test',
  'bench',
  'src',
];

/** @param {import('node:test').TestContext} t */
function installed(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-platforms-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const own = path.join(folder, 'node_modules', 'rspack-prof');
  fs.mkdirSync(own, { recursive: true });
  for (const name of fs.readdirSync(ROOT))
    if (!LEFT_OUT.includes(name))
      fs.cpSync(path.join(ROOT, name), path.join(own, name), { recursive: true });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(own, 'node_modules'));
  fs.writeFileSync(path.join(folder, 'fake.cjs'), FAKE);
  return folder;
}

/**
 * @param {string} folder @param {string} machine
 * @param {string[]} args
 */
function nodeThere(folder, machine, args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', path.join(folder, 'fake.cjs'), ...args],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, FAKE_MACHINE: machine } },
  );
  return { status, stdout, stderr };
}

const MACHINES = [
  [
    'darwin arm64',
    /^this is darwin arm64$/,
    /Linux x64 and this is darwin arm64: record on a Linux x64 machine/,
  ],
  ['darwin x64', /^this is darwin x64$/, /Linux x64 and this is darwin x64: record on/],
  ['win32 x64', /^this is win32 x64$/, /Linux x64 and this is win32 x64: record on/],
  ['linux arm64', /^this is linux arm64$/, /Linux x64 and this is linux arm64: record on/],
  [
    'linux x64 musl',
    /^this is Linux with musl$/,
    /linked with musl \(Alpine\): record with a node for glibc/,
  ],
];

for (const [machine, reason, advice] of /** @type {[string, RegExp, RegExp][]} */ (MACHINES)) {
  test(`${machine}: installs, loads, and start() says what to do`, (t) => {
    const folder = installed(t);
    const own = path.join(folder, 'node_modules', 'rspack-prof');

    const install = nodeThere(folder, machine, [path.join(own, '.ci', 'install.js')]);
    assert.deepEqual([install.status, install.stdout], [0, '']);
    const said = /^rspack-prof: the addon is not built, .* glibc only and (.*)\n$/.exec(
      install.stderr,
    );
    assert.match(said?.[1] ?? install.stderr, reason);

    const script = `
      const prof = require('rspack-prof');
      const { RspackProfPlugin } = require('rspack-prof/plugin');
      const hook = { tap() {}, tapAsync() {}, tapPromise() {}, intercept() {} };
      new RspackProfPlugin().apply({ hooks: new Proxy({}, { get: () => hook }), options: {}, context: '.' });
      const { supported, reason } = prof.status();
      let error;
      try { prof.start(); } catch (thrown) { error = thrown; }
      console.log(JSON.stringify({ supported, reason, code: error?.code, message: error?.message }));`;
    const required = nodeThere(folder, machine, ['-e', script]);
    assert.equal(required.status, 0, required.stderr);
    const told = JSON.parse(required.stdout);
    assert.deepEqual([told.supported, told.code], [false, 'ERR_PROF_UNSUPPORTED_PLATFORM']);
    assert.match(told.message, advice);
    assert.doesNotMatch(told.message, /\n|npm rebuild/);

    const imported = nodeThere(folder, machine, [
      '--input-type=module',
      '-e',
      "import prof, { start } from 'rspack-prof'; console.log(typeof prof.start, typeof start);",
    ]);
    assert.equal(imported.stdout, 'function function\n', imported.stderr);

    const record = nodeThere(folder, machine, [
      path.join(own, 'lib', 'cli', 'main.js'),
      ...['record', '--', process.execPath, '-e', '0'],
    ]);
    assert.match(record.stderr, advice);
    assert.equal(record.stderr.trimEnd().split('\n').length, 1, record.stderr);
    assert.equal(record.stdout, '');
  });
}
