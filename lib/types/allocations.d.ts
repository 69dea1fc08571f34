// Native allocations of a recording, docs/memory.md.

import type { Kind } from './profile';

export interface AllocationOptions {
  /** Bytes between two samples of a thread, in the mean. Default 131,072. */
  bytes?: number;
  /** Per cent of the CPU time above which it ends by itself. Default 10. */
  cap?: number;
}

/** Estimated from so many samples. */
export interface AllocatedTotal {
  bytes: number;
  pieces: number;
  samples: number;
}

/**
 * By function: `profile.hotspots({ event })` with `'alloc-bytes'`, `'alloc-calls'`, `'alloc-peak'` or
 * `'alloc-live'`.
 */
export interface NativeAllocations {
  /** Bytes between two samples of a thread, in the mean. */
  sampleBytes: number;
  /** Everything that was allocated, freed or not. */
  all: AllocatedTotal;
  /** What was live when most was. */
  peak: AllocatedTotal & { atMs: number };
  /** What was live at the end. */
  live: AllocatedTotal;
  /** Live bytes over time. */
  curve: { timeMs: number[]; bytes: number[] };
  /** Calls that were counted, each thread's up to its last sample. */
  calls: number;
  /** Why sampling ended by itself, at `endMs`; `''`: it did not. */
  detached: '' | 'cost' | 'samples';
  endMs: number;
  /** Samples without room. */
  dropped: number;
  /** Samples whose free could not be followed: in no figure of what was live. */
  notFollowed: number;
  /** Samples that were freed unseen, and taken for live until their address was used again. */
  missedFrees: number;
  /** Places that lead to the allocator: turned, in so many modules; and that could not be. */
  slots: number;
  modules: number;
  refusedSlots: number;
  /** What it cost: ns for each call with its free, ms in samples, and both as per cent of the CPU time. */
  callNs: number;
  walkMs: number;
  costPercent: number;
  /** Of the bytes, what the binding itself asked for, 0 to 1; null: no binding was loaded. */
  bindingShare: number | null;
}

/** Of `report --memory --json`, by function: the innermost one outside of the standard library. */
export interface NativeAllocationRow {
  key: string;
  symbol?: string;
  object?: string;
  crate?: string;
  kind?: Kind;
  bytes: number;
  calls: number;
  peakBytes: number;
  liveBytes: number;
  samples: number;
}
