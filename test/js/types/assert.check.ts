// Compiled, never run (npm run types): the assertions as a user of TypeScript meets them.

import { expect as jestExpect } from '@jest/globals';
import { expect as vitestExpect } from 'vitest';
import { doesNotRegress, not, spendsAtMost, staysWithin } from '../../../lib/assert';
import { profileBuild } from '../../../lib/jest';
import { matchers } from '../../../lib/vitest.mjs';
import type { BuildProfile, Counters } from '../../../lib/jest';

async function matchersOfBoth(): Promise<BuildProfile> {
  const profile = await profileBuild('./rspack.config.js', { runs: 5, warmup: 1, frequency: 2000 });
  jestExpect(profile).toSpendAtMost(0.2, /swc/, { by: 'crate', self: true, phase: 'make' });
  jestExpect(profile).not.toCallNative(/napi_/, { atLeast: 0.01 });
  jestExpect(profile).toStayWithin({ instructions: 0.02, wallMs: '10%' }, 'app');
  await jestExpect(Promise.resolve(profile)).resolves.toHaveHotspot('parse', { atLeast: 0.1 });
  vitestExpect(profile).toNotRegress('app', { by: 'crate', tolerance: 0.05, confidence: 0.99 });
  vitestExpect(profile).not.toStayWithin({ wallMs: 5000 });
  vitestExpect(profile).toNotRegress(profile);
  vitestExpect.extend(matchers);

  // @ts-expect-error a share is a number
  jestExpect(profile).toSpendAtMost('20%', /swc/);
  // @ts-expect-error there is no such counter
  vitestExpect(profile).toStayWithin({ seconds: 1 }, 'app');
  // @ts-expect-error there is no such option
  vitestExpect(profile).toNotRegress('app', { tolerence: 0.1 });
  // @ts-expect-error a ceiling is a number
  vitestExpect(profile).toStayWithin({ wallMs: '10%' });
  return profile;
}

async function functions() {
  const profile = await profileBuild(({ rspack }) => rspack({}), { countRuns: 3 });
  const { counted, values }: Counters = profile.counters;
  spendsAtMost(profile, 0.2, /swc/, { by: 'package' });
  not.hasHotspot(profile, /sha1/);
  doesNotRegress(profile, './perf/app.json');
  staysWithin(profile, { pageFaults: 0.2 }, 'app', { confidence: 0.9 });
  staysWithin(profile, { wallMs: 3000 });
  // @ts-expect-error the profile comes first
  spendsAtMost(0.2, /swc/);
  return [counted, values.wallMs?.[0], profile.runs[0].share(/a/)];
}

export { functions, matchersOfBoth };
