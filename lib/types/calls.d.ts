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
  /** From ns, below ns, calls. */
  histogram: [number, number, number][];
  /** symbol null: no traced function called it. */
  callers: { symbol: string | null; calls: number; selfNs: number; totalNs: number }[];
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
  warnings: { code: string; message: string; fix: string }[];
}

export interface FunctionTrace {
  readonly functionCount: number;
  stop(): TraceSummary;
  /** After stop(), where `output` was given. Gives the place it wrote to. */
  write(file: string, options: { format: 'parquet' | 'perfetto' }): string;
  [Symbol.dispose](): void;
}

export function trace(options: TraceOptions): FunctionTrace;
