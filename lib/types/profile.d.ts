// A profile, its tables, and what may be chosen from it.

import type { Border, Hint, PhaseRow, Rebuild, RebuildChoice, SpanRow } from './build';
import type { ExportOptions } from './export';
import type { Memory } from './memory';

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

export interface TopHotspots {
  shown: HotspotRow[];
  /** What `limit` and `percentLimit` left out: by self, of the rows that have any. */
  rest: { count: number; selfShare: number };
  /** There is no row at all. */
  isEmpty: boolean;
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
  /**
   * Of several events, what each weighs in this row, by `meta.events[].event`; the fields above are the
   * first one's. Not where one event is asked for.
   */
  weights?: Record<
    string,
    { samples: number; self: number; total: number; selfShare: number; totalShare: number }
  >;
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

/** What a recording counted beside; files of older versions, and imports, lack some. */
export interface QualityCounters {
  /** Stacks of one frame: their thread had to get on with its work. */
  spared?: number;
  /** Places in code that V8 did not list, more than are asked about at once: they keep their addresses. */
  unlistedRefused?: number;
  /** Samples that were taken in the profiler's own handler. */
  inHandler?: number;
  /** Samples dropped: their thread had the event twice. */
  doubles?: number;
  /** Samples dropped on request: a watch's old builds. */
  forgotten?: number;
  /** SIGTRAPs of the profiler's events; samples within one system call share one. */
  signals?: number;
  /** SIGTRAPs that were not ours, which whoever had the signal before got. */
  signalsPassedOn?: number;
  /** Records of the kernel's that came after later ones had been worked on. */
  lateRecords?: number;
  /** V8's messages about its code that found no room. */
  codeEventsDropped?: number;
  /** Times that an interpreted function's name was not known: its frame is the interpreter's. */
  unnamedInterpreted?: number;
  /** Executable mappings of files that are no ELF files, or cannot be read. */
  refusedModules?: number;
  /** Files whose symbol tables are malformed or cannot be read. */
  refusedTables?: number;
  /** CPU time of the process in the recording, without the profiler's thread; 0: not known. */
  usedCpuMs?: number;
}

export interface Quality extends QualityCounters {
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
  /** uname's word for the machine (`x86_64`, `aarch64`); older files have none. */
  arch?: string;
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
 * A span or a mark of the program's, a phase of a build, the time of a child compiler (which charges no
 * samples), a build, a span of rspack's, and what is to be said of its trace; on the clock of
 * `process.hrtime` (CLOCK_MONOTONIC).
 *
 * `data` of a `'phase'` and of a `'child'` (a child compiler's time): `{ compiler, build }`; of a `'build'`
 * with `watching, changed, changedCount` too; of a `'rspack'` span `{ target, path, busyMs, resource? }`; of
 * a `'trace'` TraceInfo.
 */
export interface Marker {
  type: 'span' | 'mark' | 'phase' | 'child' | 'build' | 'rspack' | 'trace';
  name: string;
  startNs: number;
  /** A mark's is its start; an open span's is null. */
  endNs: number | null;
  data: unknown;
}

export class Profile {
  private constructor();
  readonly meta: ProfileMeta;
  readonly quality: Quality;
  readonly markers: Marker[];
  /** Sum of all samples' weights, in `meta.unit`. */
  readonly totalWeight: number;
  hotspots(options?: HotspotOptions): HotspotRow[];
  /** The same for a table: rows that are not shown are only counted, which is much less work. */
  topHotspots(options: HotspotOptions): TopHotspots;
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
  /** Returns what the file does not hold, or where a file beside it belongs, in a line each. */
  write(file: string, options?: ExportOptions): string[];
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
  > & { events?: ProfileMeta['events'] };
  quality: Omit<
    Quality,
    keyof QualityCounters | 'guessed' | 'handlerDropped' | 'unmatchedStacks' | 'ringBytes' | 'cost'
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
