'use strict';
// Profile files from strangers: whatever is changed in one, reading it gives a profile that every report
// and export can be made of, or ERR_PROF_BAD_FILE in one line. The changes are random, the seed is shown:
// PROF_SEED=N repeats one run, PROF_LONG=1 tries a minute long.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const zlib = require('node:zlib');
const prof = require('../../lib/index.js');
const { randoms } = require('./helpers/random.js');

const GOLDEN = path.join(__dirname, '../golden/small-build.firefox.json');
const SEED = Number(process.env.PROF_SEED ?? 20261121);
const TRIES = 150;
const LONG_MS = process.env.PROF_LONG ? 60_000 : 0;

const STRANGE = [
  ...[null, true, -1, 0, 1, 2 ** 31, 2 ** 53, 1e308, -0.5, '', '<script>', '__proto__'],
  ...[[], {}, [[]], { length: 1e9 }, 'x'.repeat(5000), '\u0000\u001b[31m'],
];

/**
 * One change somewhere in the tree.
 * @param {any} root
 * @param {(below: number) => number} random
 */
function change(root, random) {
  let at = root;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = keys[random(keys.length)];
    const value = at[key];
    if (value !== null && typeof value === 'object' && random(8) > 0) {
      at = value;
      continue;
    }
    if (random(5) === 0 && !Array.isArray(at)) delete at[key];
    else if (random(4) === 0 && Array.isArray(at)) at.splice(Number(key), 1 + random(3));
    else if (typeof value === 'number' && random(2)) at[key] = value + random(2000) - 1000;
    else at[key] = structuredClone(STRANGE[random(STRANGE.length)]);
    return;
  }
}

const FORMATS = /** @type {const} */ (['html', 'firefox', 'speedscope', 'pprof', 'perf-script']);

/**
 * All that a user may ask of a profile.
 * @param {prof.Profile} profile
 * @param {string} out
 * @param {(typeof FORMATS)[number]} format
 */
function use(profile, out, format) {
  const { complete, truncated, broken, samples } = profile.quality;
  assert.equal(complete + truncated + broken, samples);
  for (const by of ['symbol', 'crate', 'object', 'thread', 'phase', 'kind', 'category']) {
    profile.hotspots({ by: /** @type {'symbol'} */ (by), limit: 5 });
  }
  profile.phases();
  profile.folded();
  prof.diff(profile, profile);
  profile.write(out, { format });
}

test('a file changed at random is read, or refused in one line; nothing else is thrown', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'p.json.gz');
  const golden = fs.readFileSync(GOLDEN, 'utf8');
  const random = randoms(SEED);
  const began = Date.now();
  let tries = 0;
  let refused = 0;
  for (; tries < TRIES || Date.now() - began < LONG_MS; tries++) {
    const json = JSON.parse(golden);
    for (let changes = 1 + random(3); changes > 0; changes--) change(json, random);
    fs.writeFileSync(file, zlib.gzipSync(JSON.stringify(json), { level: 1 }));
    const changed = JSON.stringify(json);
    try {
      use(prof.read(file), path.join(folder, 'out'), FORMATS[tries % FORMATS.length]);
    } catch (error) {
      const { code, message } = /** @type {prof.ProfError} */ (error);
      if (code !== 'ERR_PROF_BAD_FILE' || /\n/.test(message)) {
        const kept = path.join(os.tmpdir(), `rspack-prof-hostile-${SEED}-${tries}.json`);
        fs.writeFileSync(kept, changed);
        throw new Error(`try ${tries} of seed ${SEED}, kept as ${kept}`, { cause: error });
      }
      refused++;
    }
  }
  t.diagnostic(`${tries} files, ${refused} refused`);
  assert.ok(refused > tries / 20 && refused < tries, `${refused} of ${tries} refused`);
});

test('a function that is inlined into nothing is refused: found by the test above', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const json = JSON.parse(fs.readFileSync(GOLDEN, 'utf8'));
  const { stackTable, frameTable } = json.shared;
  frameTable.inlineDepth[stackTable.frame[stackTable.prefix.indexOf(null)]] = 1;
  const file = path.join(folder, 'p.json');
  fs.writeFileSync(file, JSON.stringify(json));
  assert.throws(() => prof.read(file), {
    code: 'ERR_PROF_BAD_FILE',
    message: /inlined into nothing/,
  });
});
