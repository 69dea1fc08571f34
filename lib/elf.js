'use strict';
// What an ELF file is, read from its section headers: 64 bytes and one table of a 133 MB binding, not the
// file. Little-endian ELF64 only (x86_64, aarch64); anything else is null.
// Layout: System V ABI, Elf64_Ehdr (e_shoff at 40, e_shentsize at 58, e_shnum at 60, e_shstrndx at 62),
// Elf64_Shdr (sh_name at 0, sh_type at 4, sh_offset at 24, sh_size at 32), Elf64_Nhdr.

const crypto = require('node:crypto');
const fs = require('node:fs');

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_NOTE = 7;
const NT_GNU_BUILD_ID = 3;
/** Of a note, before its name and what it says, both in words of four bytes. */
const NOTE_BYTES = 12;
const aligned = (/** @type {number} */ bytes) => Math.ceil(bytes / 4) * 4;
const HEADER_BYTES = 64;
/** A linker makes some 40 sections; a file that claims 64 KB of them is read, not trusted. */
const MOST_SECTIONS = 0xff00;
const PIECE_BYTES = 1 << 20;
/** Names and notes; more is no table of a linker's. */
const MOST_SMALL_BYTES = 1 << 20;

/** @typedef {{ name: number, type: number, offset: number, size: number }} Section */

/**
 * @param {number} fd
 * @param {number} offset
 * @param {number} size
 */
function readAt(fd, offset, size) {
  const bytes = Buffer.alloc(size);
  return fs.readSync(fd, bytes, 0, size, offset) === size ? bytes : null;
}

/**
 * @param {number} fd
 * @returns {{ sections: Section[], names: number } | null} names: the index of their names' section
 */
function readSections(fd) {
  const header = readAt(fd, 0, HEADER_BYTES);
  // \x7fELF, class 64, little-endian
  if (!header || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
    return null;
  }
  const offset = Number(header.readBigUInt64LE(40));
  const entryBytes = header.readUInt16LE(58);
  const count = header.readUInt16LE(60);
  if (offset === 0 || count === 0) return { sections: [], names: 0 };
  if (entryBytes < HEADER_BYTES || count > MOST_SECTIONS) return null;
  const table = readAt(fd, offset, entryBytes * count);
  if (!table) return null;
  const sections = Array.from({ length: count }, (_, i) => ({
    name: table.readUInt32LE(i * entryBytes),
    type: table.readUInt32LE(i * entryBytes + 4),
    offset: Number(table.readBigUInt64LE(i * entryBytes + 24)),
    size: Number(table.readBigUInt64LE(i * entryBytes + 32)),
  }));
  return { sections, names: header.readUInt16LE(62) };
}

/**
 * @template T
 * @param {string} file
 * @param {(fd: number) => T | null} look
 * @returns {T | null}
 */
function opened(file, look) {
  let fd;
  try {
    fd = fs.openSync(file, 'r');
    return look(fd);
  } catch {
    return null; // unreadable: the caller has other ways to say so
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** @param {Section[]} sections */
const hasTable = (sections) => sections.some(({ type }) => type === SHT_SYMTAB);

/**
 * @param {string} file
 * @returns {boolean | null} null where it is no such file
 */
function hasSymbolTable(file) {
  return opened(file, (fd) => {
    const read = readSections(fd);
    return read && hasTable(read.sections);
  });
}

/**
 * @param {Buffer} notes of a section or a segment
 * @returns {string} the linker's --build-id in hex, '' where there is none
 */
function buildIdOf(notes) {
  for (let at = 0; at + NOTE_BYTES <= notes.length;) {
    const [nameBytes, idBytes, type] = [0, 4, 8].map((field) => notes.readUInt32LE(at + field));
    const name = at + NOTE_BYTES;
    const id = name + aligned(nameBytes);
    if (type === NT_GNU_BUILD_ID && notes.toString('latin1', name, name + 4) === 'GNU\0') {
      return notes.toString('hex', id, id + idBytes);
    }
    at = id + aligned(idBytes);
  }
  return '';
}

/** @param {number} fd @param {Section} section */
function sha256(fd, { offset, size }) {
  const hash = crypto.createHash('sha256');
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; at < size;) {
    const bytes = fs.readSync(fd, piece, 0, Math.min(PIECE_BYTES, size - at), offset + at);
    if (bytes === 0) return '';
    hash.update(piece.subarray(0, bytes));
    at += bytes;
  }
  return hash.digest('hex');
}

/**
 * What tells a file from others of its name, also after its symbols were stripped: the linker's build
 * id, which rspack's published bindings do not have, and a hash of its code.
 * @param {string} file
 * @returns {{ symbols: boolean, buildId: string, textSha256: string, bytes: number } | null}
 */
function identify(file) {
  return opened(file, (fd) => {
    const read = readSections(fd);
    const strings = read?.sections[read.names];
    if (!read || !strings || strings.size > MOST_SMALL_BYTES) return null;
    const names = readAt(fd, strings.offset, strings.size);
    if (!names) return null;
    const find = (/** @type {string} */ wanted, /** @type {number} */ type) =>
      read.sections.find((one) => {
        const end = names.indexOf(0, one.name);
        return one.type === type && names.toString('latin1', one.name, end) === wanted;
      });
    const note = find('.note.gnu.build-id', SHT_NOTE);
    const text = find('.text', SHT_PROGBITS);
    const noteBytes = note && note.size < MOST_SMALL_BYTES && readAt(fd, note.offset, note.size);
    return {
      symbols: hasTable(read.sections),
      buildId: noteBytes ? buildIdOf(noteBytes) : '',
      textSha256: text ? sha256(fd, text) : '',
      bytes: fs.fstatSync(fd).size,
    };
  });
}

module.exports = { buildIdOf, hasSymbolTable, identify };
