/*
 * row: how to get from a pc to its caller, packed into 64 bits.
 *
 * The caller provides a row compiled from .eh_frame (stack/cfi.h). Refuses nothing: what does not
 * fit is PROF_ROW_SLOW.
 */
#ifndef RSPACK_PROF_STACK_ROW_H
#define RSPACK_PROF_STACK_ROW_H

#include <stdint.h>

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

static inline prof_row prof_row_bits(enum prof_row_kind kind, uint64_t flags, int64_t cfa,
                                     int64_t rbp) {
  return (uint64_t)kind | flags | ((uint64_t)cfa & 0x1fffffff) << 7 |
         ((uint64_t)(rbp / 8) & 0xffffff) << 36;
}

prof_row prof_row_pack(const struct prof_cfi_image *image, const struct prof_cfi_row *row);

#endif
