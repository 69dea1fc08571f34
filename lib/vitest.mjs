// import 'rspack-prof/vitest': the same as rspack-prof/jest, by Vitest's own import.

import { expect } from 'vitest';
import checks from './assert/checks.js';
import build from './assert/build.js';
import prof from './index.js';

export const matchers = checks.matchers();
expect.extend(matchers);

export const { profileBuild } = build;
export const { read } = prof;
