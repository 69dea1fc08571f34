/*
 * step: from one frame to its caller, by one kind of rule each. In and out: the registers.
 *
 * For the walk alone. Async-signal-safe. On anything but PROF_STEP_OK and PROF_STEP_LEAF the
 * registers are as they were. Fast rules keep rip, rsp and rbp (16, 7, 6) alone; prof_step_full
 * keeps all that the callee saved.
 */
#ifndef RSPACK_PROF_STACK_STEP_H
#define RSPACK_PROF_STACK_STEP_H

#include "stack/unwind.h"

enum { PROF_RBX = 3, PROF_RBP = 6, PROF_RSP = 7, PROF_RIP = 16 };

enum prof_step {
  PROF_STEP_OK,
  PROF_STEP_LEAF, /* the same, out of V8 code that had no frame of its own */
  PROF_STEP_BAD_READ,
  PROF_STEP_BAD_ROW,
  PROF_STEP_REFUSED,
};

static inline bool prof_regs_has(const struct prof_regs *regs, unsigned number) {
  return regs->valid >> number & 1;
}

/* A row of kind NORMAL, INDIRECT or PLT. */
enum prof_step prof_step_row(prof_row row, struct prof_memory *memory, struct prof_regs *regs);

/* At __restore_rt: rsp is at the ucontext that the kernel wrote. All 17 registers come back. */
enum prof_step prof_step_signal(struct prof_memory *memory, struct prof_regs *regs);

/* By the complete row for pc (the place to look up), whatever it needs. */
enum prof_step prof_step_full(struct prof_rows *rows, uint64_t pc, struct prof_memory *memory,
                              struct prof_regs *regs);

/* rbp is this frame's frame pointer. REFUSED: it cannot be (below rsp, not aligned, too far). */
enum prof_step prof_step_frame_pointer(struct prof_memory *memory, struct prof_regs *regs);

/* The return address is at rsp + depth, rbp is the caller's already. */
enum prof_step prof_step_frameless(struct prof_memory *memory, struct prof_regs *regs,
                                   uint64_t depth);

#endif
