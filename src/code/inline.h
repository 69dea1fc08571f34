/*
 * inline: which functions were inlined at an address, and where functions stand in the source, from
 * the DWARF of one file (libdw).
 *
 * A compile unit is walked once, when the first of its addresses is asked for: its subprograms and
 * inlined subroutines become one flat sorted table, and the other addresses are binary searches.
 * The caller gives a deadline; units that are not walked by then stay unknown. Handles DWARF 4 and
 * 5, split units
 * (.dwo), compressed sections and dwz's shared file, as libdw does. The file is mapped by libdw:
 * linkers and package managers write new files rather than change old ones in place. One thread at
 * a time. Refuses: files without .debug_info.
 */
#ifndef RSPACK_PROF_CODE_INLINE_H
#define RSPACK_PROF_CODE_INLINE_H

#include <stdbool.h>
#include <stdint.h>

struct prof_inline;

struct prof_inline_frame {
  const char *linkage_name; /* mangled; NULL: the language has none, or none was written */
  const char *name;         /* unqualified source name; may be NULL */
  const char *file;         /* of the declaration; NULL unknown */
  uint32_t line, column;    /* of the declaration; 0 unknown */
  bool is_inlined;          /* false: the function that the code belongs to */
};

/* NULL where the file cannot be read or has no DWARF. */
struct prof_inline *prof_inline_open(const char *path);
void prof_inline_close(struct prof_inline *self);

/* Frames at a virtual address, innermost first, at most capacity (the inner ones are left out). 0:
 * unknown; -1: its unit was not walked since prof_now_ns() had passed deadline_ns. Texts live until
 * close. */
int prof_inline_find(struct prof_inline *self, uint64_t address, uint64_t deadline_ns,
                     struct prof_inline_frame *out, int capacity);

#endif
