#include "stack/guess.h"

#if defined(PROF_ARCH_ARM64)

#include "stack/code_arm64.h"

enum {
  LEAF_REACH = 64
}; /* bytes of code: a call that leads no further back leads to this function */

static bool is_called(struct prof_memory *memory, uint64_t address) {
  uint64_t target;
  return prof_code_call_before(memory, address, NULL, &target) != PROF_CALL_NONE;
}

/* x30 is behind a call, which leads here or nobody knows where, and the code says that no frame has
 * been made since. *depth: see prof_code_link. */
static bool is_leaf(struct prof_memory *memory, const struct prof_regs *regs, uint64_t *depth) {
  uint64_t pc = regs->r[PROF_REG_PC], target, start = 0;
  enum prof_call call;
  if (!prof_regs_has(regs, PROF_REG_LR))
    return false;
  call = prof_code_call_before(memory, prof_arch_code(regs->r[PROF_REG_LR]), NULL, &target);
  if (call == PROF_CALL_NONE)
    return false;
  if (call == PROF_CALL_DIRECT && target <= pc && pc - target < LEAF_REACH)
    start = target;
  switch (prof_code_link(memory, start, pc, depth)) {
  case PROF_LINK_HELD:
  case PROF_LINK_PUSHED:
    return true;
  default:
    return false;
  }
}

/* AAPCS64 wants x29 to point at the innermost record at all times, and compilers obey by default:
 * the chain of records is the rule where rows are missing. There is no scanning of the stack: a
 * word that looks like a return address would not tell where its caller's frame is. */
uint32_t prof_guess_caller(struct prof_unwind *unwind, const struct prof_v8_map *v8,
                           struct prof_memory *memory, struct prof_regs *regs, bool is_exact,
                           uint64_t *gap_bytes) {
  struct prof_regs trial = *regs;
  uint64_t depth;
  (void)unwind;
  (void)v8;
  (void)gap_bytes;
  if (is_exact) {
    if (prof_code_plt(memory, regs->r[PROF_REG_PC], &depth) &&
        prof_step_frameless(memory, regs, depth) == PROF_STEP_OK)
      return PROF_WALK_GUESS_PLT;
    if (is_leaf(memory, regs, &depth) && prof_step_frameless(memory, regs, depth) == PROF_STEP_OK)
      return PROF_WALK_GUESS_FP;
  }
  if (prof_step_frame_pointer(memory, &trial) != PROF_STEP_OK ||
      !is_called(memory, trial.r[PROF_REG_PC]))
    return 0;
  *regs = trial;
  return PROF_WALK_GUESS_FP;
}

bool prof_guess_again(struct prof_unwind *unwind, const struct prof_v8_map *v8,
                      struct prof_memory *memory, struct prof_regs *regs, uint64_t *gap_bytes,
                      uint64_t broken_at) {
  (void)unwind;
  (void)v8;
  (void)memory;
  (void)regs;
  (void)gap_bytes;
  (void)broken_at;
  return false;
}

#endif
