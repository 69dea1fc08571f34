'use strict';
// What follows from the figures, rule by rule.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { exitCodeOf, verdictOf } = require('../../lib/compare/verdict.js');

/** @typedef {import('../../lib/compare/summary').MetricSummary} MetricSummary */

/**
 * @param {number} ratio
 * @param {number} half
 * @param {import('../../lib/compare/decide').Finding} finding
 * @returns {MetricSummary}
 */
const metric = (ratio, half, finding) => ({
  ...{ unit: 'ms', base: 1000, candidate: 1000 * ratio, ratio, finding },
  interval: half === Infinity ? null : [ratio - half, ratio + half],
});
const SAME = metric(1.001, 0.01, 'no-difference');

/** @param {object} measured */
const judged = (measured) =>
  verdictOf({
    ...{ metrics: { wall: SAME, cpu: SAME, instructions: null } },
    ...{ stopped: 'decided', pairs: 10, metric: 'wall', margin: 0.02, moved: 0 },
    ratios: [[], []],
    ...measured,
  });

test('slower is rejected, with wall time and its interval as the reason', () => {
  const wall = metric(1.03, 0.01, 'slower');
  const verdict = judged({ metrics: { wall, cpu: SAME, instructions: null } });
  assert.equal(verdict.decision, 'slower');
  assert.equal(verdict.keep, false);
  assert.equal(
    verdict.reason,
    'wall time +3.00 % (95 % interval +2.00 % to +4.00 %, 10 pairs of runs)',
  );
  assert.deepEqual(verdict.interval, wall.interval);
  assert.equal(verdict.wallRatio, 1.03);
  assert.equal(exitCodeOf(verdict), 1);
});

test('faster is kept, but not after fewer than three runs', () => {
  const metrics = { wall: metric(0.9, 0.01, 'faster'), cpu: SAME, instructions: null };
  const kept = judged({ metrics });
  assert.deepEqual([kept.decision, kept.keep, exitCodeOf(kept)], ['faster', true, 0]);
  const early = judged({ metrics, pairs: 2, stopped: 'planned' });
  assert.deepEqual([early.decision, early.keep], ['faster', null]);
  assert.match(early.reason, /nothing is kept after fewer than three runs/);
});

test('one run may reject what is obviously bad, and nothing else', () => {
  const cpu = metric(1.7, Infinity, 'unclear');
  const metrics = { wall: metric(2.2, Infinity, 'unclear'), cpu, instructions: null };
  const one = { metrics, pairs: 1, stopped: 'planned' };
  const bad = judged({ ...one, ratios: [[2.2], [1.7]] });
  assert.deepEqual([bad.decision, bad.keep], ['slower', false]);
  assert.match(bad.reason, /^obviously: wall time \+120\.0 % or worse/);
  // A busy machine makes wall time long, and leaves CPU time nearly as it was.
  assert.equal(judged({ ...one, ratios: [[2.2], [1.1]] }).decision, 'inconclusive');
  assert.equal(judged({ ...one, ratios: [[1.63], [1.36]] }).decision, 'inconclusive', 'was seen');
  assert.equal(judged({ ...one, ratios: [[1.2], [1.2]] }).decision, 'inconclusive');
  assert.equal(judged({ ...one, ratios: [[0.5], [0.5]] }).decision, 'inconclusive');
  const tiny = { ...cpu, base: 1, candidate: 1.7 };
  const started = judged({ ...one, metrics: { ...metrics, cpu: tiny }, ratios: [[2.2], [1.7]] });
  assert.equal(started.decision, 'inconclusive', 'a millisecond is nobody’s build');
  assert.equal(judged({ ...one, pairs: 3, ratios: [[2], [2]] }).decision, 'inconclusive');
});

test('a flat wall time with clearly less work may be kept, with more it is rejected', () => {
  const flat = (
    /** @type {MetricSummary | null} */ cpu,
    /** @type {MetricSummary | null} */ instructions,
  ) => judged({ metrics: { wall: SAME, cpu, instructions } });
  const better = flat(metric(0.95, 0.01, 'faster'), null);
  assert.deepEqual([better.decision, better.keep, exitCodeOf(better)], ['no-difference', true, 0]);
  assert.match(better.reason, /clearly less work: CPU time -5\.00 %/);
  assert.equal(flat(SAME, metric(0.9, 0.001, 'faster')).keep, true);
  assert.equal(flat(metric(1.05, 0.01, 'slower'), null).keep, false);
  const torn = flat(metric(1.05, 0.01, 'slower'), metric(0.9, 0.01, 'faster'));
  assert.equal(torn.keep, null);
  assert.match(torn.reason, /disagree/);
});

test('a change that only moves percentages about is rejected; nothing at all is no reason', () => {
  const moved = judged({ moved: 3 });
  assert.deepEqual([moved.decision, moved.keep], ['no-difference', false]);
  assert.match(moved.reason, /only moves percentages about \(3 hotspots changed their shares\)/);
  assert.equal(exitCodeOf(moved), 0, 'it is not slower');
  assert.equal(judged({ moved: 0 }).keep, null);
  assert.equal(judged({ moved: null }).keep, null);
});

test('percentages never decide: hotspots that moved do not make it faster or slower', () => {
  const wall = metric(1.01, 0.05, 'unclear');
  const verdict = judged({
    ...{ metrics: { wall, cpu: SAME, instructions: null }, moved: 40, stopped: 'most' },
  });
  assert.deepEqual(
    [verdict.decision, verdict.keep, exitCodeOf(verdict)],
    ['inconclusive', null, 1],
  );
});

test('where wall time cannot tell, CPU time is shown and does not decide', () => {
  const wall = metric(1.02, 0.3, 'unclear');
  const cpu = metric(1.04, 0.01, 'slower');
  const verdict = judged({
    metrics: { wall, cpu, instructions: null },
    stopped: 'hopeless',
    pairs: 24,
  });
  assert.equal(verdict.decision, 'inconclusive');
  assert.match(verdict.reason, /^this machine is too noisy .* CPU time is higher: \+4\.00 %/);
});

test('another metric decides where it was asked for, and wall time is still told', () => {
  const wall = metric(1.02, 0.3, 'unclear');
  const cpu = metric(1.04, 0.01, 'slower');
  const metrics = { wall, cpu, instructions: null };
  const verdict = judged({ metrics, metric: 'cpu' });
  assert.deepEqual([verdict.decision, verdict.metric], ['slower', 'cpu']);
  assert.equal(verdict.wallRatio, 1.02);
  assert.match(verdict.reason, /^CPU time \+4\.00 %/);
});

test('stopped half way: nothing is decided, what there is is said', () => {
  const wall = metric(1.5, 0.1, 'slower');
  for (const stopped of /** @type {const} */ (['aborted', 'failed'])) {
    const metrics = { wall, cpu: SAME, instructions: null };
    const verdict = judged({ metrics, stopped, pairs: 4 });
    assert.deepEqual([verdict.decision, verdict.keep], ['inconclusive', null]);
    assert.match(verdict.reason, /so far wall time \+50\.0 %/);
  }
  const nothing = judged({ metrics: { wall: null, cpu: null }, stopped: 'aborted', pairs: 0 });
  assert.deepEqual([nothing.wallRatio, nothing.interval], [null, null]);
  assert.match(nothing.reason, /no pair of runs is whole/);
});
