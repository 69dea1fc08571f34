/*
 * arena: memory that only grows and is freed as a whole (names, code objects, module records).
 *
 * The caller provides nothing; one thread at a time may use an arena. Refuses: freeing one piece,
 * and allocations beyond the limit given at init (returns NULL, the caller counts it).
 */
#ifndef RSPACK_PROF_BASE_ARENA_H
#define RSPACK_PROF_BASE_ARENA_H

#include <stddef.h>

struct prof_arena_block;

struct prof_arena {
  struct prof_arena_block *blocks; /* newest first */
  size_t used_bytes;               /* in the newest block */
  size_t total_bytes;              /* taken from the system, all blocks */
  size_t limit_bytes;              /* 0: none */
};

void prof_arena_init(struct prof_arena *self, size_t limit_bytes);
void prof_arena_free(struct prof_arena *self);

/* size bytes aligned to 16, uninitialised; NULL when memory or the limit is exhausted. */
void *prof_arena_alloc(struct prof_arena *self, size_t size);

/* A NUL-terminated copy of length bytes of text (which needs no NUL of its own). */
char *prof_arena_copy_text(struct prof_arena *self, const char *text, size_t length);

#endif
