'use strict';
// The hotspot table and the names in it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { profileWarnings } = require('../../lib/doctor/warnings.js');
const { shorten } = require('../../lib/shorten.js');
const { renderHotspots } = require('../../lib/table.js');
const { fit } = require('../../lib/terminal.js');
const { IN_WORKER, Kept, SCRIPT, VISIT, buildProfile, judge } = require('./cli-support.js');

const GOLDEN = path.join(__dirname, '..', 'golden', 'table');

/**
 * @param {string} name
 * @param {string} actual
 */
function matchesGolden(name, actual) {
  const file = path.join(GOLDEN, name);
  if (process.env.UPDATE_GOLDEN) fs.writeFileSync(file, actual);
  const expected = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  // What came out is kept beside the golden file, for a diff.
  if (actual !== expected) fs.writeFileSync(`${file}.actual`, actual);
  assert.equal(actual, expected);
}

const ESCAPE = String.fromCharCode(27);

function warnedProfile() {
  const profile = buildProfile();
  profile.quality.warnings.push(...profileWarnings(profile.raw, judge()));
  return profile;
}

test('no character of a name turns the rest of its line around, or breaks it', () => {
  const marks = ['\u061c', '\u200f', '\u2028', '\u2029', '\u202e', '\u2066', '\u0085', ESCAPE];
  for (const mark of marks) {
    const text = fit(`a${mark}b`, 80);
    assert.equal(text, 'a?b', mark.codePointAt(0)?.toString(16));
  }
  // Letters of scripts that run from right to left are no such marks.
  assert.equal(fit('\u05d0\u0627', 80), '\u05d0\u0627');
});

for (const width of [80, 200]) {
  test(`the table fits a terminal of ${width} columns`, () => {
    const text = renderHotspots(warnedProfile(), { width });
    for (const line of text.split('\n')) assert.ok(line.length <= width, line);
    matchesGolden(`${width}.txt`, text);
  });
}

test('a pipe gets the table without colours and without padding', () => {
  const text = renderHotspots(warnedProfile(), { stream: new Kept() });
  assert.ok(!text.includes(ESCAPE));
  assert.doesNotMatch(text, / $/m);
  matchesGolden('pipe.txt', text);
});

test('a name of 22,000 characters makes no row of 22,000 columns in a pipe', () => {
  const name = `<a::B as c::D>::${'e'.repeat(22_000)}`;
  const profile = buildProfile({
    funcs: [{ name, kind: 'rust', crate: 'a' }],
    samples: [{ stack: [name], count: 600 }],
  });
  for (const line of renderHotspots(profile).split('\n')) assert.ok(line.length < 230);
});

test('colours come only where the terminal has them', () => {
  const profile = buildProfile();
  const shown = (/** @type {ConstructorParameters<typeof Kept>[0]} */ terminal) =>
    renderHotspots(profile, { stream: new Kept(terminal) });
  assert.ok(shown({ columns: 100, colors: true }).includes(`${ESCAPE}[31m45.60`));
  assert.ok(!shown({ columns: 100, colors: false }).includes(ESCAPE));
});

test('an escape sequence in a name does not reach the terminal', () => {
  assert.ok(!renderHotspots(buildProfile(), { width: 100, color: false }).includes(ESCAPE));
});

test('wide characters take two columns of the width', () => {
  const name = `解析${'模块'.repeat(30)}`;
  const profile = buildProfile({
    funcs: [{ name, kind: 'js' }],
    samples: [{ stack: [name], count: 600 }],
  });
  const row = renderHotspots(profile, { width: 80 }).split('\n')[4];
  const columns = [...row].reduce((sum, char) => sum + (char > '\u2e80' ? 2 : 1), 0);
  assert.ok(columns <= 80, `${columns} columns: ${row}`);
});

test('rows come by self, and by total on request', () => {
  const profile = buildProfile();
  const first = (/** @type {import('../../lib/table.js').TableOptions} */ options) =>
    renderHotspots(profile, { width: 120, ...options }).split('\n')[3];
  assert.match(first({}), /^45\.60 +55\.30 +456 +rust/);
  assert.match(first({ children: true }), /^ 0\.00 +99\.80 +0 +native +node +_start$/);
});

test('rows that are left out are counted with their share', () => {
  const text = renderHotspots(buildProfile(), { limit: 2, width: 120 });
  assert.match(text, /^5 more: 31\.10% together$/m);
});

test('rows that only called others are not counted among those left out', () => {
  const funcs = ['outer', 'middle', 'inner', 'leaf'].map((name) => ({ name, kind: 'native' }));
  const samples = [
    { stack: ['outer', 'middle', 'inner'], count: 600 },
    { stack: ['outer', 'middle', 'leaf'], count: 1 },
  ];
  const profile = buildProfile({ funcs, samples, modules: [] });
  assert.match(renderHotspots(profile, { width: 120 }), /^1 more: 0\.17% together$/m);
  assert.doesNotMatch(renderHotspots(profile, { percentLimit: 0 }), /more/);
});

test('the share of complete stacks is never rounded up to all', () => {
  const profile = buildProfile();
  profile.quality.completeShare = 0.99999;
  assert.match(renderHotspots(profile), /99\.99% of the stacks/);
  profile.quality.completeShare = 1;
  assert.match(renderHotspots(profile), /100\.00% of the stacks/);
});

test('without a call graph no stack is said to be incomplete', () => {
  const profile = buildProfile({ meta: { callGraph: 'none' } });
  assert.doesNotMatch(renderHotspots(profile), /of the stacks/);
});

test('a profile without samples says so instead of an empty table', () => {
  const profile = buildProfile({ samples: [] });
  assert.match(renderHotspots(profile), /^no samples: /m);
});

test('each warning has its fix on a line of its own, unbroken', () => {
  const profile = buildProfile();
  const fix = `RSPACK_BINDING=/a/${'b'.repeat(90)} npx rspack build`;
  profile.quality.warnings.push({ code: 'x', message: 'word '.repeat(40).trim(), fix });
  const lines = renderHotspots(profile, { width: 80 }).trimEnd().split('\n');
  assert.equal(lines.at(-1), `  fix: ${fix}`);
  assert.match(lines.at(-4) ?? '', /^warning: word/);
});

test('Rust names lose generics first, then paths, and keep their method', () => {
  assert.equal(shorten(VISIT, 400), VISIT);
  assert.equal(
    shorten(VISIT, 100),
    '<swc_ecma_ast::jsx::JSXAttrOrSpread as VisitWith<..>>::visit_children_with',
  );
  assert.equal(shorten(VISIT, 60), '<JSXAttrOrSpread as VisitWith<..>>::visit_children_with');
  assert.equal(shorten(VISIT, 34), '<JSXAttrOrS…>::visit_children_with');
});

test('a closing bracket of `fn() -> T` ends no generic list', () => {
  assert.equal(shorten(IN_WORKER, 70), 'rayon_core::registry::in_worker::<..>::{closure#0}');
  assert.equal(shorten(IN_WORKER, 24), 'in_worker::{closure#0}');
});

test('a path keeps its type and function longest, then its crate', () => {
  const name = 'rspack_core::compiler::make::repair::factorize::FactorizeTask::run';
  assert.equal(shorten(name, 50), 'rspack_core::..::factorize::FactorizeTask::run');
  assert.equal(shorten(name, 36), 'rspack_core::..::FactorizeTask::run');
  assert.equal(shorten(name, 34), '..::factorize::FactorizeTask::run');
  assert.equal(shorten(name, 24), '..::FactorizeTask::run');
});

test('C++ operators and parameter lists', () => {
  const shift =
    'std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char const*)';
  assert.equal(shorten(shift, 70), 'std::ostream& std::operator<< <std::char_traits<..> >(..)');
  const call =
    'v8::internal::(anonymous namespace)::Foo<int>::operator()(int, v8::Handle<v8::Object>)';
  assert.equal(shorten(call, 75), 'v8::internal::(anonymous namespace)::Foo<..>::operator()(..)');
});

test('JavaScript names lose folders from the left', () => {
  assert.equal(shorten(SCRIPT, 50, 'js'), 'transformSync …/@babel/core/lib/index.js:12:34');
  assert.equal(shorten(SCRIPT, 34, 'js'), 'transformSync …/lib/index.js:12:34');
});

test('a shortened name is never longer than its column', () => {
  const names = [VISIT, IN_WORKER, SCRIPT, '<<<a>>', '>>>', ')(', '', 'a::', '::<', '<a as b'];
  for (const name of names) {
    for (let width = 1; width < 130; width++) {
      for (const kind of ['rust', 'js']) {
        const text = shorten(name, width, kind);
        assert.ok(text.length <= width, `${width}: ${text}`);
      }
    }
  }
});

test('several keys are columns; a comma in a symbol is no border', () => {
  const profile = buildProfile();
  const call = 'v8::internal::Execution::Call(v8::internal::Isolate*, int)';
  const asked = [
    { by: 'comm,object,symbol', head: /COMM +OBJECT +SYMBOL$/m, row: / {2}node +node +v8::/ },
    { by: 'symbol,object', head: /SYMBOL +OBJECT$/m, row: /int\) +node$/ },
  ];
  for (const { by, head, row } of asked) {
    const table = renderHotspots(profile, { by, percentLimit: 0 });
    assert.match(table, head);
    assert.match(table.split('\n').find((line) => line.includes(call)) ?? '', row, table);
  }
  for (const width of [80, 120, 200]) {
    const lines = renderHotspots(profile, { by: 'comm,object,symbol', width }).split('\n');
    for (const line of lines) assert.ok(line.length <= width, line);
  }
});
