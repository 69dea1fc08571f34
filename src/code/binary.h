/*
 * binary: what one module's file tells about its code: symbols, inline frames, starts of functions,
 * each read when it is first asked for.
 *
 * One thread at a time. Refuses files that are no longer the ones that were mapped (the mapped one
 * is read instead where the kernel lets us). Inline frames come from the file itself or from a
 * debug file beside it; not from those that a distribution packs under /usr/lib/debug: of the C
 * library nobody asks which of its own helpers were inlined, and unpacking its DWARF takes longer
 * (25 to 60 ms) than all else at the end of a recording.
 */
#ifndef RSPACK_PROF_CODE_BINARY_H
#define RSPACK_PROF_CODE_BINARY_H

#include <stdbool.h>
#include <stdint.h>

struct prof_inline_frame;
struct prof_module;
struct prof_symbols_stats;

struct prof_binary {
  struct prof_symtab *table; /* on the heap: its strings point into it */
  struct prof_known *known;  /* NULL: nothing is kept of it */
  struct prof_inline *inlined;
  struct prof_starts *starts;
  bool table_tried, inline_tried, starts_tried;
  uint64_t unnamed; /* a place that nothing tells about: one for all of them; 0: none yet */
};

void prof_binary_free(struct prof_binary *self);

/* NULL: it has no symbols that we can use. stash_folder: see code/known.h; NULL: none. */
struct prof_symtab *prof_binary_table(struct prof_binary *self, const struct prof_module *module,
                                      const char *stash_folder, struct prof_symbols_stats *stats);

/* Start of the function at a virtual address, where no symbol says it. */
bool prof_binary_start(struct prof_binary *self, const struct prof_module *module, uint64_t address,
                       uint64_t *start);

/* An address that has the name of the function at address: its start, or, of all places that have
 * none, one. Reads nothing: false where what would tell was not read yet. */
bool prof_binary_same(struct prof_binary *self, uint64_t address, uint64_t *same);

/* As prof_inline_find, in what is left of budget_ns; 0 frames once it is used up (counted). */
int prof_binary_inline(struct prof_binary *self, const struct prof_module *module,
                       uint64_t budget_ns, uint64_t address, struct prof_inline_frame *frames,
                       int capacity, struct prof_symbols_stats *stats);

#endif
