'use strict';
// How good a profile is, in numbers. Complete, truncated and broken are counted from the samples
// themselves, so that they always add up; where the recorder counted otherwise, a warning says so.

const { SAMPLE } = require('./flags.js');

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {import('../index').Quality} Quality */
/** @typedef {import('../index').Warning} Warning */

/** What the recorder counts beside: docs/raw-profile.md. Files of older versions have none of these. */
const COUNTERS = /** @type {const} */ ([
  ...['spared', 'unlistedRefused', 'inHandler', 'doubles', 'forgotten', 'signals'],
  ...['signalsPassedOn', 'lateRecords', 'codeEventsDropped', 'unnamedInterpreted'],
  ...['refusedModules', 'refusedTables', 'usedCpuMs'],
]);

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
    ...countersOf(said),
    completeShare: samples.end.length > 0 ? complete / samples.end.length : 0,
    byObject: said.byObject.map((row) => ({ ...row })),
    cost: { ...said.cost },
    warnings,
  };
}

/** @param {RawProfile['quality']} said @returns {import('../index').QualityCounters} */
const countersOf = (said) =>
  Object.fromEntries(
    COUNTERS.flatMap((name) => (Number.isFinite(said[name]) ? [[name, said[name]]] : [])),
  );

/**
 * The counters that are sums over samples, of these alone: as the recorder counts them (src/session/result.c).
 * What was lost and what the recording cost is nobody's part, and stays.
 * @param {Pick<RawProfile, 'quality' | 'nodes' | 'funcs'>} raw
 * @param {Pick<RawProfile['samples'], 'node' | 'end' | 'flags'>} samples
 * @returns {RawProfile['quality']}
 */
function countedAgain({ quality, nodes, funcs }, { node, end, flags }) {
  const ends = [0, 0, 0];
  let [joined, guessed, inHandler, unnamedLeaf] = [0, 0, 0, 0];
  for (let i = 0; i < node.length; i++) {
    ends[end[i]]++;
    if (end[i] === 0 && flags[i] & SAMPLE.JOINED) joined++;
    if (flags[i] & SAMPLE.GUESSED) guessed++;
    if (flags[i] & SAMPLE.IN_HANDLER) inHandler++;
    const func = nodes.func[node[i]];
    if (func < 0 || funcs.named[func] === 0) unnamedLeaf++;
  }
  const [complete, truncated, broken] = ends;
  const counted = { complete, truncated, broken, joined, guessed, inHandler, unnamedLeaf };
  return { ...quality, samples: node.length, ...counted };
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

module.exports = { addWarnings, buildQuality, countedAgain };
