// Types of rspack-prof/vitest: the matchers on Vitest's expect.

import type { PerfMatchers } from './assert/types.js';

export * from './assert/types.js';
export { read } from './index.js';
/** For an `expect` of one's own: `expect.extend(matchers)`. */
export const matchers: Record<string, (this: any, received: unknown, ...args: any[]) => any>;

declare module 'vitest' {
  interface Matchers<T = any> extends PerfMatchers<void> {}
}
