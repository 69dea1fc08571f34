/*
 * rows: pc -> how to get to the caller, packed into 64 bits, through a cache that all threads share
 * without locks, filled on the spot by whichever thread misses.
 *
 * The caller provides a thread that may allocate for create, refresh and free (the profiler's);
 * find is async-signal-safe, takes no lock, and may run anywhere. Images are found by glibc's
 * _dl_find_object (2.35 on), else in a table that prof_rows_refresh publishes.
 * Refuses: to keep a row across prof_rows_forget; images of another process (but those given to
 * prof_rows_add).
 */
#ifndef RSPACK_PROF_STACK_ROWS_H
#define RSPACK_PROF_STACK_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "stack/memory.h"
#include "stack/row.h"

struct prof_rows_counters { /* of the cache */
  uint64_t misses;          /* rows looked for in the images */
  uint64_t forgotten;       /* calls of prof_rows_forget */
};

struct prof_rows;
struct prof_rows *prof_rows_create(struct prof_error *error);
void prof_rows_free(struct prof_rows *self);

/* Publishes the images that are mapped now. The profiler's thread, at start and on mmap records. */
int prof_rows_refresh(struct prof_rows *self, struct prof_error *error);

/* What was known or added of [start, end) is void: other code may be mapped there; counted. */
void prof_rows_forget(struct prof_rows *self, uint64_t start, uint64_t end);
uint64_t prof_rows_epoch(const struct prof_rows *self);

/* An image, or rows of one, that the dynamic linker does not know; its bytes stay the caller's. */
int prof_rows_add(struct prof_rows *self, uint64_t start, uint64_t end,
                  const struct prof_cfi_image *image, struct prof_error *error);

/* pc as for look-up: a return address less one; leaf: what was interrupted, seldom met twice. */
prof_row prof_rows_find(struct prof_rows *self, uint64_t pc);
prof_row prof_rows_find_leaf(struct prof_rows *self, uint64_t pc);
void prof_rows_fetch_leaf(const struct prof_rows *self, uint64_t pc); /* it comes soon */
/* Lets the processor get the rows of what may be return addresses into the largest image but the
 * program itself (a build's binding), among count words of stack. */
void prof_rows_fetch(const struct prof_rows *self, const struct prof_memory *memory, uint64_t at,
                     uint64_t count);
/* As find, with what was noted of the call, and a key for it. */
prof_row prof_rows_find_noted(struct prof_rows *self, uint64_t pc, uint64_t *key);
void prof_rows_note(struct prof_rows *self, uint64_t key, prof_row row, enum prof_row_call call);

/* The image that holds pc and its sections; false: none. */
bool prof_rows_image(struct prof_rows *self, uint64_t pc, struct prof_cfi_image *out);

/* Quickly: false where pc is certainly in no image's code (as of the last refresh). */
bool prof_rows_may_be_code(const struct prof_rows *self, uint64_t pc);

bool prof_rows_is_entry(struct prof_rows *self, uint64_t pc); /* one with rows begins there */
/* pc lies in the C library: where a return address of 0 is a thread's start. */
bool prof_rows_in_libc(const struct prof_rows *self, uint64_t pc);

/* pc lies in the profiler's own library, whose handler leaves frames on stacks. set: for tests. */
bool prof_rows_in_own(const struct prof_rows *self, uint64_t pc);
void prof_rows_set_own(struct prof_rows *self, uint64_t start, uint64_t end);

/* Rows of another process (a perf.data's): only images that are added are found. Right after
 * create; no refresh any more. libc: the range for prof_rows_in_libc, once it is known. */
void prof_rows_foreign(struct prof_rows *self);
void prof_rows_set_libc(struct prof_rows *self, uint64_t start, uint64_t end);

/* For tests, before the first walk: rows in [start, end) are not found. */
void prof_rows_withhold(struct prof_rows *self, uint64_t start, uint64_t end);

void prof_rows_without_find_object(struct prof_rows *self); /* for tests: as before glibc 2.35 */
/* For tests: how well the cache keeps. */
void prof_rows_counters(const struct prof_rows *self, struct prof_rows_counters *out);

#endif
