'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { buildProfile } = require('./helpers/raw-profile.js');

/** @type {Record<string, import('./helpers/raw-profile.js').Func>} */
const FUNCS = {
  'swc_ecma_parser::parse': { kind: 'rust', crate: 'swc_ecma_parser', object: 'rspack.node' },
  'hashbrown::insert': { kind: 'rust', crate: 'hashbrown', object: 'rspack.node' },
  'tokio::run': { kind: 'rust', crate: 'tokio', object: 'rspack.node' },
  'rspack_core::generate_it': { kind: 'rust', crate: 'rspack_core', object: 'rspack.node' },
  'swc_ecma_codegen::emit': { kind: 'rust', crate: 'swc_ecma_codegen', object: 'rspack.node' },
  '<swc_ecma_ast::Expr as swc_ecma_visit::VisitWith<x::AssertValid>>::visit': {
    kind: 'rust',
    crate: 'swc_ecma_visit',
  },
  '<swc_ecma_ast::Expr as swc_ecma_visit::VisitMutWith<swc_ecma_minifier::Pure>>::visit': {
    kind: 'rust',
    crate: 'swc_ecma_visit',
  },
  'core::iter::next': { kind: 'rust', crate: 'core' },
  malloc: { kind: 'native', object: 'libc.so.6' },
  __memmove_avx_unaligned_erms: { kind: 'native', object: 'libc.so.6' },
  memory_of_mine: { kind: 'native', object: 'rspack.node' },
  syscall: { kind: 'native', object: 'libc.so.6' },
  asm_exc_page_fault: { kind: 'kernel' },
  clear_page_erms: { kind: 'kernel' },
  futex_wake: { kind: 'kernel' },
  vfs_read: { kind: 'kernel' },
  'v8::internal::Scavenger::ScavengePage': { kind: 'native', object: 'node' },
  'v8::internal::Runtime_Get': { kind: 'native', object: 'node' },
  napi_create_object: { kind: 'native', object: 'node' },
  napi_call_function: { kind: 'native', object: 'node' },
  Builtins_LoadIC: { kind: 'v8', tier: 5 },
  'loader /app/loader.js:1:1': { kind: 'js', file: '/app/loader.js' },
  'parse /app/node_modules/@babel/parser/lib/index.js:1:1': {
    kind: 'js',
    file: '/app/node_modules/@babel/parser/lib/index.js',
  },
  '_compile node:internal/modules/cjs/loader:1:1': {
    kind: 'js',
    file: 'node:internal/modules/cjs/loader',
  },
};

/** @param {string} stack @returns {string} */
function categoryOf(stack) {
  const profile = buildProfile([{ stack }], { funcs: FUNCS });
  const rows = profile.hotspots({ by: 'category' }).filter(({ self }) => self > 0);
  assert.equal(rows.length, 1, stack);
  return rows[0].key;
}

/** @param {[string, string][]} cases */
function check(cases) {
  for (const [stack, category] of cases) assert.equal(categoryOf(stack), category, stack);
}

test('the innermost frame with a rule decides', () => {
  check([
    ['swc_ecma_parser::parse', 'parsing'],
    ['swc_ecma_parser::parse;core::iter::next', 'parsing'],
    ['swc_ecma_parser::parse;hashbrown::insert;core::iter::next', 'hashing'],
    ['swc_ecma_parser::parse;malloc', 'allocation'],
    ['swc_ecma_parser::parse;malloc;asm_exc_page_fault;clear_page_erms', 'page faults'],
    ['swc_ecma_parser::parse;__memmove_avx_unaligned_erms', 'string and copy work'],
    ['swc_ecma_parser::parse;memory_of_mine', 'parsing'],
    ['main;syscall;vfs_read', 'file I/O'],
  ]);
});

test('a trait’s function is the work of what it was made for', () => {
  check([
    ['<swc_ecma_ast::Expr as swc_ecma_visit::VisitWith<x::AssertValid>>::visit', 'assertions'],
    [
      '<swc_ecma_ast::Expr as swc_ecma_visit::VisitMutWith<swc_ecma_minifier::Pure>>::visit',
      'minification',
    ],
  ]);
});

test('a scheduler that stands on every stack is not the work that it runs', () => {
  check([
    ['tokio::run', 'scheduling and stealing'],
    ['tokio::run;core::iter::next', 'scheduling and stealing'],
    ['tokio::run;syscall;futex_wake', 'scheduling and stealing'],
    ['tokio::run;rspack_core::generate_it', 'other Rust'],
    ['tokio::run;rspack_core::generate_it;core::iter::next', 'other Rust'],
  ]);
});

test('a rule ends where the language changes', () => {
  check([
    ['swc_ecma_codegen::emit;napi_call_function;loader /app/loader.js:1:1', 'JavaScript'],
    [
      'parse /app/node_modules/@babel/parser/lib/index.js:1:1;napi_call_function;rspack_core::generate_it',
      'other Rust',
    ],
    ['parse /app/node_modules/@babel/parser/lib/index.js:1:1;Builtins_LoadIC', 'parsing'],
  ]);
});

test('JavaScript, V8 and node', () => {
  check([
    ['loader /app/loader.js:1:1', 'JavaScript'],
    ['loader /app/loader.js:1:1;Builtins_LoadIC', 'JavaScript'],
    ['loader /app/loader.js:1:1;v8::internal::Runtime_Get', 'JavaScript'],
    ['loader /app/loader.js:1:1;v8::internal::Scavenger::ScavengePage', 'GC'],
    ['rspack_core::generate_it;napi_create_object;v8::internal::Runtime_Get', 'JS-Rust crossing'],
    ['_compile node:internal/modules/cjs/loader:1:1', 'module loading'],
    ['main', 'other native'],
  ]);
});

test('self adds up to the whole, alone and in pairs', () => {
  const samples = [
    { stack: 'swc_ecma_parser::parse;malloc', weight: 3, thread: 'tokio/2' },
    { stack: 'swc_ecma_parser::parse', weight: 4, thread: 'tokio/2' },
    { stack: 'tokio::run', weight: 5, thread: 'node/1' },
    { stack: '', weight: 6, thread: 'node/1' },
  ];
  const profile = buildProfile(samples, { funcs: FUNCS });
  for (const by of ['category', 'comm,category', 'category,symbol']) {
    const sum = profile.hotspots({ by }).reduce((all, { self }) => all + self, 0);
    assert.equal(sum, 18, by);
  }
  const rows = profile.hotspots({ by: 'category,symbol' });
  assert.deepEqual(
    rows.map(({ key, self, total }) => [key, self, total]),
    [
      ['[no stack],[no stack]', 6, 6],
      ['scheduling and stealing,tokio::run', 5, 5],
      ['parsing,swc_ecma_parser::parse', 4, 7],
      ['allocation,malloc', 3, 3],
    ],
  );
});
