/// <reference lib="esnext.disposable" />
// Types of rspack-prof, by part. Those of the matchers are in jest.d.ts, vitest.d.mts and assert.d.ts.

export * from './types/errors';
export * from './types/session';
export * from './types/stat';
export * from './types/profile';
export * from './types/build';
export * from './types/memory';
export * from './types/allocations';
export * from './types/export';
export * from './types/diff';
export * from './types/calls';
export * from './types/compare';
