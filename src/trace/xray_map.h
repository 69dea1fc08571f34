/*
 * xray_map: the sleds that a compiler left in a file (clang -fxray-instrument, rustc -Z
 * instrument-xray): places of no effect at entries and exits, made to be patched. Pure.
 *
 * Section xray_instr_map: entries of 32 bytes: the sled's address and its function's (version 2:
 * each counted from its own place in the section; before that absolute, which needs relocation),
 * kind, whether always, version (llvm/CodeGen AsmPrinter, LLVM 14 to 20).
 * The caller provides the section's bytes and its virtual address. Refuses: versions below 2 and
 * kinds of custom events (left out, counted).
 */
#ifndef RSPACK_PROF_TRACE_XRAY_MAP_H
#define RSPACK_PROF_TRACE_XRAY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum prof_sled_kind { PROF_SLED_ENTRY = 0, PROF_SLED_EXIT = 1, PROF_SLED_TAIL = 2 };

enum { PROF_SLED_ENTRY_BYTES = 32 };

struct prof_sled {
  uint64_t address, function; /* virtual, of the file */
  uint8_t kind;
};

/* Entry at index (index * PROF_SLED_ENTRY_BYTES within the section); false: none for us. */
bool prof_sled_read(const unsigned char *section, size_t size, uint64_t section_address,
                    size_t index, struct prof_sled *out);

#endif
