'use strict';
// require('rspack-prof/jest'): adds the matchers to Jest's expect, or Vitest's, and gives profileBuild().
// Works from a test file and from setupFilesAfterEnv (Jest) or setupFiles (Vitest). Types: jest.d.ts.

const { hostRequire } = require('./assert/host.js');

/** Of this process, not of the sandbox that this file may be in. @type {NodeJS.Require} */
const outside = hostRequire(__filename);
const checks = /** @type {typeof import('./assert/checks')} */ (outside('./assert/checks.js'));
const { profileBuild: build } = /** @type {typeof import('./assert/build')} */ (
  outside('./assert/build.js')
);
const { read } = /** @type {typeof import('./index')} */ (outside('./index.js'));
const matchers = checks.matchers();

/** Where Vitest keeps its expect when there are no globals: @vitest/expect's GLOBAL_EXPECT. */
const VITEST = Symbol.for('expect-global');

function findExpect() {
  const { expect, [VITEST]: vitest } = /** @type {any} */ (globalThis);
  if (expect ?? vitest) return expect ?? vitest;
  try {
    // injectGlobals: false
    return require('@jest/globals').expect;
  } catch {
    return undefined; // outside of Jest that package only throws
  }
}

/** @param {unknown} what @param {Record<string, unknown>} [options] */
const profileBuild = (what, options) => build(what, options, { global: globalThis });

checks.extend(
  findExpect(),
  "require this in a test of Jest or Vitest; for node:test there is 'rspack-prof/assert'",
);

// Plain names: that is what node finds for `import { profileBuild } from 'rspack-prof/jest'`.
module.exports = { profileBuild, matchers, read };
