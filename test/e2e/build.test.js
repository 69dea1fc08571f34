'use strict';
// Real rspack builds with the profiler in their process: the build is what it was without it, the
// profile is there, and it holds what it promises.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { findStack, hasInOrder } = require('./stacks.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const support = require('./support.js');

const { build, hashOf, profileIn, temporaryFolder, withoutTimes } = support;
const skip = whyNoRspack || support.whyNoEvents();

describe('a real build', { skip }, () => {
  for (const config of ['rspack.config.js', 'rspack.config.mjs']) {
    test(`with ${config} is what it is without the profiler`, async (t) => {
      const output = temporaryFolder(t);
      const plain = await build('react-100', { config });
      const plainFiles = hashOf(path.join(plain.folder, 'dist'));
      const profiled = await build('react-100', { config, output, prof: { frequency: 1000 } });
      assert.equal(profiled.code, plain.code);
      assert.equal(plain.code, 0);
      assert.equal(withoutTimes(profiled.stdout), withoutTimes(plain.stdout));
      assert.equal(hashOf(path.join(profiled.folder, 'dist')), plainFiles);
      assert.match(profiled.stderr, /SELF%\s+TOTAL%/);
      const { folder } = profileIn(output);
      for (const file of ['profile.json.gz', 'hotspots.txt', 'profile.folded', 'flamegraph.html']) {
        const { size, mode } = fs.statSync(path.join(folder, file));
        assert.ok(size > 0, `${file} is empty`);
        assert.equal(mode & 0o777, 0o600, `${file} is ours alone`);
      }
    });
  }

  test('a build that fails fails as it did', async (t) => {
    const output = temporaryFolder(t);
    const plan = require('../../bench/build.js').prepareBuild('react-100');
    const entry = path.join(plan.folder, 'no-such-entry.config.js');
    const text = (/** @type {string} */ first) =>
      `${first}\nmodule.exports = { context: __dirname, entry: './src/missing.js', mode: 'none' };\n`;
    t.after(() => fs.rmSync(entry, { force: true }));
    fs.writeFileSync(entry, text(''));
    const args = [...plan.args.slice(0, -1), entry];
    const plain = await support.run(plan.command, args, { env: plan.env });
    fs.writeFileSync(
      entry,
      text(`require('rspack-prof').start({ output: ${JSON.stringify(output)} });`),
    );
    const profiled = await support.run(plan.command, args, { env: plan.env });
    assert.notEqual(plain.code, 0);
    assert.equal(profiled.code, plain.code);
    assert.equal(withoutTimes(profiled.stdout), withoutTimes(plain.stdout));
    profileIn(output);
  });

  test('stacks are whole, leaves named, nothing lost, and each sample is in one bucket', async (t) => {
    const output = temporaryFolder(t);
    const { code } = await build('react-1k', { output, prof: { frequency: 4000 } });
    assert.equal(code, 0);
    const { profile } = profileIn(output);
    const { quality } = profile;
    assert.ok(quality.samples > 2000, `${quality.samples} samples`);
    assert.equal(quality.lost, 0);
    assert.equal(quality.complete + quality.truncated + quality.broken, quality.samples);
    assert.ok(quality.completeShare >= 0.98, `${quality.completeShare} complete`);
    assert.ok(quality.unnamedLeaf < quality.samples * 0.05, `${quality.unnamedLeaf} unnamed`);

    const isRust = (/** @type {import('./stacks.js').Frame} */ { kind }) => kind === 'rust';
    const isJs = (/** @type {import('./stacks.js').Frame} */ { kind }) => kind === 'js';
    const isNode = (/** @type {import('./stacks.js').Frame} */ { name, kind }) =>
      kind === 'native' && /^(node|v8|v8impl)::|^napi_/.test(name);
    assert.ok(
      findStack(profile, (stack) => hasInOrder(stack, [isJs, isNode, isRust])),
      'no stack goes from JavaScript through node into Rust',
    );
    // The command line's function that loads the config had been compiled, and was running,
    // before the config could call start().
    assert.ok(
      findStack(profile, (stack) => stack.some(({ name }) => /^loadRspackConfig /.test(name))) ??
        findStack(profile, (stack) =>
          stack.some(({ name }) => /@rspack\/cli\/\S+:\d+:\d+$/.test(name)),
        ),
      'no function of @rspack/cli is named',
    );
    assert.ok(
      findStack(profile, (stack) =>
        stack.some(({ name }) => /\/rspack\.config\.js:1:1$/.test(name)),
      ),
      'the config itself is not named',
    );
  });

  test('JavaScript loaders and plugins stand below the Rust that called them', async (t) => {
    const output = temporaryFolder(t);
    const { code } = await build('hooks-1k', { output, prof: { frequency: 4000 } });
    assert.equal(code, 0);
    const { profile } = profileIn(output);
    const stack = findStack(profile, (frames) =>
      hasInOrder(frames, [
        ({ kind }) => kind === 'rust',
        ({ name }) => /^napi_call_function|^v8::Function::Call/.test(name),
        ({ kind }) => kind === 'js',
      ]),
    );
    assert.ok(stack, 'no stack goes from Rust into JavaScript');
    assert.ok(
      findStack(profile, (frames) =>
        frames.some(({ name }) => /outline-loader\.js:\d+:\d+$/.test(name)),
      ),
      'the loader is not named',
    );
  });
});
