'use strict';
// What a baseline was measured on, and what of that must be the same for a comparison to mean anything.
// What a project changes on purpose (rspack, node) may differ: it is what the comparison is for.

const fs = require('node:fs');
const os = require('node:os');

/**
 * @typedef {object} MeasuredOn
 * @property {string} cpu model
 * @property {number} cores
 * @property {string} arch
 * @property {string} kernel
 * @property {string} node
 * @property {string | null} rspack
 * @property {string} binding
 * @property {boolean} coverage the test runner's
 * @property {string} [event] of the samples; a counters' baseline has none of these three
 * @property {number} [frequency]
 * @property {string} [callGraph]
 * @property {string} [counted] 'profiled' or 'apart': which runs the counters are of
 */

/** @typedef {keyof MeasuredOn} Condition */

/** Of the computer; instructions are the same on any of one architecture. @type {Condition[]} */
const MACHINE = ['cpu', 'cores'];
/** @type {Condition[]} */
const ALWAYS = ['arch', 'binding', 'coverage', 'event', 'callGraph', 'counted'];
/** @type {Condition[]} */
const WORTH_A_NOTE = ['rspack', 'node', 'kernel', 'frequency'];

/** @type {Record<string, string>} */
const WORDS = { cpu: 'CPU', callGraph: 'call graph', counted: 'counted runs' };

/** @param {string | null} file @returns {string} */
function bindingKind(file) {
  if (file === null) return 'none';
  return file.includes('@rspack-debug') ? 'debug' : 'release';
}

/** As Jest spells it. */
const COVERAGE = /^--(?:coverage|collect-?coverage)(?:=true)?$/i;

/** Whether a flag asks for coverage: this process's, or as of one of Jest's workers its parent's. */
function isCoverageAsked() {
  return ['self', process.ppid].some((id) => {
    try {
      const words = fs.readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      return words.some((word) => COVERAGE.test(word));
    } catch {
      return false; // of another user, or gone
    }
  });
}

/**
 * Whether the test runner instruments code or has V8 count it, as far as it shows.
 * @param {object} global of the test's realm
 */
function isCovered(global) {
  const { __coverage__: counters, __vitest_worker__: vitest } = /** @type {any} */ (global);
  return (
    counters !== undefined ||
    vitest?.config?.coverage?.enabled === true ||
    process.env.NODE_V8_COVERAGE !== undefined ||
    isCoverageAsked()
  );
}

/**
 * @param {import('../profile/profile').Profile} profile
 * @returns {MeasuredOn}
 */
function measuredOn(profile) {
  const { cpus, kernel, node, rspack, binding } = profile.meta;
  const { isCovered: covered } = /** @type {{isCovered?: boolean}} */ (
    /** @type {unknown} */ (profile)
  );
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    ...{ cores: cpus, arch: os.arch(), kernel, node, rspack },
    ...{ binding: bindingKind(binding), coverage: covered ?? isCovered(globalThis) },
  };
}

/**
 * @param {MeasuredOn} base
 * @param {MeasuredOn} now
 * @param {{isMachineFree?: boolean}} [options]
 * @returns {string[]} 'CPU was A and is B', what forbids a comparison
 */
function differences(base, now, { isMachineFree = false } = {}) {
  return (isMachineFree ? ALWAYS : [...MACHINE, ...ALWAYS])
    .filter((name) => base[name] !== now[name])
    .map((name) => changeText(name, base, now));
}

/**
 * @param {MeasuredOn} base
 * @param {MeasuredOn} now
 * @returns {string[]} what else differs
 */
const notes = (base, now) =>
  WORTH_A_NOTE.filter((name) => base[name] !== now[name]).map(
    (name) => `since the baseline ${changeText(name, base, now)}`,
  );

/** @param {Condition} name @param {MeasuredOn} base @param {MeasuredOn} now */
const changeText = (name, base, now) =>
  `${WORDS[name] ?? name} was ${base[name] ?? 'unknown'} and is ${now[name] ?? 'unknown'}`;

module.exports = { differences, isCovered, measuredOn, notes };
