'use strict';
// How good a profile is, in numbers. Complete, truncated and broken are counted from the samples
// themselves, so that they always add up; where the recorder counted otherwise, a warning says so.

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {import('../index').Quality} Quality */
/** @typedef {import('../index').Warning} Warning */

/**
 * @param {RawProfile} raw
 * @returns {Quality}
 */
function buildQuality({ quality: said, samples }) {
  const counted = [0, 0, 0];
  for (let i = 0; i < samples.end.length; i++) counted[samples.end[i]]++;
  const [complete, truncated, broken] = counted;
  const warnings = said.warnings.map(({ code, message, fix }) => ({ code, message, fix }));

  const disagrees = Object.entries({ samples: samples.end.length, complete, truncated, broken })
    .map(([name, value]) => ({ name, value, was: said[/** @type {'samples'} */ (name)] }))
    .filter(({ value, was }) => value !== was);
  if (disagrees.length > 0) {
    const list = disagrees.map(({ name, value, was }) => `${name} ${was}, counted ${value}`);
    warnings.push({
      code: 'counters-disagree',
      message: `the recorder's counters differ from its samples: ${list.join('; ')}`,
      fix: '',
    });
  }
  return {
    samples: samples.end.length,
    lost: said.lost,
    throttled: said.throttled,
    complete,
    truncated,
    broken,
    joined: said.joined,
    guessed: said.guessed ?? 0,
    unnamedLeaf: said.unnamedLeaf,
    handlerDropped: said.handlerDropped,
    unmatchedStacks: said.unmatchedStacks,
    ringBytes: said.ringBytes,
    completeShare: samples.end.length > 0 ? complete / samples.end.length : 0,
    byObject: said.byObject.map((row) => ({ ...row })),
    cost: { ...said.cost },
    warnings,
  };
}

/**
 * Adds warnings whose code is not there yet.
 * @param {Quality} quality
 * @param {readonly Warning[]} warnings
 */
function addWarnings(quality, warnings) {
  const known = new Set(quality.warnings.map(({ code }) => code));
  for (const { code, message, fix } of warnings) {
    if (!known.has(code)) quality.warnings.push({ code, message, fix });
  }
}

module.exports = { buildQuality, addWarnings };
