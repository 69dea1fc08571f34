'use strict';
// Addons whose file lies, in a build that is recorded: what unwinds, names and identifies them gets noise,
// and the build neither notices nor waits. Each loads and works without a profiler.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { loadNative } = require('../../lib/native.js');
const { profileIn, run, temporaryFolder } = require('./support.js');

const { ok, message } = loadNative().probe('');
const ROOT = path.resolve(__dirname, '..', '..');
const LIB = JSON.stringify(path.join(ROOT, 'lib', 'index.js'));
const SOURCE = path.join(ROOT, 'test', 'fixtures', 'hostile', 'addon.c');
const INCLUDE = path.join(ROOT, 'node_modules', 'node-api-headers', 'include');
const compiles = spawnSync('cc', ['--version']).status === 0;
const skip = !ok ? `nothing can be recorded here: ${message}` : !compiles && 'no C compiler';

/** Of ELF64, little-endian: its sections by name, and where its header says what. */
class Elf {
  /** @param {Buffer} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    /** @type {Map<string, {row: number, offset: number, size: number}>} row: of its header */
    this.sections = new Map();
    const start = Number(bytes.readBigUInt64LE(40));
    const rows = Array.from({ length: bytes.readUInt16LE(60) }, (_, i) => {
      const row = start + 64 * i;
      const [offset, size] = [24, 32].map((at) => Number(bytes.readBigUInt64LE(row + at)));
      return { row, offset, size, name: bytes.readUInt32LE(row) };
    });
    const names = rows[bytes.readUInt16LE(62)].offset;
    for (const { name, ...section } of rows) {
      const at = names + name;
      this.sections.set(bytes.toString('latin1', at, bytes.indexOf(0, at)), section);
    }
  }

  /** @param {string} name */
  section(name) {
    const found = this.sections.get(name);
    assert.ok(found, `${name} among ${[...this.sections.keys()]}`);
    return found;
  }

  /** @param {string} name @param {number} seed @param {number} [from] bytes of it that stay */
  noise(name, seed, from = 0) {
    const { offset, size } = this.section(name);
    let state = seed;
    for (let i = from; i < size; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      this.bytes[offset + i] = state >>> 24;
    }
  }

  /** @param {string} name @param {number} byte */
  fill(name, byte) {
    const { offset, size } = this.section(name);
    this.bytes.fill(byte, offset, offset + size);
  }
}

/** @type {Record<string, (elf: Elf) => void>} */
const LIES = {
  'an .eh_frame of noise': (elf) => elf.noise('.eh_frame', 1),
  'an .eh_frame whose entries never end': (elf) => elf.fill('.eh_frame', 0x7f),
  'a search table of noise': (elf) => elf.noise('.eh_frame_hdr', 2, 12),
  'a search table for four billion functions': (elf) =>
    elf.bytes.writeUInt32LE(0xffffffff, elf.section('.eh_frame_hdr').offset + 8),
  'a search table of another encoding': (elf) => elf.noise('.eh_frame_hdr', 3, 1),
  'a symbol table of noise': (elf) => elf.noise('.symtab', 4),
  'names without an end': (elf) => elf.fill('.strtab', 0x5f),
  'a symbol table of all memory': (elf) =>
    elf.bytes.writeBigUInt64LE(2n ** 63n, elf.section('.symtab').row + 32),
  'a build id of noise': (elf) => elf.noise('.note.gnu.build-id', 5),
  'section headers behind its end': (elf) => elf.bytes.writeBigUInt64LE(2n ** 62n, 40),
  'more section headers than it has': (elf) => elf.bytes.writeUInt16LE(0xfffe, 60),
};

const WORK_MS = 40;

describe('addons whose file lies', { skip }, () => {
  /** @param {import('node:test').TestContext} t */
  const compiled = (t) => {
    const cwd = temporaryFolder(t);
    const file = path.join(cwd, 'addon.node');
    const flags = ['-shared', '-fPIC', '-O1', `-I${INCLUDE}`, '-o', file, SOURCE];
    const { status, stderr } = spawnSync('cc', flags, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return { cwd, file };
  };

  test('cost their names or stacks at most', async (t) => {
    const { cwd, file } = compiled(t);
    const files = Object.entries(LIES).map(([, tell], index) => {
      const elf = new Elf(fs.readFileSync(file));
      tell(elf);
      const hostile = path.join(cwd, `lie-${index}.node`);
      fs.writeFileSync(hostile, elf.bytes);
      return hostile;
    });
    // Each by itself first: a lie that node cannot load either says nothing.
    const use = `for (const file of ${JSON.stringify(files)}) console.log(require(file)(${WORK_MS}));`;
    const expected = '1\n'.repeat(files.length);
    const alone = await run(process.execPath, ['-e', use], { cwd });
    assert.deepEqual([alone.code, alone.stdout], [0, expected], alone.stderr);
    for (const callGraph of ['full', 'dwarf']) {
      const output = path.join(cwd, callGraph);
      const options = JSON.stringify({ frequency: 2000, quiet: true, callGraph, output });
      const script = `require(${LIB}).start(${options}); ${use}`;
      const { code, signal, stdout, stderr } = await run(process.execPath, ['-e', script], { cwd });
      assert.deepEqual([code, signal, stdout, stderr], [0, null, expected, '']);
      const { quality, raw } = profileIn(output).profile;
      assert.equal(quality.complete + quality.truncated + quality.broken, quality.samples);
      const modules = Array.from(raw.modules.name, (name) => raw.strings[name]);
      for (const one of files) assert.ok(modules.includes(path.basename(one)), `${modules}`);
    }
  });

  test('or that go away, cost their names at most', async (t) => {
    const { cwd, file } = compiled(t);
    const files = ['gone', 'pipe', 'noise'].map((name) => path.join(cwd, `${name}.node`));
    for (const one of files) fs.copyFileSync(file, one);
    const script = `const session = require(${LIB}).start({ frequency: 2000, quiet: true });
      const fs = require('fs'), { execFileSync } = require('child_process');
      const [gone, pipe, noise] = ${JSON.stringify(files)};
      const work = [gone, pipe, noise].map((file) => require(file));
      for (const file of [gone, pipe, noise]) fs.rmSync(file);
      execFileSync('mkfifo', [pipe]);
      fs.writeFileSync(noise, Buffer.alloc(1 << 16, 0xa5));
      for (const one of work) console.log(one(${WORK_MS}));
      console.log(session.stopSync().quality.samples > 0);`;
    const { code, stdout, stderr } = await run(process.execPath, ['-e', script], { cwd });
    assert.deepEqual([code, stdout], [0, '1\n1\n1\ntrue\n'], stderr);
  });
});
