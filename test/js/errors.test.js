'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { ProfError, fromNative, nearMatches } = require('../../lib/errors.js');
const { loadNative } = require('../../lib/native.js');
const { checkStartOptions } = require('../../lib/options.js');

const INDEX = path.join(__dirname, '../../lib/index.js');

/** @returns {string | false} why tests that need the real addon are skipped */
function whyNoAddon() {
  try {
    loadNative();
    return false;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

test('a message is one line whatever it is made of', () => {
  const error = new ProfError('ERR_PROF_SYSTEM', 'first\n  second\nthird', { errno: 1 });
  assert.equal(error.message, 'first second third');
  assert.ok(error instanceof Error);
  assert.equal('syscall' in error, false);
});

test('the addon’s errors keep code, errno and syscall; other errors stay what they are', () => {
  const native = Object.assign(new Error('run sysctl'), {
    code: 'ERR_PROF_PERMISSION',
    errno: 13,
    syscall: 'perf_event_open',
  });
  const error = fromNative(native);
  assert.ok(error instanceof ProfError);
  assert.deepEqual(
    [error.code, error.errno, error.syscall, error.cause],
    ['ERR_PROF_PERMISSION', 13, 'perf_event_open', native],
  );
  const bug = new TypeError('x is undefined');
  assert.equal(fromNative(bug), bug);
});

test('near matches: spelling, beginnings, nothing far-fetched', () => {
  const known = ['event', 'frequency', 'callGraph', 'stackBytes'];
  assert.deepEqual(nearMatches('freqency', known), ['frequency']);
  assert.deepEqual(nearMatches('callgraph', known), ['callGraph']);
  assert.deepEqual(nearMatches('freq', known), ['frequency']);
  assert.deepEqual(nearMatches('verbose', known), []);
});

test('every option is checked: name, type, range, choice', () => {
  /** @type {[unknown, RegExp][]} */
  const wrong = [
    [{ freqency: 99 }, /no option 'freqency': did you mean 'frequency'\?/],
    [{ zzz: 1 }, /it takes event, frequency, callGraph/],
    [{ __proto__: null, constructor: 1 }, /no option 'constructor'/],
    ['cycles', /takes an object of options, not "cycles"/],
    [null, /takes an object/],
    [[], /takes an object/],
    [{ event: 7 }, /'event' must be a string, not 7/],
    [{ event: '' }, /must not be empty/],
    [{ frequency: 0 }, /from 1 to 100000, not 0/],
    [{ frequency: 100_001 }, /from 1 to 100000/],
    [{ frequency: 99.5 }, /a whole number/],
    [{ frequency: '99' }, /must be a number, not "99"/],
    [{ frequency: NaN }, /must be a number, not NaN/],
    [{ frequency: 10n }, /must be a number, not 10n/],
    [{ callGraph: 'fp' }, /one of 'full', 'dwarf', 'none', not "fp"/],
    [{ stackBytes: 65529 }, /from 256 to 65528/],
    [{ stackBytes: 255 }, /from 256 to 65528/],
    [{ maxFrames: 0 }, /'maxFrames'/],
    [{ ringBytes: 4096 }, /'ringBytes'/],
    [{ ringBytes: 2 ** 26 + 1 }, /from 65536 to 67108864/],
    [{ output: {} }, /'output' must be a string, not \[object Object\]/],
    [{ budget: 0 }, /'budget' must be a share like 2 or '2%', from 0\.1 to 50 %, not 0$/],
    [{ budget: '51%' }, /a share like 2 or '2%', from 0\.1 to 50 %, not 51$/],
    [
      { budget: '2 percent' },
      /'budget' must be a share like 2 or '2%', from 0\.1 to 50 %, not "2 percent"$/,
    ],
    [{ budget: '' }, /must be a share/],
    [{ quiet: 'yes' }, /'quiet' must be a boolean/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => checkStartOptions(options), { code: 'ERR_PROF_BAD_OPTION', message });
  }
});

test('defaults, and what the addon is told', () => {
  assert.deepEqual(checkStartOptions(undefined), {
    native: { event: 'cycles:uk', frequency: 1000, callGraph: 'full', maxFrames: 4096 },
    output: '.rspack-prof',
    quiet: false,
    journal: true,
    watch: { keep: 10, write: false, print: false },
    trace: null,
  });
  const { native } = checkStartOptions({
    frequency: 4000,
    stackBytes: 256,
    output: 'x',
    event: undefined,
  });
  assert.deepEqual([native.frequency, native.stackBytes, native.event], [4000, 256, 'cycles:uk']);
  assert.equal('output' in native, false);
  for (const budget of [2, '2', '2%', ' 2.0 % ']) {
    assert.equal(checkStartOptions({ budget }).native.budget, 2);
  }
});

test('another platform: a clear error, before anything is loaded', () => {
  const load = () => assert.fail('loaded');
  for (const [platform, arch] of [
    ['darwin', 'arm64'],
    ['linux', 'arm64'],
    ['win32', 'x64'],
  ]) {
    assert.throws(() => loadNative({ platform, arch, load }), {
      code: 'ERR_PROF_UNSUPPORTED_PLATFORM',
      message: new RegExp(`Linux x64 and this is ${platform} ${arch}`),
    });
  }
});

test('another runtime than node: a clear error, before anything is loaded', () => {
  const load = () => assert.fail('loaded');
  const world = { platform: 'linux', arch: 'x64', find: () => __filename, load };
  for (const name of ['bun', 'deno']) {
    assert.throws(() => loadNative({ ...world, versions: { node: '24.3.0', [name]: '1.2.3' } }), {
      code: 'ERR_PROF_UNSUPPORTED_PLATFORM',
      message: new RegExp(`in node and this is ${name} 1\\.2\\.3: run the build with node`),
    });
  }
});

test('a missing addon and a broken one say how to mend it', () => {
  const linux = { platform: 'linux', arch: 'x64' };
  const none = () => assert.fail('no native build was found');
  assert.throws(() => loadNative({ ...linux, find: none }), {
    code: 'ERR_PROF_UNSUPPORTED_PLATFORM',
    message: /^the addon is not built.*: run `npm rebuild rspack-prof`.*make$/,
  });
  const uninstalled = () => assert.fail(Object.assign(new Error(), { code: 'MODULE_NOT_FOUND' }));
  assert.throws(() => loadNative({ ...linux, find: uninstalled }), {
    message: /run `npm install`$/,
  });
  const find = () => __filename;
  const load = () => {
    throw new Error('wrong ELF class');
  };
  assert.throws(() => loadNative({ ...linux, find, load }), {
    code: 'ERR_PROF_UNSUPPORTED_PLATFORM',
    message: /cannot be loaded \(wrong ELF class\)/,
  });
  const addon = {};
  assert.equal(loadNative({ ...linux, find, load: (file) => file === __filename && addon }), addon);
});

test('ranges: the addon takes both ends of each, and no more', { skip: whyNoAddon() }, () => {
  const native = loadNative();
  const code = { code: 'ERR_PROF_BAD_OPTION' };
  for (const [name, [least, most]] of Object.entries({
    frequency: [1, 100_000],
    stackBytes: [256, 65528],
    maxFrames: [1, 65536],
    ringBytes: [65536, 2 ** 26],
    budget: [0.1, 50],
  })) {
    for (const value of [least, most]) {
      checkStartOptions({ [name]: value });
      // An event that is none: whatever else it says, it has read the numbers by then.
      assert.throws(() => native.start({ event: 'no-such-event', [name]: value }), {
        code: 'ERR_PROF_BAD_EVENT',
      });
    }
    for (const value of [least - 1, most + 1]) {
      assert.throws(() => checkStartOptions({ [name]: value }), code);
      assert.throws(() => native.start({ event: 'no-such-event', [name]: value }), code);
    }
  }
});

test('--no-addons: the flag is named, since no rebuild helps', () => {
  const code = `require(${JSON.stringify(INDEX)}).start()`;
  const { stderr } = spawnSync(process.execPath, ['--no-addons', '-e', code], { encoding: 'utf8' });
  if (!/is not built/.test(stderr)) {
    assert.match(
      stderr,
      /node runs with --no-addons and the profiler is an addon: leave that flag/,
    );
    assert.doesNotMatch(stderr.split('\n    at')[0], /npm rebuild/);
  }
  const load = () => assert.fail(Object.assign(new Error(), { code: 'ERR_DLOPEN_DISABLED' }));
  const linux = { platform: 'linux', arch: 'x64', find: () => __filename, load };
  assert.throws(() => loadNative(linux), { message: /--no-addons/ });
  // The permission model has the same error, and another remedy.
  const permission = { has: () => false };
  assert.throws(() => loadNative({ ...linux, permission }), { message: /give --allow-addons/ });
});

test("under node's permission model the flag to give is named", (t) => {
  const flags = ['--permission', '--experimental-permission'].filter((flag) =>
    process.allowedNodeEnvironmentFlags.has(flag),
  );
  if (flags.length === 0) return t.skip('this node has no permission model');
  const code = `require(${JSON.stringify(INDEX)}).start()`;
  const args = [flags[0], '--allow-fs-read=*', '-e', code];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (!/is not built/.test(stderr)) assert.match(stderr, /give --allow-addons beside --permission/);
});

test('on another platform the package can be required, read and asked; only start() throws', () => {
  const code = `
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    const prof = require(${JSON.stringify(INDEX)});
    const { running, supported, reason } = prof.status();
    if (running || supported || !/Linux x64/.test(reason)) throw new Error(reason);
    for (const call of [prof.start, prof.events]) {
      try { call(); } catch (error) { console.log(error.code); }
    }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(stdout, 'ERR_PROF_UNSUPPORTED_PLATFORM\n'.repeat(2));
});
