'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { toFirefox } = require('../../lib/export/firefox.js');
const { toPerfData } = require('../../lib/export/perf-data.js');
const { Profile } = require('../../lib/profile/profile.js');
const { buildProfile } = require('./helpers/raw-profile.js');

const BUILD_ID = 'ab'.repeat(20);
/** Two names at one address, a piece of data, a module's function. */
const KALLSYMS = [
  'ffffffff81000000 T _text',
  'ffffffff81000100 T do_read',
  'ffffffff81000100 T do_read_alias',
  'ffffffff81000200 t other',
  'ffffffff81100000 T _etext',
  'ffffffff81200000 D data',
  'ffffffffc0000000 t in_module\t[some]',
].join('\n');

/** An ELF file with code at 0x1200 of the file, addresses 0x3200 on, and a build id. */
function elf(buildId = BUILD_ID) {
  const bytes = Buffer.alloc(0x200);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(2, 56);
  const row = (/** @type {number} */ at, /** @type {number[]} */ values) => {
    bytes.writeUInt32LE(values[0], at);
    bytes.writeUInt32LE(values[1], at + 4);
    bytes.writeBigUInt64LE(BigInt(values[2]), at + 8);
    bytes.writeBigUInt64LE(BigInt(values[3]), at + 16);
    bytes.writeBigUInt64LE(BigInt(values[4]), at + 32);
  };
  const id = Buffer.from(buildId, 'hex');
  row(64, [1, 5, 0x1200, 0x3200, 0x5000]); // PT_LOAD, r-x
  row(120, [4, 4, 0x100, 0x100, 16 + id.length]); // PT_NOTE
  bytes.writeUInt32LE(4, 0x100);
  bytes.writeUInt32LE(id.length, 0x104);
  bytes.writeUInt32LE(3, 0x108);
  bytes.write('GNU\0', 0x10c, 'latin1');
  id.copy(bytes, 0x110);
  return bytes;
}

const disk = (file = elf(), kallsyms = KALLSYMS) => ({
  readFile: () => Buffer.from(kallsyms),
  readAt: (/** @type {string} */ _file, /** @type {number} */ offset, /** @type {number} */ size) =>
    file.subarray(offset, offset + size),
});

const nothing = {
  readFile: () => {
    throw new Error('gone');
  },
  readAt: () => {
    throw new Error('gone');
  },
};

/**
 * Main thread, a Rust function of a file, JavaScript, the kernel.
 * @param {Record<string, number>} addresses by function; the file's count from 0x3000
 */
function profile(addresses) {
  const made = buildProfile(
    [
      { stack: 'main;render (app.js:1:2);parse;do_read', weight: 5, timeNs: 5e12 + 10 },
      { stack: 'main;parse', weight: 7, timeNs: 5e12 + 20, cpu: 1, thread: 'tokio/77' },
    ],
    {
      funcs: {
        main: { kind: 'native', object: 'node' },
        parse: { kind: 'rust', object: 'node', crate: 'swc' },
        'render (app.js:1:2)': { kind: 'js' },
        do_read: { kind: 'kernel' },
      },
    },
  );
  const { raw } = made;
  raw.funcs.address = Float64Array.from(
    raw.funcs.name,
    (name) => addresses[raw.strings[name]] ?? 0,
  );
  raw.modules.buildId.fill(raw.strings.push(BUILD_ID) - 1);
  raw.modules.start.fill(0x555500003000);
  raw.strings[raw.modules.path[0]] = '/opt/node';
  return made;
}

const ALL = { main: 0x3300, parse: 0x3400, do_read: 0x81000110 - 2 ** 32 };

/** The records of a file as objects. @param {ReturnType<typeof toPerfData>} out */
function parse(out) {
  const bytes = Buffer.concat(out.data);
  const u64 = (/** @type {number} */ at) => bytes.readBigUInt64LE(at);
  assert.equal(bytes.toString('latin1', 0, 8), 'PERFILE2');
  const start = Number(u64(40));
  const end = start + Number(u64(48));
  /** @type {any[]} */
  const records = [];
  for (let at = start; at < end; at += bytes.readUInt16LE(at + 6)) {
    const type = bytes.readUInt32LE(at);
    const misc = bytes.readUInt16LE(at + 4);
    const size = bytes.readUInt16LE(at + 6);
    assert.ok(size >= 8 && size % 8 === 0 && at + size <= end);
    const text = (/** @type {number} */ from) =>
      bytes.toString('latin1', at + from, bytes.indexOf(0, at + from));
    if (type === 9) {
      const chain = [];
      for (let i = 0; i < Number(u64(at + 48)); i++) chain.push(u64(at + 56 + 8 * i));
      records.push({
        type: 'sample',
        misc,
        ip: u64(at + 8),
        tid: bytes.readUInt32LE(at + 20),
        timeNs: Number(u64(at + 24)),
        cpu: bytes.readUInt32LE(at + 32),
        period: Number(u64(at + 40)),
        chain,
      });
    } else if (type === 3) {
      records.push({ type: 'comm', tid: bytes.readUInt32LE(at + 12), name: text(16) });
    } else if (type === 10 || type === 1) {
      const [mapped, length, offset] = [16, 24, 32].map((from) => u64(at + from));
      const path = text(type === 10 ? 72 : 40);
      records.push({ type: 'mmap', path, start: mapped, length, offset });
    }
  }
  return { bytes, records };
}

const KERNEL = BigInt.asUintN(64, -128n);
const USER = BigInt.asUintN(64, -512n);

test('functions of a file keep their addresses, the others get a line in the perf-map', () => {
  const out = toPerfData(profile(ALL), disk());
  const { records } = parse(out);
  const bias = 0x555500000000n;
  const samples = records.filter(({ type }) => type === 'sample');
  assert.deepEqual(samples[0].chain, [
    KERNEL,
    0xffffffff81000110n,
    USER,
    bias + 0x3400n,
    0x100000000000n,
    bias + 0x3300n,
  ]);
  assert.equal(samples[0].ip, 0xffffffff81000110n);
  assert.equal(samples[0].misc, 1);
  assert.equal(samples[0].period, 5);
  assert.deepEqual(samples[1].chain, [USER, bias + 0x3400n, bias + 0x3300n]);
  assert.deepEqual([samples[1].misc, samples[1].tid, samples[1].cpu], [2, 77, 1]);
  assert.equal(out.perfMap, '100000000000 10 render (app.js:1:2)\n');
  assert.equal(out.perfMapName, 'perf-4711.map'.replace('4711', String(profile(ALL).meta.pid)));
});

test('mappings lead perf to the code of the file, to the kernel and to the perf-map', () => {
  const { records } = parse(toPerfData(profile(ALL), disk()));
  const maps = records.filter(({ type }) => type === 'mmap');
  assert.deepEqual(
    maps.map(({ path }) => path),
    ['[kernel.kallsyms]_text', '//anon', '/opt/node'],
  );
  assert.equal(maps[0].length, 0x100000n);
  assert.equal(maps[0].offset, 0xffffffff81000000n);
  // 0x3200..0x8200 of the address space at 0x1200 of the file, whole pages
  assert.deepEqual(
    [maps[2].start, maps[2].length, maps[2].offset],
    [0x555500003000n, 0x6000n, 0x1000n],
  );
  assert.ok(
    records.some(({ type, tid, name }) => type === 'comm' && tid === 77 && name === 'tokio'),
  );
});

test('a file that is gone or another one, and another kernel: made addresses, never a wrong name', () => {
  const names = (/** @type {ReturnType<typeof toPerfData>} */ out) =>
    out.perfMap
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\w+ 10 /, ''))
      .sort();
  const all = ['do_read', 'main', 'parse', 'render (app.js:1:2)'];
  assert.deepEqual(names(toPerfData(profile(ALL), nothing)), all);
  assert.deepEqual(names(toPerfData(profile(ALL), disk(elf('cd'.repeat(20)), ''))), all);
  assert.deepEqual(names(toPerfData(profile({}), disk())), all);
  // The address is another function's in this kernel.
  const moved = KALLSYMS.replace('81000200 t other', '81000108 t other');
  assert.ok(names(toPerfData(profile(ALL), disk(elf(), moved))).includes('do_read'));
  // Out of the file's code.
  const outside = toPerfData(profile({ ...ALL, parse: 0x9000 }), disk());
  assert.ok(names(outside).includes('parse'));
});

test('every made address has its own line, and every stack can be read back by them', () => {
  const made = profile(ALL);
  const out = toPerfData(made, nothing);
  const name = new Map(
    out.perfMap
      .trim()
      .split('\n')
      .map((line) => [BigInt(`0x${line.split(' ')[0]}`), line.replace(/^\w+ \w+ /, '')]),
  );
  assert.equal(name.size, 4);
  const [first, second] = parse(out).records.filter(({ type }) => type === 'sample');
  const stack = (/** @type {bigint[]} */ chain) => chain.slice(1).map((at) => name.get(at));
  assert.deepEqual(stack(first.chain), ['do_read', 'parse', 'render (app.js:1:2)', 'main']);
  assert.deepEqual(stack(second.chain), ['parse', 'main']);
});

test('a stack deeper than a record can hold is cut at its outer end, and counted', () => {
  const deep = buildProfile([{ stack: Array.from({ length: 9000 }, (_, i) => `f${i}`).join(';') }]);
  const out = toPerfData(deep, nothing);
  const [sample] = parse(out).records.filter(({ type }) => type === 'sample');
  assert.equal(out.truncated, 1);
  assert.equal(sample.chain.length, 8001);
  const leaf = out.perfMap.split('\n').find((line) => line.endsWith(' f8999'));
  assert.equal(sample.chain[1], BigInt(`0x${leaf?.split(' ')[0]}`));
});

test('the head names the event, the machine and the command', () => {
  const out = toPerfData(profile(ALL), disk());
  const { bytes } = parse(out);
  const text = bytes.toString('latin1');
  const { meta } = profile(ALL);
  for (const word of [meta.event, meta.kernel, ...meta.command.split(' ')]) {
    assert.ok(text.includes(`${word}\0`), word);
  }
  assert.ok(/rspack-prof \d/.test(text));
  assert.ok(bytes.includes(Buffer.from(BUILD_ID, 'hex')));
});

test('the machine is the one that was recorded, here and in a Firefox profile; once there was one only', () => {
  const arm = profile(ALL);
  Object.assign(arm.raw.meta, { arch: 'aarch64' });
  const made = new Profile(arm.raw, { context: arm.context });
  const machines = (/** @type {Profile} */ own) => {
    const { meta, libs } = /** @type {any} */ (toFirefox(own));
    const { bytes } = parse(toPerfData(own, disk()));
    const inData = ['x86_64', 'aarch64'].filter((name) => bytes.includes(`${name}\0`));
    return [...inData, meta.oscpu.split(' ').at(-1), libs[0].arch];
  };
  assert.deepEqual(machines(made), ['aarch64', 'aarch64', 'aarch64']);
  assert.deepEqual(machines(profile(ALL)), ['x86_64', 'x86_64', 'x86_64']);
});

test('times and places that are no whole numbers, as anybody may write them, are rounded', () => {
  const made = profile(ALL);
  made.raw.threads.startNs.fill(5e12 + 0.5);
  made.raw.modules.start.fill(0x555500003000 + 0.25);
  made.raw.samples.weight.fill(1.5);
  const { records } = parse(toPerfData(made, disk()));
  const periods = records.filter(({ type }) => type === 'sample').map(({ period }) => period);
  assert.deepEqual(periods, [2, 2]);
});

test('a period is in the attributes as one', () => {
  const made = profile(ALL);
  Object.assign(made.meta, { frequency: 0, period: 12_345 });
  const attr = toPerfData(made, disk()).data[1];
  assert.equal(Buffer.from(attr).readBigUInt64LE(16), 12_345n);
});
