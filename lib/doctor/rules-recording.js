'use strict';
// Rules about what happened in a recording: what was lost, cut, guessed, and what it cost.

const { grouped, inPercent } = require('../grouped.js');
const { TIMERS, bindingOf } = require('./profile-facts.js');

/** @typedef {import('./rules').Rule} Rule */
/** @typedef {import('../profile/raw').RawProfile} RawProfile */

/** Below this, a share of 1 % is 5 samples, and its error is as large as itself. */
const FEW_SAMPLES = 500;
const GOOD_COMPLETE_SHARE = 0.98;
/** Guessed callers and the profiler's own cost are told from here on. */
const GUESSED_SHOWN_FROM = 0.05;
const COST_SHOWN_FROM = 0.05;
/** Starting costs 10 to 60 ms at any frequency: below this it is most of the cost. */
const COST_TOLD_FROM_MS = 1000;

/** Of an object that broken stacks end in. @param {string} object */
const nameOf = (object) =>
  object === 'rspack_prof.node' ? `${object} (the profiler's own library)` : object;

/** The command with half as many samples. @param {RawProfile} profile */
const halfOf = ({ meta: { period, frequency } }) =>
  `rspack-prof record ${period ? `-c ${2 * period}` : `-F ${Math.max(1, Math.floor(frequency / 2))}`} -- COMMAND`;

/** @type {Rule[]} */
const RULES = [
  {
    code: 'lost-samples',
    title: 'no samples were lost',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.lost === 0) return null;
      const { lost } = profile.quality;
      return {
        message:
          `${grouped(lost)} records were lost beside ${grouped(profile.quality.samples)} samples: ` +
          'the ring buffers were full; a lower rate or a higher mlock limit helps',
        fix: halfOf(profile),
      };
    },
  },
  {
    code: 'throttled',
    title: 'the kernel did not throttle',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.throttled === 0) return null;
      return {
        message:
          `the kernel paused sampling ${grouped(profile.quality.throttled)} times because ` +
          'interrupts cost too much: the moments after are missing',
        fix: halfOf(profile),
      };
    },
  },
  {
    code: 'incomplete-stacks',
    title: 'stacks are complete',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.samples === 0 || profile.meta.callGraph === 'none')
        return null;
      const { complete, samples, byObject } = profile.quality;
      if (complete / samples >= GOOD_COMPLETE_SHARE) return null;
      const [worst] = [...byObject].sort((a, b) => b.broken - a.broken);
      const where = worst?.broken > 0 ? `, most of the others end in ${nameOf(worst.object)}` : '';
      return {
        message:
          `${inPercent(complete / samples)} of the stacks reach their thread's start${where}: ` +
          'totals are too low, self shares are right',
        fix: '',
      };
    },
  },
  {
    code: 'guessed-stacks',
    title: 'no callers were guessed',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.samples === 0) return null;
      const share = (profile.quality.guessed ?? 0) / profile.quality.samples;
      if (share <= GUESSED_SHOWN_FROM) return null;
      return {
        message:
          `${inPercent(share)} of the stacks went through code without unwind tables: their outer part ` +
          'was found by scanning the stack; frames are missing where [N bytes of OBJECT] stands',
        fix: '',
      };
    },
  },
  {
    code: 'profiler-cost',
    title: "the profiler's own cost",
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      // Only time can be compared with time.
      if (!profile || profile.meta.unit !== 'ns') return null;
      const { cpuMs, handlerMs = 0 } = profile.quality.cost;
      const sampledMs = profile.samples.weight.reduce((sum, weight) => sum + weight, 0) / 1e6;
      if (sampledMs < COST_TOLD_FROM_MS) return null;
      // Handlers that waited for a CPU may still count too much: no more than all.
      const share = Math.min(1, (cpuMs + handlerMs) / sampledMs);
      if (share <= COST_SHOWN_FROM) return null;
      // A binding with unwind tables is walked by them; without, each frame is looked for.
      const { guessed = 0, samples } = profile.quality;
      const guessing = bindingOf(profile) !== null && guessed > samples * GUESSED_SHOWN_FROM;
      return {
        message:
          `profiling took ${share < 1 ? '' : 'as much as '}${inPercent(share)} of the time that was sampled: ` +
          `a lower frequency costs less${guessing ? ', and so does a debug binding, whose stacks need no guessing' : ''}`,
        fix: halfOf(profile),
      };
    },
  },
  {
    code: 'few-samples',
    title: 'enough samples',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.samples >= FEW_SAMPLES) return null;
      const { samples } = profile.quality;
      return {
        message: `only ${samples} sample${samples === 1 ? '' : 's'}: small shares are chance`,
        fix:
          profile.meta.frequency < 4000 && profile.meta.event !== TIMERS
            ? 'rspack-prof record -F 4000 -- COMMAND'
            : '',
      };
    },
  },
];

module.exports = { RULES };
