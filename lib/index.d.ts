/// <reference types="node" />

export type ProfErrorCode =
  | 'ERR_PROF_PERMISSION'
  | 'ERR_PROF_UNSUPPORTED_PLATFORM'
  | 'ERR_PROF_NO_PMU'
  | 'ERR_PROF_BAD_EVENT'
  | 'ERR_PROF_BAD_OPTION'
  | 'ERR_PROF_BUSY'
  | 'ERR_PROF_NOT_RUNNING'
  | 'ERR_PROF_TOO_MANY_FILES'
  | 'ERR_PROF_MEMORY_LOCK'
  | 'ERR_PROF_BAD_FILE'
  | 'ERR_PROF_INCONCLUSIVE'
  | 'ERR_PROF_NO_MEMORY'
  | 'ERR_PROF_SYSTEM';

/** Every error that the package throws on purpose. `message` is one line that says what to do. */
export class ProfError extends Error {
  constructor(
    code: ProfErrorCode,
    message: string,
    more?: { errno?: number; syscall?: string; cause?: unknown },
  );
  readonly code: ProfErrorCode;
  readonly errno?: number;
  readonly syscall?: string;
}

export interface StartOptions {
  /**
   * perf's name of the event. Default `'cycles:uk'`; what really opened is in `profile.meta.event`.
   * Several, `'cpu-clock,page-faults'` or a list, are recorded side by side: `profile.event(name)`.
   */
  event?: string | string[];
  /** Samples per second and CPU, 1 to 100,000; `'max'`: what the kernel allows. Default 1000. */
  frequency?: number | 'max';
  /** Instead of a frequency: a sample after so many of the event. docs/events.md has the least values. */
  period?: number;
  /** Samples on these CPUs alone: `'0-2,5'`. */
  cpus?: string;
  /** `'full'`: each thread walks its own stack; `'dwarf'`: copies of the stack; `'none'`: leaves only. */
  callGraph?: 'full' | 'dwarf' | 'none';
  /** Bytes of stack copied per sample where stacks are copied, 256 to 65,528. */
  stackBytes?: number;
  /** With callGraph 'dwarf': a perf.data that keeps the kernel's records as they came. */
  raw?: string;
  /**
   * Where threads wait, and for what: tables then show these waits, with the time as the weight. Takes
   * `cpu-clock` as the event. docs/off-cpu.md
   */
  offCpu?: boolean;
  /** The same, and tables show all of the threads' time: where they ran and where they waited. */
  wall?: boolean;
  /**
   * Page faults by stack (the event, unless another one is asked for), resident memory and V8's heap over
   * time, and which JavaScript functions allocate. docs/memory.md
   */
  memory?: boolean;
  /** The longest stack kept. 1 to 65,536. Default 4096; a longer one counts as truncated. */
  maxFrames?: number;
  /** Bytes of ring buffer per CPU, 65,536 to 67,108,864. Chosen by the profiler when left out. */
  ringBytes?: number;
  /**
   * Per cent of the build's CPU time, 0.1 to 50 (`2` or `'2%'`): to stay below it the profiler lowers
   * the rate by itself, from `frequency` down, and up again. `profile.meta.budget` says what it did.
   */
  budget?: number | string;
  /** Folder for what is written at exit. Default `'.rspack-prof'`. */
  output?: string;
  /** Print no table at exit (the files are still written). */
  quiet?: boolean;
  /**
   * Keep what there is so far in `output`/<time>-<pid>/journal, about every half second, so that a
   * build that crashes or is killed loses its last second alone: `rspack-prof recover` makes a profile
   * of it. Removed when the profile is there. true unless given.
   */
  journal?: boolean;
  /** What of a watch is kept, docs/watch.md. */
  watch?: WatchOptions;
  /**
   * rspack's own trace beside the samples: `true` or `'stages'` for the spans that come once per build
   * (next to no cost), `'OVERVIEW'` for all (up to 1.9 x the CPU), or `'target=level,..'`. docs/trace.md.
   */
  trace?: boolean | string;
}

export interface WatchOptions {
  /** So many builds of each compiler stay in the recording; older ones' samples are dropped. Default 10. */
  keep?: number;
  /** Writes each build's profile to `<output>/watch-<pid>/build-N.json.gz`; as many stay as are kept. */
  write?: boolean;
  /** A line about each build on standard error. */
  print?: boolean;
}

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

/**
 * Starts to profile this process. Throws ERR_PROF_BUSY while a session runs, but gives that session
 * to the same call (file, line, options: a config that is loaded twice), and under `rspack-prof
 * record` one that shares the recording, whose `stop()` is a dump. Throws ERR_PROF_BAD_OPTION in a
 * worker thread: the main thread starts, and records the workers too. Unless the session is
 * stopped or disposed, the profile is written and the hotspot table printed when the process ends.
 */
export function start(options?: StartOptions): Session;

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

export interface Session {
  readonly running: boolean;
  /** Notes a moment. `data` must be what JSON can hold. */
  mark(name: string, data?: unknown): void;
  /** Opens a phase: samples taken until `end()` belong to it, innermost first. */
  span(name: string, data?: unknown): Span;
  /** The profile up to now; recording goes on. */
  dump(): Promise<Profile>;
  /** The builds of a watch that have ended and are kept. */
  rebuilds(): Rebuild[];
  /** The profile of one of them; recording goes on. */
  rebuild(which: RebuildChoice, options?: { compiler?: string }): Promise<Profile>;
  stop(): Promise<Profile>;
  /**
   * For `'exit'` handlers, where nothing asynchronous runs any more. In one that runs after the
   * profile was written at exit, it gives that profile, once.
   */
  stopSync(): Profile;
  /** Discards the session unless it was stopped. */
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Span {
  readonly name: string;
  end(): void;
  [Symbol.dispose](): void;
}

export type Kind = 'rust' | 'js' | 'native' | 'v8' | 'kernel';
export type SortKey =
  | 'symbol'
  | 'crate'
  | 'object'
  | 'kind'
  | 'package'
  | 'file'
  | 'loader'
  | 'plugin'
  | 'category'
  | 'thread'
  | 'comm'
  | 'pool'
  | 'phase'
  | 'compiler'
  | 'build'
  | 'state'
  | 'reason'
  | 'waiter';

/** Of a thread at a sample; `preempted`: it could have run, and no CPU was free. */
export type ThreadState = 'running' | 'blocked' | 'preempted';
/** `waiting`: blocked or preempted. */
export type StateFilter = ThreadState | 'waiting' | 'all';

/**
 * What a thread's time went to. `idle`: a pool's worker that waits for work; `event loop`: node's, which
 * waits for anything; `join`: a rayon thread, or one that handed it work, for the other parts of that; `memory map`: for the lock on the process's mappings.
 */
export type WaitReason =
  | 'running'
  | 'preempted'
  | 'idle'
  | 'event loop'
  | 'lock'
  | 'join'
  | 'file'
  | 'pipe'
  | 'network'
  | 'page fault'
  | 'memory map'
  | 'sleep'
  | 'child'
  | 'poll'
  | 'other';

/**
 * Places without a symbol (a stripped binary): `'apart'` (default) by address,
 * `[file.node+0x1234]`; `'together'` all of one object as one, `[file.node]`.
 */
export type Unnamed = 'apart' | 'together';

/** Which samples a question is about. */
export interface SampleFilter {
  /**
   * Only samples taken in this phase (of every build and compiler). Time outside of all is `'before'`,
   * `'between'`, `'after'`, or `'(no phase)'` in a profile without build phases.
   */
  phase?: string;
  /** Only threads with this name, thread id, or `name/tid`. */
  thread?: string | number;
  /** Only samples with a frame, anywhere in the stack, whose symbol matches. */
  through?: RegExp | string;
  /**
   * Of a recording with waits. Default: `'waiting'` where it was made with `offCpu`, `'all'` with `wall`.
   */
  state?: StateFilter;
  /** Also pools that wait for work, which are left out of waits. */
  idle?: boolean;
}

export interface HotspotOptions extends SampleFilter {
  /** Of several events that were recorded, which. Default the first. */
  event?: string;
  /** One key, or several joined by commas: `'phase,crate'`. Default `'symbol'`. */
  by?: SortKey | (string & {});
  /** Which column orders the rows and `percentLimit` looks at. Default `'self'`. */
  sort?: 'self' | 'total';
  limit?: number;
  /** Leaves out rows below this percentage (0.5 is half a percent). */
  percentLimit?: number;
  /** Only rows whose key matches. */
  filter?: RegExp | string;
  unnamed?: Unnamed;
}

export interface HotspotRow {
  /** The value sorted by; several are joined by a comma. */
  key: string;
  /** These four stand where all of the row's functions agree. */
  symbol?: string;
  object?: string;
  crate?: string;
  kind?: Kind;
  /** Samples whose leaf is in this row. */
  samples: number;
  /** Event weight (`profile.meta.unit`) of those samples. */
  self: number;
  /** Event weight of the samples whose stack passes through this row, each counted once. */
  total: number;
  /** Shares of the weight of the samples asked about, 0 to 1. */
  selfShare: number;
  totalShare: number;
}

/** A JavaScript function that allocates, by V8's sampling: garbage is counted too. */
export interface AllocationRow {
  symbol: string;
  file: string;
  /** 1-based, 0 where there is no source. */
  line: number;
  column: number;
  selfBytes: number;
  /** With what it called. */
  totalBytes: number;
}

/** Of a recording of memory. Times in ms since its start. */
export interface Memory {
  resident: { timeMs: number[]; bytes: number[]; peakBytes: number };
  /** V8's heap of the thread that recorded. */
  heap: {
    timeMs: number[];
    usedBytes: number[];
    totalBytes: number[];
    externalBytes: number[];
    peakBytes: number;
  };
  /** The most first; rows below the 500th are left out. */
  allocations: AllocationRow[];
  /** Bytes between two samples of allocations, in the mean. */
  sampleBytes: number;
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

export interface FoldedOptions extends SampleFilter {
  /** `'samples'` (default) counts; `'weight'` adds up event weights. */
  count?: 'samples' | 'weight';
  /** Starts each line with the thread's name; `'pid'` and `'tid'` with `name-PID`, `name-PID/TID`. */
  byThread?: boolean | 'comm' | 'pid' | 'tid';
  /** FlameGraph's suffixes: `_[k]` kernel, `_[j]` JIT, `_[i]` inlined; all, or those named. */
  annotate?: boolean | ('kernel' | 'jit' | 'inline')[];
  unnamed?: Unnamed;
}

export interface CallTreeOptions extends SampleFilter {
  /** Leaves out subtrees below this percentage of the whole. */
  percentLimit?: number;
  maxDepth?: number;
  unnamed?: Unnamed;
}

export interface CallTreeNode {
  name: string;
  kind: Kind;
  object: string;
  samples: number;
  self: number;
  total: number;
  children: CallTreeNode[];
}

export interface Warning {
  code: string;
  message: string;
  /** One command that mends it, or `''`. */
  fix: string;
}

export interface Quality {
  samples: number;
  lost: number;
  throttled: number;
  /** Stacks that reach their thread's start. complete + truncated + broken = samples. */
  complete: number;
  truncated: number;
  broken: number;
  /** Those of the complete whose outer part came from another reading, or by scanning the stack. */
  joined: number;
  /** Samples with a caller that was found without unwind rows; 0 in files of older versions. */
  guessed: number;
  unnamedLeaf: number;
  handlerDropped: number;
  unmatchedStacks: number;
  ringBytes: number;
  completeShare: number;
  byObject: { object: string; samples: number; broken: number; reason: string }[];
  cost: { cpuMs: number; peakBytes: number; finishMs: number; handlerMs: number };
  warnings: Warning[];
}

export interface ProfileMeta {
  command: string;
  node: string;
  /** Version of `@rspack/core`, null where none was found. */
  rspack: string | null;
  /** Path of the rspack binding that was loaded, null where none was. */
  binding: string | null;
  event: string;
  requestedEvent: string;
  unit: string;
  frequency: number;
  callGraph: string;
  durationMs: number;
  startUnixMs: number;
  startNs: number;
  endNs: number;
  cpus: number;
  pid: number;
  kernel: string;
  hasKernel: boolean;
  hasPmu: boolean;
  /** Where a budget was given. `frequency` is the rate that was asked for. */
  budget?: Budget;
  /** Events between two samples, where that was asked for; `frequency` is 0 then. */
  period?: number;
  /** Where several were recorded, all of them; `event` and `unit` are of the one that this profile shows. */
  events?: {
    event: string;
    requestedEvent: string;
    unit: string;
    /** Above 1: it shared a hardware counter; the weights are scaled by this already. */
    scaledBy: number;
    samples?: number;
  }[];
  /** Of a recording with waits: stacks of their own (`event`), or by their times alone. */
  switches?: 'event' | 'records';
  /** What tables show of it. */
  view?: 'off-cpu' | 'wall' | 'chosen';
}

/** What became of `budget`. */
export interface Budget {
  percent: number;
  /** Cost from the first sample to the end of the recording, of the CPU time that the build used. */
  costPercent: number;
  /** The rate at the end. */
  finalFrequency: number;
  /** A sample's cost: the interrupt, from the record to the handler, in the handler (means). */
  interruptNs: number;
  arrivalNs: number;
  walkNs: number;
  /** False: `interruptNs` is a guess, for too few interrupts came to measure it. */
  isMeasured: boolean;
  /** Every rate with its beginning (CLOCK_MONOTONIC), the first one's included. */
  changes: { timeNs: number; frequency: number }[];
}

/**
 * `data` of a `'phase'` and of a `'child'` (a child compiler's time): `{ compiler, build }`; of a `'build'`
 * with `watching, changed, changedCount` too; of a `'rspack'` span `{ target, path, busyMs, resource? }`; of
 * a `'trace'` TraceInfo.
 */
export interface Marker {
  type: 'span' | 'mark' | 'phase' | 'child' | 'build' | 'rspack' | 'trace';
  name: string;
  startNs: number;
  endNs: number | null;
  data: unknown;
}

/** docs/exports.md says what each is for. `'flamegraph'` is an SVG, `'parquet'` a folder of tables. */
export type ExportFormat =
  | 'folded'
  | 'flamegraph'
  | 'html'
  | 'firefox'
  | 'pprof'
  | 'speedscope'
  | 'perfetto'
  | 'cpuprofile'
  | 'perf.data'
  | 'perf-script'
  | 'parquet'
  | 'json';

/** For every format: which samples go into it. One without any is an error. */
export interface ExportFilter extends SampleFilter {
  /** `FROM,TO` in seconds since the recording's start; either may be left out: `'1.5,'`. */
  time?: string;
}

export interface FoldedExport extends ExportFilter {
  format?: 'folded';
  count?: 'samples' | 'weight';
  /** Marks of frames: `_[k]`, `_[j]`, `_[i]`; `all`: the three. */
  kernel?: boolean;
  jit?: boolean;
  inline?: boolean;
  all?: boolean;
  /** What begins a line, one of: the thread's name, `name-PID`, `name-PID/TID`. */
  comm?: boolean;
  pid?: boolean;
  tid?: boolean;
}

export interface SvgExport extends ExportFilter {
  format?: 'flamegraph';
  /** Roots at the top. */
  inverted?: boolean;
  /** Merged from the leaves on. */
  reverse?: boolean;
  /** By thread and time, not merged. */
  flamechart?: boolean;
  title?: string;
  subtitle?: string;
  colors?:
    | 'kind'
    | 'hot'
    | 'mem'
    | 'io'
    | 'red'
    | 'green'
    | 'blue'
    | 'aqua'
    | 'yellow'
    | 'purple'
    | 'orange';
  /** Pixels. Default 1200. */
  width?: number;
  /** Pixels below which a frame is left out. Default 0.1. */
  minwidth?: number;
  /** Colours by the difference to this profile: red has a larger share here, blue a smaller one. */
  base?: Profile;
}

export interface FirefoxExport extends ExportFilter {
  format?: 'firefox';
  /** A thread for each CPU beside the real ones. */
  perCpuThreads?: boolean;
  /** Kinds of work (parsing, GC) as subcategories. */
  categories?: boolean;
}

export interface PlainExport extends ExportFilter {
  format?: ExportFormat;
}

export type ExportOptions = FoldedExport | SvgExport | FirefoxExport | PlainExport;

export class Profile {
  private constructor();
  readonly meta: ProfileMeta;
  readonly quality: Quality;
  readonly markers: Marker[];
  /** Sum of all samples' weights, in `meta.unit`. */
  readonly totalWeight: number;
  hotspots(options?: HotspotOptions): HotspotRow[];
  /** The profile of another of the events that were recorded; ERR_PROF_BAD_EVENT where it is none. */
  event(name: string): Profile;
  /**
   * What each phase of each build cost, in the order of time. Each sample and each moment is in one row.
   */
  phases(): PhaseRow[];
  /** Null where it was not recorded (`memory: true`). */
  readonly memory: Memory | null;
  /** The builds that ended in this recording. */
  rebuilds(): Rebuild[];
  /** A build as a profile of its own: everything that this process did in its time. */
  rebuild(which: RebuildChoice, options?: { compiler?: string }): Profile;
  /** What each of rspack's own spans cost, most first; none without a trace. */
  spans(options?: { limit?: number }): SpanRow[];
  /** This profile with the spans of a log or `.pftrace` that rspack wrote meanwhile. */
  withTrace(file: string): Profile;
  /** What is worth a look, with its evidence. `least`: from which share on, 0.02 unless given. */
  hints(options?: { least?: number; limit?: number }): Hint[];
  /** Calls, time on each side and conversions between JavaScript and Rust. */
  border(): Border;
  /** FlameGraph's format: `root;..;leaf count`, one stack a line. */
  folded(options?: FoldedOptions): string;
  callTree(options?: CallTreeOptions): CallTreeNode;
  /** Share (0 to 1) of the samples whose leaf, or with `total` any frame, matches. */
  share(symbol: RegExp | string, options?: SampleFilter & { total?: boolean }): number;
  /**
   * Writes a file (`'parquet'`: a folder), privately and whole or not at all. The format follows the
   * name if left out.
   */
  write(file: string, options?: ExportOptions): void;
  /** What `report --json` prints. */
  report(options?: HotspotOptions): ReportJson;
  toJSON(): ReportJson;
}

export interface ReportJson {
  schema: 1;
  meta: Pick<
    ProfileMeta,
    | 'command'
    | 'node'
    | 'rspack'
    | 'binding'
    | 'event'
    | 'frequency'
    | 'durationMs'
    | 'cpus'
    | 'kernel'
  >;
  quality: Omit<
    Quality,
    'guessed' | 'handlerDropped' | 'unmatchedStacks' | 'ringBytes' | 'cost'
  > & {
    cost: { cpuMs: number; peakBytes: number; finishMs: number };
    budget?: Budget;
  };
  rows: HotspotRow[];
  /** Of the whole profile, whatever the rows are of. */
  hints: Hint[];
}

/** Reads a profile that was written by `write()` or at exit. Throws ERR_PROF_BAD_FILE. */
export function read(file: string): Profile;

export interface DiffOptions extends Omit<HotspotOptions, 'sort' | 'unnamed'> {
  sort?: 'self' | 'total';
  /** What deltas are of: each profile's whole, or the event's weight as it is. Default `'share'`. */
  normalize?: 'share' | 'time';
  /** Default `'together'` here: addresses of two builds have nothing in common. */
  unnamed?: Unnamed;
}

export interface DiffRow {
  /** What both are compared by: of another build without hash, closure number, suffix and line. */
  key: string;
  symbol?: string;
  object?: string;
  crate?: string;
  kind?: Kind;
  /** `'new'`: no sample in the base, `'vanished'`: none in the candidate. */
  status: 'both' | 'new' | 'vanished';
  /** More than chance explains, in the column that `sort` names. */
  isSignificant: boolean;
  baseSamples: number;
  candidateSamples: number;
  baseSelf: number;
  candidateSelf: number;
  baseTotal: number;
  candidateTotal: number;
  baseSelfShare: number;
  candidateSelfShare: number;
  /** Candidate minus base, in shares of each profile's whole weight; with `'time'` in `unit`. */
  selfDelta: number;
  /** Of this row alone, 95 %. */
  selfInterval: [number, number];
  baseTotalShare: number;
  candidateTotalShare: number;
  totalDelta: number;
  totalInterval: [number, number];
}

export interface Diff {
  base: { samples: number; totalWeight: number; unit: string };
  candidate: { samples: number; totalWeight: number; unit: string };
  by: string;
  sort: 'self' | 'total';
  normalize: 'share' | 'time';
  /** Standard errors from which on a change counts, and how many rows that is for. */
  leastErrors: number;
  compared: number;
  /** Rows whose change counts, and rows with a change that does not; whatever the limits leave. */
  significant: number;
  withinNoise: number;
  /** What makes the two a poor pair. */
  warnings: Warning[];
  /** What counts first, largest change first. */
  rows: DiffRow[];
}

export function diff(base: Profile, candidate: Profile, options?: DiffOptions): Diff;

export interface Status {
  running: boolean;
  /** This machine can record: platform and addon. Whether an event opens, `start()` tells. */
  supported: boolean;
  /** Why not, `''` where supported. */
  reason: string;
  startedAt: Date | null;
}

export function status(): Status;

export interface EventInfo {
  name: string;
  /** hardware, software, cache, pmu, tracepoint, raw, uprobe */
  type: string;
  description: string;
  /** Not an event but how to write one: `'rNNN'`. */
  form: boolean;
  available: boolean;
  /** Why it does not open here, `''` where it does. */
  reason: string;
}

/** The events of this machine, and why those that do not open don't. */
export function events(): EventInfo[];

/**
 * Records a build and marks its phases: `plugins: [new RspackProfPlugin()]`. Takes the options of
 * `start()`, which count only where this process is not recorded already; then it only marks.
 */
export class RspackProfPlugin {
  constructor(options?: StartOptions);
  /** A compiler or a MultiCompiler. */
  apply(compiler: unknown): void;
}

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
