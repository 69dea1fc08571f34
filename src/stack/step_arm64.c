#include "stack/step.h"

#if defined(PROF_ARCH_ARM64)

#define FRAME_LIMIT (16u << 20) /* bytes that one frame found by its pointer may have */

/* struct rt_sigframe: siginfo, then ucontext (arch/arm64/kernel/signal.c), whose sigcontext is
 * aligned to 16 behind room for 1,024 signals (uapi/asm/ucontext.h, sigcontext.h; kernel 6.18). */
enum { SIGINFO = 128, MCONTEXT = 176, FAULT_ADDRESS = 8 };
#define SIGNAL_REGS ((uint64_t)SIGINFO + MCONTEXT + FAULT_ADDRESS) /* x0 .. x30, sp, pc */

#if defined(__aarch64__)
#include <stddef.h>
#include <ucontext.h>
_Static_assert(offsetof(ucontext_t, uc_mcontext) == MCONTEXT, "uapi/asm/ucontext.h");
_Static_assert(offsetof(mcontext_t, pc) == FAULT_ADDRESS + 8 * PROF_REG_PC,
               "uapi/asm/sigcontext.h");
#endif

/* Where the saved frame pointer is, or x30 where that is saved alone. A stack pointer that is only
 * known to be no lower (prof_step_frame_pointer) is no help; but x29 points at the record. */
static enum prof_step find_cfa(prof_row row, const struct prof_regs *regs, uint64_t *cfa) {
  bool has_fp = prof_regs_has(regs, PROF_REG_FP);
  if (row & PROF_ROW_FROM_FP) {
    *cfa = regs->r[PROF_REG_FP] + (uint64_t)PROF_ROW_CFA(row);
    return has_fp ? PROF_STEP_OK : PROF_STEP_BAD_ROW;
  }
  if (prof_regs_has(regs, PROF_REG_SP)) {
    *cfa = regs->r[PROF_REG_SP] + (uint64_t)PROF_ROW_CFA(row);
    return PROF_STEP_OK;
  }
  *cfa = regs->r[PROF_REG_FP] - (uint64_t)PROF_ROW_FP(row);
  return has_fp && PROF_ROW_RETURN(row) == PROF_ROW_RETURN_BY_FP ? PROF_STEP_OK : PROF_STEP_BAD_ROW;
}

static bool load(struct prof_memory *memory, const struct prof_regs *regs, uint64_t slot,
                 unsigned number, uint64_t *out) {
  *out = regs->r[number];
  return prof_memory_read(memory, slot, out) || prof_step_is_popped(regs, slot, number);
}

enum prof_step prof_step_row(prof_row row, struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t fp = regs->r[PROF_REG_FP], pc = regs->r[PROF_REG_LR], cfa, slot;
  bool has_fp = prof_regs_has(regs, PROF_REG_FP);
  enum prof_row_return how = PROF_ROW_RETURN(row);
  enum prof_step step = find_cfa(row, regs, &cfa);
  if (step != PROF_STEP_OK)
    return step;
  slot = cfa + (uint64_t)PROF_ROW_FP(row);
  if (row & PROF_ROW_FP_SAVED) {
    if (!load(memory, regs, slot, PROF_REG_FP, &fp))
      return PROF_STEP_BAD_READ;
    has_fp = true;
  } else if (row & PROF_ROW_FP_LOST) {
    has_fp = false;
  }
  if (how == PROF_ROW_RETURN_IN_LINK) {
    if (!prof_regs_has(regs, PROF_REG_LR)) /* in a caller: calls changed it */
      return PROF_STEP_BAD_ROW;
  } else if (!load(memory, regs, slot + (how == PROF_ROW_RETURN_BY_FP ? 8 : 0), PROF_REG_LR, &pc)) {
    return PROF_STEP_BAD_READ;
  }
  /* glibc's _dl_runtime_resolve (2.36) counts its CFA from below what the PLT pushed: x30 is above.
   */
  if (how == PROF_ROW_RETURN_ALONE && PROF_ROW_FP(row) >= 0)
    cfa += ((uint64_t)PROF_ROW_FP(row) + 8 + 15) & ~15ull;
  prof_regs_arrive(regs, prof_arch_code(pc), cfa, fp, has_fp);
  return PROF_STEP_OK;
}

enum prof_step prof_step_signal(struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t at = regs->r[PROF_REG_SP] + SIGNAL_REGS, value;
  struct prof_regs found;
  if (!prof_regs_has(regs, PROF_REG_SP))
    return PROF_STEP_BAD_ROW;
  for (unsigned i = 0; i < PROF_REGS; i++) {
    if (!prof_memory_read(memory, at + 8u * i, &value))
      return PROF_STEP_BAD_READ;
    found.r[i] = value;
  }
  found.valid = PROF_REG(PROF_REGS) - 1;
  *regs = found;
  return PROF_STEP_OK;
}

/* The record may be at the frame's top (V8, clang) or bottom (gcc): the caller's stack pointer is
 * above it, no more is known. */
enum prof_step prof_step_frame_pointer(struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t frame = regs->r[PROF_REG_FP], fp, pc;
  if (!prof_regs_has(regs, PROF_REG_FP) || frame & 7 || frame - regs->r[PROF_REG_SP] > FRAME_LIMIT)
    return PROF_STEP_REFUSED;
  if (!prof_memory_read(memory, frame, &fp) || !prof_memory_read(memory, frame + 8, &pc))
    return PROF_STEP_BAD_READ;
  prof_regs_arrive(regs, prof_arch_code(pc), frame + 16, fp, true);
  regs->valid &= ~PROF_REG(PROF_REG_SP);
  return PROF_STEP_OK;
}

enum prof_step prof_step_frameless(struct prof_memory *memory, struct prof_regs *regs,
                                   uint64_t depth) {
  (void)memory;
  if (!prof_regs_has(regs, PROF_REG_LR))
    return PROF_STEP_REFUSED;
  prof_regs_arrive(regs, prof_arch_code(regs->r[PROF_REG_LR]), regs->r[PROF_REG_SP] + depth,
                   regs->r[PROF_REG_FP], prof_regs_has(regs, PROF_REG_FP));
  return PROF_STEP_OK;
}

#endif
