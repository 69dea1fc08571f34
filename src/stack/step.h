/*
 * step: from one frame to its caller, by one kind of rule each. In and out: the registers.
 *
 * For the walk alone. Async-signal-safe. On anything but PROF_STEP_OK and PROF_STEP_LEAF the
 * registers are as they were. Fast rules keep pc, stack pointer and frame pointer alone;
 * prof_step_full keeps all that the callee saved. Of each machine: step_x86_64.c, step_arm64.c.
 */
#ifndef RSPACK_PROF_STACK_STEP_H
#define RSPACK_PROF_STACK_STEP_H

#include "stack/unwind.h"

enum prof_step {
  PROF_STEP_OK,
  PROF_STEP_LEAF, /* the same, out of V8 code that had no frame of its own */
  PROF_STEP_BAD_READ,
  PROF_STEP_BAD_ROW,
  PROF_STEP_REFUSED,
};

/* A register's slot cannot be read, but lies below the stack pointer: an epilogue has popped it
 * (compilers leave the rule as it was), and the register holds its value. Live stacks go on below
 * the pointer, dumps do not. */
static inline bool prof_step_is_popped(const struct prof_regs *regs, uint64_t slot,
                                       unsigned number) {
  return slot < regs->r[PROF_REG_SP] && prof_regs_has(regs, number);
}

/* A row of kind NORMAL, INDIRECT or PLT. */
enum prof_step prof_step_row(prof_row row, struct prof_memory *memory, struct prof_regs *regs);

/* At the return of a signal handler: all registers come back, out of what the kernel wrote there.
 */
enum prof_step prof_step_signal(struct prof_memory *memory, struct prof_regs *regs);

/* By the complete row for pc (the place to look up), whatever it needs. */
enum prof_step prof_step_full(struct prof_rows *rows, uint64_t pc, struct prof_memory *memory,
                              struct prof_regs *regs);

/* The frame pointer is this frame's. REFUSED: it cannot be (below sp, not aligned, too far). */
enum prof_step prof_step_frame_pointer(struct prof_memory *memory, struct prof_regs *regs);

/* The return address is where the call left it (x86: on the stack; arm64: in x30), depth bytes have
 * been pushed since, and the frame pointer is the caller's still. */
enum prof_step prof_step_frameless(struct prof_memory *memory, struct prof_regs *regs,
                                   uint64_t depth);

#endif
