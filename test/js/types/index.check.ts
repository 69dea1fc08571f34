// Compiled, never run (npm run types): the contract as a user of TypeScript meets it. Lines that must not compile are
// marked so, and fail the check if they do.

import {
  start,
  read,
  diff,
  status,
  events,
  ProfError,
  Profile,
  RspackProfPlugin,
} from '../../../lib/index';
import type {
  HotspotRow,
  Kind,
  Quality,
  ReportJson,
  Session,
  StartOptions,
} from '../../../lib/index';

export async function contract(): Promise<void> {
  const options: StartOptions = { event: 'cycles:uk', frequency: 1000, callGraph: 'full' };
  const session: Session = start(options);
  session.mark('name', { any: 'data' });
  session.mark('name');
  const span = session.span('phase');
  span.end();
  span[Symbol.dispose]();
  const profile: Profile = await session.dump();
  const stopped: Profile = await session.stop();
  const sync: Profile = session.stopSync();
  session[Symbol.dispose]();
  await session[Symbol.asyncDispose]();

  const rows: HotspotRow[] = profile.hotspots({ by: 'phase,crate', limit: 5, percentLimit: 0.5 });
  profile.hotspots({ phase: 'make', thread: 'tokio', filter: /swc/, through: 'rspack' });
  const longest: number = Math.max(...profile.phases().map(({ wallMs }) => wallMs));
  profile.hotspots({ by: 'build,compiler,phase,pool', limit: longest });
  const plugins: { apply(compiler: { hooks: object }): void }[] = [
    new RspackProfPlugin({ frequency: 1000 }),
  ];
  plugins.push(new RspackProfPlugin());
  const kind: Kind | undefined = rows[0].kind;
  const key: string = rows[0].key;
  const shares: number = rows[0].selfShare + rows[0].totalShare + rows[0].self + rows[0].samples;
  const folded: string = stopped.folded({ byThread: true, annotate: true, count: 'weight' });
  const root = stopped.callTree({ maxDepth: 3 });
  const child: string = root.children[0].name;
  const share: number = sync.share(/AssertValid/, { total: true });
  const quality: Quality = profile.quality;
  const fix: string = quality.warnings[0].fix;
  profile.write('p.json.gz');
  profile.write('p', { format: 'folded' });
  const report: ReportJson = profile.report({ by: 'crate' });
  const one: 1 = report.schema;
  const delta: number = diff(read('a'), read('b'), { by: 'crate' }).rows[0].selfDelta;
  const running: boolean = status().running;
  const available: boolean = events()[0].available;
  try {
    start();
  } catch (error) {
    if (error instanceof ProfError && error.code === 'ERR_PROF_BUSY') throw error;
  }

  // @ts-expect-error an option that does not exist
  start({ freqency: 1 });
  // @ts-expect-error frame pointers are no call graph of ours
  start({ callGraph: 'fp' });
  // @ts-expect-error profiles come from a session or a file
  new Profile();
  // @ts-expect-error no such format
  profile.write('p', { format: 'svg' });
  // @ts-expect-error the contract's report has no ring sizes
  report.quality.ringBytes;
  void [kind, key, shares, folded, child, share, fix, one, delta, running, available];
}
