'use strict';
// What makes two profiles a poor pair: said in words, the comparison is made all the same.

const { halfNamed } = require('./matching.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').Warning} Warning */

/** Below, only changes of several points can be told from chance. */
const LEAST_SAMPLES = 1000;
const MOST_LOST = 0.01;
const COMPLETE_POINTS = 0.1;

/** @param {string | null} file of the binding */
const buildOf = (file) =>
  file === null ? 'none' : file.includes('@rspack-debug') ? 'a debug build' : 'a release build';

/** @type {((base: Profile, candidate: Profile) => [code: string, message: string] | null)[]} */
const RULES = [
  ({ meta: a }, { meta: b }) =>
    a.unit === b.unit
      ? null
      : ['diff-unit', `${a.unit} are compared with ${b.unit}: shares only, no more`],
  ({ meta: a }, { meta: b }) =>
    a.event === b.event
      ? null
      : ['diff-event', `other events: ${a.event} and ${b.event} do not count the same`],
  ({ meta: a }, { meta: b }) =>
    a.frequency === b.frequency
      ? null
      : ['diff-frequency', `other rates: ${a.frequency} Hz and ${b.frequency} Hz`],
  ({ meta: a }, { meta: b }) =>
    buildOf(a.binding) === buildOf(b.binding)
      ? null
      : [
          'diff-binding',
          `other bindings: the base has ${buildOf(a.binding)}, the candidate ${buildOf(b.binding)}`,
        ],
  (base, candidate) => {
    const names = [...halfNamed(base, candidate)];
    if (names.length === 0) return null;
    const list = names.length > 3 ? `${names.slice(0, 3).join(', ')} ..` : names.join(', ');
    const what = names.length === 1 ? 'are one row' : 'are one row for each file';
    return [
      'diff-symbols',
      `only one of the two has symbols for ${list}: by symbol its functions ${what}`,
    ];
  },
  ({ meta: a }, { meta: b }) =>
    a.callGraph === b.callGraph
      ? null
      : [
          'diff-call-graph',
          `other call graphs (${a.callGraph} and ${b.callGraph}): compare self, not total`,
        ],
  ({ meta: a }, { meta: b }) =>
    a.hasKernel === b.hasKernel
      ? null
      : ['diff-kernel', `only the ${a.hasKernel ? 'base' : 'candidate'} has the kernel's part`],
  ({ quality: a }, { quality: b }) =>
    Math.abs(a.completeShare - b.completeShare) <= COMPLETE_POINTS
      ? null
      : [
          'diff-stacks',
          `${(a.completeShare * 100).toFixed(0)}% of the base's stacks are complete and ` +
            `${(b.completeShare * 100).toFixed(0)}% of the candidate's: compare self, not total`,
        ],
];

/**
 * @param {Profile} base
 * @param {Profile} candidate
 * @returns {Warning[]}
 */
function comparisonWarnings(base, candidate) {
  const found = RULES.map((rule) => rule(base, candidate)).filter((one) => one !== null);
  for (const [side, { quality }] of Object.entries({ base, candidate })) {
    const { samples, lost } = quality;
    if (samples < LEAST_SAMPLES) {
      const advice = 'only large changes show; record longer, or at a higher rate';
      found.push([`diff-few-${side}`, `the ${side} has only ${samples} samples: ${advice}`]);
    }
    if (lost > MOST_LOST * (samples + lost)) {
      found.push([`diff-lost-${side}`, `the ${side} lost ${lost} of ${samples + lost} samples`]);
    }
  }
  return found.map(([code, message]) => ({ code, message, fix: '' }));
}

module.exports = { LEAST_SAMPLES, comparisonWarnings };
