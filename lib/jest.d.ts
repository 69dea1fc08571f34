// Types of rspack-prof/jest: the matchers on Jest's expect (of @jest/globals, and the global one of
// @types/jest) and on Vitest's, which takes over what is added to the global `jest.Matchers`.

import type { PerfMatchers } from './assert/types';

export * from './assert/types';
export { read } from './index';
/** For an `expect` of one's own: `expect.extend(matchers)`. */
export const matchers: Record<string, (this: any, received: unknown, ...args: any[]) => any>;

declare global {
  namespace jest {
    interface Matchers<R, T = {}> extends PerfMatchers<R> {}
  }
}

// @ts-ignore: not there in a project that has Vitest alone
declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends PerfMatchers<R> {}
}
