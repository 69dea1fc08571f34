#include "stack/v8frame.h"

#if defined(PROF_ARCH_X86_64)

#include "stack/code.h"

/* How far behind a builtin's start, or a JavaScript function's, a pc without a frame can be. The
 * functions' prologue checks for lazy deoptimisation before it pushes rbp. */
enum { BUILTIN_REACH = 0x2000, PROLOGUE_REACH = 48, FRAMELESS_WORDS = 8 };

/* How far before pc the call that returns to address leads; UINT64_MAX: not there. */
static uint64_t distance_called(struct prof_memory *memory, const struct prof_regs *regs,
                                uint64_t address) {
  uint64_t pc = regs->r[PROF_RIP], target;
  switch (prof_code_call_before(memory, address, regs, &target)) {
  case PROF_CALL_DIRECT:
    return target <= pc ? pc - target : UINT64_MAX;
  case PROF_CALL_INDIRECT: /* JavaScript functions get their start in rcx */
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
  if (!prof_memory_read(memory, regs->r[PROF_RSP], &top) || top < 0x2000 || top >> 47)
    return false;
  /* A bytecode handler: the interpreter called it. One with a frame of its own has a frame type (a
   * small integer, even) below its frame pointer; the interpreted function's has its context there
   * (a tagged pointer, odd). */
  if (prof_v8_in_interpreter(map, top - 1) && !prof_v8_in_interpreter(map, pc))
    return !prof_regs_has(regs, PROF_RBP) ||
           !prof_memory_read(memory, regs->r[PROF_RBP] - 8, &saved) || saved & 1;
  by_top = distance_called(memory, regs, top);
  if (by_top >= BUILTIN_REACH)
    return false;
  if (!prof_regs_has(regs, PROF_RBP) || !prof_memory_read(memory, regs->r[PROF_RBP] + 8, &saved) ||
      saved < 0x2000 || saved >> 47)
    return true;
  by_frame = distance_called(memory, regs, saved);
  return by_top <= by_frame;
}

static bool is_return(struct prof_memory *memory, const struct prof_regs *regs, uint64_t depth) {
  uint64_t word, target;
  return prof_memory_read(memory, regs->r[PROF_RSP] + depth, &word) &&
         prof_code_call_before(memory, word, NULL, &target);
}

/* The call that led into this frame, if rbp is this frame's, leads to the code at pc. */
static bool is_called_here(struct prof_memory *memory, const struct prof_regs *regs) {
  uint64_t saved;
  return prof_regs_has(regs, PROF_RBP) && prof_memory_read(memory, regs->r[PROF_RBP] + 8, &saved) &&
         saved >= 0x2000 && !(saved >> 47) && distance_called(memory, regs, saved) < BUILTIN_REACH;
}

/* rbp is a stub's frame pointer: a small integer (even) says which kind; functions have their
 * context there (a tagged pointer, odd). */
static bool has_marker(struct prof_memory *memory, const struct prof_regs *regs) {
  uint64_t marker;
  return prof_regs_has(regs, PROF_RBP) &&
         prof_memory_read(memory, regs->r[PROF_RBP] - 8, &marker) && !(marker & 1);
}

/* How far above rsp the return address of code without a frame is; false: none is found. */
static bool find_return(struct prof_memory *memory, const struct prof_regs *regs,
                        enum prof_code_frame frame, uint64_t *depth) {
  *depth = 0;
  switch (frame) {
  case PROF_FRAME_LEFT:
    return !is_called_here(memory, regs) && is_return(memory, regs, 0);
  case PROF_FRAME_RBP_BACK:
    *depth = prof_code_released(memory, regs->r[PROF_RIP]);
    if (is_return(memory, regs, *depth))
      return true;
    *depth = 0; /* released already: arguments of a tail call may be on top */
    __attribute__((fallthrough));
  case PROF_FRAME_NOT_YET: /* what it has pushed are tagged values and small numbers */
    if (frame == PROF_FRAME_NOT_YET && has_marker(memory, regs) && is_called_here(memory, regs))
      return false; /* two traps in its middle looked like padding */
    for (; *depth < 8 * FRAMELESS_WORDS; *depth += 8) {
      if (regs->r[PROF_RSP] + *depth == regs->r[PROF_RBP])
        return false; /* a frame is here: builtins are jumped to that leave their caller's */
      if (is_return(memory, regs, *depth))
        return true;
    }
    return false;
  default:
    return false;
  }
}

/* By the code around pc; REFUSED: it does not tell. */
static enum prof_step step_by_code(struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t depth, pc = regs->r[PROF_RIP];
  int popped = prof_code_popped(memory, pc);
  if (popped >= 0 && prof_regs_has(regs, (unsigned)popped)) {
    regs->r[PROF_RIP] = regs->r[popped];
    regs->valid = PROF_REG(PROF_RIP) | PROF_REG(PROF_RSP) | (regs->valid & PROF_REG(PROF_RBP));
    return PROF_STEP_OK;
  }
  if (!find_return(memory, regs, prof_code_frame(memory, pc), &depth))
    return PROF_STEP_REFUSED;
  return prof_step_frameless(memory, regs, depth) == PROF_STEP_OK ? PROF_STEP_LEAF
                                                                  : PROF_STEP_BAD_READ;
}

enum prof_step prof_v8_step_above_leaf(const struct prof_unwind *unwind,
                                       const struct prof_v8_map *map, struct prof_memory *memory,
                                       struct prof_regs *regs) {
  uint64_t top;
  bool is_prologue =
      prof_memory_read(memory, regs->r[PROF_RSP], &top) && is_return(memory, regs, 0);
  /* It was called by V8's code: a copy of the builtins, in no image, or the original in node's own,
   * without rows. Frames that were not yet written to hold old native calls. */
  if (is_prologue && !prof_v8_in_blob(map, top)) {
    enum prof_row_kind kind = PROF_ROW_KIND(prof_rows_find(unwind->rows, top - 1));
    is_prologue = kind == PROF_ROW_NO_ROW || kind == PROF_ROW_NO_IMAGE;
  }
  return is_prologue ? prof_step_frameless(memory, regs, 0) : prof_step_frame_pointer(memory, regs);
}

enum prof_step prof_v8_step(const struct prof_v8_map *map, struct prof_memory *memory,
                            struct prof_regs *regs, bool is_exact) {
  enum prof_step step;
  uint64_t depth, bp;
  bool has_pushed;
  int held;
  if (!is_exact)
    return prof_step_frame_pointer(memory, regs);
  held = prof_code_held(memory, regs);
  if (held >= 0) {
    regs->r[PROF_RIP] = regs->r[held];
    regs->valid = PROF_REG(PROF_RIP) | PROF_REG(PROF_RSP) | (regs->valid & PROF_REG(PROF_RBP));
    return PROF_STEP_LEAF;
  }
  if (prof_code_frameless(memory, regs->r[PROF_RIP], &depth, &has_pushed)) {
    if (has_pushed) {
      if (!prof_memory_read(memory, regs->r[PROF_RSP], &bp))
        return PROF_STEP_BAD_READ;
      regs->r[PROF_RBP] = bp;
      regs->valid |= PROF_REG(PROF_RBP);
    }
    return prof_step_frameless(memory, regs, depth);
  }
  step = step_by_code(memory, regs);
  if (step != PROF_STEP_REFUSED)
    return step;
  if (is_frameless(map, memory, regs))
    return prof_step_frameless(memory, regs, 0);
  return prof_step_frame_pointer(memory, regs);
}

#endif
