// Two profiles against each other.

import type { HotspotOptions, Kind, Profile, Unnamed, Warning } from './profile';

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
