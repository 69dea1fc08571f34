'use strict';
// Inlined functions by DWARF, wherever it is kept: in the file, compressed, in split units, or in a
// file that .gnu_debuglink names. Each way is loaded into this process and sampled; every address of
// the function is compared with addr2line.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const prof = require('../../lib/index.js');
const support = require('./support.js');

const ROOT = path.join(__dirname, '../..');
const FIXTURE = path.join(ROOT, 'test/fixtures/inline');
const SOURCE = path.join(FIXTURE, 'inline_fixture.rs');
/** From this version on libdw finds split units that were packed into a .dwp. */
const LIBDW_WITH_DWP = 191;
const NAMES = [
  'inline_fixture::whole',
  'inline_fixture::middle',
  '<inline_fixture::Tree>::deepest',
];

/** @param {string} command @param {string[]} args @param {string} [cwd] */
function out(command, args, cwd) {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** @param {string} command */
const isThere = (command) => spawnSync(command, ['--version']).status === 0;

/** @returns {string | false} */
function whyNot() {
  const missing = ['rustc', 'cc', 'objcopy', 'nm', 'addr2line'].find((name) => !isThere(name));
  return missing ? `${missing} is not installed` : support.whyNoEvents();
}

/** What libdw on this machine cannot read. @param {string} folder @returns {Record<string, string>} */
function refused(folder) {
  const [, minor] = /^0\.(\d+)/.exec(out('pkg-config', ['--modversion', 'libdw'])) ?? [];
  const libelf = spawnSync('ldd', [path.join(folder, 'chains')], { encoding: 'utf8' }).stdout;
  return {
    ...(Number(minor) < LIBDW_WITH_DWP ? { packed: `libdw 0.${minor} reads no .dwp` } : {}),
    ...(libelf.includes('libzstd') ? {} : { zstd: 'libelf was built without zstd' }),
  };
}

/** @param {string} folder @returns {Record<string, string>} files by how their DWARF is kept */
function builds(folder) {
  /** @type {Record<string, string>} */
  const files = {};
  const place = (/** @type {string} */ name) => {
    fs.mkdirSync(path.join(folder, name));
    return (files[name] = path.join(folder, name, 'inline_fixture.node'));
  };
  for (const split of ['off', 'unpacked', 'packed']) {
    const args = ['--crate-type', 'cdylib', '-O', '-g', '-C', `split-debuginfo=${split}`];
    const link = ['-C', 'symbol-mangling-version=v0', '-C', 'link-arg=-Wl,--build-id'];
    out('rustc', [...args, ...link, '-o', place(split), SOURCE], folder);
  }
  for (const how of ['zlib', 'zstd']) {
    const to = place(how);
    spawnSync('objcopy', [`--compress-debug-sections=${how}`, files.off, to]);
    if (!fs.existsSync(to)) delete files[how];
  }
  const linked = place('linked');
  const debug = path.join(path.dirname(linked), 'inline_fixture.debug');
  out('objcopy', ['--only-keep-debug', files.off, debug]);
  out('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, files.off, linked]);
  return files;
}

/** @param {string} file @returns {[string, string]} start (hex) and size (decimal) of `whole` */
function whole(file) {
  const row = /^([\da-f]+) ([\da-f]+) . (\S*inline_fixture5whole\S*)$/m.exec(
    out('nm', ['-S', file]),
  );
  assert.ok(row, file);
  return [row[1], String(parseInt(row[2], 16))];
}

/** @param {string} file @param {string} start @param {string} size innermost first */
function byAddr2line(file, start, size) {
  const addresses = Array.from(
    { length: Number(size) },
    (_, i) => BigInt(`0x${start}`) + BigInt(i),
  );
  const args = ['-a', '-f', '-i', '-e', file, ...addresses.map((at) => at.toString(16))];
  return out('addr2line', args)
    .split(/^0x0*(?=[\da-f]+$)/m)
    .slice(1)
    .map((block) => {
      const [address, ...lines] = block.trim().split('\n');
      return `${address} ${lines.filter((_, i) => i % 2 === 0).join(' < ')}`;
    })
    .join('\n');
}

/** @param {string} text */
const lineOf = (text) =>
  fs
    .readFileSync(SOURCE, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

/**
 * How many samples stand inside `whole` of one file, and how many of them have both functions that
 * were inlined, marked so, at the places of their declarations.
 * @param {any} raw @param {string} file
 */
function count({ samples, nodes, funcs, modules, strings }, file) {
  const module = Array.from(modules.path, (index) => strings[index]).indexOf(file);
  const lines = ['fn whole', 'fn middle', 'fn deepest'].map(lineOf);
  const found = { inside: 0, right: 0, seen: '' };
  for (const leaf of samples.node) {
    /** @type {{ name: string, inline: number, file: string, line: number }[]} */
    const stack = [];
    let isOurs = false;
    for (let node = leaf; node > 0 && !isOurs; node = nodes.parent[node]) {
      const func = nodes.func[node];
      const name = strings[funcs.name[func]];
      const inline = nodes.inline[node];
      stack.unshift({ name, inline, file: strings[funcs.file[func]], line: funcs.line[func] });
      isOurs = funcs.module[func] === module && name === NAMES[0];
    }
    if (!isOurs) continue;
    found.inside += 1;
    found.seen = JSON.stringify(stack);
    const [outer, ...inner] = stack.slice(0, 3);
    const isRight =
      stack.length >= 3 &&
      !outer.inline &&
      inner.every(({ inline }) => inline === 1) &&
      [outer, ...inner].every(
        (frame, i) => frame.name === NAMES[i] && frame.line === lines[i] && frame.file === SOURCE,
      );
    found.right += Number(isRight);
  }
  return found;
}

test('inlined functions', { skip: whyNot() }, async (t) => {
  const folder = support.temporaryFolder(t);
  const includes = ['-std=c11', '-D_GNU_SOURCE', '-O1', `-I${path.join(ROOT, 'src')}`];
  const sources = ['src/code/inline.c', 'src/base/array.c'].map((name) => path.join(ROOT, name));
  const chains = path.join(folder, 'chains');
  out('cc', [
    ...includes,
    '-o',
    chains,
    path.join(FIXTURE, 'chains.c'),
    ...sources,
    '-ldw',
    '-lelf',
  ]);
  const files = builds(folder);
  const cannot = refused(folder);
  /** @type {Record<string, ReturnType<typeof count>>} */
  const found = {};
  for (const [how, file] of Object.entries(files)) {
    // A recording each: the time for DWARF is limited for all files of one together.
    const session = prof.start({ event: 'cpu-clock:u', frequency: 2000 });
    process.dlopen({ exports: {} }, file);
    found[how] = count(/** @type {any} */ (await session.stop()).raw, file);
  }

  await t.test('every address: the functions that addr2line -i names', () => {
    const [start, size] = whole(files.off);
    const ours = out(chains, [files.off, start, size]).trim();
    assert.equal(ours, byAddr2line(files.off, start, size));
    assert.ok(ours.split('\n').some((line) => line.split(' < ').length >= 3));
  });

  for (const how of Object.keys(files)) {
    await t.test(
      `${how}: names, lines, and what was inlined`,
      { skip: cannot[how] ?? false },
      (t) => {
        const { inside, right, seen } = found[how];
        t.diagnostic(`${right} of ${inside} samples`);
        assert.ok(inside > 20, `${inside} samples`);
        assert.ok(right >= 0.9 * inside, `${right} of ${inside}: ${seen}`);
      },
    );
  }

  await t.test('what libdw cannot read costs the inlined functions alone', () => {
    for (const how of Object.keys(cannot)) {
      if (files[how]) assert.ok(found[how].inside > 20, how);
    }
  });
});
