// Types of rspack-prof/assert: the matchers of rspack-prof/jest as functions that throw an AssertionError,
// with the code ERR_PROF_INCONCLUSIVE where the samples cannot decide.

import type { BuildProfile, PerfMatchers } from './assert/types';
import type { Profile } from './index';

export * from './assert/types';
export { read } from './index';

type Arguments<Name extends keyof PerfMatchers> = Parameters<PerfMatchers[Name]>;

export interface PerfAssertions {
  spendsAtMost(profile: Profile, ...args: Arguments<'toSpendAtMost'>): void;
  hasHotspot(profile: Profile, ...args: Arguments<'toHaveHotspot'>): void;
  callsNative(profile: Profile, ...args: Arguments<'toCallNative'>): void;
  doesNotRegress(profile: Profile, ...args: Arguments<'toNotRegress'>): void;
  staysWithin(
    profile: BuildProfile,
    limits: import('./assert/types').Limits,
    baseline: string | BuildProfile,
    options?: { confidence?: number },
  ): void;
  staysWithin(profile: BuildProfile, limits: import('./assert/types').Limits<number>): void;
}

export const spendsAtMost: PerfAssertions['spendsAtMost'];
export const hasHotspot: PerfAssertions['hasHotspot'];
export const callsNative: PerfAssertions['callsNative'];
export const doesNotRegress: PerfAssertions['doesNotRegress'];
export const staysWithin: PerfAssertions['staysWithin'];
/** The opposite of each; what is inconclusive fails here too. */
export const not: PerfAssertions;
