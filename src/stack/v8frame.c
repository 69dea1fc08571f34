#include "stack/v8frame.h"

#include "stack/code.h"

/* How far behind a builtin's start, or a JavaScript function's, a pc without a frame can be. The
 * functions' prologue checks for lazy deoptimisation before it pushes rbp. */
enum { BUILTIN_REACH = 0x2000, PROLOGUE_REACH = 48 };

bool prof_v8_in_interpreter(const struct prof_v8_map *map, uint64_t pc) {
  for (uint32_t i = 0; i < map->interpreter_count; i++)
    if (pc - map->interpreter[i].start < map->interpreter[i].end - map->interpreter[i].start)
      return true;
  return false;
}

/* How far before pc the call that returns to address leads; UINT64_MAX: not there. */
static uint64_t distance_called(struct prof_memory *memory, const struct prof_regs *regs,
                                uint64_t address) {
  uint64_t pc = regs->r[PROF_RIP], target;
  switch (prof_code_call_before(memory, address, regs, &target)) {
  case PROF_CALL_DIRECT:
    return target <= pc ? pc - target : UINT64_MAX;
  case PROF_CALL_INDIRECT: /* JavaScript functions get their start in rcx, all versions checked */
    return prof_regs_has(regs, 2) && regs->r[2] <= pc && pc - regs->r[2] < PROLOGUE_REACH
               ? pc - regs->r[2]
               : UINT64_MAX;
  default:
    return UINT64_MAX;
  }
}

/* The word at rsp is this leaf's return address, and not something old in a frame that was not yet
 * written to. */
static bool is_frameless(const struct prof_v8_map *map, struct prof_memory *memory,
                         const struct prof_regs *regs) {
  uint64_t pc = regs->r[PROF_RIP], top, saved, by_top, by_frame;
  bool in_blob = prof_v8_in_blob(map, pc);
  if (!prof_memory_read(memory, regs->r[PROF_RSP], &top) || top < 0x2000 || top >> 47)
    return false;
  /* A bytecode handler: the interpreter called it. One with a frame of its own has a frame type (a
   * small integer, even) below its frame pointer; the interpreted function's has its context there
   * (a tagged pointer, odd). */
  if (in_blob && prof_v8_in_interpreter(map, top - 1) && !prof_v8_in_interpreter(map, pc))
    return !prof_regs_has(regs, PROF_RBP) ||
           !prof_memory_read(memory, regs->r[PROF_RBP] - 8, &saved) || saved & 1;
  by_top = distance_called(memory, regs, top);
  if (by_top >= (in_blob ? BUILTIN_REACH : PROLOGUE_REACH))
    return false;
  if (!prof_regs_has(regs, PROF_RBP) || !prof_memory_read(memory, regs->r[PROF_RBP] + 8, &saved) ||
      saved < 0x2000 || saved >> 47)
    return true;
  by_frame = distance_called(memory, regs, saved);
  return by_top <= by_frame;
}

enum prof_step prof_v8_step(const struct prof_v8_map *map, struct prof_memory *memory,
                            struct prof_regs *regs, bool is_exact) {
  uint64_t depth, bp;
  bool has_pushed;
  if (!is_exact)
    return prof_step_frame_pointer(memory, regs);
  if (prof_code_frameless(memory, regs->r[PROF_RIP], &depth, &has_pushed)) {
    if (has_pushed) {
      if (!prof_memory_read(memory, regs->r[PROF_RSP], &bp))
        return PROF_STEP_BAD_READ;
      regs->r[PROF_RBP] = bp;
      regs->valid |= 1u << PROF_RBP;
    }
    return prof_step_frameless(memory, regs, depth);
  }
  if (is_frameless(map, memory, regs))
    return prof_step_frameless(memory, regs, 0);
  return prof_step_frame_pointer(memory, regs);
}
