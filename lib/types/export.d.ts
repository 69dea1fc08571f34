// Other tools' files of a profile.

import type { Profile, SampleFilter } from './profile';

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
  | 'heapprofile'
  | 'perf.data'
  | 'perf-script'
  | 'parquet'
  | 'json';

/** For every format: which samples go into it. One without any is an error. */
export interface ExportFilter extends SampleFilter {
  /** `FROM,TO` in seconds since the recording's start; either may be left out: `'1.5,'`. */
  time?: string;
  /** Of several events, which one alone. Formats that hold one event have the first unless told. */
  event?: string;
}

export interface FoldedExport extends ExportFilter {
  format?: 'folded';
  /** `'samples'`; of the events of allocations `'weight'`. */
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
