'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { stripVTControlCharacters } = require('node:util');
const { bindingFile, prepareBuild } = require('../../bench/build.js');
const { CASES, caseFiles, digest, generate } = require('../../bench/workloads/generate.js');
const { importPath, layout } = require('../../bench/workloads/layout.js');
const { Random } = require('../../bench/workloads/random.js');
const { whyNoRspack: skip } = require('./helpers/rspack.js');

/** @param {import('node:test').TestContext} t */
function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'workloads-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('two generations of a case are the same, byte for byte', (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['react-100', 'babel-1k', 'hooks-1k']) {
    const first = generate(name, { folder: path.join(folder, `${name}-1`) });
    const second = generate(name, { folder: path.join(folder, `${name}-2`) });
    assert.ok(first.made && second.made);
    assert.equal(digest(first.folder), digest(second.folder));
  }
});

test('the digest sees one changed byte, and one moved file', (t) => {
  const { folder } = generate('react-100', { folder: path.join(temporaryFolder(t), 'case') });
  const before = digest(folder);
  const app = path.join(folder, 'src', 'App.jsx');
  fs.appendFileSync(app, ' ');
  const changed = digest(folder);
  assert.notEqual(changed, before);
  fs.renameSync(app, path.join(folder, 'src', 'app.jsx'));
  assert.notEqual(digest(folder), changed);
});

test('random choices are those of every other machine', () => {
  const random = new Random(1);
  const drawn = Array.from({ length: 8 }, () => random.below(1000));
  assert.deepEqual(drawn, [627, 2, 527, 981, 968, 281, 612, 720]);
});

test('a case that is there is left alone, and made again when it is from another version', (t) => {
  const folder = path.join(temporaryFolder(t), 'case');
  assert.equal(generate('react-100', { folder }).made, true);
  fs.writeFileSync(path.join(folder, 'mine.txt'), 'kept');
  assert.equal(generate('react-100', { folder }).made, false);
  assert.ok(fs.existsSync(path.join(folder, 'mine.txt')));
  fs.writeFileSync(path.join(folder, '.case'), 'react-100 of an older version\n');
  assert.equal(generate('react-100', { folder }).made, true);
  assert.ok(!fs.existsSync(path.join(folder, 'mine.txt')));
});

test('a folder that holds somebody else’s files is refused and kept', (t) => {
  const folder = temporaryFolder(t);
  fs.writeFileSync(path.join(folder, 'thesis.txt'), 'years of work');
  assert.throws(() => generate('react-100', { folder }), /not empty and holds no case/);
  assert.equal(fs.readFileSync(path.join(folder, 'thesis.txt'), 'utf8'), 'years of work');
});

test('nothing half-made stays beside a case', (t) => {
  const parent = temporaryFolder(t);
  generate('react-100', { folder: path.join(parent, 'case') });
  assert.deepEqual(fs.readdirSync(parent), ['case']);
});

test('an unknown case is refused with the names of all', () => {
  assert.throws(() => generate('react-11k'), /no case 'react-11k'.*react-10k/);
  assert.throws(() => generate('constructor'), /no case 'constructor'/);
});

test('every case has its number of modules, its two configs, and no import that leads nowhere', () => {
  for (const [name, { modules }] of Object.entries(CASES)) {
    const files = caseFiles(name);
    const components = layout(modules).map(({ file }) => `${file}.jsx`);
    assert.equal(new Set(components).size, modules, name);
    for (const file of [
      ...components,
      'rspack.config.js',
      'rspack.config.mjs',
      'build.config.js',
    ]) {
      assert.ok(files.has(file), `${name}: ${file}`);
    }
    for (const file of components) {
      const text = /** @type {string} */ (files.get(file));
      const imports = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)];
      for (const [, target] of imports) {
        const at = path.posix.join(path.posix.dirname(file), `${target}.jsx`);
        assert.ok(files.has(at), `${name}: ${file} imports ${target}`);
      }
    }
  }
});

test('modules are reached from the root, parents first, and heads of chunks are lazily loaded', () => {
  for (const count of [100, 10000]) {
    const places = layout(count);
    const reached = new Set([0]);
    for (const { index, children, isLazy } of places) {
      assert.ok(reached.has(index));
      for (const child of children) {
        assert.ok(child > index);
        assert.equal(places[child].page === child, isLazy);
        reached.add(child);
      }
    }
    assert.equal(reached.size, count);
  }
});

test('an import path starts with a dot', () => {
  const from = { ...layout(1)[0], folder: 'src/d0' };
  assert.equal(importPath(from, 'src/d0/d1/f2'), './d1/f2');
  assert.equal(importPath(from, 'src/lib/data'), '../lib/data');
});

test('a build without the profiler has none of its settings', () => {
  const { env, args } = prepareBuild('react-100', { binding: 'release' });
  assert.equal(env.CASE_PROF, undefined);
  assert.equal(env.RSPACK_BINDING, undefined);
  assert.match(args.join(' '), /build -c .*react-100\/rspack\.config\.js$/);
});

test('the debug binding is a file, and a binding that is not there is refused', () => {
  const file = bindingFile('debug');
  assert.ok(file && fs.existsSync(file));
  assert.throws(() => bindingFile('/nowhere/rspack.node'), /no binding '\/nowhere\/rspack\.node'/);
});

/**
 * @param {string} name
 * @param {Parameters<typeof prepareBuild>[1]} options
 * @returns {string} the built files' digest
 */
function build(name, options) {
  const { command, args, env, folder } = prepareBuild(name, options);
  const run = spawnSync(command, args, { env, cwd: os.tmpdir(), encoding: 'utf8' });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  // rspack colours its line where CI is set, terminal or not.
  assert.match(
    stripVTControlCharacters(run.stdout),
    /^Rspack compiled successfully in [\d.]+ m?s\n$/,
  );
  assert.equal(run.stderr, '');
  return digest(path.join(folder, 'dist'));
}

test(
  'a case builds without a warning, from both configs and with both bindings to the same files',
  { skip },
  () => {
    const files = build('react-100', { binding: 'release' });
    assert.equal(build('react-100', { binding: 'release', config: 'rspack.config.mjs' }), files);
    assert.equal(build('react-100', { binding: 'debug' }), files);
  },
);

test('the cases with JavaScript loaders and plugins build without a warning', { skip }, () => {
  build('hooks-1k', { binding: 'release' });
  build('babel-1k', { binding: 'release' });
});

test('the loader and the plugin of the hooks case see every module', { skip }, () => {
  const { folder } = prepareBuild('hooks-1k', { binding: 'release' });
  build('hooks-1k', { binding: 'release' });
  const census = JSON.parse(fs.readFileSync(path.join(folder, 'dist', 'census.json'), 'utf8'));
  const { modules } = CASES['hooks-1k'];
  assert.ok(census.modules >= modules && census.requests > 3 * modules, JSON.stringify(census));
  assert.equal(census.resolved, census.requests);
});
