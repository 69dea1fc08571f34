#include "stack/v8frame.h"

#if defined(PROF_ARCH_ARM64)

#include "stack/code_arm64.h"

/* How far behind a builtin's start a pc without a frame can be, in bytes. */
enum { BUILTIN_REACH = 0x2000 };

/* x30 is this code's return address, and no frame is there: as the code around pc has it, else by
 * who called. A bytecode handler without a frame has the interpreter's address in x30; one with a
 * frame has it in its record too, or something else in x30. */
static bool is_frameless(const struct prof_v8_map *map, struct prof_memory *memory,
                         const struct prof_regs *regs, enum prof_code_link link) {
  uint64_t pc = regs->r[PROF_REG_PC], lr = prof_arch_code(regs->r[PROF_REG_LR]), saved, target;
  bool is_saved = prof_regs_has(regs, PROF_REG_FP) &&
                  prof_memory_read(memory, regs->r[PROF_REG_FP] + 8, &saved) &&
                  prof_arch_code(saved) == lr;
  if (link == PROF_LINK_HELD || link == PROF_LINK_PUSHED)
    return prof_code_call_before(memory, lr, regs, &target) != PROF_CALL_NONE;
  if (is_saved)
    return false;
  if (prof_v8_in_interpreter(map, lr - 1))
    return !prof_v8_in_interpreter(map, pc);
  return prof_code_call_before(memory, lr, regs, &target) == PROF_CALL_DIRECT && target <= pc &&
         pc - target < BUILTIN_REACH;
}

enum prof_step prof_v8_step(const struct prof_v8_map *map, struct prof_memory *memory,
                            struct prof_regs *regs, bool is_exact) {
  enum prof_code_link link;
  uint64_t depth;
  if (!is_exact || !prof_regs_has(regs, PROF_REG_LR))
    return prof_step_frame_pointer(memory, regs);
  link = prof_code_link(memory, 0, regs->r[PROF_REG_PC], &depth);
  if (is_frameless(map, memory, regs, link))
    return prof_step_frameless(memory, regs, link == PROF_LINK_PUSHED ? depth : 0);
  return prof_step_frame_pointer(memory, regs);
}

/* Calls from a prologue save x30 first: nothing is different above a leaf. */
enum prof_step prof_v8_step_above_leaf(const struct prof_unwind *unwind,
                                       const struct prof_v8_map *map, struct prof_memory *memory,
                                       struct prof_regs *regs) {
  (void)unwind;
  (void)map;
  return prof_step_frame_pointer(memory, regs);
}

#endif
