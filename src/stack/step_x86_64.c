#include "stack/step.h"

#if defined(PROF_ARCH_X86_64)

#include <stddef.h>
#include <ucontext.h>

#define FRAME_LIMIT (16u << 20) /* bytes that one frame found by its pointer may have */

enum prof_step prof_step_row(prof_row row, struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t bp = regs->r[PROF_RBP], sp = regs->r[PROF_RSP], cfa, pc;
  bool has_bp = prof_regs_has(regs, PROF_RBP);
  enum prof_row_kind kind = PROF_ROW_KIND(row);
  if (kind == PROF_ROW_PLT) {
    cfa = sp + 8 + ((regs->r[PROF_RIP] & 15) >= (uint64_t)PROF_ROW_CFA(row) ? 8 : 0);
  } else if (kind == PROF_ROW_INDIRECT || row & PROF_ROW_FROM_FP) {
    if (!has_bp)
      return PROF_STEP_BAD_ROW;
    cfa = bp + (uint64_t)PROF_ROW_CFA(row);
  } else {
    cfa = sp + (uint64_t)PROF_ROW_CFA(row);
  }
  if (kind == PROF_ROW_INDIRECT) {
    if (!prof_memory_read(memory, cfa, &cfa) || !prof_memory_read(memory, bp, &bp))
      return PROF_STEP_BAD_READ;
  } else if (row & PROF_ROW_FP_SAVED) {
    uint64_t slot = cfa + (uint64_t)PROF_ROW_FP(row);
    if (!prof_memory_read(memory, slot, &bp) && !prof_step_is_popped(regs, slot, PROF_RBP))
      return PROF_STEP_BAD_READ;
    has_bp = true;
  } else if (row & PROF_ROW_FP_LOST) {
    has_bp = false;
  }
  if (!prof_memory_read(memory, cfa - 8, &pc))
    return PROF_STEP_BAD_READ;
  prof_regs_arrive(regs, pc, cfa, bp, has_bp);
  return PROF_STEP_OK;
}

enum prof_step prof_step_signal(struct prof_memory *memory, struct prof_regs *regs) {
  static const uint8_t greg_of[PROF_REGS] = PROF_ARCH_GREGS;
  uint64_t gregs = regs->r[PROF_RSP] + offsetof(ucontext_t, uc_mcontext.gregs), value;
  struct prof_regs found;
  for (unsigned i = 0; i < PROF_REGS; i++) {
    if (!prof_memory_read(memory, gregs + 8u * greg_of[i], &value))
      return PROF_STEP_BAD_READ;
    found.r[i] = value;
  }
  found.valid = PROF_REG(PROF_REGS) - 1;
  *regs = found;
  return PROF_STEP_OK;
}

enum prof_step prof_step_frame_pointer(struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t frame = regs->r[PROF_RBP], bp, pc;
  if (!prof_regs_has(regs, PROF_RBP) || frame & 7 || frame - regs->r[PROF_RSP] > FRAME_LIMIT)
    return PROF_STEP_REFUSED;
  if (!prof_memory_read(memory, frame, &bp) || !prof_memory_read(memory, frame + 8, &pc))
    return PROF_STEP_BAD_READ;
  prof_regs_arrive(regs, pc, frame + 16, bp, true);
  return PROF_STEP_OK;
}

enum prof_step prof_step_frameless(struct prof_memory *memory, struct prof_regs *regs,
                                   uint64_t depth) {
  uint64_t sp = regs->r[PROF_RSP] + depth, pc;
  if (!prof_memory_read(memory, sp, &pc))
    return PROF_STEP_BAD_READ;
  prof_regs_arrive(regs, pc, sp + 8, regs->r[PROF_RBP], prof_regs_has(regs, PROF_RBP));
  return PROF_STEP_OK;
}

#endif
