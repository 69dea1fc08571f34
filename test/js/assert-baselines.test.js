'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { check } = require('../../lib/assert/checks.js');
const { buildProfile, profile, unwrapped } = require('./helpers/perf-profile.js');

/** @typedef {{env?: NodeJS.ProcessEnv, argv?: string[], isNot?: boolean, snapshots?: 'all' | 'new' | 'none'}} How */

const UPDATE = { env: { CI: 'true', RSPACK_PROF_UPDATE_BASELINE: '1' } };
const CI = { env: { CI: 'true' } };

/**
 * A folder with a test file in it, and the checks as they are asked there.
 * @param {import('node:test').TestContext} t
 */
function project(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-baseline-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  /** @type {string[]} */
  const said = [];
  /** @param {string} name @param {unknown} received @param {unknown[]} args @param {How} [how] */
  const ask = (name, received, args, how = {}) => {
    const caller = { isNot: false, env: {}, argv: [], ...how };
    const testFile = path.join(folder, 'app.test.js');
    const say = (/** @type {string} */ line) => said.push(line);
    const found = check(name, received, args, { ...caller, testFile, say });
    const is = found.isInconclusive ? 'inconclusive' : found.passes ? 'passes' : 'fails';
    return { is, message: unwrapped(found.message) };
  };
  const file = path.join(folder, '__baselines__', 'app.json');
  const change = (/** @type {(json: any) => void} */ edit) => {
    const json = JSON.parse(fs.readFileSync(file, 'utf8'));
    edit(json);
    fs.writeFileSync(file, JSON.stringify(json));
  };
  return { ask, change, file, folder, said, json: () => JSON.parse(fs.readFileSync(file, 'utf8')) };
}

const runs = (/** @type {number} */ visit, count = 3) =>
  Array.from({ length: count }, () => ({ visit, rest: 10_000 - visit }));

test('a missing baseline is written, said, and compared with from then on', (t) => {
  const { ask, file, said, json } = project(t);
  const first = ask('toNotRegress', buildProfile(runs(1000)), ['app']);
  assert.equal(first.is, 'passes');
  assert.match(said.join(''), /^rspack-prof: baseline written: .*app\.json \(self by symbol\)\n$/);
  const { schema, what, entries } = json();
  assert.deepEqual([schema, what, entries.length], [1, 'rspack-prof baseline', 1]);
  const { measuredOn, samples, shares, at } = entries[0];
  assert.deepEqual(samples, [10_000, 10_000, 10_000]);
  assert.deepEqual(shares['swc_core::visit'], [0.1, 0.1, 0.1]);
  assert.ok(Date.parse(at) > 0);
  for (const name of 'cpu cores arch kernel node rspack binding event frequency callGraph coverage'.split(
    ' ',
  ))
    assert.ok(name in measuredOn, name);
  assert.match(fs.readFileSync(file, 'utf8'), /"swc_core::visit": \[0\.1, 0\.1, 0\.1\]/);

  assert.equal(ask('toNotRegress', buildProfile(runs(1000)), ['app'], CI).is, 'passes');
  const worse = ask('toNotRegress', buildProfile(runs(1500)), ['app'], CI);
  assert.equal(worse.is, 'fails');
  assert.match(
    worse.message,
    /most grown: swc_core::visit by \+5\.00 % of the samples \(95 % interval \+4\./,
  );
  assert.match(worse.message, /\+5\.00 +±0\.\d\d +10\.00 +15\.00 +swc_core::visit/);
  assert.equal(said.length, 1);
});

test('in CI nothing is written: the missing baseline fails, with .not too, and says how to get it', (t) => {
  const { ask, file } = project(t);
  for (const how of /** @type {How[]} */ ([
    CI,
    { ...CI, isNot: true },
    { snapshots: 'none' },
    { isNot: true },
  ])) {
    const { is, message } = ask('toNotRegress', buildProfile(runs(1000)), ['app'], how);
    assert.equal(is, 'inconclusive');
    assert.match(message, /there is no baseline .*app\.json.*RSPACK_PROF_UPDATE_BASELINE=1/);
  }
  assert.ok(!fs.existsSync(file));
  const { is } = ask('toNotRegress', buildProfile(runs(1000)), ['app'], { env: { CI: 'false' } });
  assert.equal(is, 'passes');
});

test('an update replaces what is there, by variable or flag, and keeps the other checks', (t) => {
  const { ask, json } = project(t);
  ask('toNotRegress', buildProfile(runs(1000)), ['app']);
  ask('toNotRegress', buildProfile(runs(1000)), ['app', { by: 'crate' }]);
  ask('toStayWithin', buildProfile(runs(1000)), [{ wallMs: 0.1 }, 'app']);
  assert.deepEqual(
    json().entries.map((/** @type {any} */ one) => one.check),
    ['counters', 'self by crate', 'self by symbol'],
  );
  assert.equal(ask('toNotRegress', buildProfile(runs(3000)), ['app'], UPDATE).is, 'passes');
  assert.equal(ask('toNotRegress', buildProfile(runs(3000)), ['app'], CI).is, 'passes');
  const flag = { argv: ['node', 'test.js', '--update-baseline'], ...CI };
  assert.equal(ask('toNotRegress', buildProfile(runs(5000)), ['app'], flag).is, 'passes');
  const nodes = { argv: ['--test-update-snapshots', 'node', 'test.js'], ...CI };
  assert.equal(ask('toNotRegress', buildProfile(runs(6000)), ['app'], nodes).is, 'passes');
  assert.equal(ask('toNotRegress', buildProfile(runs(6000)), ['app'], CI).is, 'passes');
  assert.equal(json().entries.length, 3);
  const off = { env: { CI: '1', RSPACK_PROF_UPDATE_BASELINE: '0' } };
  assert.equal(ask('toNotRegress', buildProfile(runs(9000)), ['app'], off).is, 'fails');
});

test("the runner's own update of snapshots (-u) updates baselines too, unless the variable says no", (t) => {
  const { ask } = project(t);
  /** @type {How} */
  const u = { snapshots: 'all', env: { CI: 'true' } };
  assert.equal(ask('toNotRegress', buildProfile(runs(1000)), ['app'], u).is, 'passes');
  assert.equal(ask('toNotRegress', buildProfile(runs(3000)), ['app'], u).is, 'passes');
  assert.equal(ask('toNotRegress', buildProfile(runs(3000)), ['app'], CI).is, 'passes');
  /** @type {How} */
  const off = { snapshots: 'all', env: { RSPACK_PROF_UPDATE_BASELINE: '0' } };
  assert.equal(ask('toNotRegress', buildProfile(runs(6000)), ['app'], off).is, 'fails');
  /** @type {How} */
  const ci = { snapshots: 'none', env: {} };
  const { message } = ask('toNotRegress', buildProfile(runs(6000)), ['other'], ci);
  assert.match(message, /RSPACK_PROF_UPDATE_BASELINE=1 \(or -u\)/);
});

test('another machine is refused, says what differs, and an update keeps both', (t) => {
  const { ask, change, json } = project(t);
  ask('toNotRegress', buildProfile(runs(1000)), ['app']);
  change(({ entries }) => Object.assign(entries[0].measuredOn, { cpu: 'Z80', cores: 64 }));
  for (const how of [CI, {}, { isNot: true }]) {
    const { is, message } = ask('toNotRegress', buildProfile(runs(9000)), ['app'], how);
    assert.equal(is, 'inconclusive');
    assert.match(message, /cannot be compared with: CPU was Z80 and is .*, cores was 64 and is 2/);
  }
  ask('toNotRegress', buildProfile(runs(1000)), ['app'], UPDATE);
  assert.equal(json().entries.length, 2);
  assert.equal(ask('toNotRegress', buildProfile(runs(1000)), ['app'], CI).is, 'passes');
  ask('toNotRegress', buildProfile(runs(1000)), ['app'], UPDATE);
  assert.equal(json().entries.length, 2);
});

test('another event, binding, call graph or coverage is no pair; another rspack is a note', (t) => {
  const { ask, change } = project(t);
  ask('toNotRegress', buildProfile(runs(1000)), ['app']);
  const other = (/** @type {any} */ made) => ask('toNotRegress', made, ['app'], CI);
  const event = other(buildProfile(runs(1000), { meta: { event: 'cycles:uk' } }));
  assert.match(event.message, /event was cpu-clock:u and is cycles:uk/);
  assert.equal(event.is, 'inconclusive');
  assert.equal(other(buildProfile(runs(1000), { meta: { callGraph: 'none' } })).is, 'inconclusive');
  const covered = other(buildProfile(runs(1000), { isCovered: true }));
  assert.match(covered.message, /coverage was false and is true/);
  change(({ entries }) =>
    Object.assign(entries[0].measuredOn, { rspack: '2.1.0', node: 'v18.0.0' }),
  );
  const newer = other(buildProfile(runs(1000)));
  assert.equal(newer.is, 'passes');
  assert.match(newer.message, /Note: since the baseline rspack was 2\.1\.0 and is 2\.2\.7/);
});

test('instructions are compared across machines, time and cycles are not', (t) => {
  const { ask, change } = project(t);
  const values = { wallMs: [100, 101], instructions: [1e9, 1.001e9], cycles: [5e8, 5.01e8] };
  const made = () => buildProfile(runs(1000, 2), { values });
  ask('toStayWithin', made(), [{ wallMs: 0.5 }, 'app']);
  change(({ entries }) => Object.assign(entries[0].measuredOn, { cpu: 'Z80' }));
  const within = (/** @type {object} */ limits) =>
    ask('toStayWithin', made(), [limits, 'app'], CI).is;
  assert.equal(within({ instructions: 0.05 }), 'passes');
  assert.equal(within({ instructions: 0.05, wallMs: 0.5 }), 'inconclusive');
  assert.equal(within({ cycles: 0.05 }), 'inconclusive');
  change(({ entries }) => Object.assign(entries[0].measuredOn, { arch: 'z80' }));
  assert.equal(within({ instructions: 0.05 }), 'inconclusive');
  // A measurement of this machine goes beside the other's.
  ask('toStayWithin', made(), [{ instructions: 0.05 }, 'app'], UPDATE);
  assert.equal(within({ cycles: 0.05 }), 'passes');
});

test('a growth that the samples cannot tell from the tolerance is inconclusive', (t) => {
  const { ask } = project(t);
  const few = (/** @type {number} */ visit) => buildProfile([{ visit, rest: 500 - visit }]);
  ask('toNotRegress', few(50), ['app']);
  const { is, message } = ask('toNotRegress', few(65), ['app'], CI);
  assert.equal(is, 'inconclusive');
  assert.match(message, /ERR_PROF_INCONCLUSIVE/);
  assert.equal(ask('toNotRegress', few(400), ['app'], CI).is, 'fails');
  assert.equal(ask('toNotRegress', few(50), ['app', { tolerance: 0.1 }], CI).is, 'passes');
});

test('one of several that may have grown must stand out more than a single one', (t) => {
  const { ask } = project(t);
  const of = (/** @type {number} */ visit, /** @type {number} */ transform) =>
    buildProfile([{ visit, transform, rest: 10_000 - visit - transform }]);
  ask('toNotRegress', of(1000, 1000), ['app']);
  assert.equal(ask('toNotRegress', of(1290, 1000), ['app'], CI).is, 'fails');
  assert.equal(ask('toNotRegress', of(1290, 1290), ['app'], CI).is, 'inconclusive');
});

test('a function that the baseline does not list is new, and its growth counts', (t) => {
  const { ask } = project(t);
  ask('toNotRegress', buildProfile([{ rest: 10_000 }]), ['app']);
  const { is, message } = ask(
    'toNotRegress',
    buildProfile([{ transform: 900, rest: 9100 }]),
    ['app'],
    CI,
  );
  assert.equal(is, 'fails');
  assert.match(message, /transform/);
});

test('names in a baseline hold in another checkout, and after a line was added', (t) => {
  const { ask, json, change } = project(t);
  const made = buildProfile([{ transform: 5000, rest: 5000 }]);
  ask('toNotRegress', made, ['app']);
  const [name] = Object.keys(json().entries[0].shares);
  assert.doesNotMatch(name, /:\d+/);
  // As it is written for a file below the folder of the tests' run.
  const own = 'transform ./loader.js';
  change(({ entries: [{ shares }] }) => {
    shares[own] = shares['transform /app/loader.js'];
    delete shares['transform /app/loader.js'];
  });
  const moved = buildProfile([{ transform: 5000, rest: 5000 }]);
  const { strings } = moved.runs[0].raw;
  strings[strings.indexOf('transform /app/loader.js:3:7')] =
    `transform ${process.cwd()}/loader.js:9:1`;
  assert.equal(ask('toNotRegress', moved, ['app'], CI).is, 'passes');
});

test('what others no longer take is no growth, nor is a slow day; both are seen in the profile', (t) => {
  const { ask } = project(t);
  const of = (/** @type {number} */ visit, /** @type {number} */ rest) =>
    buildProfile([1, 2, 3].map(() => ({ visit, rest })));
  ask('toNotRegress', of(5000, 5000), ['app']);
  const judged = (/** @type {any} */ made) => ask('toNotRegress', made, ['app'], CI).is;
  assert.equal(judged(of(1000, 5000)), 'passes');
  assert.equal(judged(of(9000, 9000)), 'passes');
  assert.equal(judged(of(9000, 5000)), 'fails');
});

test('another profile is a baseline too', (t) => {
  const { ask } = project(t);
  const base = buildProfile(runs(1000));
  assert.equal(ask('toNotRegress', buildProfile(runs(1010)), [base]).is, 'passes');
  assert.equal(ask('toNotRegress', buildProfile(runs(2000)), [base]).is, 'fails');
  const foreign = profile({ visit: 10 }, { event: 'page-faults' });
  assert.equal(ask('toNotRegress', buildProfile(runs(1000)), [foreign]).is, 'inconclusive');
});

test('counters: within passes, beyond fails, near is inconclusive and says how many runs', (t) => {
  const { ask } = project(t);
  const of = (/** @type {number[]} */ wallMs) =>
    buildProfile(runs(100, wallMs.length), { values: { wallMs } });
  ask('toStayWithin', of([100, 101, 99, 100]), [{ wallMs: 0.1 }, 'app']);
  const within = (/** @type {number[]} */ list, /** @type {unknown} */ limit) =>
    ask('toStayWithin', of(list), [{ wallMs: limit }, 'app'], CI);
  assert.equal(within([101, 102, 100, 101], 0.1).is, 'passes');
  const slow = within([121, 120, 119, 120], '10 %');
  assert.equal(slow.is, 'fails');
  assert.match(
    slow.message,
    /wallMs +100\.0 ms +120\.0 ms +\+20\.0 % +\+10 % +above\n\nwallMs of each run: 121\.0 {2}120\.0/,
  );
  const near = within([100, 115, 95, 122], 0.1);
  assert.equal(near.is, 'inconclusive');
  assert.match(near.message, /about \d+ more runs would decide/);
  const one = within([100], 0.1);
  assert.equal(one.is, 'inconclusive');
  assert.match(one.message, /this build has one run/);
  // Nor is a baseline made of it, which would decide nothing.
  const first = ask('toStayWithin', of([100]), [{ wallMs: 0.1 }, 'other']);
  assert.equal(first.is, 'inconclusive');
  assert.equal(
    ask('toStayWithin', of([100, 101]), [{ wallMs: 0.1 }, 'other'], CI).is,
    'inconclusive',
  );
});

test('counters: a ceiling needs no baseline', (t) => {
  const { ask, file } = project(t);
  const made = buildProfile(runs(100), { values: { wallMs: [100, 101, 99] } });
  assert.equal(ask('toStayWithin', made, [{ wallMs: 110 }]).is, 'passes');
  const above = ask('toStayWithin', made, [{ wallMs: 80 }]);
  assert.equal(above.is, 'fails');
  assert.match(
    above.message,
    /COUNTER +LIMIT +NOW +CHANGE +IS\nwallMs +80\.0 ms +100\.0 ms +\+25\.0 % +above/,
  );
  assert.equal(ask('toStayWithin', made, [{ wallMs: 100 }]).is, 'inconclusive');
  assert.ok(!fs.existsSync(file));
});

test('a counter that this machine has not is an error with the reason', (t) => {
  const { ask } = project(t);
  const made = buildProfile(runs(100), { missing: { instructions: 'there is no PMU' } });
  const thrown = (/** @type {any} */ error) =>
    error.code === 'ERR_PROF_NO_PMU' &&
    /instructions .*there is no PMU; wallMs/.test(error.message);
  assert.throws(() => ask('toStayWithin', made, [{ instructions: 0.1 }, 'app']), thrown);
});

test('counters of profiled runs are not held against those of runs apart', (t) => {
  const { ask } = project(t);
  ask('toStayWithin', buildProfile(runs(100)), [{ wallMs: 0.1 }, 'app']);
  const apart = buildProfile(runs(100), { counted: 'apart' });
  assert.match(
    ask('toStayWithin', apart, [{ wallMs: 0.1 }, 'app'], CI).message,
    /counted runs was profiled and is apart/,
  );
  const other = ask('toStayWithin', apart, [{ wallMs: 0.1 }, buildProfile(runs(100))]);
  assert.equal(other.is, 'inconclusive');
  assert.match(other.message, /the two builds cannot be compared: counted runs was profiled/);
  assert.equal(ask('toStayWithin', apart, [{ wallMs: 0.1 }, apart]).is, 'passes');
});

test('a path is a path from the test, and a name cannot leave the folder', (t) => {
  const { ask, folder } = project(t);
  ask('toNotRegress', buildProfile(runs(1000)), ['./perf/own.json']);
  assert.ok(fs.existsSync(path.join(folder, 'perf', 'own.json')));
  assert.deepEqual(fs.readdirSync(path.join(folder, 'perf')), ['own.json']);
  const made = buildProfile(runs(1000));
  assert.throws(() => ask('toNotRegress', made, ['']), { code: 'ERR_PROF_BAD_OPTION' });
  assert.throws(() => ask('toNotRegress', made, []), /a baseline is missing/);
});

test('a file that is no baseline is named, and left as it is', (t) => {
  const { ask, file } = project(t);
  fs.mkdirSync(path.dirname(file));
  const refuses = (/** @type {string} */ text, /** @type {RegExp} */ say) => {
    fs.writeFileSync(file, text);
    const of = () => ask('toNotRegress', buildProfile(runs(1000)), ['app'], UPDATE);
    assert.throws(
      of,
      (/** @type {any} */ error) => error.code === 'ERR_PROF_BAD_FILE' && say.test(error.message),
    );
    assert.equal(fs.readFileSync(file, 'utf8'), text);
  };
  refuses('{', /is no JSON/);
  refuses('<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> a\n', /merge conflict/);
  refuses('{"name":"app"}', /is no baseline/);
  refuses(
    '{"schema":2,"what":"rspack-prof baseline","entries":[]}',
    /schema 2.*update the package/,
  );
  refuses('{"schema":1,"what":"rspack-prof baseline","entries":[{}]}', /entry without/);
});

test('an entry whose figures were damaged is no baseline', (t) => {
  const { ask, change } = project(t);
  ask('toNotRegress', buildProfile(runs(1000)), ['app']);
  change(({ entries }) => (entries[0].shares['swc_core::visit'] = [0.1]));
  assert.throws(() => ask('toNotRegress', buildProfile(runs(1000)), ['app'], CI), {
    code: 'ERR_PROF_BAD_FILE',
  });
});

test('limits that cannot be meant are refused', (t) => {
  const { ask } = project(t);
  const made = buildProfile(runs(100));
  const refuses = (/** @type {unknown[]} */ args, /** @type {RegExp} */ say) =>
    assert.throws(
      () => ask('toStayWithin', made, args),
      (/** @type {any} */ error) => {
        assert.equal(error.code, 'ERR_PROF_BAD_OPTION');
        assert.match(error.message, say);
        return true;
      },
    );
  refuses([{ wallMs: 5000 }, 'app'], /needs no baseline/);
  refuses([{ wallTime: 0.1 }, 'app'], /no counter 'wallTime': it takes wallMs/);
  refuses([{ wallMs: 'ten' }, 'app'], /0\.05 or '5%'/);
  refuses([{}, 'app'], /takes limits/);
  refuses([{ wallMs: '10%' }], /a number to stay below/);
  assert.throws(() => ask('toStayWithin', profile({ rest: 5 }), [{ wallMs: 1 }]), /profileBuild/);
  assert.throws(() => ask('toNotRegress', made, ['app', { by: 'thread' }]), /no thread in common/);
  assert.throws(() => ask('toNotRegress', made, ['app', { tolerance: 0.001 }]), /from 0\.005/);
});
