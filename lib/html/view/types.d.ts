/** What a page holds. lib/html/encode.js and encode-diff.js write it, unpack.js reads it. */

import type { ProfileMeta, Quality } from '../../types/profile';

export type { Quality };

export interface Funcs {
  name: string[];
  /** index into crates, objects, files (-1: none) */
  crate: number[];
  object: number[];
  file: number[];
  line: number[];
  /** index into palette.js's COLORS */
  color: number[];
  crates: string[];
  objects: string[];
  files: string[];
}

/** A calling-context tree in depth-first order: the subtree of node i is i..end[i]. Node 0 is the root. */
export interface TreeColumns {
  depth: Uint16Array;
  /** the root's is 0, and means nothing */
  func: Uint8Array | Uint16Array | Uint32Array;
  parent: Int32Array;
  end: Int32Array;
  category?: Uint8Array;
  /** the node whose function has this one's own samples: another only where it is inlined */
  owner?: Int32Array;
}

/** What is read of it. */
export type Meta = Pick<
  ProfileMeta,
  | 'command'
  | 'node'
  | 'rspack'
  | 'event'
  | 'unit'
  | 'frequency'
  | 'durationMs'
  | 'cpus'
  | 'startUnixMs'
>;

export interface Rows {
  /** from the recording's start, ascending */
  timeMs: Float64Array;
  node: ArrayLike<number>;
  thread: ArrayLike<number>;
  phase: ArrayLike<number>;
  weight: Float32Array;
}

export interface ProfileReport {
  kind: 'profile';
  meta: Meta;
  quality: Quality;
  funcs: Funcs;
  nodes: TreeColumns;
  rows: Rows;
  threads: { name: string; tid: number; pool: string }[];
  phases: { name: string; compiler: string; build: number }[];
  /** start and end in ms, index of a phase */
  segments: [number, number, number][];
  categories?: string[];
}

/** One of the two profiles of a difference: what each node has of its own. */
export interface Side {
  weight: Float64Array;
  count: Float64Array;
}

export interface DiffReport {
  kind: 'diff';
  metas: [Meta, Meta];
  qualities: [Quality, Quality];
  funcs: Funcs;
  nodes: TreeColumns;
  sides: [Side, Side];
  /** Standard errors from which on a change counts: lib/profile/diff.js. */
  leastErrors: number;
  /** Samples of equal weight that tell as much, of base and candidate. */
  effective: [number, number];
}

export type Report = ProfileReport | DiffReport;

/** Which samples are looked at. -1: all of them. */
export interface Filter {
  thread: number;
  pool: string;
  phase: number;
  /** by colour: 1 where samples that end in a function of that kind count */
  kinds: Uint8Array;
  /** ms; null: the whole recording */
  range: [number, number] | null;
}

export interface Sums {
  self: Float64Array;
  count: Float64Array;
  weight: number;
  samples: number;
}

/** A group of a table: a function, a crate, .. */
export interface Group {
  label: string;
  color: number;
  self: number;
  total: number;
  samples: number;
}
