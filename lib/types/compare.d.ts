// Two sides of a build in turn: which is faster, where, and whether to keep it. docs/compare.md

import type { Kind, Profile, Warning } from './profile';

export type CompareMetric = 'wall' | 'cpu' | 'instructions';

export interface CompareOptions {
  /** What both sides run, unless one has a command of its own: `['npx', 'rspack', 'build']`. */
  command?: string[];
  /** A side's own command, a shell's line. */
  base?: string;
  candidate?: string;
  /** A side's binding: the file for `RSPACK_BINDING`. */
  baseBinding?: string;
  candidateBinding?: string;
  /** Timed runs of each side. Default `'auto'`: until it is decided. */
  runs?: number | 'auto';
  /** Runs of each side before, not counted. Default 1. */
  warmup?: number;
  /** Differences below it count as none. Default 0.02: two per cent. */
  margin?: number;
  /** What decides. Default `'wall'`. */
  metric?: CompareMetric;
  /** After so long no pair of runs begins. */
  minutes?: number;
  /** A shell's line before each run, not timed. */
  prepare?: string;
  /** `'cold'`: the build's cache is removed before each run. Default `'warm'`. */
  cache?: 'warm' | 'cold';
  /** Which, with `'cold'`. Default `'node_modules/.cache/rspack'`; only one below `cwd`. */
  cacheFolder?: string;
  /** Profiled runs of each side after the timed ones. Default 2; 0 for none. */
  profiles?: number;
  /** Of those, samples per second and CPU. Default 1000. */
  frequency?: number;
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Ends the run under way with all that it started; the result tells what there is. */
  signal?: AbortSignal;
  onProgress?: (progress: CompareProgress) => void;
}

export interface CompareProgress {
  stage: 'warm-up' | 'timed' | 'profiled';
  /** Runs that are done, and how many there will be; null: nobody knows. */
  done: number;
  all: number | null;
  /** What was known at the newest look. */
  judgement: CompareJudgement | null;
}

export interface CompareJudgement {
  finding: 'faster' | 'slower' | 'no-difference' | 'unclear';
  /** Candidate by base. */
  ratio: number;
  interval: [number, number] | null;
  pairs: number;
  confidence: number;
}

export interface CompareVerdict {
  decision: 'faster' | 'slower' | 'no-difference' | 'inconclusive';
  /** null: speed does not decide that. */
  keep: boolean | null;
  reason: string;
  wallRatio: number | null;
  interval: [number, number] | null;
  metric: CompareMetric;
}

export interface MetricComparison {
  unit: string;
  /** Medians of the runs. */
  base: number;
  candidate: number;
  /** Candidate by base, from the pairs of runs, and the interval of 95 % or better. */
  ratio: number | null;
  interval: [number, number] | null;
  finding: 'faster' | 'slower' | 'no-difference' | 'unclear';
}

export interface ComparedRun {
  side: 'base' | 'candidate';
  /** 0 is the first timed run of both sides. */
  order: number;
  startMs: number;
  wallMs: number;
  userMs: number;
  sysMs: number;
  instructions: number | null;
  peakBytes: number;
  majorFaults: number;
  /** Processes that outlived the command and were ended. */
  left: number;
  /** CPUs that other work kept busy meanwhile, and the host's other guests. */
  othersCpus: number | null;
  stolenCpus: number | null;
}

export interface ComparedCost {
  object?: string;
  crate?: string;
  kind?: Kind;
  /** ms of CPU time of one build: candidate minus base, and its 95 % interval. */
  delta: number;
  interval: [number, number];
  baseMs: number;
  candidateMs: number;
  baseShare: number;
  candidateShare: number;
  /** More than chance explains. */
  isSignificant: boolean;
  /** The same of its share. */
  isMoved: boolean;
}

export interface ComparedBinding {
  file: string;
  version: string | null;
  symbols: boolean | null;
  buildId: string;
  /** Of its code: the same for a stripped copy and its original. */
  textSha256: string;
  bytes: number;
}

/** What `rspack-prof compare --json` prints. */
export interface Comparison {
  schema: 1;
  verdict: CompareVerdict;
  confidence: number;
  margin: number;
  startedAt: string;
  metrics: Record<
    'wall' | 'cpu' | 'user' | 'sys' | 'instructions' | 'memory',
    MetricComparison | null
  >;
  runs: {
    pairs: number;
    planned: number | 'auto';
    warmup: number;
    cache: 'warm' | 'cold';
    stopped: 'decided' | 'planned' | 'most' | 'hopeless' | 'time' | 'aborted' | 'failed';
    /** A for each run of the base, B for the candidate's. */
    order: string;
    looks: CompareJudgement[];
    base: ComparedRun[];
    candidate: ComparedRun[];
  };
  sides: { base: { title: string }; candidate: { title: string } };
  hotspots: (ComparedCost & { symbol: string })[];
  /** Empty where one side alone has symbols for a file. */
  crates: (ComparedCost & { crate: string })[];
  objects: (ComparedCost & { object: string })[];
  phases: (ComparedCost & { phase: string })[];
  profiled: {
    /** Of each side. */
    runs: number;
    samples: { base: number; candidate: number };
    event: string | null;
    dispersion: number | null;
    significant: number;
    withinNoise: number;
    moved: number;
    /** Files for which one side alone has symbols. */
    halfNamed: string[];
  };
  machine: {
    othersCpus: number | null;
    stolenCpus: number | null;
    /** How much slower the machine was at the end; null where that was chance. */
    drift: number | null;
    outliers: { side: string; order: number; wallMs: number; ratio: number }[];
    leftProcesses: number;
  };
  environment: {
    rspackProf: string;
    node: string;
    rspack: string | null;
    kernel: string;
    cpu: string;
    cpus: number;
    virtual: boolean;
    governor: string | null;
    memoryBytes: number;
    paranoid: number | null;
    folder: string;
    bindings: { base: ComparedBinding | null; candidate: ComparedBinding | null };
  };
  warnings: Warning[];
}

export interface Compared {
  result: Comparison;
  /** Of all profiled runs of a side; null where there are none. */
  profiles: { base: Profile; candidate: Profile } | null;
}

/**
 * Rejects before anything runs where it is asked for what cannot be, and with the `result` of what was
 * measured until then (a property of the error) where a run fails.
 */
export function compare(options: CompareOptions): Promise<Compared>;
