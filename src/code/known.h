/*
 * known: what recordings have worked out about one large binary, for the next one: its symbol
 * table, sorted, and the names and crates of the functions that were sampled (base/stash.h). A
 * binding's table takes 25 ms, and each name a read of its file and a demangling, 10 us.
 *
 * They hold for the same files (device, inode, size, times), in the hands of the same build of
 * ours. The caller keeps it as long as the names that it gave. Small tables are not kept: they are
 * quickly read. Refuses: files that are gone or replaced, a stash whose numbers lead out of it.
 */
#ifndef RSPACK_PROF_CODE_KNOWN_H
#define RSPACK_PROF_CODE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stash.h"
#include "code/function.h"
#include "code/image.h"
#include "code/symtab.h"

enum { PROF_KNOWN_SYMBOLS_MIN = 20000, PROF_KNOWN_FUNCTIONS_MAX = 1 << 16 };

struct prof_known_row {
  uint64_t link;        /* prof_functions_hash of its linker name */
  uint32_t start;       /* as struct prof_symbol_row has it; rows are in its order */
  uint32_t name, crate; /* offsets into text; crate 0: none */
  uint8_t kind, tier;
  uint16_t unused;
};

struct prof_known {
  const char *folder;
  char name[PROF_STASH_NAME];
  uint64_t key;
  struct prof_known_row *rows;
  size_t count;
  char *text; /* the first is "" */
  size_t text_bytes;
  size_t fresh;   /* functions that were named without it */
  bool has_table; /* the stash has this table */
};

/* The folder is kept by the caller. word: the file's name. NULL where memory ends or a file cannot
 * be told from others. debug->fd -1: none. */
struct prof_known *prof_known_open(const char *folder, const char *word, const char *path,
                                   const struct prof_image *image, const struct prof_image *debug);
void prof_known_free(struct prof_known *self);

/* prof_symtab_load from the stash; false: it is not there, and both images are as they were. */
bool prof_known_table(struct prof_known *self, struct prof_symtab *table, struct prof_image *image,
                      struct prof_image *debug);

/* The function that starts there as a row of module's, all but its place in prof_functions. */
bool prof_known_find(const struct prof_known *self, uint32_t start, int32_t module,
                     struct prof_named *out);

/* Keeps the table and all functions of module by the keys module << 40 | start, those of before
 * with them. Nothing is written where an eighth more would not be known. */
void prof_known_save(struct prof_known *self, const struct prof_symtab *table,
                     const struct prof_functions *functions, int32_t module);

#endif
