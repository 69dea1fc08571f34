/*
 * jitmap: what the builtins' code events and /proc/self/maps tell about V8's own code: the range of
 * the embedded builtins, its copies, and the ranges whose frames are interpreted functions.
 *
 * The caller holds its lock. Refuses nothing; more copies than PROF_JIT_COPIES are left out.
 */
#ifndef RSPACK_PROF_CODE_JITMAP_H
#define RSPACK_PROF_CODE_JITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "code/jit.h"

enum { PROF_JITMAP_ENTRIES = 8 };

struct prof_jitmap {
  struct prof_v8blob_image image;
  struct prof_v8_range inside, outside; /* builtins reported in the image (or a copy) and not */
  struct prof_v8_range entries[PROF_JITMAP_ENTRIES]; /* entry trampolines, where first reported */
  struct prof_v8_range resumes[PROF_JITMAP_ENTRIES]; /* entries after a deoptimisation */
  struct prof_v8blob_copy copies[PROF_JIT_COPIES];
  uint32_t entry_count, resume_count, copy_count;
  uint64_t before_resumes, behind_resumes; /* where node 18 has the ones that it does not report */
  bool has_resumes;                        /* InterpreterEnterAt... was reported */
  bool is_reported_in_copy;                /* node 22 to 26: the copies are what runs */
};

/* anchor: an address of V8's code. */
void prof_jitmap_init(struct prof_jitmap *self, uint64_t anchor);

/* Reads /proc/self/maps. false: could not, nothing changed. */
bool prof_jitmap_read_copies(struct prof_jitmap *self);
bool prof_jitmap_has_copy(const struct prof_jitmap *self, const struct prof_v8blob_copy *copy);

/* One code event; names that are no builtin's are left at once. */
void prof_jitmap_builtin(struct prof_jitmap *self, struct prof_text name, uint64_t start,
                         uint64_t size);

/* false: no builtin seen yet. */
bool prof_jitmap_compose(const struct prof_jitmap *self, struct prof_jit_map *out);

#endif
