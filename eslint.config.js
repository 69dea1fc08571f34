'use strict';

const js = require('@eslint/js');
const globals = require('globals');

module.exports = [
  {
    ignores: [
      'node_modules/',
      'build/',
      'build-*/',
      'bench/.cases/',
      '.rspack-prof/',
      '.setup/',
      'test/golden/',
      'test/fixtures/',
      // What a case is made of is material for rspack, not code of this project's.
      'bench/workloads/templates/**/src/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: globals.node },
  },
  {
    files: ['**/*.js'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
  },
  {
    // What runs in the page of a report.
    files: ['lib/html/view/*.js'],
    languageOptions: { globals: { ...globals.browser, ...globals.commonjs } },
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      // Catching without a word is how a profiler loses data: an empty catch needs its reason.
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
];
