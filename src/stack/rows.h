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
#include "stack/cfi.h"

enum prof_row_kind {
  PROF_ROW_UNKNOWN,  /* never stored */
  PROF_ROW_NORMAL,   /* CFA = rsp or rbp + offset; return address at CFA - 8 */
  PROF_ROW_INDIRECT, /* CFA = [rbp + offset], rbp at [rbp + 0]: gcc's realigned stacks */
  PROF_ROW_PLT,      /* the usual expression of .plt: CFA = rsp + 8, or + 16 once pushed */
  PROF_ROW_SIGNAL,   /* libc's __restore_rt: everything is in the ucontext at rsp */
  PROF_ROW_START,    /* return address undefined: the thread begins here */
  PROF_ROW_SLOW,     /* needs more registers or an expression: full-register mode */
  PROF_ROW_NO_ROW,   /* in an image, but no entry covers it */
  PROF_ROW_BAD,      /* the entry does not parse */
  PROF_ROW_NO_IMAGE, /* in no ELF image: JIT code, or nothing */
};

/* Bits 0-3 kind, 4 CFA from rbp (else rsp), 5 rbp is saved, 6 rbp is undefined,
 * 7-35 CFA offset (signed, bytes), 36-59 where rbp is from the CFA (signed, words), 60-61 what was
 * noted of the call before the return address (enum prof_row_call). */
typedef uint64_t prof_row; /* no struct: one word, so that it is read in one piece */
#define PROF_ROW_KIND(row) ((enum prof_row_kind)((row)&15))
#define PROF_ROW_FROM_RBP 0x10u
#define PROF_ROW_RBP_SAVED 0x20u
#define PROF_ROW_RBP_LOST 0x40u
#define PROF_ROW_CFA(row) ((int64_t)((row) << 28) >> 35)
#define PROF_ROW_RBP(row) (((int64_t)((row) << 4) >> 40) * 8)
#define PROF_ROW_CALL(row) ((enum prof_row_call)((row) >> 60 & 3))

enum prof_row_call {
  PROF_ROW_CALL_UNKNOWN,  /* nobody has looked */
  PROF_ROW_CALL_NONE,     /* no call instruction ends there */
  PROF_ROW_CALL_TO_ROWS,  /* it certainly leads to code with rows */
  PROF_ROW_CALL_ANYWHERE, /* it may lead to code without */
};

struct prof_rows_counters {
  uint64_t misses; /* rows compiled */
  uint64_t slow;   /* of those: PROF_ROW_SLOW */
  uint64_t no_row, bad;
  uint64_t forgotten; /* calls of prof_rows_forget */
};

struct prof_rows;
struct prof_rows *prof_rows_create(struct prof_error *error);
void prof_rows_free(struct prof_rows *self);

/* Publishes the images that are mapped now. The profiler's thread, at start and on mmap records. */
int prof_rows_refresh(struct prof_rows *self, struct prof_error *error);

/* What was known of [start, end) is void: something else may be mapped there now. */
void prof_rows_forget(struct prof_rows *self, uint64_t start, uint64_t end);

/* An image that the dynamic linker does not know. The bytes stay the caller's. */
int prof_rows_add(struct prof_rows *self, uint64_t start, uint64_t end,
                  const struct prof_cfi_image *image, struct prof_error *error);

/* pc as for look-up: a return address less one. */
prof_row prof_rows_find(struct prof_rows *self, uint64_t pc);

/* As above, with what was noted of the call, and a key to note it by. */
prof_row prof_rows_find_noted(struct prof_rows *self, uint64_t pc, uint64_t *key);
void prof_rows_note(struct prof_rows *self, uint64_t key, prof_row row, enum prof_row_call call);

/* The image that holds pc and its sections; false: none. */
bool prof_rows_image(struct prof_rows *self, uint64_t pc, struct prof_cfi_image *out);

/* Quickly: false where pc is certainly in no image's code (as of the last refresh). */
bool prof_rows_may_be_code(const struct prof_rows *self, uint64_t pc);

/* pc is the first instruction of a function that has rows. Not cached. */
bool prof_rows_is_entry(struct prof_rows *self, uint64_t pc);
/* pc lies in the C library: where a return address of 0 is a thread's start. */
bool prof_rows_in_libc(const struct prof_rows *self, uint64_t pc);

/* Rows of another process (a perf.data's): only images that are added are found. Right after
 * create; refresh must not be called any more. libc: the range for prof_rows_in_libc, once it is
 * known. */
void prof_rows_foreign(struct prof_rows *self);
void prof_rows_set_libc(struct prof_rows *self, uint64_t start, uint64_t end);

/* For tests: rows in [start, end) are not found, as if the image had been built without them.
 * Before the first walk. */
void prof_rows_withhold(struct prof_rows *self, uint64_t start, uint64_t end);

/* For tests on glibc 2.35 and later: images from the table, as before 2.35. */
void prof_rows_without_find_object(struct prof_rows *self);
prof_row prof_row_pack(const struct prof_cfi_image *image, const struct prof_cfi_row *row);
void prof_rows_counters(const struct prof_rows *self, struct prof_rows_counters *out);

#endif
