// Events counted around a function, without samples.

import type { Warning } from './profile';

export interface StatOptions {
  /**
   * As perf spells them, `'instructions:u,page-faults'` or a list; `{a,b}` is a group. An event that
   * cannot be counted here is an error. Default: perf stat's set and the cache's, of which those that
   * do not count here have `value: null` and a `reason`.
   */
  events?: string | string[];
  /** The function is called so many times, 1 to 1000. Default 1. */
  repeat?: number;
}

export interface StatFigure {
  /** The mean of the runs. */
  value: number;
  unit: string;
  /** Standard error of that mean as a share of it (perf's `+-`); null of a single run. */
  spread: number | null;
}

export interface StatEvent {
  /** The mean of the runs; null where it was not counted, which `reason` explains. */
  value: number | null;
  unit: string;
  /** What was opened, 'page-faults:uk'; ':u' where the kernel part is refused. */
  event: string;
  /** 1, or the factor that the value was scaled by since the event shared a counter (the largest of the runs). */
  scaledBy: number;
  spread: number | null;
  runs: number[];
  reason: string;
}

export interface StatCounts {
  /** By the names that were asked for. */
  events: Record<string, StatEvent>;
  /** cpusUsed, ghz, ipc, branchMissRate, .. of the events there are. `of`: the events that it is made of. */
  derived: Record<string, StatFigure & { of: string[] }>;
}

/** A build phase, or the time `'before'`, `'between'` and `'after'` them. */
export interface StatPhase extends StatCounts {
  name: string;
  compiler: string;
  build: number;
  /** Runs that had it. */
  runs: number;
  wallMs: StatFigure;
}

export interface StatResult extends StatCounts {
  schema: 1;
  scope: string;
  command?: string;
  runs: number;
  wallMs: StatFigure;
  /** CPU time; null where it is not known (whole CPUs, other processes). */
  userMs: StatFigure | null;
  systemMs: StatFigure | null;
  /** Empty where nothing was built. */
  phases: StatPhase[];
  warnings: Warning[];
}

/**
 * Counts what a function does: in every thread of this process, and in threads and processes that it
 * starts. `value` is what the function returned last, and not enumerable.
 */
export function stat<T>(
  work: () => T | Promise<T>,
  options?: StatOptions,
): Promise<StatResult & { readonly value: T }>;
