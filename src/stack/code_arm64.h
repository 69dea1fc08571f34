/*
 * code_arm64: what stack/code.h is for x86_64: what the instructions around a pc say about its
 * frame, where no row does. Encodings: Arm ARM (DDI 0487), C4.1.
 *
 * All reads go through prof_memory_code. Refuses (false, UNKNOWN) dumps without code, and pages
 * that cannot be read.
 */
#ifndef RSPACK_PROF_STACK_CODE_ARM64_H
#define RSPACK_PROF_STACK_CODE_ARM64_H

#include "stack/code.h"

/* Where an instruction that is about to run has its return address. */
enum prof_code_link {
  PROF_LINK_UNKNOWN,
  PROF_LINK_HELD,   /* in x30; sp and x29 are as the call left them */
  PROF_LINK_PUSHED, /* in x30 still, and in a record at sp; x29 is the caller's */
  PROF_LINK_FRAMED, /* in the record that x29 points at */
};

/* From the instructions before pc, back to a prologue or an epilogue. What they do not tell: that
 * the code behind a return or a jump is another function's, which has no frame. start: where the
 * function begins, 0: not known. *depth: bytes from sp to where it was before the record was
 * PUSHED; else 0. */
enum prof_code_link prof_code_link(struct prof_memory *memory, uint64_t start, uint64_t pc,
                                   uint64_t *depth);

#endif
