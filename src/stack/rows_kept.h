/*
 * rows_kept: the rows of one image out of the cache of rows.c, which implements this, and back into
 * it: by what is the same wherever the image is mapped. A recording that begins with the rows of
 * the last one compiles few: each takes its handler 5 us and touches pages of .eh_frame.
 *
 * The caller is the profiler's thread and knows that it is the same image. Nothing is given out
 * while rows are withheld, and nothing that another dlopen or a look at the caller's code can
 * change (what is in no image or has no row, what was noted of calls).
 * Refuses, when taking back: kinds of rows that are not given out.
 */
#ifndef RSPACK_PROF_STACK_ROWS_KEPT_H
#define RSPACK_PROF_STACK_ROWS_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "stack/rows.h"

struct prof_rows_kept {
  prof_row row;
  uint32_t
      at; /* from the image's start, which is a page's: a pc, or where a block of code starts */
  uint32_t is_block;
};

/* Those in [start, end), at most capacity; how many there are. */
size_t prof_rows_keep_image(const struct prof_rows *self, uint64_t start, uint64_t end,
                            struct prof_rows_kept *out, size_t capacity);

/* How many were taken. */
size_t prof_rows_take_image(struct prof_rows *self, uint64_t start, uint64_t end,
                            const struct prof_rows_kept *kept, size_t count);

#endif
