// What the addon's functions for function tracing take and give (src/addon/calls*.c). Ids of
// functions are their places in `functions`.

export interface NativeSymbols {
  name: string[];
  /** What callsSites() and callsStart() take. */
  row: Uint32Array;
  address: Float64Array;
  size: Float64Array;
}

export interface NativeSites {
  /** Probes at instructions that the kernel emulates, and at those that it steps through. */
  emulated: Uint32Array;
  stepped: Uint32Array;
  callsOnly: Uint8Array;
  mayLeaveUnseen: Uint8Array;
  entryEmulated: Uint8Array;
}

export interface NativeFunctions {
  name: string[];
  objects: string[];
  address: Float64Array;
  size: Float64Array;
  object: Uint32Array;
  probes: Uint32Array;
  callsOnly: Uint8Array;
  mayLeaveUnseen: Uint8Array;
  /** flows.js */
  role: Uint8Array;
  /** Of callsStart() by probes: the number of the entries' event, 0: none was wanted. */
  entriesEvent?: number;
}

export interface NativeTrace {
  method: 'uprobe' | 'xray';
  emulatedNs: number;
  steppedNs: number;
  startNs: number;
  endNs: number;
  hits: number;
  unmatched: number;
  tooDeep: number;
  deeper: number;
  twice: number;
  noMemory: number;
  jobs: number;
  jobsCrossed: number;
  jobsInside: number;
  jobsOutside: number;
  lost: number;
  samples: number;
  samplePeriodNs: number;
  samplesOutside: number;
  refusedSites: number;
  events: number;
  eventBytes: number;
  missedEvents: number;
  spillErrno: number;
  costNs: number;
  cpuNs: number;
  dropFailed: boolean;
  functions: NativeFunctions;
  tally: Record<
    | 'calls'
    | 'timed'
    | 'unseen'
    | 'open'
    | 'selfNs'
    | 'totalNs'
    | 'sumNs'
    | 'minNs'
    | 'maxNs'
    | 'samples'
    | 'spawned'
    | 'spawnedNs'
    | 'p50Ns'
    | 'p99Ns',
    Float64Array
  >;
  histogram: {
    func: Uint32Array;
    fromNs: Float64Array;
    toNs: Float64Array;
    count: Uint32Array;
  };
  /** caller -1: none is traced. */
  pairs: {
    func: Uint32Array;
    caller: Float64Array;
    /** By way of a job that the caller handed over. */
    crossed: Uint8Array;
    calls: Float64Array;
    selfNs: Float64Array;
    totalNs: Float64Array;
  };
  /** reason 0: --limit, 1: the budget. */
  drops: { func: Uint32Array; reason: Uint8Array; calls: Float64Array; atNs: Float64Array };
  threads: { pid: Uint32Array; tid: Uint32Array; name: string[] };
}

export interface NativeCallsOptions {
  /** roles: of each row (flows.js); without them none has any. */
  objects: { path: string; rows: Uint32Array; roles?: Uint8Array }[];
  command: boolean;
  events?: string;
  depth?: number;
  limitCalls?: number;
  budgetPercent?: number;
  sampleHz?: number;
  method?: 'auto' | 'probes' | 'xray';
  /** Above 0: an event of all entries is made (entriesEvent), by probes. */
  stackPeriod?: number;
}

export interface NativeCalls {
  callsSymbols(path: string): NativeSymbols;
  callsSites(path: string, rows: Uint32Array): NativeSites;
  callsCost(): { emulatedNs: number; steppedNs: number };
  callsStart(options: NativeCallsOptions): NativeFunctions;
  callsSleds(options: Pick<NativeCallsOptions, 'objects'>): { functions: number; sleds: number };
  callsBegun(pid: number): void;
  callsStop(): NativeTrace;
}
