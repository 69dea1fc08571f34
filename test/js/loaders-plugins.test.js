'use strict';
// Loaders, plugins and the border on profiles made by hand.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { Profile } = require('../../lib/profile/profile.js');
const { renderBorder } = require('../../lib/border-table.js');
const { loaderName } = require('../../lib/profile/loaders.js');
const { buildRaw } = require('./helpers/raw-profile.js');

const CORE = '/app/node_modules/@rspack/core/dist/index.js';
const BABEL = '/app/node_modules/babel-loader/lib/index.js';
const CONTEXT = { command: 'node b.js', node: 'v20.20.0', rspack: '2.2.7', binding: null };

/** "name /file:line:column" is JavaScript, "crate::name" Rust, "!name" V8, the rest native. @param {string} frame */
function funcOf(frame) {
  const script = /^\S+ (\S+):(\d+):(\d+)$/.exec(frame);
  if (script) {
    return { kind: 'js', file: script[1], line: Number(script[2]), column: Number(script[3]) };
  }
  const rust = /^<?(\w+)::/.exec(frame);
  if (rust && rust[1] !== 'v8impl')
    return { kind: 'rust', crate: rust[1], object: 'rspack.linux-x64-gnu.node' };
  if (frame.startsWith('?'))
    return { kind: 'native', object: 'rspack.linux-x64-gnu.node', named: false };
  return { kind: frame.startsWith('!') ? 'v8' : 'native', object: 'node' };
}

/**
 * @param {string[]} stacks one sample of 1 ms each
 * @param {Partial<import('../../lib/index').BuildNotes>} [notes]
 */
function profileOf(stacks, notes = {}) {
  const frames = [...new Set(stacks.flatMap((stack) => stack.split(';')))];
  const raw = buildRaw(
    stacks.map((stack) => ({ stack })),
    {
      funcs: Object.fromEntries(frames.map((frame) => [frame, funcOf(frame)])),
      meta: { unit: 'ns', event: 'cpu-clock' },
    },
  );
  const build = { root: '/app', taps: [], loaders: [], ...notes };
  return new Profile(raw, { context: CONTEXT, build });
}

/** @param {Profile} profile @param {string} by */
const selfBy = (profile, by) =>
  Object.fromEntries(
    profile
      .hotspots({ by })
      .filter(({ samples }) => samples > 0)
      .map(({ key, samples }) => [key, samples]),
  );

/** @param {string} place "file:line:column" @param {number | null} [calls] */
function tap(plugin = '', hook = '', place = '', calls = /** @type {number | null} */ (1)) {
  const [, file = '', line = 0, column = 0] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
  return { plugin, hook, file, line: Number(line), column: Number(column), calls };
}

const RUN = `main;runLoaders ${CORE}:9:1;isomorphoicRun ${CORE}:9:5;(anonymous) node:internal/util:4:2;(anonymous) ${CORE}:7:3`;

describe('loaders', () => {
  test('the first function below the runner that is not rspack’s', () => {
    const profile = profileOf([
      `${RUN};loader ${BABEL}:3:1;transform /app/node_modules/@babel/core/t.js:1:2;!Builtin:Map`,
      `${RUN};mine /app/tools/my-loader.js:2:2;malloc`,
      `${RUN};!Builtin:Call`,
      `main;build ${CORE}:2:2;other /app/x.js:4:4`,
    ]);
    assert.deepEqual(selfBy(profile, 'loader'), {
      'babel-loader': 1,
      './tools/my-loader.js': 1,
      '[loader runner]': 1,
      '[no loader]': 1,
    });
  });

  test('what goes on after an await: by function, by file, by a package that nobody else runs', () => {
    const profile = profileOf([
      `${RUN};loader ${BABEL}:3:1;transform /app/node_modules/@babel/core/t.js:1:2`,
      `main;queue /app/q.js:3:3;loader ${BABEL}:3:1`,
      `main;later ${BABEL}:9:9;parse /app/p.js:3:3`,
      'main;step /app/node_modules/@babel/core/async.js:5:5',
      'main;step /app/node_modules/unknown/x.js:5:5',
      'main;start /app/main.js:5:5;step /app/node_modules/@babel/core/async.js:5:5',
    ]);
    assert.deepEqual(selfBy(profile, 'loader'), { 'babel-loader': 4, '[no loader]': 2 });
    const [row] = profile.border().loaders;
    assert.deepEqual([row.samples, row.toldByFile], [4, 2]);
  });

  test('a loader that calls another one’s function is what runs', () => {
    const profile = profileOf([
      `${RUN};loader ${BABEL}:3:1`,
      `${RUN};outer /app/outer.js:2:9;loader ${BABEL}:3:1`,
    ]);
    assert.deepEqual(selfBy(profile, 'loader'), { 'babel-loader': 1, './outer.js': 1 });
  });

  test('a package that two loaders run, or a plugin does, tells nothing', () => {
    const shared = 'step /app/node_modules/postcss/x.js:5:5';
    const two = profileOf([
      `${RUN};a /app/a-loader.js:1:9;${shared}`,
      `${RUN};b /app/b-loader.js:1:9;${shared}`,
      `main;${shared}`,
    ]);
    assert.deepEqual(selfBy(two, 'loader'), {
      './a-loader.js': 1,
      './b-loader.js': 1,
      '[no loader]': 1,
    });
    const plugin = profileOf(
      [
        `${RUN};a /app/a-loader.js:1:9;${shared}`,
        `main;p /app/p.js:2:2;${shared}`,
        `main;${shared}`,
      ],
      { taps: [tap('P', 'emit', '/app/p.js:2:2')] },
    );
    assert.deepEqual(selfBy(plugin, 'plugin'), { P: 1, '[no plugin]': 2 });
  });

  test('a package that a loader is known to be of tells it, never sampled below the runner', () => {
    const profile = profileOf(['main;later /app/node_modules/late/work.js:5:5'], {
      loaders: [{ path: '/app/node_modules/late/index.js', runs: 1, entries: 1 }],
    });
    assert.deepEqual(selfBy(profile, 'loader'), { late: 1 });
  });

  test('a tap of the hook that the runner calls is no loader', () => {
    const profile = profileOf([`main;runLoaders ${CORE}:9:1;tap /app/p.js:2:2;x /app/y.js:1:4`], {
      taps: [tap('P', 'loader', '/app/p.js:2:2')],
    });
    assert.deepEqual(selfBy(profile, 'loader'), { '[loader runner]': 1 });
    assert.deepEqual(selfBy(profile, 'plugin'), { P: 1 });
  });

  test('builtin loaders and the runner by their crates', () => {
    const profile = profileOf([
      'main;rspack_loader_runner::run;rspack_loader_swc::transform;swc::parse',
      'main;rspack_loader_runner::run;rspack_loader_preact_refresh::run',
      'main;rspack_loader_runner::run;tokio::poll',
    ]);
    assert.deepEqual(selfBy(profile, 'loader'), {
      'builtin:swc-loader': 1,
      'builtin:preact-refresh-loader': 1,
      '[loader runner]': 1,
    });
  });

  test('names: the package, with the file where it has several, or the path', () => {
    const a = '/app/node_modules/@x/kit/a.js';
    const b = '/app/node_modules/.pnpm/@x+kit@1/node_modules/@x/kit/b.js';
    assert.equal(loaderName(a, [a], '/app'), '@x/kit');
    assert.equal(loaderName(b, [a, b], '/app'), '@x/kit/b.js');
    assert.equal(loaderName('/app/l/x.js', [], '/app'), './l/x.js');
    assert.equal(loaderName('/lib/x.js', [], '/app'), '../lib/x.js');
    assert.equal(loaderName('/lib/x.js', [], ''), '/lib/x.js');
  });
});

describe('plugins', () => {
  const taps = [
    tap('Outer', 'emit', '/app/o.js:3:3'),
    tap('Inner', 'done', '/app/i.js:4:4'),
    tap('One', 'make', '/app/s.js:5:5'),
    tap('Two', 'make', '/app/s.js:5:5'),
  ];

  test('the innermost tap on the stack, with what it calls in Rust', () => {
    const profile = profileOf(
      [
        'main;emit /app/o.js:3:3;rspack_core::source',
        'main;emit /app/o.js:3:3;call /x.js:1:3;done /app/i.js:4:4;memcpy',
        'main;rspack_plugin_split_chunks::run;hashbrown::insert',
      ],
      { taps },
    );
    assert.deepEqual(selfBy(profile, 'plugin'), {
      Outer: 1,
      Inner: 1,
      rspack_plugin_split_chunks: 1,
    });
    const rows = profile.hotspots({ by: 'plugin' });
    assert.equal(rows.find(({ key }) => key === 'Outer')?.total, 2e6);
    assert.equal(rows.find(({ key }) => key === 'Inner')?.self, 1e6);
  });

  test('a function that several plugins share has all their names', () => {
    const profile = profileOf(['main;shared /app/s.js:5:5'], { taps });
    assert.deepEqual(selfBy(profile, 'plugin'), { 'One | Two': 1 });
    const many = ['A', 'B', 'C', 'D'].map((name) => tap(name, 'make', '/app/s.js:5:5'));
    const crowd = profileOf(['main;shared /app/s.js:5:5'], { taps: many });
    assert.deepEqual(selfBy(crowd, 'plugin'), { '[4 plugins of ./s.js]': 1 });
  });

  test('loading a module and what rspack’s own file holds tell no plugin', () => {
    const profile = profileOf(
      ['main;(anonymous) /app/o.js:1:1', `main;x ${CORE}:8:8`, 'main;later /app/o.js:9:9'],
      { taps: [...taps, tap('Core', 'make', `${CORE}:3:3`)] },
    );
    assert.deepEqual(selfBy(profile, 'plugin'), { '[no plugin]': 2, Outer: 1 });
  });

  test('self adds up to the whole, for pairs too; samples without a stack are a row', () => {
    const profile = profileOf(
      ['main;emit /app/o.js:3:3', `${RUN};l /app/l.js:2:2;rspack_core::x`, 'main', ''],
      { taps },
    );
    for (const by of [
      'loader',
      'plugin',
      'file',
      'loader,plugin',
      'plugin,category',
      'phase,loader',
    ]) {
      const rows = profile.hotspots({ by });
      assert.equal(
        rows.reduce((sum, { samples }) => sum + samples, 0),
        4,
        by,
      );
    }
  });
});

test('file: the file of JavaScript, in brackets what is none', () => {
  const profile = profileOf(['main;f /app/a.js:1:2', 'main', 'core::x', 'main;!Builtin:A']);
  assert.deepEqual(selfBy(profile, 'file'), {
    '/app/a.js': 1,
    '[native]': 1,
    '[rust]': 1,
    '[v8]': 1,
  });
});

describe('the border', () => {
  const EMIT = 'emit /app/o.js:3:3';
  const profile = profileOf(
    [
      `main;napi::call_js_cb;rspack_napi::call;napi_call_function;${EMIT}`,
      `main;rspack_binding_api::hook;napi::x;napi_call_function;${EMIT};v8impl::Invoke;napi::get;rspack_core::source;core::fmt`,
      `main;rspack_binding_api::hook;napi_create_string_utf8;!v8::String;memcpy`,
      `main;rspack_binding_api::hook;napi::to_js;alloc::vec`,
      `main;${EMIT};v8impl::Invoke;?[rspack.linux-x64-gnu.node+0x12]`,
    ],
    {
      taps: [tap('Outer', 'emit', '/app/o.js:3:3', 7), tap('Late', 'done', '/app/z.js:1:1', null)],
      loaders: [{ path: '/app/l.js', runs: 4, entries: 9 }],
    },
  );
  const border = profile.border();

  test('a plugin’s row has its calls and the time on either side', () => {
    const [outer, late] = border.hooks;
    assert.deepEqual(
      { ...outer, share: outer.share.toFixed(2) },
      {
        ...{ plugin: 'Outer', hooks: ['emit'], calls: 7, samples: 3, total: 3e6 },
        ...{ js: 1e6, rust: 2e6, share: '0.60', ms: 3 },
      },
    );
    assert.deepEqual([late.plugin, late.calls, late.samples], ['Late', null, 0]);
    assert.deepEqual(
      border.loaders.map(({ loader, runs, entries, samples }) => [loader, runs, entries, samples]),
      [['./l.js', 4, 9, 0]],
    );
  });

  test('conversion is what Node-API does, without the callee', () => {
    assert.deepEqual(
      border.conversion.rows.map(({ name, samples }) => `${name} ${samples}`).sort(),
      ['napi (Rust crates) 1', 'napi_create_string_utf8 1'],
    );
    assert.equal(border.conversion.samples, 2);
  });

  test('callers are the nearest functions that are not plumbing', () => {
    const pairs = (/** @type {typeof border.rustToJs} */ rows) =>
      rows.map(({ caller, callee, samples }) => `${caller} > ${callee} ${samples}`).sort();
    assert.deepEqual(pairs(border.rustToJs), [
      `rspack_binding_api::hook > ${EMIT} 1`,
      `rspack_napi::call > ${EMIT} 1`,
    ]);
    assert.deepEqual(pairs(border.jsToRust), [
      `${EMIT} > [rspack.linux-x64-gnu.node] 1`,
      `${EMIT} > rspack_core::source 1`,
    ]);
  });

  test('the table has it all, and says where nothing was counted', () => {
    const text = renderBorder(profile, { color: false });
    assert.match(text, / 60\.00 +20\.00 +40\.00 +7 +Outer +emit\n/);
    assert.match(text, / 4 +9 +0 +\.\/l\.js\n/);
    assert.doesNotMatch(text, /no calls were counted/);
    const long = {
      totalWeight: profile.totalWeight,
      border: () => {
        const border = profile.border();
        const hooks = border.hooks.map((row) => ({ ...row, plugin: 'several | '.repeat(20) }));
        const name = `a::${'very::'.repeat(40)}f`;
        const call = { share: 1, samples: 1e6, weight: 1, caller: name, callee: name };
        return { ...border, hooks, rustToJs: [call], jsToRust: [call] };
      },
    };
    const wide = renderBorder(/** @type {any} */ (long), { color: false, width: 80 }).split('\n');
    assert.deepEqual(
      wide.filter((line) => line.length > 80),
      [],
    );
    const none = renderBorder(profileOf(['main']), { color: false });
    assert.match(none, /^no calls were counted/);
  });
});
