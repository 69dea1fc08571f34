'use strict';
// perf.data both ways against perf itself, on the same machine: what perf recorded is imported and
// compared with perf script's stacks sample by sample; what we export is shown by perf report and
// perf script as our own table and stacks have it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { before, test } = require('node:test');
const prof = require('../../lib/index.js');
const support = require('./support.js');

const CLI = path.join(__dirname, '../../lib/cli/main.js');
const FIXTURE = path.join(__dirname, '../fixtures/perf-data/work.js');
const MOST = 1 << 28;

/** @returns {string | false} */
function whyNot() {
  const event = ['record', '-o', '/dev/null', '-e', 'cpu-clock', 'true'];
  const { status, error } = spawnSync('perf', event);
  return error || status !== 0 ? 'perf is not installed, or may not record here' : false;
}

/** @param {string} command @param {string[]} args @param {string} cwd */
function out(command, args, cwd) {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, maxBuffer: MOST });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
  return stdout.toString();
}

/** perf's names without its decorations, and V8's as we show them. @param {string} name */
const plain = (name) =>
  name
    .replace(/@@?[A-Z][A-Za-z]*_[\d.]+$/, '')
    .replace(/^(Builtins_\w+)Handler$/, '$1')
    .replace(/^JS:[*~^'+]?/, '')
    .replace(/^RegExp:(.*)$/, 'RegExp /$1/')
    .replace(/^ (?=\/|node:|file:)/, '(anonymous) ');

/** Of several names at one address of the kernel perf and we may take different ones. */
function kernelAliases() {
  const text = fs.readFileSync('/proc/kallsyms', 'latin1');
  const rows = text.matchAll(/^([\da-f]+) [tTwW] (\S+)$/gm);
  return new Map(Array.from(rows, ([, address, name]) => [name, address]));
}

/** @param {string} file @param {string} cwd @returns {{ key: string, names: string[] }[]} */
function perfStacks(file, cwd) {
  const args = ['script', '--no-inline', '--ns', '--max-stack', '8192', '-F', 'tid,time,ip,sym'];
  return out('perf', [...args, '-i', file], cwd)
    .split('\n\n')
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const [head, ...frames] = block.trim().split('\n');
      const [, tid, time] = /^(\d+)\s+([\d.]+):/.exec(head) ?? [];
      const names = frames.map((line) => line.trim().replace(/^[\da-f]+ /, ''));
      return { key: `${tid} ${time}`, names };
    });
}

/**
 * @param {any} profile
 * @param {boolean} inlined with inlined functions
 * @returns {{ key: string, names: string[], end: number }[]}
 */
function ownStacks({ raw }, inlined) {
  const { samples, nodes, funcs, threads, strings } = raw;
  return Array.from(samples.node, (leaf, index) => {
    const names = [];
    for (let node = leaf; node > 0; node = nodes.parent[node]) {
      if (inlined || !nodes.inline[node]) names.push(strings[funcs.name[nodes.func[node]]]);
    }
    const ns = String(samples.timeNs[index]).padStart(10, '0');
    const time = `${ns.slice(0, -9)}.${ns.slice(-9)}`;
    return { key: `${threads.tid[samples.thread[index]]} ${time}`, names, end: samples.end[index] };
  });
}

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
    const theirs = new Map(perfStacks('perf.data', folder).map(({ key, names }) => [key, names]));
    const own = ownStacks(imported, false);
    assert.equal(own.length, theirs.size);
    let complete = 0;
    let same = 0;
    let longer = 0;
    for (const { key, names } of own) {
      const other = (theirs.get(key) ?? assert.fail(`no sample ${key}`)).map(plain);
      const mine = names.map(plain);
      const isStart = /^(_start|__clone3|clone3|__clone)$/.test(other.at(-1) ?? '');
      const isSame = other.length === mine.length && other.every((name, i) => name === mine[i]);
      complete += Number(isStart);
      same += Number(isStart && isSame);
      longer += Number(!isStart && other.every((name, i) => name === mine[i]));
    }
    const broken = own.length - complete;
    t.diagnostic(`${same} of ${complete} whole stacks equal, ${longer} of ${broken} prolonged`);
    assert.ok(same >= 0.9 * complete, `${same} of ${complete}`);
    assert.ok(longer >= 0.95 * broken, `${longer} of ${broken}`);
    assert.ok(own.filter(({ end }) => end === 0).length >= 0.97 * own.length);
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
    const aliases = kernelAliases();
    const place = (/** @type {string} */ name) => aliases.get(name) ?? name;
    const stacks = perfStacks('o.data', folder);
    const own = ownStacks(imported, true);
    assert.equal(stacks.length, own.length);
    stacks.forEach(({ names }, index) =>
      assert.deepEqual(names.map(place), own[index].names.map(place)),
    );
  });

  await t.test('an exported profile comes back', () => {
    const [file, back] = ['o.data', 'back.json.gz'];
    out(process.execPath, [CLI, 'import', file, '-o', back], folder);
    const again = /** @type {any} */ (prof.read(path.join(folder, back)));
    assert.equal(again.quality.complete, imported.quality.complete);
    assert.equal(again.quality.broken, imported.quality.broken);
    assert.equal(again.totalWeight, imported.totalWeight);
    const unnamed = /\[(0x[\da-f]+|unknown)\]/;
    const before = ownStacks(imported, true);
    ownStacks(again, true).forEach(({ key, names }, index) => {
      if (names.some((name) => unnamed.test(name))) return; // an address may be shown or not
      assert.equal(key, before[index].key);
      assert.deepEqual(names, before[index].names);
    });
  });
});
