'use strict';
// Whether an ELF file has a symbol table, read from its section headers: 64 bytes and one table of a
// 133 MB binding, not the file. Little-endian ELF64 only (x86_64, aarch64); anything else is null.
// Layout: System V ABI, Elf64_Ehdr (e_shoff at 40, e_shentsize at 58, e_shnum at 60), Elf64_Shdr.

const fs = require('node:fs');

const SHT_SYMTAB = 2;
const HEADER_BYTES = 64;
/** A linker makes some 40 sections; a file that claims 64 KB of them is read, not trusted. */
const MOST_SECTIONS = 0xff00;

/**
 * @param {string} file
 * @returns {boolean | null} null where it is no such file
 */
function hasSymbolTable(file) {
  let fd;
  try {
    fd = fs.openSync(file, 'r');
    const header = Buffer.alloc(HEADER_BYTES);
    if (fs.readSync(fd, header, 0, HEADER_BYTES, 0) !== HEADER_BYTES) return null;
    // \x7fELF, class 64, little-endian
    if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) return null;
    const offset = Number(header.readBigUInt64LE(40));
    const entryBytes = header.readUInt16LE(58);
    const count = header.readUInt16LE(60);
    if (offset === 0 || count === 0) return false;
    if (entryBytes < HEADER_BYTES || count > MOST_SECTIONS) return null;
    const table = Buffer.alloc(entryBytes * count);
    if (fs.readSync(fd, table, 0, table.length, offset) !== table.length) return null;
    for (let i = 0; i < count; i++) {
      if (table.readUInt32LE(i * entryBytes + 4) === SHT_SYMTAB) return true;
    }
    return false;
  } catch {
    return null; // unreadable: the caller has other ways to say so
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

module.exports = { hasSymbolTable };
