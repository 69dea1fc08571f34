'use strict';
// Processes linked with musl, real ones: the loader refuses the addon with a reason and harms nobody, and
// start() says what to do. The C parts need Debian's musl-tools; a node and a bun for musl come from npm:
// `node .ci/musl.js` gets them. What is not there is skipped.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { findAddon } = require('../../lib/native.js');
const { RUNTIMES, fileOf } = require('../../.ci/musl.js');
const { temporaryFolder } = require('./support.js');

const ROOT = path.join(__dirname, '..', '..');
const SOURCES = path.join(__dirname, '..', 'musl');
const GOLDEN = path.join(ROOT, 'test', 'golden', 'small-build.firefox.json');
/** Where Debian and others have glibc's libraries. */
const GLIBC = ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64'];

const noCompiler =
  spawnSync('musl-gcc', ['--version']).status === 0
    ? false
    : 'musl-gcc is missing: apt-get install musl-tools';

/** @param {string} file @param {string[]} args @param {object} [options] */
function run(file, args, options = {}) {
  const { error, ...ended } = spawnSync(file, args, { encoding: 'utf8', ...options });
  if (error) throw error;
  return ended;
}

/** What node has for addons: N-API's and libuv's functions. @param {string} addon */
function stubsFor(addon) {
  const { stdout } = run('nm', ['-D', '--undefined-only', addon]);
  const names = [...stdout.matchAll(/^\s+U ((?:napi|node_api|uv)_\w+)$/gm)].map(([, name]) => name);
  assert.ok(names.length > 20, stdout);
  return names.map((name) => `int ${name}(void) { return 9; }\n`).join('');
}

/** @param {string[]} args */
function compile(...args) {
  const { status, stderr } = run('musl-gcc', ['-std=c11', '-Wall', '-Wextra', ...args]);
  assert.equal(status, 0, stderr);
}

test(
  "musl's loader refuses the addon, also where glibc's libraries are",
  { skip: noCompiler },
  (t) => {
    const folder = temporaryFolder(t);
    const [program, stubs] = ['load', 'stubs.c'].map((name) => path.join(folder, name));
    const addon = findAddon();
    fs.writeFileSync(stubs, stubsFor(addon));
    compile('-rdynamic', '-o', program, path.join(SOURCES, 'load.c'), stubs);
    for (const env of [{}, { LD_LIBRARY_PATH: GLIBC.join(':') }]) {
      const { status, signal, stdout } = run(program, [addon], { env });
      assert.deepEqual([status, signal], [0, null]);
      assert.match(stdout, /^refused: Error (loading shared library|relocating) .*: /);
    }
  },
);

const MUSL =
  /^rspack-prof records on Linux x64 with glibc and this node is linked with musl \(Alpine\)/;
const BUN = /^rspack-prof records in node and this is bun [\d.]+: run the build with node/;

/** Says what the package does in a process; the addon is then loaded whatever the package thinks. */
const SCRIPT = `
const lib = ${JSON.stringify(path.join(ROOT, 'lib'))};
const prof = require(lib + '/index.js');
const { findAddon, loadNative } = require(lib + '/native.js');
const errorOf = (work) => { try { work(); return null; } catch ({ code, message }) { return { code, message }; } };
const rows = prof.read(${JSON.stringify(GOLDEN)}).hotspots({ by: 'crate' }).length;
const said = { glibc: process.report.getReport().header.glibcVersionRuntime, rows, status: prof.status(),
  start: errorOf(() => prof.start()),
  runner: errorOf(() => require(lib + '/compare/run.js').findRunner()),
  asNode: errorOf(() => loadNative({ versions: { node: process.versions.node } })),
  addon: errorOf(() => require(findAddon())) };
require('node:fs').writeFileSync(process.env.SAID, JSON.stringify(said));
process.exit(0);`;

describe('in a process linked with musl', { skip: noCompiler }, () => {
  for (const [name, runtime] of Object.entries(RUNTIMES)) {
    const file = fileOf(runtime);
    const skip = !fs.existsSync(file) && `no ${name} for musl: node .ci/musl.js gets it`;

    /** @param {import('node:test').TestContext} t @param {string} text */
    const inside = (t, text) => {
      const folder = temporaryFolder(t);
      // Alpine's libstdc++ is not to be had here: Debian's, with what it asks of a libc.
      compile(
        '-shared',
        '-fPIC',
        '-o',
        path.join(folder, 'ld-linux-x86-64.so.2'),
        `${SOURCES}/names.c`,
      );
      for (const library of ['libstdc++.so.6', 'libgcc_s.so.1']) {
        const found = GLIBC.map((one) => path.join(one, library)).find((one) => fs.existsSync(one));
        if (found) fs.symlinkSync(found, path.join(folder, library));
      }
      const script = path.join(folder, 'script.cjs');
      fs.writeFileSync(script, text);
      const { args, env } = runtime.running(script);
      const own = {
        LD_LIBRARY_PATH: folder,
        SAID: path.join(folder, 'said.json'),
        HOME: folder,
        ...env,
      };
      const ended = run(file, args, { env: { PATH: process.env.PATH, ...own }, cwd: folder });
      const { status, signal, stderr } = ended;
      assert.deepEqual([status, signal], [0, null], stderr);
      return { ...ended, said: () => JSON.parse(fs.readFileSync(own.SAID, 'utf8')) };
    };

    test(
      `${name}: the package loads and reads profiles, and start() says what to do`,
      { skip },
      (t) => {
        const { said } = inside(t, SCRIPT);
        const { glibc, rows, status, start, runner, asNode, addon } = said();
        assert.equal(glibc, undefined);
        assert.ok(rows > 2, `${rows} rows`);
        assert.equal(start.code, 'ERR_PROF_UNSUPPORTED_PLATFORM');
        assert.match(start.message, name === 'bun' ? BUN : MUSL);
        assert.deepEqual([status.supported, status.reason], [false, start.message]);
        for (const { code, message } of [runner, asNode]) {
          assert.equal(code, 'ERR_PROF_UNSUPPORTED_PLATFORM');
          assert.match(message, MUSL);
        }
        assert.match(addon.message, /Error (loading|relocating) |linked against glibc/);
      },
    );

    test(`${name}: the install leaves the addon out, and succeeds`, { skip }, (t) => {
      const install = JSON.stringify(path.join(ROOT, '.ci', 'install.js'));
      const { stderr, stdout } = inside(t, `require(${install}); process.exit(process.exitCode);`);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        /^rspack-prof: the addon is not built, for .* and this is Linux with musl$/m,
      );
    });
  }
});
