// Memory over time, and what allocated it.

import type { NativeAllocations } from './allocations';

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
  /** What malloc and its kin were asked for; null without `allocations`. */
  native: NativeAllocations | null;
}
