'use strict';
// require('rspack-prof/assert'): the matchers as functions, for node:test and whatever else throws to
// fail. Types: assert.d.ts.

const { AssertionError } = require('node:assert');
const { profileBuild } = require('./assert/build.js');
const { check } = require('./assert/checks.js');
const { read } = require('./export/index.js');
const { callSite } = require('./call-site.js');

/** The functions' names, and whose check each is. */
const NAMES = {
  spendsAtMost: 'toSpendAtMost',
  hasHotspot: 'toHaveHotspot',
  callsNative: 'toCallNative',
  doesNotRegress: 'toNotRegress',
  staysWithin: 'toStayWithin',
};

/** The test's file: baselines are beside it. */
const callerFile = () => /^(.+):\d+$/.exec(callSite())?.[1];

/** @param {boolean} isNot */
function functions(isNot) {
  return Object.fromEntries(
    Object.entries(NAMES).map(([own, name]) => {
      const assertIt = (/** @type {unknown} */ profile, /** @type {unknown[]} */ ...args) => {
        const found = check(name, profile, args, { isNot, testFile: callerFile() });
        if (found.passes) return;
        const error = new AssertionError({ message: found.message, stackStartFn: assertIt });
        error.operator = own;
        if (found.isInconclusive) error.code = /** @type {any} */ ('ERR_PROF_INCONCLUSIVE');
        throw error;
      };
      return [own, assertIt];
    }),
  );
}

const { spendsAtMost, hasHotspot, callsNative, doesNotRegress, staysWithin } = functions(false);

// Plain names: that is what node finds for `import { profileBuild } from 'rspack-prof/assert'`.
module.exports = {
  profileBuild,
  read,
  spendsAtMost,
  hasHotspot,
  callsNative,
  doesNotRegress,
  staysWithin,
  not: functions(true),
};
