'use strict';
// What one recording has worked out (src/base/stash.h) is there for the next process, which names the same
// functions; and a folder that cannot be written is no reason to complain.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');
const { stashFolder } = require('../../lib/stash-folder.js');
const { whyNoEvents } = require('./support.js');

// The folder is written after stop() has answered: the child waits for what it is told to wait for.
const CHILD = `
const fs = require('node:fs');
const prof = require(${JSON.stringify(path.resolve(__dirname, '../../lib/index.js'))});
const session = prof.start({ event: 'cpu-clock:u', journal: false, quiet: true });
function sortALot(end) {
  while (Date.now() < end) Array.from({ length: 1e5 }, (_, i) => (i * 7919) % 100003 + '').sort();
}
sortALot(Date.now() + 600);
session.stop().then(async (profile) => {
  const names = profile.hotspots({ sort: 'total', limit: 1000 }).map((row) => row.name ?? row.symbol);
  const { samples, complete } = profile.quality;
  const [, , folder] = process.argv;
  const stashes = () => (fs.existsSync(folder) ? fs.readdirSync(folder) : []).filter((name) => name.endsWith('.stash'));
  for (let i = 0; folder && i < 300 && !stashes().length; i++) await new Promise((done) => setTimeout(done, 100));
  console.log(JSON.stringify({ names, samples, complete }));
});
`;

/** @param {Record<string, string>} env @param {string[]} rest */
async function record(env, rest) {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['-e', CHILD, '--', ...rest],
    { env: { ...process.env, ...env }, timeout: 120_000 },
  );
  assert.doesNotMatch(stderr, /rspack-prof/);
  return JSON.parse(stdout);
}

test(
  'a recording begins with what the last one knew, and names the same',
  { skip: whyNoEvents() },
  async (t) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-stash-'));
    t.after(() => fs.rmSync(root, { recursive: true, force: true }));
    const env = { XDG_CACHE_HOME: root };
    const folder = stashFolder(env);
    const first = await record(env, [folder]);
    const kept = fs.readdirSync(folder);
    t.diagnostic(kept.join(' '));
    assert.ok(
      kept.some((name) => name.endsWith('.stash')),
      kept.join(),
    );
    const second = await record(env, []);
    for (const { names, samples, complete } of [first, second]) {
      assert.ok(
        names.some((/** @type {string} */ name) => /sortALot/.test(name)),
        names.join(),
      );
      assert.ok(
        names.some((/** @type {string} */ name) => /node::Start/.test(name)),
        names.join(),
      );
      assert.ok(complete >= 0.9 * samples, `${complete} of ${samples}`);
    }
  },
);

test('nothing is said where nothing can be kept', { skip: whyNoEvents() }, async () => {
  const { samples } = await record({ XDG_CACHE_HOME: '/proc/none' }, []);
  assert.ok(samples > 0);
});

test('the folder is XDG_CACHE_HOME’s, else below the home; a relative one is ignored', () => {
  assert.strictEqual(stashFolder({ XDG_CACHE_HOME: '/x/cache' }), '/x/cache/rspack-prof');
  const home = path.join(os.homedir(), '.cache', 'rspack-prof');
  assert.strictEqual(stashFolder({}), home);
  assert.strictEqual(stashFolder({ XDG_CACHE_HOME: 'relative' }), home);
});
