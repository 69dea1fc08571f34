'use strict';
// What travels in the package: all that it needs at run time and to build its addon, what its README and
// types point to, and nothing of our own workshop.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const ROOT = path.resolve(__dirname, '../..');
/** Uncompressed, without the prebuilt addon: a folder that slipped in would be more. */
const MOST_BYTES = 5 * 2 ** 20;

/** @returns {{path: string, size: number}[] | string} why not, where npm does not tell */
function packed() {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json', '--offline'];
  const { stdout, stderr, error } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
  if (error) return `no npm: ${error.message}`;
  const text = stdout.slice(stdout.indexOf('['));
  return text === '' ? stderr : JSON.parse(text)[0].files;
}

const files = packed();
const skip = typeof files === 'string' && files;

describe('the package', { skip }, () => {
  const list = typeof files === 'string' ? [] : files;
  const names = new Set(list.map((file) => file.path));

  test('has every file that package.json names', () => {
    const { main, types, bin, exports: entries } = require('../../package.json');
    const named = [
      main,
      types,
      ...Object.values(bin),
      ...(JSON.stringify(entries).match(/\.\/[\w./-]+/g) ?? []),
    ];
    const always = ['LICENSE', 'binding.gyp', 'src/addon/addon.c', 'src/runner/main.c'];
    for (const name of [...named, ...always]) {
      const file = path.normalize(name);
      if (path.extname(file) !== '' || always.includes(name)) assert.ok(names.has(file), file);
    }
  });

  test('has its types also where `exports` is not read (module: commonjs before TypeScript 6)', () => {
    const { exports: entries, typesVersions } = require('../../package.json');
    /** @type {[string, any][]} */
    const parts = Object.entries(entries);
    const typed = parts
      .filter(([name, { types }]) => name !== '.' && types)
      .map(([name, { types }]) => [name.slice(2), [types.slice(2)]]);
    assert.deepEqual(typesVersions['*'], Object.fromEntries(typed));
  });

  test('has types that need no other package, nor a library beyond es2020', (t) => {
    // Away from here, where @types/node lies above.
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-types-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    for (const name of [...names].filter((file) => /^lib\/.*\.d\.ts$/.test(file)))
      fs.cpSync(path.join(ROOT, name), path.join(folder, name));
    const entries = ['index', 'plugin', 'assert'].map((name) => `lib/${name}.d.ts`);
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2020'];
    const tsc = require.resolve('typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, ...flags, ...entries], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(stdout, '');
  });

  test('has what its README, types and messages point to', () => {
    const texts = [...names].filter((name) => /^(README\.md|lib\/.*\.(js|d\.ts))$/.test(name));
    for (const name of texts) {
      const text = fs.readFileSync(path.join(ROOT, name), 'utf8');
      for (const [doc] of text.matchAll(/docs\/[\w-]+(?:\/[\w-]+)*\.md/g))
        assert.ok(names.has(doc), `${doc}, of ${name}`);
    }
  });

  test('has nothing else', () => {
    const foreign = [...names].filter(
      (name) =>
        !/^(lib|src|docs|prebuilds)\/|^\.ci\/(addon|install|system)\.js$|^[^/]+$/.test(name),
    );
    assert.deepEqual(foreign, []);
    const own = list.filter((file) => !file.path.startsWith('prebuilds/'));
    const bytes = own.reduce((sum, { size }) => sum + size, 0);
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
  });
});
