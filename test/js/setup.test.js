'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { buildAddon, findNodeDir, findNodeGyp, isFresh, sourceHash } = require('../../.ci/addon.js');
const { isNodeRecent, outdatedPackages, parseArguments } = require('../../.ci/setup.js');
const {
  NEEDS,
  howToInstall,
  missingNeeds,
  packageNames,
  thisMachine,
  unsupportedReason,
} = require('../../.ci/system.js');
const { cmocka, nodeTest, runStep, totalsOf } = require('../../.ci/test.js');
const { cmockaFailures, cmockaTotals, nodeFailures, nodeTotals } = require('../../.ci/totals.js');

const ROOT = path.resolve(__dirname, '..', '..');

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files
 */
function folderWith(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'setup-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

const whole = { hasHeader: () => true, hasCommand: () => true };
const bare = { hasHeader: () => false, hasCommand: () => false };

test('a machine that has everything needs nothing', () => {
  assert.deepEqual(missingNeeds('test', whole), []);
});

test('cmocka, musl and a browser are needed by the tests only, the last two not even by all of them', () => {
  const forTests = packageNames(missingNeeds('test', bare), 'apt');
  const forBuild = packageNames(missingNeeds('build', bare), 'apt');
  assert.ok(forTests.includes('libcmocka-dev'));
  assert.ok(!forBuild.includes('libcmocka-dev'));
  assert.equal(forTests.length, forBuild.length + 3);
  const optional = missingNeeds('test', bare).filter((need) => need.optional);
  assert.deepEqual(packageNames(optional, 'apt'), ['musl-tools', 'chromium']);
});

test('any C compiler will do', () => {
  const hasCommand = (/** @type {string} */ command) => command === 'clang';
  const missing = packageNames(missingNeeds('build', { ...whole, hasCommand }), 'apt');
  assert.ok(!missing.includes('gcc'));
  assert.ok(missing.includes('make') && missing.includes('python3'));
});

test('the advice is one command where there is apt, and names the packages of others elsewhere', () => {
  const pfm = NEEDS.filter((need) => need.apt === 'libpfm4-dev');
  assert.equal(howToInstall(pfm, true), 'run: sudo apt-get install -y libpfm4-dev');
  const elsewhere = howToInstall(pfm, false);
  for (const name of ['libpfm4-dev', 'libpfm-devel (Fedora)', 'libpfm (Arch)']) {
    assert.ok(elsewhere.includes(name), elsewhere);
  }
  assert.ok(!elsewhere.includes('\n'));
});

test('a header is found through CPATH, a command through PATH', (t) => {
  const folder = folderWith(t, { 'include/odd.h': '', 'bin/odd': '' });
  const env = { CPATH: path.join(folder, 'include'), PATH: path.join(folder, 'bin') };
  const machine = thisMachine(env);
  assert.ok(machine.hasHeader('odd.h') && machine.hasCommand('odd'));
  assert.ok(!thisMachine({}).hasHeader('odd.h') && !thisMachine({}).hasCommand('odd'));
});

test('only Linux x64 with glibc is supported, and the reason says what this is', () => {
  const linux = { platform: 'linux', arch: 'x64', glibc: true };
  assert.equal(unsupportedReason(linux), null);
  assert.equal(unsupportedReason({ ...linux, platform: 'darwin' }), 'this is darwin x64');
  assert.equal(unsupportedReason({ ...linux, arch: 'arm64' }), 'this is linux arm64');
  assert.match(String(unsupportedReason({ ...linux, glibc: false })), /musl/);
});

test('install on another platform succeeds and says why in one line', (t) => {
  const folder = folderWith(t, {
    'mac.js': "Object.defineProperty(process, 'platform', { value: 'darwin' });",
  });
  const args = ['--require', path.join(folder, 'mac.js'), path.join(ROOT, '.ci', 'install.js')];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(run.status, 0);
  assert.match(run.stderr, /^rspack-prof: the addon is not built, .* this is darwin x64\n$/);
  assert.equal(run.stdout, '');
});

test('install without the libraries fails, and names the packages in one line', () => {
  const env = { ...process.env, PATH: '/nowhere', npm_config_build_from_source: 'true' };
  const args = [path.join(ROOT, '.ci', 'install.js')];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /^rspack-prof: the addon cannot be built.* gcc g\+\+ make .*\n$/);
});

test('install takes the addon of the package where it loads, and says why it builds where it does not', (t) => {
  const folder = folderWith(t, {});
  const own = path.join(folder, '.ci');
  fs.mkdirSync(own);
  for (const file of ['install.js', 'addon.js', 'system.js']) {
    fs.copyFileSync(path.join(ROOT, '.ci', file), path.join(own, file));
  }
  const prebuilt = path.join(folder, 'prebuilds', 'linux-x64', 'rspack-prof.glibc.node');
  fs.mkdirSync(path.dirname(prebuilt), { recursive: true });
  /** @param {NodeJS.ProcessEnv} [more] */
  const install = (more) => {
    const env = { ...process.env, PATH: '/nowhere', npm_config_build_from_source: '', ...more };
    return spawnSync(process.execPath, [path.join(own, 'install.js')], { encoding: 'utf8', env });
  };
  fs.writeFileSync(prebuilt, 'not ELF');
  const broken = install();
  assert.equal(broken.status, 1);
  assert.match(
    broken.stderr,
    /^rspack-prof: the addon that came with the package does not load here/,
  );
  assert.match(broken.stderr, /\nrspack-prof: the addon cannot be built.* gcc /);

  const built = path.join(ROOT, 'build', 'Release', 'rspack_prof.node');
  if (!fs.existsSync(built)) return t.diagnostic('the addon is not built');
  fs.copyFileSync(built, prebuilt);
  const taken = install();
  assert.deepEqual([taken.status, taken.stderr], [0, '']);
  assert.equal(install({ npm_config_build_from_source: 'true' }).status, 1);
  fs.mkdirSync(path.join(folder, 'lib'));
  fs.cpSync(path.join(ROOT, 'lib'), path.join(folder, 'lib'), { recursive: true });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const code = "console.log(require('./lib/native.js').findAddon())";
  const { stdout } = spawnSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8' });
  assert.equal(stdout.trim(), prebuilt);
});

test('node versions that rspack 2 runs on', () => {
  for (const version of ['20.19.0', '20.20.2', '22.12.0', '23.0.0', '24.1.0', '26.10.0']) {
    assert.ok(isNodeRecent(version), version);
  }
  for (const version of ['18.20.4', '20.18.3', '21.7.0', '22.11.0']) {
    assert.ok(!isNodeRecent(version), version);
  }
});

test('set-up arguments', () => {
  assert.equal(parseArguments([]), 'test');
  assert.equal(parseArguments(['--for', 'profile']), 'profile');
  for (const wrong of [['--for'], ['--for', 'fun'], ['profile'], ['--for', 'test', 'more']]) {
    assert.throws(() => parseArguments(wrong), /usage: node .ci\/setup.js/);
  }
});

test('npm packages are compared by version; optional ones and links may be missing', () => {
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0' },
      'node_modules/mac-only': { version: '1.0.0', optional: true },
      'node_modules/linked': { link: true },
    },
  };
  assert.deepEqual(outdatedPackages(wanted, null), ['node_modules/a', 'node_modules/b']);
  const installed = {
    packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.9.0' } },
  };
  assert.deepEqual(outdatedPackages(wanted, installed), ['node_modules/b']);
});

test('a build is fresh until a source, the node version or the build itself changes', (t) => {
  const root = folderWith(t, { 'binding.gyp': '{}', 'src/a.c': 'int a;', 'src/b/c.c': '' });
  const node = path.join(root, 'build', 'Release', 'x.node');
  fs.mkdirSync(path.dirname(node), { recursive: true });
  fs.writeFileSync(node, '');
  assert.equal(isFresh(root), false);
  fs.writeFileSync(path.join(root, 'build', '.sources'), sourceHash(root));
  assert.equal(isFresh(root), true);

  const later = new Date(Date.now() + 60_000);
  fs.utimesSync(path.join(root, 'src', 'a.c'), later, later);
  assert.equal(isFresh(root), true, 'times do not count');
  assert.notEqual(sourceHash(root, 'v1.2.3'), sourceHash(root));
  fs.writeFileSync(path.join(root, 'src', 'a.c'), 'int b;');
  assert.equal(isFresh(root), false);
  fs.writeFileSync(path.join(root, 'src', 'a.c'), 'int a;');
  fs.rmSync(node);
  assert.equal(isFresh(root), false);
});

test('without binding.gyp nothing is built and the error says so', (t) => {
  const { built, error } = buildAddon({ root: folderWith(t, {}) });
  assert.equal(built, false);
  assert.match(String(error), /no binding\.gyp/);
});

test('headers of another node version are not taken', (t) => {
  const header = ['MAJOR', 'MINOR', 'PATCH']
    .map((part, at) => `#define NODE_${part}_VERSION ${[20, 1, 2][at]}`)
    .join('\n');
  const prefix = folderWith(t, {
    'bin/node': '',
    'include/node/node_version.h': header,
    'include/node/common.gypi': '{}',
  });
  const node = path.join(prefix, 'bin', 'node');
  assert.equal(findNodeDir(node, 'v20.1.2'), prefix);
  assert.equal(findNodeDir(node, 'v20.1.3'), null);
});

test('node-gyp is the one that this project pins', () => {
  assert.match(String(findNodeGyp({})), /node_modules\/node-gyp\/bin\/node-gyp\.js$/);
});

const CMOCKA = `[==========] Running 3 test(s).
[ RUN      ] opens
[       OK ] opens
[ RUN      ] samples
no perf_event_open here
[  SKIPPED ] samples
[ RUN      ] ends
[  FAILED  ] ends
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] samples

 1 SKIPPED TEST(S)
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] ends

 1 FAILED TEST(S)
`;

test('cmocka: several programs are added up, a skip has its reason', () => {
  const second = '[==========] 4 test(s) run.\n[  PASSED  ] 4 test(s).\n';
  assert.deepEqual(cmockaTotals(CMOCKA + second), {
    passed: 5,
    failed: 1,
    skipped: 1,
    skips: ['samples: no perf_event_open here'],
  });
});

test('node:test: both reporters, in colour or not', () => {
  const spec =
    '﹣ a (0.1ms) # no perf\nℹ tests 3\nℹ pass 1\n\u001b[34mℹ fail 1\u001b[39m\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\n';
  const tap = 'ok 2 - a # SKIP no perf\n# pass 1\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n';
  for (const output of [spec, tap]) {
    const { skips, ...counts } = nodeTotals(output);
    assert.deepEqual(counts, { passed: 1, failed: 1, skipped: 1 });
    assert.match(skips.join('\n'), /^[^\n]*no perf$/);
  }
});

test('a runner that crashed, or ran no test, counts as a failure', () => {
  const step = { name: 'C tests', command: [], runner: cmocka };
  const fine = '[  PASSED  ] 2 test(s).\n';
  assert.equal(totalsOf(step, { passed: true, output: fine }).failed, 0);
  assert.equal(totalsOf(step, { passed: false, output: fine }).failed, 1);
  assert.equal(totalsOf(step, { passed: true, output: '' }).failed, 1);
});

test('a check that says it skipped is counted as a skip, with its reason', () => {
  const step = { name: 'format, C', command: [] };
  const output = 'skipped: clang-format is not installed\n';
  const totals = totalsOf(step, { passed: true, output });
  assert.deepEqual(totals.skips, ['format, C: skipped: clang-format is not installed']);
  assert.equal(totals.passed, 0);
  assert.equal(totalsOf(step, { passed: false, output }).failed, 1);
});

const NODE_FAILED = `✖ a
ℹ pass 5
ℹ fail 1

✖ failing tests:

test at test/e2e/a.test.js:2:19
\u001b[31m✖ waits (2.091539ms)\u001b[39m
  Error: x
`;
const WITH_PARENT = `▶ both ways
  ✔ one (1.5ms)
  ✖ waits (2.091539ms)
    Error: x

✖ both ways (4.5ms)
▶ fine
  ✔ two (1.5ms)
✔ fine (1.5ms)
${NODE_FAILED.replace('fail 1', 'fail 2')}`;
const NODE_FINE = 'ℹ pass 2\nℹ fail 0\n';

test('the tests that failed are found, with what to run again', () => {
  assert.deepEqual(nodeFailures(NODE_FAILED), {
    targets: ['test/e2e/a.test.js'],
    names: ['waits: Error: x'],
    parents: 0,
  });
  assert.deepEqual(nodeFailures(NODE_FINE), { targets: [], names: [], parents: 0 });
  assert.equal(nodeFailures(WITH_PARENT).parents, 1);
  const runs = `# build/test_a\n[  PASSED  ] 4 test(s).\n# build/test_b\n${CMOCKA}# build/test_c\nSegmentation fault\n`;
  assert.deepEqual(cmockaFailures(runs), {
    targets: ['build/test_b', 'build/test_c'],
    names: ['ends', 'build/test_c'],
    parents: 0,
  });
});

/**
 * @param {{ passed: boolean, output: string }[]} outcomes of the runs, in order
 */
async function stepWith(outcomes) {
  /** @type {string[][]} */
  const commands = [];
  const step = { name: 'end-to-end tests', command: ['all'], runner: nodeTest };
  const totals = await runStep(step, async (command) => {
    commands.push(command);
    return outcomes[commands.length - 1];
  });
  return { totals, commands };
}

test('a test that passes when run again is no failure, but is named', async () => {
  const { totals, commands } = await stepWith([
    { passed: false, output: NODE_FAILED },
    { passed: true, output: NODE_FINE },
  ]);
  assert.deepEqual([totals.passed, totals.failed, totals.flaky], [6, 0, ['waits: Error: x']]);
  assert.equal(commands.length, 2);
  assert.equal(commands[1].at(-1), 'test/e2e/a.test.js');
});

test('who failed by its subtests alone is no other failure', async () => {
  const { totals } = await stepWith([
    { passed: false, output: WITH_PARENT },
    { passed: true, output: NODE_FINE },
  ]);
  assert.deepEqual([totals.failed, totals.flaky], [0, ['waits: Error: x']]);
});

test('a test that fails twice, one without a name, and many, are failures', async () => {
  const failed = { passed: false, output: NODE_FAILED };
  const twice = await stepWith([failed, failed]);
  assert.deepEqual([twice.totals.passed, twice.totals.failed, twice.totals.flaky], [5, 1, []]);
  assert.deepEqual(twice.totals.broken, ['waits: Error: x']);
  const unnamed = await stepWith([{ passed: false, output: NODE_FAILED.replace('failing', '') }]);
  assert.deepEqual([unnamed.totals.failed, unnamed.commands.length], [1, 1]);
  const many = await stepWith([{ passed: false, output: NODE_FAILED.replace('fail 1', 'fail 4') }]);
  assert.deepEqual([many.totals.failed, many.commands.length], [4, 1]);
  const crashed = await stepWith([failed, { passed: false, output: '' }]);
  assert.equal(crashed.totals.failed, 1);
});
