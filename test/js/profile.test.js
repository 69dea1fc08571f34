'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Profile } = require('../../lib/profile/profile.js');
const { walkSteps } = require('../../lib/profile/tree.js');
const { CONTEXT, buildProfile, buildRaw, smallBuild } = require('./helpers/raw-profile.js');

test('complete, truncated and broken add up to the samples', () => {
  const { quality } = buildProfile(smallBuild().samples, smallBuild());
  assert.equal(quality.samples, 9);
  assert.deepEqual([quality.complete, quality.truncated, quality.broken], [6, 1, 2]);
  assert.equal(quality.complete + quality.truncated + quality.broken, quality.samples);
  assert.equal(quality.completeShare, 6 / 9);
});

test('counters that disagree with the samples are said, and the samples win', () => {
  const { quality } = buildProfile([{ stack: 'a' }], { quality: { complete: 5, samples: 6 } });
  assert.equal(quality.complete, 1);
  assert.deepEqual(
    quality.warnings.map(({ code }) => code),
    ['counters-disagree'],
  );
  assert.match(quality.warnings[0].message, /samples 6, counted 1; complete 5, counted 1/);
});

test('columns that lead outside of a table are refused, each by name', () => {
  /** @type {[string, (raw: import('../../lib/profile/raw').RawProfile) => void][]} */
  const spoilt = [
    ['nodes.parent[2]', (raw) => (raw.nodes.parent[2] = 2)],
    ['nodes.parent[1]', (raw) => (raw.nodes.parent[1] = -1)],
    ['nodes has no root', (raw) => (raw.nodes.parent[0] = 0)],
    ['nodes.func[0]', (raw) => (raw.nodes.func[1] = 99)],
    ['funcs.name[0]', (raw) => (raw.funcs.name[0] = 4e9)],
    ['funcs.module[0]', (raw) => (raw.funcs.module[0] = 40)],
    ['funcs.kind[0]', (raw) => (raw.funcs.kind[0] = 6)],
    ['samples.node[0]', (raw) => (raw.samples.node[0] = 1000)],
    ['samples.thread[0]', (raw) => (raw.samples.thread[0] = 7)],
    ['samples.end[0]', (raw) => (raw.samples.end[0] = 3)],
    ['samples.weight[0]', (raw) => (raw.samples.weight[0] = NaN)],
    ['samples.timeNs[1]', (raw) => (raw.samples.timeNs[1] = 0)],
    ['samples.cpu has 3', (raw) => (raw.samples.cpu = new Uint16Array(3))],
  ];
  for (const [what, spoil] of spoilt) {
    const raw = buildRaw(smallBuild().samples, smallBuild());
    spoil(raw);
    assert.throws(
      () => new Profile(raw, { context: CONTEXT }),
      (error) => {
        assert.ok(error instanceof Error);
        assert.ok(error.message.includes(what), `${error.message} names ${what}`);
        return true;
      },
    );
  }
});

test('report has exactly the contract’s fields', () => {
  const report = buildProfile(smallBuild().samples, smallBuild()).report();
  assert.deepEqual(Object.keys(report), ['schema', 'meta', 'quality', 'rows', 'hints']);
  assert.deepEqual(
    Object.keys(report.meta).join(' '),
    'command node rspack binding event frequency durationMs cpus kernel',
  );
  assert.deepEqual(
    Object.keys(report.quality).sort().join(' '),
    'broken byObject complete completeShare cost joined lost samples throttled truncated ' +
      'unnamedLeaf warnings',
  );
  assert.deepEqual(Object.keys(report.quality.cost), ['cpuMs', 'peakBytes', 'finishMs']);
  const row = report.rows.find(({ key }) => key === 'rspack_core::compile');
  assert.deepEqual(
    Object.keys(row ?? {})
      .sort()
      .join(' '),
    'crate key kind object samples self selfShare symbol total totalShare',
  );
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('the call tree nests, sorts, sums and prunes', () => {
  const profile = buildProfile([
    { stack: 'main;d', weight: 0.5 },
    { stack: 'main;c', weight: 39.5 },
    { stack: 'main;a;b', weight: 60 },
  ]);
  const { children } = profile.callTree();
  assert.deepEqual(
    children[0].children.map(({ name, total }) => [name, total]),
    [
      ['a', 60],
      ['c', 39.5],
      ['d', 0.5],
    ],
  );
  const pruned = profile.callTree({ percentLimit: 1, maxDepth: 2 });
  assert.deepEqual(
    pruned.children[0].children.map(({ name, children: below }) => [name, below.length]),
    [
      ['a', 0],
      ['c', 0],
    ],
  );
  assert.equal(pruned.children[0].total, 100);
});

test('the walk enters and leaves every node once, children inside their parent', () => {
  const { raw } = buildProfile(smallBuild().samples, smallBuild());
  const open = [0];
  const seen = new Set();
  for (const step of walkSteps(raw.nodes.parent)) {
    if (step >= 0) {
      assert.equal(raw.nodes.parent[step], open[open.length - 1]);
      seen.add(step);
      open.push(step);
    } else {
      assert.equal(open.pop(), ~step);
    }
  }
  assert.deepEqual(open, [0]);
  assert.equal(seen.size, raw.nodes.parent.length - 1);
});

test('write: the format follows the name or is named; an odd name is refused', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  const profile = buildProfile(smallBuild().samples, smallBuild());
  const file = (/** @type {string} */ name) => path.join(folder, name);
  profile.write(file('a.folded'));
  assert.equal(fs.readFileSync(file('a.folded'), 'utf8'), profile.folded());
  profile.write(file('a.html'));
  assert.match(fs.readFileSync(file('a.html'), 'utf8'), /^<!doctype html>/);
  profile.write(file('a.out'), { format: 'json' });
  assert.equal(JSON.parse(fs.readFileSync(file('a.out'), 'utf8')).schema, 1);
  profile.write(file('a.json.gz'));
  assert.equal(fs.readFileSync(file('a.json.gz'))[0], 0x1f);
  assert.equal(fs.statSync(file('a.json.gz')).mode & 0o777, 0o600);
  assert.throws(() => profile.write(file('a.out')), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /does not tell its format/,
  });
  assert.throws(() => profile.write(file('a'), { format: /** @type {any} */ ('fold') }), {
    code: 'ERR_PROF_BAD_OPTION',
    message: /did you mean 'folded'/,
  });
  assert.throws(() => profile.write(file('none/a.folded')), {
    code: 'ERR_PROF_BAD_FILE',
    message: /cannot write .*ENOENT/,
  });
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
  fs.rmSync(folder, { recursive: true });
});

test('a symbolic link in the way is replaced, not followed', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
  const precious = path.join(folder, 'precious');
  fs.writeFileSync(precious, 'precious');
  const file = path.join(folder, 'a.folded');
  fs.symlinkSync(precious, file);
  const profile = buildProfile([{ stack: 'a' }]);
  profile.write(file);
  assert.equal(fs.readFileSync(precious, 'utf8'), 'precious');
  assert.equal(fs.lstatSync(file).isSymbolicLink(), false);
  fs.symlinkSync(precious, `${file}.${process.pid}.tmp`);
  assert.throws(() => profile.write(file), { code: 'ERR_PROF_BAD_FILE', message: /EEXIST/ });
  assert.equal(fs.readFileSync(precious, 'utf8'), 'precious');
  fs.rmSync(folder, { recursive: true });
});

test('ES modules find every export by name', () => {
  const index = path.join(__dirname, '../../lib/index.js');
  const code =
    `import { start, read, diff, status, events, Profile, ProfError } from ${JSON.stringify(index)};` +
    'console.log([start, read, diff, status, events, Profile, ProfError].map((f) => typeof f).join());';
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  assert.equal(out.trim(), Array(7).fill('function').join());
});
