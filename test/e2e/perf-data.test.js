'use strict';
// perf.data both ways against perf itself, on the same machine: what perf recorded is imported and
// compared with perf script's stacks sample by sample; what we export is shown by perf report and
// perf script as our own table and stacks have it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, test } = require('node:test');
const agree = require('../../bench/agree.js');
const prof = require('../../lib/index.js');
const support = require('./support.js');

const CLI = path.join(__dirname, '../../lib/cli/main.js');
const FIXTURE = path.join(__dirname, '../fixtures/perf-data/work.js');

/** @returns {string | false} */
function whyNot() {
  const event = ['record', '-o', '/dev/null', '-e', 'cpu-clock', 'true'];
  const { status, error } = spawnSync('perf', event);
  return error || status !== 0 ? 'perf is not installed, or may not record here' : false;
}

/** @param {string} command @param {string[]} args @param {string} cwd */
const out = (command, args, cwd) => agree.out(command, args, { cwd });

test('perf.data both ways', { skip: whyNot() }, async (t) => {
  const folder = support.temporaryFolder(t);
  const flags = ['--perf-basic-prof', '--interpreted-frames-native-stack'];
  /** @type {any} */
  let imported;
  /** @type {string} */
  let map;

  before(() => {
    const event = ['-e', 'cpu-clock', '-F', '997', '--call-graph', 'dwarf,32768'];
    const command = [process.execPath, ...flags, FIXTURE];
    out('perf', ['record', '-q', ...event, '-o', 'perf.data', ...command], folder);
    out(process.execPath, [CLI, 'import', 'perf.data', '-o', 'in.json.gz'], folder);
    imported = prof.read(path.join(folder, 'in.json.gz'));
    map = `/tmp/perf-${imported.meta.pid}.map`;
  });
  t.after(() => fs.rmSync(map, { force: true }));

  await t.test('an imported stack is perf script’s, or goes on where perf’s stops', () => {
    const own = agree.ownStacks(imported, false);
    const found = agree.compare(agree.perfStacks('perf.data', folder), own);
    const cut = own.length - found.whole;
    t.diagnostic(
      `${found.same} of ${found.whole} whole stacks equal, ${found.inner} of ${cut} cut`,
    );
    for (const [kind, count] of found.kinds) t.diagnostic(`${count} x ${kind}`);
    assert.equal(found.missing, 0);
    assert.ok(found.whole > 5); // the fixture works for so long a time, with however much of a processor
    assert.ok(
      found.same >= Math.min(0.99 * found.whole, found.whole - 1),
      `${found.same} of ${found.whole}`,
    );
    // V8's assembly in front of a garbage collection has no unwind rows on node 22 and 24. A recording
    // finds its caller in the code (quality.guessed), which an import does not have.
    const NO_ROWS = 'PushAllRegistersAndIterateStack';
    const excused = [...found.kinds]
      .filter(([kind]) => kind.includes(`ours ends: ${NO_ROWS}`))
      .reduce((sum, [, count]) => sum + count, 0);
    assert.ok(found.inner + excused >= 0.95 * cut, `${found.inner} of ${cut}, ${excused} excused`);
    const told = own.filter(({ names }) => !names.includes(NO_ROWS));
    assert.ok(told.filter(({ end }) => end === 0).length >= 0.97 * told.length);
  });

  await t.test('perf shows an exported profile as we do', () => {
    out(
      process.execPath,
      [CLI, 'export', 'in.json.gz', '--to', 'perf.data', '-o', 'o.data'],
      folder,
    );
    fs.copyFileSync(path.join(folder, path.basename(map)), map);
    const report = ['report', '--stdio', '--no-children', '-g', 'none', '--no-inline'];
    const columns = ['-F', 'overhead,sym', '-w', '8,2000'];
    /** @type {Map<string, number>} */
    const shares = new Map();
    for (const line of out('perf', [...report, ...columns, '-i', 'o.data'], folder).split('\n')) {
      const [, percent, name] = /^\s+([\d.]+)%\s+\[.\] (.*?)\s*$/.exec(line) ?? [];
      if (name) shares.set(name, (shares.get(name) ?? 0) + Number(percent));
    }
    const rows = imported.hotspots({ by: 'symbol', limit: 20, unnamed: 'apart' });
    for (const { symbol, selfShare } of rows) {
      assert.ok(Math.abs((shares.get(symbol) ?? NaN) - selfShare * 100) < 0.03, symbol);
    }
    const aliases = agree.kernelAliases();
    const place = (/** @type {string} */ name) => aliases.get(name) ?? name;
    // By thread and time: of two samples at one moment either may stand first.
    const stacks = new Map(
      agree.perfStacks('o.data', folder).map(({ key, names }) => [key, names.map(place)]),
    );
    const own = agree.ownStacks(imported, true);
    assert.equal(stacks.size, own.length);
    for (const { key, names } of own) {
      const theirs = stacks.get(key);
      // perf has no name for the stub of an indirect function: its relocation has no symbol.
      const ours = names.map((name, i) =>
        theirs?.[i] === '@plt' && name.endsWith('@plt') ? '@plt' : place(name),
      );
      assert.deepEqual(theirs, ours, `${key}; is ${map} still ours?`);
    }
  });

  await t.test('an exported profile comes back', () => {
    const [file, back] = ['o.data', 'back.json.gz'];
    out(process.execPath, [CLI, 'import', file, '-o', back], folder);
    const again = /** @type {any} */ (prof.read(path.join(folder, back)));
    assert.equal(again.quality.complete, imported.quality.complete);
    assert.equal(again.quality.broken, imported.quality.broken);
    assert.equal(again.totalWeight, imported.totalWeight);
    const unnamed = /\[(0x[\da-f]+|unknown)\]/;
    const before = agree.ownStacks(imported, true);
    agree.ownStacks(again, true).forEach(({ key, names }, index) => {
      if (names.some((name) => unnamed.test(name))) return; // an address may be shown or not
      assert.equal(key, before[index].key);
      assert.deepEqual(names, before[index].names);
    });
  });
});
