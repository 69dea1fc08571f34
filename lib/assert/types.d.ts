// What rspack-prof/jest, rspack-prof/vitest and rspack-prof/assert have in common. docs/assertions.md.

import type { Profile, SampleFilter, SortKey, StartOptions } from '../index';

/** One of `report --sort`. */
type Key = SortKey | (string & {});

interface Confidence {
  /** How sure an answer must be, 0.5 to below 1. Default 0.95. */
  confidence?: number;
}

export interface SpendOptions extends SampleFilter, Confidence {
  /** What the pattern is matched with. Default `'symbol'`. */
  by?: Key;
  /** Only samples whose leaf matches. Default false: any frame of the stack. */
  self?: boolean;
}

export interface HotspotCheckOptions extends SampleFilter, Confidence {
  /** Share of the samples from which on a row is a hotspot. Default 0.01. */
  atLeast?: number;
  by?: Key;
  /** Default true: the row's own samples; false: its total. */
  self?: boolean;
}

export interface RegressOptions extends SampleFilter, Confidence {
  /** What must not grow. Default `'symbol'`; not `'thread'`. */
  by?: Key;
  /** By how much of the whole a row may grow, 0.005 to 1. Default 0.02: two points. */
  tolerance?: number;
  /** Default true: the rows' own samples; false: their total. */
  self?: boolean;
}

export interface CallNativeOptions extends SampleFilter, Confidence {
  /** With `.not`: the share below which calls may go unseen. Default 0.001. */
  atLeast?: number;
}

export interface Limits<T = number | `${number}%` | `${number} %`> {
  /** In user mode; needs a machine with a hardware PMU, and can be compared across machines. */
  instructions?: T;
  cycles?: T;
  /** Minor and major, of the whole process. */
  pageFaults?: T;
  wallMs?: T;
}

export interface Counters {
  /** Of the profiled runs, or of runs apart (`countRuns`). */
  counted: 'profiled' | 'apart';
  /** Each run's. */
  values: { [name in keyof Limits]?: number[] };
  /** Why a counter is not there. */
  missing: { [name in keyof Limits]?: string };
}

/** The samples of all runs; of each run in `runs`. */
export interface BuildProfile extends Profile {
  readonly runs: Profile[];
  readonly counters: Counters;
  /** A test runner measured coverage meanwhile. */
  readonly isCovered: boolean;
}

export interface ProfileBuildOptions extends Pick<
  StartOptions,
  'event' | 'frequency' | 'callGraph' | 'stackBytes' | 'maxFrames' | 'ringBytes'
> {
  /** Builds that are recorded. Default 3; one alone does not tell how runs differ. */
  runs?: number;
  /** Builds before them. Default 1. */
  warmup?: number;
  /** So many builds more without the profiler, whose counters then count. Default 0. */
  countRuns?: number;
  /** Where @rspack/core and a config file are looked for. Default `process.cwd()`. */
  cwd?: string;
  /** For a config file that exports a function: `mode` of its second argument. */
  mode?: string;
}

/** A config or a compiler that the function gives is built; otherwise what it did was the build. */
export type BuildFunction = (tools: { rspack: any }) => unknown;

/**
 * Runs a real build several times in this process, and gives the profile of all runs. `what`: a config
 * file's name, a config or a list of them, a compiler (which is run again and again, and not closed), or
 * a function. `frequency` is 4000 unless given.
 */
export function profileBuild(
  what: string | object | BuildFunction,
  options?: ProfileBuildOptions,
): Promise<BuildProfile>;

/** The matchers; `R` is what the test runner's matchers return. */
export interface PerfMatchers<R = void> {
  /** `toSpendAtMost(0.2, /^swc_ecma_minifier::/)`: at most a fifth of the samples is in or below it. */
  toSpendAtMost(share: number, pattern: RegExp | string, options?: SpendOptions): R;
  /** A row of the hotspot table that matches has at least such a share. */
  toHaveHotspot(pattern: RegExp | string, options?: HotspotCheckOptions): R;
  /**
   * No row takes more of the whole than in the baseline: a name (`__baselines__/NAME.json` beside the
   * test), a path, or another profile.
   */
  toNotRegress(baseline: string | Profile, options?: RegressOptions): R;
  /** Each counter at most so much above the baseline: `{ instructions: 0.02, wallMs: '10%' }`. */
  toStayWithin(limits: Limits, baseline: string | BuildProfile, options?: Confidence): R;
  /** Each counter at most this: `{ wallMs: 5000 }`. */
  toStayWithin(limits: Limits<number>): R;
  /** JavaScript calls native code, directly or not, whose symbol or file matches. */
  toCallNative(pattern: RegExp | string, options?: CallNativeOptions): R;
}
