/*
 * symtab_saved: a symbol table as pieces of bytes that can be kept (code/known.h), and back.
 *
 * The caller provides, for the way back, the images that the table was made from, and rows and
 * pieces from malloc. Refuses pieces that lead out of the rows; names are bounded where they are
 * read (prof_symtab_name).
 */
#ifndef RSPACK_PROF_CODE_SYMTAB_SAVED_H
#define RSPACK_PROF_CODE_SYMTAB_SAVED_H

#include <stddef.h>
#include <stdint.h>

#include "code/symtab.h"

struct prof_symtab_saved {
  struct prof_symbol_row *rows;
  uint32_t *pieces;
  size_t count, piece_count;
  struct {
    uint64_t is_debug, offset, size_bytes;
  } strings[2]; /* by source */
};

/* What it gives stays the table's. */
void prof_symtab_save(const struct prof_symtab *self, struct prof_symtab_saved *out);

/* Takes images, rows and pieces over; -1: refused, and all is as it was. */
int prof_symtab_restore(struct prof_symtab *self, struct prof_image *image,
                        struct prof_image *debug, const struct prof_symtab_saved *saved);

#endif
