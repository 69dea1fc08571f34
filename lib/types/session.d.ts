// A recording: its options, what it can do while it runs, and what this machine can record.

import type { AllocationOptions } from './allocations';
import type { Rebuild, RebuildChoice } from './build';
import type { Profile } from './profile';

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
  /**
   * What malloc and its kin are asked for, sampled by bytes, with stacks and frees: who allocates, what is live
   * at the peak and at the end. `true`, bytes between samples, or options. Beside any event. docs/memory.md
   */
  allocations?: boolean | number | AllocationOptions;
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

/**
 * Starts to profile this process. Throws ERR_PROF_BUSY while a session runs, but gives that session
 * to the same call (file, line, options: a config that is loaded twice), and under `rspack-prof
 * record` one that shares the recording, whose `stop()` is a dump. Throws ERR_PROF_BAD_OPTION in a
 * worker thread: the main thread starts, and records the workers too. Unless the session is
 * stopped or disposed, the profile is written and the hotspot table printed when the process ends.
 */
export function start(options?: StartOptions): Session;

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

export interface Attachable {
  /** Of this user's alone, mode 0600. */
  readonly socket: string;
  /** Nobody can attach any more; a recording that runs goes on. */
  close(): void;
}

/**
 * Makes this process one that `rspack-prof record -p PID` can record while it runs: a socket waits for
 * that, and nothing is recorded until then. Keeps the process alive for no longer. The same as
 * `node --require rspack-prof/attachable`. docs/attach.md.
 */
export function attachable(): Attachable;

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
