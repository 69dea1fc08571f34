// Every call of chosen functions.

/** What trace() follows, in this very process. Probes need root, XRay does not; see docs/function-trace.md. */
export interface TraceOptions {
  /** Names of functions, as `rspack-prof symbols` shows them. */
  functions?: RegExp | string;
  /** A file with names, one a line. */
  list?: string;
  /** Programs, libraries and .node files to look in; the rspack binding, node and libc unless given. */
  objects?: string[];
  /** Events of the N outermost calls only. */
  depth?: number;
  /** A function is dropped after so many calls. */
  limit?: number;
  /** Per cent of this process's own CPU time; the dearest functions are dropped above it. 100 unless given. */
  budget?: number;
  /** Samples per second taken beside it, 0: none. 199 unless given. */
  frequency?: number;
  /** By XRay sleds or by probes; 'auto' takes sleds where every function has them in this process. */
  method?: 'auto' | 'probes' | 'xray';
  /** A folder, not there yet, for the events; without it only figures are kept. */
  output?: string;
  /** Follow the jobs of rayon and tokio from who hands them over to who runs them (by probes). */
  flows?: boolean;
  /** The whole stack at each so-many-th entry, as a profile (by probes; needs `output`). */
  stacks?: number;
  /** Phases, taps, loaders and measures beside the calls; on where `output` is given. */
  spans?: boolean;
  /** With spans: rspack's own too, as start() takes it: 'stages', 'OVERVIEW', 'target=level,..'. */
  trace?: string;
}

export interface TracedFunction {
  symbol: string;
  object: string;
  calls: number;
  selfNs: number;
  totalNs: number;
  /** null here and below: no call's end was seen. */
  meanNs: number | null;
  minNs: number | null;
  p50Ns: number | null;
  p99Ns: number | null;
  maxNs: number | null;
  /** Calls that were left by an exception, by longjmp, or by their thread's end. */
  unseen: number;
  /** Calls that never returned. */
  open: number;
  callsOnly: boolean;
  samples: number;
  /** With `flows`: jobs that its calls handed over and that ran outside of them, and what those took. */
  spawned: number;
  spawnedNs: number;
  /** It runs such jobs itself. */
  runs: 'rayon' | 'tokio' | null;
  /** From ns, below ns, calls. */
  histogram: [number, number, number][];
  /** symbol null: no traced function called it. */
  /** crossed: by way of a job that the caller handed over. */
  callers: {
    symbol: string | null;
    crossed: boolean;
    calls: number;
    selfNs: number;
    totalNs: number;
  }[];
}

/** As `rspack-prof trace --json` prints it. */
export interface TraceSummary {
  schema: 1;
  meta: { command: string; durationMs: number; startUnixMs: number; method: string };
  functions: TracedFunction[];
  cost: {
    emulatedNs: number;
    steppedNs: number;
    hits: number;
    ns: number;
    cpuNs: number;
    share: number;
  };
  dropped: { symbol: string; calls: number; reason: 'limit' | 'budget'; atMs: number }[];
  quality: Record<string, number>;
  threads: { pid: number; tid: number; name: string }[];
  sampling: { samples: number; outside: number; periodNs: number };
  /**
   * With `flows`: jobs of rayon and tokio that ran; of them handed over by a traced call and run outside of
   * it, run inside of it, handed over outside of all traced calls, and by nobody that was seen.
   */
  flows: {
    jobs: number;
    matched: number;
    inside: number;
    outside: number;
    unknown: number;
  } | null;
  /** With `spans`: what JavaScript did beside the calls, longest first. */
  spans?: TraceSpan[];
  /** With `stacks`: a profile whose samples are entries; `read()` opens it. */
  stacks?: { file: string; period: number; samples: number; completeShare: number };
  warnings: { code: string; message: string; fix: string }[];
}

export interface TraceSpan {
  /** 'phase', 'build', 'child', 'tap', 'loader', 'measure', 'rspack' */
  kind: string;
  name: string;
  calls: number;
  /** Up to its callback, or to the end of its promise. */
  totalNs: number;
  /** What it ran before it returned; 0 where that is not known apart. */
  ownNs: number;
  maxNs: number;
}

export interface FunctionTrace {
  readonly functionCount: number;
  stop(): TraceSummary;
  /** After stop(), where `output` was given. Gives the place it wrote to. */
  write(file: string, options: { format: 'parquet' | 'perfetto' }): string;
  [Symbol.dispose](): void;
}

export function trace(options: TraceOptions): FunctionTrace;
