#include "stack/guess.h"

#if defined(PROF_ARCH_X86_64)

#include "stack/code.h"
#include "stack/v8frame.h"

enum {
  FUNCTION_REACH = 64 << 10, /* bytes of code from a function's start to a pc in it */
  FRAME_REACH = 1 << 20,     /* bytes of stack from a frame pointer to the next */
  LEAF_REACH = 64,           /* the same, of a function that has set up no frame */
  SWITCH_REACH = 512 * 8,    /* bytes of a switched stack's first frames */
  SWITCH_APART = 64 << 10,   /* bytes: nearer is the same stack */
  SWITCH_CODE = 32,          /* of a function that switches stacks */
  PROOF_FRAMES = 6,          /* that a scanned candidate must have above it */
};

struct guess {
  struct prof_unwind *unwind;
  const struct prof_v8_map *v8;
  struct prof_memory *memory;
};

/* Where a return address leads: what walks on from there. */
enum place { PLACE_NOWHERE, PLACE_ROW, PLACE_START, PLACE_V8, PLACE_NO_ROW };

static bool is_walkable(prof_row row) {
  enum prof_row_kind kind = PROF_ROW_KIND(row);
  return kind == PROF_ROW_NORMAL || kind == PROF_ROW_INDIRECT || kind == PROF_ROW_START;
}

/* Whether the call before address, which lies in an image, can have led into code without rows:
 * what was left behind by functions that have rows and call each other (allocators, libc) did not.
 */
static enum prof_row_call look_at_call(const struct guess *self, uint64_t address) {
  uint64_t target;
  switch (prof_code_call_before(self->memory, address, NULL, &target)) {
  case PROF_CALL_NONE:
    return PROF_ROW_CALL_NONE;
  case PROF_CALL_DIRECT:
    return PROF_ROW_KIND(prof_rows_find(self->unwind->rows, target)) == PROF_ROW_NO_ROW
               ? PROF_ROW_CALL_ANYWHERE
               : PROF_ROW_CALL_TO_ROWS;
  default:
    return PROF_ROW_CALL_ANYWHERE;
  }
}

/* The code of an image does not change under its rows: it is looked at once. */
static enum prof_row_call call_of(const struct guess *self, uint64_t address, uint64_t key,
                                  prof_row row) {
  enum prof_row_call call = PROF_ROW_CALL(row);
  if (call == PROF_ROW_CALL_UNKNOWN) {
    call = look_at_call(self, address);
    if (self->memory->has_code && is_walkable(row)) /* another process's cannot be read */
      prof_rows_note(self->unwind->rows, key, row, call);
  }
  return call;
}

static enum place place_of(const struct guess *self, uint64_t address, prof_row *row) {
  uint64_t target, key;
  if (address < 0x10000 || address >> 47)
    return PLACE_NOWHERE;
  if (self->v8 && prof_v8_in_blob(self->v8, address - 1))
    return prof_code_call_before(self->memory, address, NULL, &target) ? PLACE_V8 : PLACE_NOWHERE;
  if (prof_rows_in_own(self->unwind->rows, address))
    return PLACE_NOWHERE;
  *row = prof_rows_find_noted(self->unwind->rows, address - 1, &key);
  if (*row == PROF_ROW_NO_IMAGE) {
    bool is_jit = self->v8 && prof_code_call_before(self->memory, address, NULL, &target);
    return is_jit ? PLACE_V8 : PLACE_NOWHERE;
  }
  if (call_of(self, address, key, *row) == PROF_ROW_CALL_NONE)
    return PLACE_NOWHERE;
  switch (PROF_ROW_KIND(*row)) {
  case PROF_ROW_NORMAL:
  case PROF_ROW_INDIRECT:
    return PLACE_ROW;
  case PROF_ROW_START:
    return PLACE_START;
  default:
    return PLACE_NO_ROW;
  }
}

/* Goes up from the frame behind `at` by rows, and asks of each frame whether it can be a caller: a
 * stale return address, left by a call that is over, seldom has PROOF_FRAMES plausible ones above
 * it. */
static bool proves_row(const struct guess *self, prof_row row, uint64_t at, uint64_t bp,
                       bool has_bp) {
  struct prof_regs caller;
  prof_regs_arrive(&caller, 0, at + 8, bp, has_bp);
  for (int i = 0; i < PROOF_FRAMES; i++) {
    if (prof_step_row(row, self->memory, &caller) != PROF_STEP_OK)
      return false;
    switch (place_of(self, caller.r[PROF_RIP], &row)) {
    case PLACE_NOWHERE:
      return false;
    case PLACE_ROW:
      break;
    case PLACE_NO_ROW: /* one frame of libc is left behind by any call to it */
      return i >= 1;
    default:
      return true;
    }
  }
  return true;
}

static bool try_rows(const struct guess *self, prof_row row, uint64_t word, uint64_t at,
                     uint64_t pushed, struct prof_regs *regs) {
  /* What the skipped functions left in rbp: untouched, or pushed right below the return address,
   * where every compiler's prologue puts it. */
  const uint64_t candidates[2] = {pushed, regs->r[PROF_RBP]};
  bool by_rbp = row & PROF_ROW_FROM_FP || PROF_ROW_KIND(row) == PROF_ROW_INDIRECT;
  for (int i = 0; i < 2; i++) {
    uint64_t bp = candidates[i];
    if (bp > at && bp - at <= FRAME_REACH && !(bp & 7) && proves_row(self, row, at, bp, true)) {
      prof_regs_arrive(regs, word, at + 8, bp, true);
      return true;
    }
  }
  if (by_rbp || !proves_row(self, row, at, 0, false))
    return false;
  prof_regs_arrive(regs, word, at + 8, 0, false);
  return true;
}

/* frame holds an rbp of the function that switched to this stack, and returns to switched: the call
 * above it leads to that function. */
static bool try_switch(const struct guess *self, uint64_t switched, uint64_t frame,
                       struct prof_regs *regs) {
  uint64_t bp, pc, target;
  if (!frame || frame & 7 || !prof_memory_read(self->memory, frame, &bp) ||
      !prof_memory_read(self->memory, frame + 8, &pc) ||
      prof_code_call_before(self->memory, pc, NULL, &target) != PROF_CALL_DIRECT ||
      target > switched || switched - target > SWITCH_CODE)
    return false;
  prof_regs_arrive(regs, pc, frame + 16, bp, true);
  return true;
}

/* The word at `at` returns into such a function. Its rbp is in what the first frames of the new
 * stack saved below, or still in the register. */
static bool cross_switch(const struct guess *self, uint64_t switched, uint64_t at, uint64_t from,
                         struct prof_regs *regs) {
  uint64_t low = at - from > SWITCH_REACH ? at - SWITCH_REACH : from, frame;
  for (uint64_t below = at - 8; below >= low; below -= 8)
    if (prof_memory_read(self->memory, below, &frame) &&
        (frame < below || frame - below > SWITCH_APART) &&
        (frame > below || below - frame > SWITCH_APART) && try_switch(self, switched, frame, regs))
      return true;
  return try_switch(self, switched, regs->r[PROF_RBP], regs);
}

/* The next word from *at on that may be an address of an image's code: most are data. */
static bool next_address(const struct guess *self, uint64_t *at, uint64_t end, uint64_t *word) {
  uint64_t known = 0; /* words that need not be asked for */
  for (; *at < end; *at += 8, known--) {
    if (!known) {
      if (!prof_memory_read(self->memory, *at, word))
        return false;
      known = prof_memory_words(self->memory, *at);
    }
    *word = prof_memory_word(self->memory, *at);
    if (*word - 0x10000 < (1ull << 47) - 0x10000 &&
        prof_rows_may_be_code(self->unwind->rows, *word))
      return true;
  }
  return false;
}

/* Whether the word at `at` is the return address of a frame to go on from; regs is then there, and
 * else as it was. */
static bool try_word(const struct guess *self, uint64_t word, uint64_t at, uint64_t from,
                     struct prof_regs *regs) {
  uint64_t pushed = 0, key;
  enum prof_row_call call;
  prof_row row;
  /* Nor what the profiler's own handler left, as it ran on this stack (a thread's first sample,
   * before it has a signal stack): nothing without rows is called by it. */
  if ((self->v8 && prof_v8_in_blob(self->v8, word - 1)) ||
      prof_rows_in_own(self->unwind->rows, word))
    return false;
  /* Most lead into code without rows, or were called by code with rows. */
  row = prof_rows_find_noted(self->unwind->rows, word - 1, &key);
  if (!is_walkable(row))
    return false;
  call = call_of(self, word, key, row);
  if (PROF_ROW_KIND(row) == PROF_ROW_START) {
    /* of a thread: the process's, _start, stands behind frames with rows */
    if (call == PROF_ROW_CALL_NONE || !prof_rows_in_libc(self->unwind->rows, word - 1))
      return false;
    prof_regs_arrive(regs, word, at + 8, regs->r[PROF_RBP], prof_regs_has(regs, PROF_RBP));
    return true;
  }
  if (call != PROF_ROW_CALL_ANYWHERE)
    return false;
  if (row & PROF_ROW_FROM_FP && prof_code_switch(self->memory, word))
    return cross_switch(self, word, at, from, regs);
  return (at == from || prof_memory_read(self->memory, at - 8, &pushed)) &&
         try_rows(self, row, word, at, pushed, regs);
}

/* Looks at the words from `first` on, 8-byte aligned; regs are those of the frame without a row. */
static bool scan(const struct guess *self, struct prof_regs *regs, uint64_t first,
                 uint64_t *gap_bytes) {
  uint64_t from = (regs->r[PROF_RSP] + 7) & ~7ull, end = from + PROF_GUESS_REACH, word;
  for (uint64_t at = first; next_address(self, &at, end, &word); at += 8) {
    if (try_word(self, word, at, from, regs)) {
      *gap_bytes = at - from;
      return true;
    }
  }
  return false;
}

/* The call that returns to the word at rsp leads right to pc: no frame was set up yet. */
static bool is_leaf(const struct guess *self, const struct prof_regs *regs) {
  uint64_t top, target;
  return prof_memory_read(self->memory, regs->r[PROF_RSP], &top) &&
         prof_code_call_before(self->memory, top, NULL, &target) == PROF_CALL_DIRECT &&
         target <= regs->r[PROF_RIP] && regs->r[PROF_RIP] - target < LEAF_REACH;
}

uint32_t prof_guess_caller(struct prof_unwind *unwind, const struct prof_v8_map *v8,
                           struct prof_memory *memory, struct prof_regs *regs, bool is_exact,
                           uint64_t *gap_bytes) {
  const struct guess self = {unwind, v8, memory};
  struct prof_regs trial = *regs;
  uint64_t depth, target;
  enum prof_call call = PROF_CALL_NONE;
  if (is_exact && prof_code_plt(memory, regs->r[PROF_RIP], &depth) &&
      prof_step_frameless(memory, regs, depth) == PROF_STEP_OK)
    return PROF_WALK_GUESS_PLT;
  if (prof_step_frame_pointer(memory, &trial) == PROF_STEP_OK)
    call = prof_code_call_before(memory, trial.r[PROF_RIP], NULL, &target);
  if (call == PROF_CALL_DIRECT && target <= regs->r[PROF_RIP] &&
      regs->r[PROF_RIP] - target < FUNCTION_REACH) {
    *regs = trial;
    return PROF_WALK_GUESS_FP;
  }
  if (is_exact && is_leaf(&self, regs) && prof_step_frameless(memory, regs, 0) == PROF_STEP_OK)
    return PROF_WALK_GUESS_FP;
  if (unwind->scan && scan(&self, regs, (regs->r[PROF_RSP] + 7) & ~7ull, gap_bytes))
    return PROF_WALK_GUESS_SCAN;
  if (call == PROF_CALL_NONE)
    return 0;
  *regs = trial;
  return PROF_WALK_GUESS_FP;
}

bool prof_guess_again(struct prof_unwind *unwind, const struct prof_v8_map *v8,
                      struct prof_memory *memory, struct prof_regs *regs, uint64_t *gap_bytes,
                      uint64_t broken_at) {
  const struct guess self = {unwind, v8, memory};
  uint64_t from = (regs->r[PROF_RSP] + 7) & ~7ull, next = from + *gap_bytes + 8;
  /* The frames of the stale chain are stale too. Where it led to another stack, none is known. */
  if (broken_at > next && broken_at - from < PROF_GUESS_REACH)
    next = (broken_at + 7) & ~7ull;
  return scan(&self, regs, next, gap_bytes);
}

#endif
