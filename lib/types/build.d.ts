// The build's own words: phases, rebuilds, rspack's spans, loaders and plugins, the border between JavaScript and Rust.

import type { WaitReason } from './profile';

/** A build's number, the last one, or the slowest that is no first build. */
export type RebuildChoice = number | 'last' | 'slowest';

export interface Rebuild {
  /** From 1 on, for each compiler. */
  build: number;
  /** The compiler's name, `''` where there is one without a name. */
  compiler: string;
  /** Of a watch, and not of a call of run(). */
  watching: boolean;
  /** Since the recording's start. */
  startMs: number;
  ms: number;
  /** The files that it was for, as rspack says: at most 20 of `changedCount`. */
  changed: string[];
  changedCount: number;
}

export interface PhaseRow {
  name: string;
  /** The compiler's name, `''` where there is one without a name, or outside of compilers. */
  compiler: string;
  /** 1 for the first build, 2 and on for rebuilds of a watch; 0 outside of compilers. */
  build: number;
  /** Since the recording's start; null where only samples at the very edge are left of it. */
  startMs: number | null;
  endMs: number | null;
  /** Time that is charged to this phase: less than `endMs - startMs` where others lie in between. */
  wallMs: number;
  samples: number;
  /** Of the profile's weight, 0 to 1. */
  share: number;
  /** These are counted from samples; null where the event does not tell time. */
  cpuMs: number | null;
  /** `cpuMs / wallMs` */
  busyCores: number | null;
  mainMs: number | null;
  /** The main thread's part of `cpuMs`, 0 to 1. */
  mainShare: number | null;
  /** The main thread's CPU time in windows of five sampling periods in which no other thread ran. */
  mainAloneMs: number | null;
  /** Of a recording with waits: ms by reason, all other threads together. */
  waits?: {
    main: Partial<Record<WaitReason, number>>;
    others: Partial<Record<WaitReason, number>>;
  };
}

/** One of rspack's own spans, all of a name together. */
export interface SpanRow {
  name: string;
  /** The Rust module that opens it. */
  target: string;
  spans: number;
  /** Their lengths and busy times added up: those that ran side by side count each. */
  wallMs: number;
  busyMs: number;
  /** Samples while it was the innermost open span, of all threads. */
  samples: number;
  /** Of those, the ones that lay under one of several spans inside it: which, nothing told. */
  sharedSamples: number;
  /** Weights; total with what lay inside. */
  self: number;
  total: number;
  selfShare: number;
  totalShare: number;
  /** Counted from samples; null where the event does not tell time. */
  selfCpuMs: number | null;
  /** The hottest functions of its samples, with their share of them. */
  symbols: { symbol: string; share: number }[];
}

/** `data` of the marker of type `'trace'`. */
export interface TraceInfo {
  filter: string;
  layer: string;
  /** In this recording; of those, `dropped` (the shortest) are not in the profile. */
  spans: number;
  dropped: number;
  droppedLongestMs: number;
  bytes: number;
  malformed: number;
  /** How sure it is where the trace's clock lies on the samples'. */
  uncertainUs: number;
}

export interface Hint {
  code: string;
  /** Of the profile's whole weight, 0 to 1: what it is about. */
  share: number;
  /** One or two sentences: the number, the place, what others did about it. */
  message: string;
  /** Where most of it is: functions with their share of the whole. */
  places: { symbol: string; share: number }[];
}

/** What a build said of its plugins and loaders while it was recorded. */
export interface BuildNotes {
  /** The first compiler's context, `''` where none was seen. */
  root: string;
  /** A function of a plugin's, with its place as V8 has it (`file` `''`: it has none). */
  taps: {
    plugin: string;
    /** `'apply'` is the plugin's own apply(). */
    hook: string;
    file: string;
    line: number;
    column: number;
    /** null where its calls were not counted: it was tapped after the hook's first call. */
    calls: number | null;
  }[];
  /**
   * JavaScript loaders: `entries` is how often Rust handed them a module (pitching and running). null
   * (and the taps' `calls`) in a part of a recording: only the whole was counted.
   */
  loaders: { path: string; runs: number | null; entries: number | null }[];
}

/** Event weight (`total`), and what ran in it: `js` and `rust` add up to it. */
export interface BorderCost {
  samples: number;
  total: number;
  js: number;
  rust: number;
  /** Of the profile's weight, 0 to 1. */
  share: number;
  /** null where the event does not tell time. */
  ms: number | null;
}

export interface BorderCaller {
  caller: string;
  callee: string;
  samples: number;
  /** What ran in the callee and below it. */
  total: number;
  share: number;
  ms: number | null;
}

/** The border between JavaScript and Rust: docs/loaders-and-plugins.md. */
export interface Border {
  unit: string;
  /** Whether calls and runs were counted; false: the build was not followed. */
  counted: boolean;
  /** Several hooks: one function is tapped on all of them. */
  hooks: ({ plugin: string; hooks: string[]; calls: number | null } & BorderCost)[];
  /** `toldByFile`: of the samples, those that were told by their file or package. */
  loaders: ({
    loader: string;
    runs: number | null;
    entries: number | null;
    toldByFile: number;
  } & BorderCost)[];
  /** Making values, reading them, calling across: by Node-API's function. */
  conversion: Omit<BorderCost, 'js' | 'rust'> & {
    rows: ({ name: string } & Omit<BorderCost, 'js' | 'rust'>)[];
  };
  rustToJs: BorderCaller[];
  jsToRust: BorderCaller[];
}
