/*
 * row: how to get from a pc to its caller, packed into 64 bits.
 *
 * The caller provides a row compiled from .eh_frame (stack/cfi.h). Refuses nothing: what does not
 * fit is PROF_ROW_SLOW.
 */
#ifndef RSPACK_PROF_STACK_ROW_H
#define RSPACK_PROF_STACK_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/cfi.h"

enum prof_row_kind {
  PROF_ROW_UNKNOWN,  /* never stored */
  PROF_ROW_NORMAL,   /* CFA = stack or frame pointer + offset */
  PROF_ROW_INDIRECT, /* CFA = [rbp + offset], rbp at [rbp + 0]: gcc's realigned stacks */
  PROF_ROW_PLT,      /* the usual expression of .plt: CFA = rsp + 8, or + 16 once pushed */
  PROF_ROW_SIGNAL,   /* libc's __restore_rt: everything is in the ucontext at rsp */
  PROF_ROW_START,    /* return address undefined: the thread begins here */
  PROF_ROW_SLOW,     /* needs more registers or an expression: full-register mode */
  PROF_ROW_NO_ROW,   /* in an image, but no entry covers it */
  PROF_ROW_BAD,      /* the entry does not parse */
  PROF_ROW_NO_IMAGE, /* in no ELF image: JIT code, or nothing */
};

/* Bits 0-3 kind, 4 CFA from the frame pointer (else the stack's), 5 the frame pointer is saved,
 * 6 it is undefined, 7-35 CFA offset (signed, bytes), 36-59 where the frame pointer is from the CFA
 * (signed, words), 60-61 what was noted of the call before the return address (enum prof_row_call),
 * 62-63 where that is (enum prof_row_return). */
typedef uint64_t prof_row; /* no struct: one word, so that it is read in one piece */
#define PROF_ROW_KIND(row) ((enum prof_row_kind)((row)&15))
#define PROF_ROW_FROM_FP 0x10u
#define PROF_ROW_FP_SAVED 0x20u
#define PROF_ROW_FP_LOST 0x40u
#define PROF_ROW_CFA(row) ((int64_t)((row) << 28) >> 35)
#define PROF_ROW_FP(row) (((int64_t)((row) << 4) >> 40) * 8)
#define PROF_ROW_RETURN(row) ((enum prof_row_return)((row) >> 62))
#define PROF_ROW_CALL_BITS (3ull << 60)
#define PROF_ROW_CALL(row) ((enum prof_row_call)((row) >> 60 & 3))

/* arm64, where the return address is; x86_64: always below the CFA. */
enum prof_row_return {
  PROF_ROW_RETURN_BY_FP,   /* behind the saved frame pointer */
  PROF_ROW_RETURN_IN_LINK, /* still in x30 */
  PROF_ROW_RETURN_ALONE,   /* saved where the row's field says, the frame pointer is not */
};

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

/* Whether the words that a step by it reads are the frame's saved frame pointer and, where
 * prof_arch_return_at says, its return address. */
static inline bool prof_row_is_recallable(prof_row row) {
#if defined(PROF_ARCH_ARM64)
  return PROF_ROW_RETURN(row) == PROF_ROW_RETURN_BY_FP;
#else
  (void)row;
  return true;
#endif
}

prof_row prof_row_pack(const struct prof_cfi_image *image, const struct prof_cfi_row *row);

#endif
