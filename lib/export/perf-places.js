'use strict';
// Gives each function of a profile one address, so that perf's own look-up finds the same name.
//
// A function of an ELF file keeps its own address, where that file is still here and still the one
// that was recorded (build id); the kernel's keep theirs where /proc/kallsyms names them so (same
// boot). Everything else (JavaScript, inlined functions, places without a symbol, files of another
// machine) gets a made address, and a line in a perf-map says its name.

const fs = require('node:fs');
const { buildIdOf } = require('../elf.js');
const { KINDS } = require('../profile/keys.js');

/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {{ start: bigint, size: bigint, offset: bigint, module: number }} Mapping */
/** @typedef {{ readFile: (file: string) => Uint8Array, readAt: (file: string, offset: number, size: number) => Buffer }} Disk */

/** Above every heap, below every library: Linux maps from 0x7fff... down. */
const MADE_START = 0x100000000000n;
const MADE_SIZE = 16n;
const KERNEL_BASE = 0xffffffff00000000n;
const PAGE = 4096n;
const KERNEL = KINDS.indexOf('kernel');
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const NOTES_MOST = 65536;

/** @type {Disk} */
const realDisk = {
  readFile: (file) => fs.readFileSync(file),
  readAt(file, offset, size) {
    const fd = fs.openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(size);
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, size, offset));
    } finally {
      fs.closeSync(fd);
    }
  },
};

/**
 * @param {string} file
 * @param {Disk} disk
 * @returns {{ code: { offset: bigint, address: bigint, size: bigint }[], buildId: string } | null}
 */
function readElf(file, disk) {
  try {
    const head = disk.readAt(file, 0, 64);
    if (head.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return null;
    const entry = head.readUInt16LE(54);
    const count = head.readUInt16LE(56);
    const rows = disk.readAt(file, Number(head.readBigUInt64LE(32)), entry * count);
    const code = [];
    let buildId = '';
    for (let at = 0; at + entry <= rows.length; at += entry) {
      const type = rows.readUInt32LE(at);
      const offset = rows.readBigUInt64LE(at + 8);
      const address = rows.readBigUInt64LE(at + 16);
      const size = rows.readBigUInt64LE(at + 32);
      if (type === PT_LOAD && rows.readUInt32LE(at + 4) & PF_X)
        code.push({ offset, address, size });
      if (type === PT_NOTE && buildId === '' && size <= NOTES_MOST)
        buildId = buildIdOf(disk.readAt(file, Number(offset), Number(size)));
    }
    return code.length > 0 ? { code, buildId } : null;
  } catch {
    return null; // gone, or not for us: its functions get made addresses
  }
}

/**
 * The modules whose files are the recorded ones, and where their code is mapped.
 * @param {RawProfile} raw
 * @param {Disk} disk
 */
function mapModules({ strings, modules }, disk) {
  /** @type {Mapping[]} */
  const mappings = [];
  /** @type {Map<number, { bias: bigint, code: Mapping[] }>} */
  const known = new Map();
  for (let module = 0; module < modules.path.length; module++) {
    const path = strings[modules.path[module]];
    const buildId = strings[modules.buildId[module]];
    const elf = path.startsWith('/') ? readElf(path, disk) : null;
    // A module without a build id has a hash of its code there: nothing to compare with.
    if (!elf || (elf.buildId !== '' && elf.buildId !== buildId)) continue;
    const floor = (/** @type {bigint} */ value) => value & ~(PAGE - 1n);
    const start = BigInt(Math.round(modules.start[module]));
    const lowest = elf.code
      .map(({ address }) => floor(address))
      .sort((a, b) => (a < b ? -1 : 1))[0];
    const bias = start - lowest;
    const code = elf.code.map(({ offset, address, size }) => ({
      start: bias + floor(address),
      size: floor(address + size + PAGE - 1n) - floor(address),
      offset: floor(offset),
      module,
    }));
    const overlaps = mappings.some((other) =>
      code.some(
        (one) => one.start < other.start + other.size && other.start < one.start + one.size,
      ),
    );
    if (overlaps) continue; // it came where another had been: made addresses keep them apart
    mappings.push(...code);
    known.set(module, { bias, code });
  }
  return { mappings, known };
}

/**
 * @param {Disk} disk
 * @param {string} file
 * @returns {string} '' where it cannot be read
 */
function readText(disk, file) {
  try {
    return Buffer.from(disk.readFile(file)).toString('latin1');
  } catch {
    return '';
  }
}

/** The kernel's own code, by the lower halves of its addresses: the upper ones are all ones. */
class KernelNames {
  /** @type {Map<number, string[]>} */
  names = new Map();
  /** @type {number[]} */
  starts = [];
  start = 0;
  end = 0;

  /** @param {Disk} disk */
  constructor(disk) {
    const text = readText(disk, '/proc/kallsyms');
    // Neither data nor modules, whose lines name them at the end.
    for (const [, low, name] of text.matchAll(/^ffffffff([\da-f]{8}) [tTwW] (\S+)$/gm)) {
      const start = parseInt(low, 16);
      const there = this.names.get(start);
      if (there) there.push(name);
      else this.names.set(start, [name]);
      if (name === '_text') this.start = start;
      else if (name === '_etext') this.end = start;
    }
    this.starts = Array.from(this.names.keys()).sort((a, b) => a - b);
  }

  get range() {
    return { start: KERNEL_BASE + BigInt(this.start), size: BigInt(this.end - this.start) };
  }

  /**
   * @param {number} low
   * @param {string} name
   */
  has(low, name) {
    if (low < this.start || low >= this.end) return false;
    let first = 0;
    let end = this.starts.length;
    while (first < end) {
      const middle = (first + end) >> 1;
      if (this.starts[middle] <= low) first = middle + 1;
      else end = middle;
    }
    return this.names.get(this.starts[first - 1])?.includes(name) === true;
  }
}

/**
 * @param {RawProfile} raw
 * @param {Disk} [disk]
 * @returns {{ addresses: BigUint64Array, inKernel: Uint8Array, mappings: Mapping[],
 *   kernel: { start: bigint, size: bigint } | null, made: { start: bigint, size: bigint },
 *   perfMap: string }} columns by funcs
 */
function placesOf(raw, disk = realDisk) {
  const { strings, funcs } = raw;
  const count = funcs.name.length;
  const addresses = new BigUint64Array(count);
  const inKernel = new Uint8Array(count);
  const { mappings, known } = mapModules(raw, disk);
  const own = funcs.address;
  const kernel = own && funcs.kind.includes(KERNEL) ? new KernelNames(disk) : null;
  /** @type {string[]} */
  const lines = [];
  let next = MADE_START;
  for (let func = 0; func < count; func++) {
    const name = strings[funcs.name[func]];
    const address = own && Number.isSafeInteger(own[func]) ? own[func] : 0;
    const place = known.get(funcs.module[func]);
    if (funcs.kind[func] === KERNEL && address < 0 && kernel?.has(address + 2 ** 32, name)) {
      addresses[func] = BigInt.asUintN(64, BigInt(address));
      inKernel[func] = 1;
      continue;
    }
    if (place && address > 0 && funcs.named[func]) {
      const at = place.bias + BigInt(address);
      if (place.code.some(({ start, size }) => at >= start && at < start + size)) {
        addresses[func] = at;
        continue;
      }
    }
    addresses[func] = next;
    lines.push(`${next.toString(16)} ${MADE_SIZE.toString(16)} ${name.replace(/[\r\n]/g, ' ')}\n`);
    next += MADE_SIZE;
  }
  const size = ((next - MADE_START + PAGE - 1n) / PAGE) * PAGE;
  return {
    addresses,
    inKernel,
    mappings,
    kernel: kernel && inKernel.includes(1) ? kernel.range : null,
    made: { start: MADE_START, size },
    perfMap: lines.join(''),
  };
}

module.exports = { placesOf };
