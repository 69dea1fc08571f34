/** The columns that the addon hands over. docs/raw-profile.md says what each field means. */
export interface RawProfile {
  strings: string[];
  meta: RawMeta;
  threads: {
    tid: Uint32Array;
    name: Uint32Array;
    startNs: Float64Array;
    endNs: Float64Array;
  };
  modules: {
    path: Uint32Array;
    name: Uint32Array;
    buildId: Uint32Array;
    start: Float64Array;
    end: Float64Array;
    flags: Uint8Array;
  };
  funcs: {
    name: Uint32Array;
    symbol: Uint32Array;
    module: Int32Array;
    crate: Int32Array;
    kind: Uint8Array;
    file: Int32Array;
    line: Uint32Array;
    column: Uint32Array;
    tier: Uint8Array;
    named: Uint8Array;
    /** An address in the function, as its file's symbols count; the kernel's less 2^64; 0: none. */
    address?: Float64Array;
  };
  nodes: { parent: Int32Array; func: Int32Array; inline: Uint8Array };
  samples: {
    timeNs: Float64Array;
    thread: Uint32Array;
    cpu: Uint16Array;
    node: Uint32Array;
    weight: Float64Array;
    end: Uint8Array;
    flags: Uint8Array;
    /** What the weight is time of: 0 running, 1 blocked, 2 preempted. Files from before have none. */
    state?: Uint8Array;
    /** Of several events, which; split by profile/events.js. */
    event?: Uint8Array;
  };
  quality: RawQuality;
  /** Of a recording of memory: resident bytes over time. */
  resident?: { timeNs: Float64Array; bytes: Float64Array };
  /** The same of V8, added by JavaScript. */
  memory?: RawMemory;
  /** As the addon gives native allocations: a row for each sample. Not in a profile, which has `native`. */
  allocations?: {
    timeNs: Float64Array;
    /** 0: not freed; 1: not known. */
    freedNs: Float64Array;
    bytes: Float64Array;
    thread: Uint32Array;
    cpu: Uint16Array;
    node: Uint32Array;
    end: Uint8Array;
    flags: Uint8Array;
  };
  allocated?: RawAllocated;
  /** What memory/native.js makes of the two; their samples are events beside the first. */
  native?: RawNative;
}

/** What was counted beside the samples of native allocations. */
export interface RawAllocated {
  /** Bytes between two samples of a thread, in the mean. */
  meanBytes: number;
  /** Of malloc and its kin, each thread's up to its last sample. */
  calls: number;
  dropped: number;
  notFollowed: number;
  missedFrees: number;
  /** 0: it went on to the recording's end. */
  endNs: number;
  slots: number;
  modules: number;
  refusedSlots: number;
  /** What a call and its free take longer; measured at the start. */
  callNs: number;
  walkMs: number;
  costPercent: number;
  /** Why it ended by itself; '': it did not. */
  detached: '' | 'cost' | 'samples';
}

export interface RawNative extends RawAllocated {
  all: import('../index').AllocatedTotal;
  peak: import('../index').AllocatedTotal;
  live: import('../index').AllocatedTotal;
  peakNs: number;
  unknown: number;
  bindingShare: number | null;
  curve: { timeNs: Float64Array; bytes: Float64Array };
}

export interface RawMemory {
  /** Bytes of the recording thread's isolate. */
  heap: { timeNs: Float64Array; used: Float64Array; total: Float64Array; external: Float64Array };
  /** Bytes between two samples, in the mean. */
  sampleBytes: number;
  allocations: import('../index').AllocationRow[];
  /** The inspector's, for Chrome DevTools. */
  heapProfile?: { head: object };
}

/** What tables show of a profile with waits: those alone, the whole of the threads' time, or what was chosen of it. */
export type View = NonNullable<import('../index').ProfileMeta['view']>;

/** An event of several. Until profile/events.js has scaled them, its weights are too small by `scaledBy`. */
export type RawEvent = NonNullable<import('../index').ProfileMeta['events']>[number];

export interface RawMeta {
  /** In the order in which samples.event counts them. */
  events?: RawEvent[];
  /** Of the event, between two samples; frequency is 0 then. */
  period?: number;
  event: string;
  requestedEvent: string;
  unit: string;
  frequency: number;
  callGraph: string;
  startNs: number;
  endNs: number;
  startUnixMs: number;
  cpus: number;
  pid: number;
  journal?: string; // its file, to be removed once the profile is safe; taken out by session.js
  kernel: string;
  /** uname's word for the machine; files from before it was noted are of x86_64. */
  arch?: string;
  hasKernel: boolean;
  hasPmu: boolean;
  /** Where waits were recorded: with stacks of their own, or by their times alone. */
  switches?: 'event' | 'records';
  view?: View;
  /** Where a budget was given. */
  budget?: import('../index').Budget;
  /** Of an imported file: the command that was recorded. */
  command?: string;
}

export interface RawQuality extends Partial<import('../index').QualityCounters> {
  samples: number;
  lost: number;
  throttled: number;
  complete: number;
  truncated: number;
  joined: number;
  broken: number;
  unnamedLeaf: number;
  handlerDropped: number;
  unmatchedStacks: number;
  /** samples with a caller that was found without unwind rows */
  guessed?: number;
  ringBytes: number;
  byObject: { object: string; samples: number; broken: number; reason: string }[];
  cost: { cpuMs: number; peakBytes: number; finishMs: number; handlerMs: number };
  warnings: { code: string; message: string; fix: string }[];
}

export type Marker = import('../index').Marker;

/** An event as the addon's counters opened it. */
export interface CountedEvent {
  /** As it was asked for. */
  name: string;
  /** As it was opened: 'instructions:u'. */
  event: string;
  /** The kernel's name of it, however it was spelt; '' where it has none. */
  generic: string;
  unit: string;
  /** -1: alone. */
  group: number;
  /** Why it is not counted; '' where it is. */
  reason: string;
}

/** The addon's counters, src/perf/count.h; the handle goes to the other functions. */
export interface CountAddon {
  countOpen(options: {
    events: string;
    scope: 'self' | 'command' | 'process' | 'cpus';
    optional?: boolean;
    pid?: number;
    cpus?: string;
  }): {
    handle: unknown;
    events: CountedEvent[];
    warnings: { code: string; message: string; fix: string }[];
  };
  countEnable(handle: unknown): void;
  countDisable(handle: unknown): void;
  /** For each event its value, the ns that it was wanted and the ns that it was counted. */
  countRead(handle: unknown, ending: boolean): Float64Array;
  countClose(handle: unknown): void;
  /** CPU time of the children that have ended. */
  childrenUsage(): { userMs: number; systemMs: number };
}

/** What the addon exports. */
export interface NativeAddon
  extends Partial<CountAddon>, Partial<import('../calls/native').NativeCalls> {
  start(options: Record<string, unknown>): unknown;
  stop(handle: unknown): Promise<RawProfile>;
  stopSync(handle: unknown): RawProfile;
  dump(handle: unknown): Promise<RawProfile>;
  dumpSync(handle: unknown): RawProfile;
  discard(handle: unknown): void;
  forget(handle: unknown, beforeNs: number): void;
  /** Lines for the journal, besides or instead of those before; false: there is no room. */
  note?(handle: unknown, text: string, replaces: boolean): boolean;
  attachIsolate?(): void;
  events(): import('../index').EventInfo[];
  importPerfData(
    file: string,
    options?: { perfMap?: string; event?: string; pid?: number },
  ): Promise<RawProfile>;
  recoverJournal(file: string): { raw: RawProfile; about: string; notes?: string };
  isJournalHeld?(file: string): boolean;
  /** [file, line, column] of a function; null: it has no source; undefined: this node cannot tell. */
  functionPlace?(fn: unknown): [string, number, number] | null | undefined;
  /** Every process of the machine into a perf.data; systemStop() ends it. */
  systemStart?(options: object): {
    event: string;
    frequency: number;
    warnings: { code: string; message: string; fix: string }[];
  };
  systemStop?(): void;
  /** How many samples each process of a perf.data has; 0: the kernel's own. */
  perfDataProcesses?(file: string): { pid: number; samples: number }[];
  /** Who is at the other end of a Unix socket, as the kernel noted it. */
  socketPeer?(fd: number): { pid: number; uid: number };
  /** Names for virtual addresses of a file; null: none. `kind` is that of funcs.kind. */
  symbolize?(
    file: string,
    addresses: Float64Array,
  ): {
    buildId: string;
    hasSymbols: boolean;
    names: ({ name: string; symbol: string; crate: string; kind: number } | null)[];
  };
  /** Gives freed memory back to the system. */
  trim?(): void;
  probe(
    event: string,
    period?: number,
    cpus?: string,
  ): {
    ok: boolean;
    code: string;
    message: string;
    event?: string; // what opens instead
    warnings?: { code: string; message: string; fix: string }[];
  };
}
