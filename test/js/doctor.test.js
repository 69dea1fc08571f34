'use strict';
// The doctor: each rule on a made-up machine, the facts on a made-up /proc, and the command.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { hasSymbolTable } = require('../../lib/elf.js');
const { gatherFacts } = require('../../lib/doctor/facts.js');
const { shareThrough } = require('../../lib/doctor/profile-facts.js');
const { RULES } = require('../../lib/doctor/rules.js');
const { profileWarnings } = require('../../lib/doctor/warnings.js');
const {
  BINDING,
  VISIT,
  buildRecipe,
  cli,
  fakeNative,
  judge,
  rawProfile,
} = require('./cli-support.js');

const DEBUG = BINDING.replace('@rspack/', '@rspack-debug/');

/** @typedef {Partial<import('../../lib/doctor/facts.js').Facts>} Changes */

/**
 * @param {string} code
 * @param {Changes} facts
 * @param {import('../../lib/profile/raw').RawProfile | null} [profile]
 */
function advice(code, facts, profile = null) {
  const rule = RULES.find((one) => one.code === code);
  assert.ok(rule, `a rule '${code}'`);
  return rule.check(judge(facts), profile);
}

/** @param {Partial<Parameters<typeof rawProfile>[0]>} [changes] */
const recorded = (changes) => rawProfile({ ...buildRecipe(), ...changes });

test('a machine on which all is well gets no advice', () => {
  for (const rule of RULES) assert.equal(rule.check(judge(), null), null, rule.code);
});

test('every rule has a code of its own, and every advice is one line', () => {
  assert.equal(new Set(RULES.map(({ code }) => code)).size, RULES.length);
  const bad = judge({
    paranoid: 4,
    kptrRestrict: 2,
    hasPmu: false,
    kernel: '5.4.0',
    files: { soft: 16, hard: 16 },
    mlockKb: 4,
    lockedBytes: { soft: 65536, hard: 65536 },
    maxSampleRate: 1000,
    probe: { ok: false, code: 'ERR_PROF_PERMISSION', message: 'refused' },
    binding: { file: BINDING, version: '2.3.0', symbols: false, chosen: false },
  });
  const given = RULES.map((rule) => rule.check(bad, null)).filter((one) => one !== null);
  assert.ok(given.length >= 8, `${given.length} rules spoke`);
  for (const { message, fix } of given) assert.doesNotMatch(message + fix, /\n/);
});

test('perf_event_paranoid: what each value takes away', () => {
  assert.equal(advice('kernel-excluded', { paranoid: 1 }), null);
  assert.equal(advice('kernel-excluded', { paranoid: 2, root: true }), null);
  assert.deepEqual(advice('kernel-excluded', { paranoid: 2 }), {
    message: 'perf_event_paranoid is 2, which leaves out kernel frames',
    fix: 'sudo sysctl kernel.perf_event_paranoid=1',
  });
  const probe = { ok: false, code: 'ERR_PROF_PERMISSION', message: 'EACCES' };
  assert.match(
    advice('kernel-excluded', { paranoid: 4, probe })?.message ?? '',
    /4, which refuses/,
  );
});

test('perf_event_paranoid 3 and 4: nothing is said to be refused that did open', () => {
  for (const paranoid of [3, 4]) {
    const { message } = advice('kernel-excluded', { paranoid }) ?? { message: '' };
    assert.doesNotMatch(message, /refuses/);
    assert.match(
      message,
      /leaves out kernel frames; kernels of Debian and Ubuntu refuse perf events/,
    );
  }
});

test('perf_event_paranoid: a profile that was to have no kernel frames lacks none', () => {
  const without = (/** @type {string} */ requestedEvent) =>
    advice(
      'kernel-excluded',
      { paranoid: 2 },
      recorded({ meta: { hasKernel: false, requestedEvent } }),
    );
  assert.equal(without('cycles:u'), null);
  assert.notEqual(without('cycles:uk'), null);
  assert.notEqual(without('cycles'), null);
  assert.equal(advice('kernel-excluded', { paranoid: 2 }, recorded()), null);
});

test('kptr_restrict: names are hidden from all by 2, from users by 1', () => {
  const hidden = (/** @type {Changes} */ facts) =>
    advice('kernel-addresses-hidden', { kernelSymbols: null, ...facts });
  assert.equal(hidden({ kptrRestrict: 1, root: true }), null);
  assert.match(hidden({ kptrRestrict: 1 })?.fix ?? '', /kptr_restrict=0$/);
  assert.match(
    hidden({ kptrRestrict: 1, paranoid: 2 })?.fix ?? '',
    /kptr_restrict=0 kernel\.perf_event_paranoid=1$/,
  );
  assert.match(hidden({ kptrRestrict: 2, root: true, paranoid: 2 })?.fix ?? '', /restrict=0$/);
  const user = recorded({ meta: { hasKernel: false } });
  assert.equal(
    advice('kernel-addresses-hidden', { kptrRestrict: 2, kernelSymbols: false }, user),
    null,
  );
  // What /proc/kallsyms shows is the fact; the sysctls only tell why.
  assert.equal(hidden({ kptrRestrict: 1, kernelSymbols: true }), null);
  assert.deepEqual(hidden({ kptrRestrict: 0, kernelSymbols: false, paranoid: 2 }), {
    message:
      '/proc/kallsyms hides addresses from this user (perf_event_paranoid is 2): kernel functions ' +
      'have no names',
    fix: 'sudo sysctl kernel.perf_event_paranoid=1',
  });
});

test('kernel symbols: addresses that are all 0 are hidden ones', () => {
  const shown = (/** @type {string} */ text) =>
    gatherFacts(reader({ '/proc/kallsyms': text })).kernelSymbols;
  const zero = '0000000000000000 A fixed_percpu_data\n';
  assert.equal(shown(`${zero}0000000000001000 A cpu_debug_store\n`), true);
  assert.equal(shown('ffffffff81000000 T _stext\nffffffff81'), true);
  assert.equal(shown(`${zero}0000000000000000 T _stext\n`), false);
  assert.equal(shown(''), null);
  assert.equal(gatherFacts(reader({})).kernelSymbols, null);
});

test('sigtrap is safe from 5.19 on', () => {
  for (const kernel of ['4.18.0', '5.13.0', '5.18.9']) {
    assert.match(advice('no-sigtrap', { kernel })?.message ?? '', /older than 5\.19/);
  }
  for (const kernel of ['5.19.0', '6.1.0']) assert.equal(advice('no-sigtrap', { kernel }), null);
});

test('what the recorder said itself is not said twice, whatever it called it', () => {
  const warned = (/** @type {{ code: string, message: string, fix: string }[]} */ warnings) =>
    profileWarnings(
      recorded({ quality: { warnings } }),
      judge({ kptrRestrict: 2, kernelSymbols: false }),
    ).map(({ code }) => code);
  assert.ok(warned([]).includes('kernel-addresses-hidden'));
  for (const code of ['kernel-addresses-hidden', 'no-kernel-symbols']) {
    assert.ok(!warned([{ code, message: '', fix: '' }]).includes('kernel-addresses-hidden'));
  }
});

test('all codes are of one style, and no two rules share one', () => {
  const codes = RULES.map(({ code }) => code);
  for (const code of codes) assert.match(code, /^[a-z]+(-[a-z]+)*$/);
  assert.equal(new Set(codes).size, codes.length);
});

test('seccomp is blamed only where the sysctl would have let the event through', () => {
  const probe = { ok: false, code: 'ERR_PROF_PERMISSION', message: 'EPERM' };
  assert.notEqual(advice('seccomp', { seccomp: 2, probe }), null);
  assert.equal(advice('seccomp', { seccomp: 2, probe, paranoid: 4 }), null);
  assert.notEqual(advice('seccomp', { seccomp: 2, probe, paranoid: 4, root: true }), null);
  assert.equal(advice('seccomp', { seccomp: 0, probe }), null);
  assert.equal(advice('seccomp', { seccomp: 2 }), null);
});

test('RLIMIT_NOFILE: the hard limit counts, since the soft one is raised', () => {
  assert.equal(advice('too-few-files', { files: { soft: 64, hard: 4096 } }), null);
  const few = advice('too-few-files', { files: { soft: 64, hard: 256 }, cpus: 64 });
  assert.match(few?.message ?? '', /^at most 256 files may be open and a build on 64 CPUs needs/);
});

test('mlock: both limits make up the rings', () => {
  const lockedBytes = { soft: 65536, hard: 65536 };
  assert.equal(advice('memory-lock', { lockedBytes }), null);
  assert.notEqual(advice('memory-lock', { lockedBytes, mlockKb: 64 }), null);
  assert.equal(advice('memory-lock', { lockedBytes, mlockKb: 64, mayLock: true }), null);
  assert.equal(advice('memory-lock', { lockedBytes, mlockKb: 64, paranoid: -1 }), null);
  assert.equal(advice('memory-lock', { mlockKb: null }), null);
});

test('the stripped binding: the matching debug package and the whole command', () => {
  const binding = { file: BINDING, version: '2.2.7', symbols: false, chosen: false };
  const { message, fix } = advice('stripped-binding', { binding }) ?? { message: '', fix: '' };
  assert.match(message, /@rspack-debug\/binding-linux-x64-gnu@2\.2\.7/);
  assert.equal(
    fix,
    'npm install -D @rspack-debug/binding-linux-x64-gnu@2.2.7 && ' +
      'RSPACK_BINDING=/app/node_modules/@rspack-debug/binding-linux-x64-gnu/rspack.linux-x64-gnu.node ' +
      'npx rspack build',
  );
  const pnpm = advice('stripped-binding', { binding, packageManager: 'pnpm' });
  assert.match(pnpm?.fix ?? '', /^pnpm add -D @rspack-debug/);
});

test('the stripped binding: where the debug package is there, only the variable is missing', () => {
  const binding = { file: BINDING, version: '2.2.7', symbols: false, chosen: false };
  const installed = () => '/my app/x.node';
  const there = advice('stripped-binding', { binding, installed });
  assert.equal(there?.fix, "RSPACK_BINDING='/my app/x.node' npx rspack build");
  const other = advice('stripped-binding', { binding, installed, bindingVersion: () => '2.0.0' });
  assert.match(other?.fix ?? '', /^npm install -D/);
});

test('the stripped binding is found in a profile, by its symbol table and not by its path', () => {
  const modules = (/** @type {number} */ flags) => [
    { path: '/usr/bin/node', flags: 3 },
    { path: '/somewhere/rspack.linux-x64-musl.node', flags },
    { path: '/lib/libc.so.6', flags: 3 },
  ];
  const stripped = advice('stripped-binding', {}, recorded({ modules: modules(0) }));
  assert.match(stripped?.message ?? '', /@rspack-debug\/binding-linux-x64-musl@2\.2\.7/);
  assert.equal(advice('stripped-binding', {}, recorded({ modules: modules(3) })), null);
  assert.equal(advice('stripped-binding', {}, recorded({ modules: modules(1) })), null);
});

test('the debug binding: the share that its assertions took', () => {
  const found = advice('debug-binding', {}, recorded());
  assert.match(found?.message ?? '', /assertions \(AssertValid: 55\.3 % of these samples\)/);
  // What was measured in this profile, and no figure from anywhere else.
  assert.equal(found?.message.match(/\d/g)?.join(''), '553');
  const binding = { file: DEBUG, version: '2.2.7', symbols: true, chosen: true };
  assert.match(advice('debug-binding', { binding })?.message ?? '', /^this is the debug binding/);
});

test('the share through a function counts what it called, once', () => {
  const raw = rawProfile({
    funcs: [
      { name: 'a', kind: 'native' },
      { name: 'AssertValid', kind: 'rust' },
    ],
    samples: [
      { stack: ['a', 'AssertValid', 'AssertValid', 'a'], count: 3 },
      { stack: ['a'], count: 1 },
    ],
  });
  assert.equal(shareThrough(raw, 'AssertValid'), 0.75);
  assert.equal(shareThrough(rawProfile({ funcs: [], samples: [] }), 'AssertValid'), 0);
});

test('versions: a chosen binding is followed by core, a release one follows it', () => {
  const core = { version: '2.3.2', folder: '/app' };
  const chosen = { file: DEBUG, version: '2.2.7', symbols: true, chosen: true };
  assert.match(
    advice('version-mismatch', { core, binding: chosen })?.message ?? '',
    /@rspack\/core is 2\.3\.2 and the binding 2\.2\.7/,
  );
  assert.equal(
    advice('version-mismatch', { core, binding: chosen })?.fix,
    'npm install -D @rspack/core@2.2.7',
  );
  const release = { file: BINDING, version: '2.2.7', symbols: false, chosen: false };
  assert.equal(
    advice('version-mismatch', { core, binding: release })?.fix,
    'npm install -D @rspack/core@2.3.2',
  );
});

test('what went wrong in a recording', () => {
  const quality = { lost: 12, handlerDropped: 3, throttled: 2 };
  const profile = recorded({ quality, meta: { frequency: 4000 } });
  assert.match(advice('lost-samples', {}, profile)?.message ?? '', /^12 records .* 1,000 samples/);
  assert.equal(advice('lost-samples', {}, profile)?.fix, 'rspack-prof record -F 2000 -- COMMAND');
  assert.match(advice('throttled', {}, profile)?.message ?? '', /paused sampling 2 times/);
  assert.equal(advice('lost-samples', {}, recorded()), null);
  assert.equal(advice('throttled', {}, recorded()), null);
});

test('broken stacks: the worst object is named', () => {
  const { funcs, modules } = buildRecipe();
  const samples = [
    { stack: ['_start'], count: 900 },
    { stack: [VISIT], count: 100, end: 2 },
  ];
  const byObject = [
    { object: 'libc.so.6', samples: 10, broken: 1, reason: 'no row' },
    { object: 'rspack.linux-x64-gnu.node', samples: 100, broken: 99, reason: 'no row' },
  ];
  const profile = rawProfile({ funcs, modules, samples, quality: { byObject } });
  const own = [{ object: 'rspack_prof.node', samples: 100, broken: 100, reason: 'no stack' }];
  const inOwn = rawProfile({ funcs, modules, samples, quality: { byObject: own } });
  assert.match(
    advice('incomplete-stacks', {}, inOwn)?.message ?? '',
    /most of the others end in rspack_prof\.node \(the profiler's own library\): totals/,
  );
  assert.match(
    advice('incomplete-stacks', {}, profile)?.message ?? '',
    /^90\.0 % of the stacks .* end in rspack\.linux-x64-gnu\.node/,
  );
  const flat = rawProfile({ funcs, modules, samples, meta: { callGraph: 'none' } });
  assert.equal(advice('incomplete-stacks', {}, flat), null);
});

test('few samples: a higher rate helps until it is high', () => {
  const samples = [{ stack: ['_start'], count: 40 }];
  assert.match(advice('few-samples', {}, recorded({ samples }))?.fix ?? '', /-F 4000/);
  assert.match(
    advice('few-samples', {}, recorded({ samples }))?.message ?? '',
    /^only 40 samples:/,
  );
  const one = recorded({ samples: [{ stack: ['_start'] }] });
  assert.match(advice('few-samples', {}, one)?.message ?? '', /^only 1 sample:/);
  const fast = recorded({ samples, meta: { frequency: 4000 } });
  assert.equal(advice('few-samples', {}, fast)?.fix, '');
});

test('half as many samples of a period are twice the period', () => {
  const meta = { frequency: 0, period: 1000 };
  const lossy = recorded({ quality: { lost: 5 }, meta });
  assert.equal(advice('lost-samples', {}, lossy)?.fix, 'rspack-prof record -c 2000 -- COMMAND');
});

test('guessed callers are told with their share, above 5 % of the samples', () => {
  const guessed = (/** @type {number | undefined} */ count) =>
    advice('guessed-stacks', {}, recorded({ quality: { guessed: count } }));
  assert.equal(guessed(undefined), null, 'a file of an older version');
  assert.equal(guessed(50), null);
  assert.match(
    guessed(51)?.message ?? '',
    /^5\.1 % of the stacks .* scanning the stack; frames are missing where \[N bytes of OBJECT\]/,
  );
  assert.equal(advice('guessed-stacks', {}, recorded({ samples: [] })), null);
});

test('the profiler’s own cost is told above 5 % of the time that was sampled', () => {
  // 1,000 samples of 1 ms.
  const cost = (/** @type {number} */ cpuMs, /** @type {number} */ handlerMs, changes = {}) => {
    const { meta, modules, ...quality } = /** @type {any} */ (changes);
    const all = { cpuMs, handlerMs, peakBytes: 1, finishMs: 1 };
    const shown = { cost: all, ...quality };
    const profile = recorded({ quality: shown, meta, ...(modules && { modules }) });
    return advice('profiler-cost', {}, profile);
  };
  assert.equal(cost(30, 20), null);
  assert.deepEqual(cost(30, 90), {
    message: 'profiling took 12.0 % of the time that was sampled: a lower frequency costs less',
    fix: 'rspack-prof record -F 500 -- COMMAND',
  });
  assert.match(cost(30, 5000)?.message ?? '', /^profiling took as much as 100\.0 % of the time/);
  const guessing = (/** @type {number} */ guessed, modules = buildRecipe().modules) =>
    cost(30, 90, { guessed, modules })?.message ?? '';
  assert.match(guessing(51), /and so does a debug binding/);
  assert.match(guessing(50), /costs less$/, 'guessing is not what it costs');
  const others = buildRecipe().modules.map((module) => ({ ...module, path: '/app/sharp.node' }));
  assert.match(guessing(51, others), /costs less$/, 'no binding of rspack’s could be another');
  assert.equal(cost(30, 90, { meta: { unit: 'cycles' } }), null, 'cycles are no time');
  assert.equal(advice('profiler-cost', {}, recorded({ samples: [] })), null);
  const short = recorded({ samples: [{ stack: ['_start'], count: 999 }] });
  short.quality.cost.cpuMs = 500;
  assert.equal(advice('profiler-cost', {}, short), null, 'a lower frequency would not help');
});

test('a profile does not carry twice what the native side already said', () => {
  const said = { code: 'no-hardware-pmu', message: 'native', fix: '' };
  const codes = (/** @type {object} */ changes) =>
    profileWarnings(recorded(changes), judge()).map(({ code }) => code);
  assert.ok(codes({ meta: { hasPmu: false } }).includes('no-hardware-pmu'));
  const quality = { warnings: [said] };
  assert.ok(!codes({ meta: { hasPmu: false }, quality }).includes('no-hardware-pmu'));
});

test('a profile warns of what happened in it, not of what the machine could do better', () => {
  const facts = judge({ maxSampleRate: 100, files: { soft: 1, hard: 1 }, hasPmu: false });
  const profile = recorded({ samples: [{ stack: ['_start'], count: 600 }] });
  assert.deepEqual(profileWarnings(profile, facts), []);
});

/** @param {Record<string, string>} files */
function reader(files) {
  return /** @type {import('../../lib/doctor/facts.js').Reader} */ ({
    platform: 'linux',
    arch: 'x64',
    kernel: '6.1.0',
    cpus: 4,
    env: {},
    cwd: '/app/sub',
    read: (file) => files[file] ?? null,
    readStart: (file) => files[file] ?? null,
    exists: (file) => Object.keys(files).some((one) => one === file || one.startsWith(`${file}/`)),
    resolve: (request) => files[`resolve ${request}`] ?? null,
    leftovers: () => [],
    hasSymbolTable: () => false,
    loadNative: () => fakeNative(),
  });
}

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 unlimited            files
Max locked memory         8388608              8388608              bytes
`;

test('facts are read from /proc, and unknown ones are null', () => {
  const facts = gatherFacts(
    reader({
      '/proc/sys/kernel/perf_event_paranoid': '-1\n',
      '/proc/self/limits': LIMITS,
      '/proc/self/status': 'Name:\tnode\nCapEff:\t0000004000004000\nSeccomp:\t2\n',
      '/sys/bus/event_source/devices/cpu_core/type': '4',
      '/app/pnpm-lock.yaml': '',
    }),
  );
  assert.equal(facts.paranoid, -1);
  assert.equal(facts.kptrRestrict, null);
  assert.deepEqual(facts.files, { soft: 1024, hard: Infinity });
  assert.deepEqual(facts.lockedBytes, { soft: 8388608, hard: 8388608 });
  assert.equal(facts.seccomp, 2);
  assert.equal(facts.root, true, 'CAP_PERFMON, bit 38');
  assert.equal(facts.mayLock, true, 'CAP_IPC_LOCK, bit 14');
  assert.equal(facts.hasPmu, true);
  assert.equal(facts.packageManager, 'pnpm');
  assert.equal(facts.core, null);
  assert.equal(facts.probe, null);
});

test('facts: the binding is the one that core would load, and RSPACK_BINDING goes before it', () => {
  const world = reader({
    'resolve @rspack/core': '/app/node_modules/@rspack/core/dist/index.js',
    '/app/node_modules/@rspack/core/dist/package.json': '{"type":"module"}',
    '/app/node_modules/@rspack/core/package.json': '{"name":"@rspack/core","version":"2.3.2"}',
    'resolve @rspack/binding': '/app/node_modules/@rspack/binding/binding.js',
    'resolve @rspack/binding-linux-x64-musl': '/app/m/rspack.linux-x64-musl.node',
    '/app/m/package.json': '{"name":"m","version":"2.3.1"}',
    '/d/x.node': '',
    '/d/package.json': '{"name":"d","version":"2.2.7"}',
  });
  const facts = gatherFacts(world);
  assert.equal(facts.core?.version, '2.3.2');
  const file = '/app/m/rspack.linux-x64-musl.node';
  assert.deepEqual(facts.binding, { file, version: '2.3.1', symbols: false, chosen: false });
  const chosen = gatherFacts({ ...world, env: { RSPACK_BINDING: '../../d/x.node' } });
  assert.equal(chosen.binding?.version, '2.2.7');
  assert.equal(chosen.binding?.chosen, true);
});

test('facts: a missing addon is the reason why nothing can be recorded', () => {
  const error = Object.assign(new Error('not built'), { code: 'ERR_PROF_UNSUPPORTED_PLATFORM' });
  const broken = { ...reader({}), loadNative: () => assert.fail(error) };
  const { probe } = gatherFacts(broken, { event: 'cycles:uk' });
  assert.equal(probe?.code, 'ERR_PROF_UNSUPPORTED_PLATFORM');
});

test('a symbol table is found by section headers, and nothing else is taken for an ELF file', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doctor-elf-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'x.node');
  const elf = Buffer.alloc(64 + 3 * 64);
  Buffer.from('\x7fELF\x02\x01', 'latin1').copy(elf);
  elf.writeBigUInt64LE(64n, 40);
  elf.writeUInt16LE(64, 58);
  elf.writeUInt16LE(3, 60);
  fs.writeFileSync(file, elf);
  assert.equal(hasSymbolTable(file), false);
  elf.writeUInt32LE(2, 64 + 2 * 64 + 4);
  fs.writeFileSync(file, elf);
  assert.equal(hasSymbolTable(file), true);
  for (const bytes of [
    elf.subarray(0, 200),
    elf.subarray(0, 10),
    Buffer.from('#!/bin/sh\n'.repeat(9)),
  ]) {
    fs.writeFileSync(file, bytes);
    assert.equal(hasSymbolTable(file), null);
  }
  assert.equal(hasSymbolTable(path.join(folder, 'none')), null);
});

test('doctor exits 0 with advice only, 3 without permission, 1 where nothing can be recorded', async () => {
  const world = reader({ '/proc/sys/kernel/perf_event_paranoid': '2' });
  const run = (/** @type {string} */ code) =>
    cli(['doctor'], {
      reader: world,
      loadNative: () =>
        fakeNative({ probe: () => ({ ok: code === '', code, message: 'why not' }) }),
    });
  const advised = await run('');
  assert.equal(advised.exitCode, 0);
  assert.match(advised.stdout, /^warning: perf_event_paranoid is 2/m);
  assert.match(advised.stdout, /^ {2}fix: sudo sysctl kernel\.perf_event_paranoid=1$/m);
  assert.equal(advised.stderr, '');
  const refused = await run('ERR_PROF_PERMISSION');
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stdout, /^error: nothing can be recorded: why not$/m);
  assert.equal((await run('ERR_PROF_NO_PMU')).exitCode, 1);
});

test('doctor --json', async () => {
  const { stdout, exitCode } = await cli(['doctor', '--json'], { reader: reader({}) });
  const report = JSON.parse(stdout);
  assert.equal(exitCode, 0);
  assert.equal(report.schema, 1);
  assert.equal(report.ok, true);
  assert.deepEqual(Object.keys(report.findings[0]), ['code', 'severity', 'message', 'fix']);
});

test('where timers stand in for perf events, the doctor says that and no word of perf events', async () => {
  const note = {
    code: 'cpu-timers',
    message: 'perf_event_open is blocked: timers',
    fix: 'do this',
  };
  const probe = { ok: true, code: '', message: '', event: 'cpu-timer', warnings: [note] };
  const { stdout, exitCode } = await cli(['doctor'], {
    loadNative: () => fakeNative({ probe: () => probe }),
  });
  assert.equal(exitCode, 0);
  assert.match(stdout, /warning: perf_event_open is blocked: timers\n {2}fix: do this/);
  assert.doesNotMatch(stdout, /seccomp filter|hardware counters|ring buffers|rate|open files/);
  assert.equal(advice('cpu-timers', { probe: { ok: true, code: '', message: '' } }), null);
});
