/*
 * unindexed: unwind rows that a file has and .eh_frame_hdr does not list: an .eh_frame without a
 * table, and .debug_frame (stack/cfi_index.h).
 *
 * The caller provides the rows, feeds each executable mapping once it is a module, from the
 * profiler's thread, and frees this after the rows. A file is read from disk once for each place
 * that it is mapped at. Refuses: .debug_frame that is compressed or in a separate debug file,
 * sections above PROF_UNINDEXED_BYTES, files that were replaced since, copies of parts of an image.
 */
#ifndef RSPACK_PROF_SESSION_UNINDEXED_H
#define RSPACK_PROF_SESSION_UNINDEXED_H

#include <stdbool.h>
#include <stddef.h>

#include "code/image.h"
#include "code/module.h"
#include "stack/rows.h"

#define PROF_UNINDEXED_BYTES (64u << 20)

struct prof_unindexed_file;

struct prof_unindexed {
  struct prof_unindexed_file *files; /* whose bytes the rows read */
  size_t count, capacity;
};

/* False where the file has nothing of the kind; else out owns its bytes: prof_unindexed_drop. The
 * addresses are the file's. */
bool prof_unindexed_read(struct prof_image *file, struct prof_cfi_image *out);
void prof_unindexed_drop(struct prof_cfi_image *image);

/* A mapping of a module of this process. */
void prof_unindexed_mapped(struct prof_unindexed *self, struct prof_rows *rows,
                           const struct prof_module *module, uint64_t start, uint64_t end);
/* All modules, each from its start to its end. */
void prof_unindexed_all(struct prof_unindexed *self, struct prof_rows *rows,
                        const struct prof_modules *modules);
void prof_unindexed_free(struct prof_unindexed *self);

#endif
