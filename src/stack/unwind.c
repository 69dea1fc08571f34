#include "stack/unwind.h"

#include <stdatomic.h>

#include "stack/guess.h"
#include "stack/recall.h"
#include "stack/step.h"
#include "stack/v8frame.h"

/* A frame above this, or one that goes down, is a switch to another stack. */
#define SWITCH_BYTES (1u << 20)
/* Stale chains of calls that one large frame may hold. */
#define SCANS_AGAIN 16
/* Of stack that are looked through for return addresses ahead of the walk: some 15 frames. */
#define FETCH_WORDS 384

struct walker {
  struct prof_unwind *unwind;
  const struct prof_v8_map *v8;
  struct prof_memory *memory;
  struct prof_walk *walk;
  struct prof_regs regs;
  bool is_exact;              /* pc was interrupted there; else it is a return address */
  bool is_above_leaf;         /* the frame before was V8's and had no frame of its own */
  bool is_full;               /* follow all registers */
  struct prof_recall *recall; /* NULL: none */
  struct {
    uint32_t flags; /* enum prof_recall_flag; 0: not of the kind that is kept */
    int32_t bp_at;
  } stepped;                 /* from the present frame */
  uint64_t seen_sp, seen_pc; /* Brent's cycle detection: a place to meet again, ever further on */
  uint32_t seen_next;
  struct {
    struct prof_regs regs;  /* of the frame without a row */
    uint64_t gap_bytes;     /* what the scan skipped */
    uint32_t count, budget; /* words up to that frame; scans that may be tried again */
  } scan;                   /* the last one; count 0: none yet */
};

enum verdict { GO_ON, ENDED, NEEDS_FULL };

const char *prof_walk_end_name(enum prof_walk_end end) {
  switch (end) {
  case PROF_WALK_COMPLETE:
    return "complete";
  case PROF_WALK_TRUNCATED:
    return "truncated";
  case PROF_WALK_NO_MODULE:
    return "no module";
  case PROF_WALK_NO_ROW:
    return "no row";
  case PROF_WALK_BAD_READ:
    return "unreadable stack";
  case PROF_WALK_LOOP:
    return "loop";
  case PROF_WALK_BAD_ROW:
    return "bad row";
  }
  return "unknown";
}

static enum verdict end(struct walker *self, enum prof_walk_end how) {
  self->walk->end = how;
  self->walk->end_pc = self->regs.r[PROF_REG_PC];
  return ENDED;
}

static bool emit(struct walker *self, enum prof_word kind, uint64_t value) {
  struct prof_walk *walk = self->walk;
  if (walk->count == walk->capacity)
    return false;
  walk->words[walk->count++] = PROF_WORD(kind, value);
  return true;
}

static uint64_t place(const struct walker *self) {
  return self->regs.r[PROF_REG_PC] - !self->is_exact;
}

/* What a step gave for a frame that rests on an image's row or on nothing. */
static enum verdict conclude(struct walker *self, enum prof_step step) {
  switch (step) {
  case PROF_STEP_OK:
  case PROF_STEP_LEAF:
    self->is_exact = false;
    self->is_above_leaf = step == PROF_STEP_LEAF;
    return GO_ON;
  case PROF_STEP_BAD_READ:
    return end(self, PROF_WALK_BAD_READ);
  case PROF_STEP_BAD_ROW:
    return end(self, PROF_WALK_BAD_ROW);
  default:
    return end(self, PROF_WALK_NO_MODULE);
  }
}

static enum verdict guess(struct walker *self, enum prof_walk_end otherwise) {
  struct prof_regs before = self->regs;
  uint64_t gap_bytes = 0;
  uint32_t flag = prof_guess_caller(self->unwind, self->v8, self->memory, &self->regs,
                                    self->is_exact, &gap_bytes);
  if (!flag)
    return end(self, otherwise);
  self->walk->flags |= flag;
  self->is_exact = false;
  if (flag != PROF_WALK_GUESS_SCAN)
    return GO_ON;
  self->scan.regs = before;
  self->scan.gap_bytes = gap_bytes;
  self->scan.count = self->walk->count;
  return emit(self, PROF_WORD_GAP, gap_bytes) ? GO_ON : end(self, PROF_WALK_TRUNCATED);
}

/* After a walk that broke off: what it rests on may be a chain of calls that are over, in the part
 * of a large frame that nothing was written to yet. */
static bool scan_again(struct walker *self, uint64_t broken_at) {
  if (!self->scan.count || self->walk->end == PROF_WALK_COMPLETE ||
      self->walk->end == PROF_WALK_TRUNCATED || !self->scan.budget)
    return false;
  self->scan.budget--;
  self->regs = self->scan.regs;
  self->walk->count = self->scan.count;
  self->is_exact = self->is_above_leaf = false;
  if (prof_guess_again(self->unwind, self->v8, self->memory, &self->regs, &self->scan.gap_bytes,
                       broken_at) &&
      emit(self, PROF_WORD_GAP, self->scan.gap_bytes))
    return true;
  end(self, PROF_WALK_NO_ROW);
  return false;
}

/* The function of a frame that was left by its frame pointer, which was bp. Such frames are not
 * kept for the next walk: their function would have to be. */
static enum verdict leave_unlisted(struct walker *self, uint64_t bp) {
  uint64_t bytecode;
  self->stepped.flags = 0;
  if (self->regs.r[PROF_REG_SP] == bp + 16 && prof_v8_function_of(self->v8, bp, &bytecode) &&
      !emit(self, PROF_WORD_BYTECODE, bytecode))
    return end(self, PROF_WALK_TRUNCATED);
  return GO_ON;
}

static enum verdict step_v8(struct walker *self, uint32_t flags) {
  uint64_t bytecode, bp = self->regs.r[PROF_REG_FP];
  enum verdict verdict;
  bool is_interpreter = self->v8->has_bytecode && prof_v8_in_interpreter(self->v8, place(self)) &&
                        prof_regs_has(&self->regs, PROF_REG_FP);
  bool is_unlisted =
      self->v8->unlisted_count && !is_interpreter && prof_v8_is_unlisted(self->v8, place(self));
  if (is_interpreter &&
      prof_memory_read(self->memory,
                       self->regs.r[PROF_REG_FP] + (uint64_t)(int64_t)self->v8->bytecode_slot * 8,
                       &bytecode) &&
      !emit(self, PROF_WORD_BYTECODE, bytecode))
    return end(self, PROF_WALK_TRUNCATED);
  if (self->is_above_leaf)
    return conclude(self,
                    prof_v8_step_above_leaf(self->unwind, self->v8, self->memory, &self->regs));
  self->stepped.flags =
      PROF_RECALL_STEP | flags | (is_interpreter ? (uint32_t)PROF_RECALL_INTERPRETER : 0);
  self->stepped.bp_at = -16;
  verdict = conclude(self, prof_v8_step(self->v8, self->memory, &self->regs, self->is_exact));
  return is_unlisted && verdict == GO_ON ? leave_unlisted(self, bp) : verdict;
}

/* Neither image nor V8's: JIT code of others may have a frame pointer; behind a scan it is more
 * likely that the scan was wrong. */
static enum verdict step_nowhere(struct walker *self) {
  if (self->v8)
    return step_v8(self, PROF_RECALL_NO_IMAGE);
  return self->scan.count ? end(self, PROF_WALK_NO_MODULE) : guess(self, PROF_WALK_NO_MODULE);
}

/* What is popped already (see prof_step_row) comes from the register. */
static void note_row(struct walker *self, prof_row row, uint64_t sp_before) {
  bool is_saved = row & PROF_ROW_FP_SAVED;
  uint64_t bp_at = self->regs.r[PROF_REG_SP] + (uint64_t)PROF_ROW_FP(row);
  if (is_saved && (PROF_ROW_FP(row) == 0 || bp_at < sp_before))
    return;
  if (!prof_row_is_recallable(row))
    return;
  self->stepped.flags = PROF_RECALL_STEP;
  self->stepped.bp_at = is_saved ? (int32_t)PROF_ROW_FP(row) : 0;
}

static enum verdict step_row(struct walker *self, prof_row row) {
  uint64_t sp_before = self->regs.r[PROF_REG_SP];
  enum prof_step step;
  switch (PROF_ROW_KIND(row)) {
  case PROF_ROW_START:
    return end(self, PROF_WALK_COMPLETE);
  case PROF_ROW_SIGNAL:
    step = prof_step_signal(self->memory, &self->regs);
    if (step != PROF_STEP_OK)
      return conclude(self, step);
    self->walk->flags |= PROF_WALK_SIGNALLED;
    self->is_exact = true;
    return GO_ON;
  case PROF_ROW_NORMAL:
  case PROF_ROW_INDIRECT:
  case PROF_ROW_PLT:
    step = self->is_full && PROF_ROW_KIND(row) != PROF_ROW_PLT
               ? prof_step_full(self->unwind->rows, place(self), self->memory, &self->regs)
               : prof_step_row(row, self->memory, &self->regs);
    if (step == PROF_STEP_OK && PROF_ROW_KIND(row) == PROF_ROW_NORMAL)
      note_row(self, row, sp_before);
    break;
  case PROF_ROW_SLOW:
    if (!self->is_full)
      return NEEDS_FULL;
    step = prof_step_full(self->unwind->rows, place(self), self->memory, &self->regs);
    break;
  case PROF_ROW_NO_ROW:
    /* Nobody called the first frame of a made context: its return address was put there, and is the
     * first instruction of libc's __start_context, with no code before it that could have called.
     */
    if (!self->is_exact && prof_rows_is_entry(self->unwind->rows, self->regs.r[PROF_REG_PC]))
      return end(self, PROF_WALK_COMPLETE);
    return guess(self, PROF_WALK_NO_ROW);
  case PROF_ROW_NO_IMAGE:
    return step_nowhere(self);
  default:
    return guess(self, PROF_WALK_BAD_ROW);
  }
  return step == PROF_STEP_BAD_ROW ? guess(self, PROF_WALK_BAD_ROW) : conclude(self, step);
}

static enum verdict check_progress(struct walker *self, uint64_t sp_before, uint64_t place_before) {
  uint64_t sp = self->regs.r[PROF_REG_SP], pc = self->regs.r[PROF_REG_PC];
  if (sp - sp_before > SWITCH_BYTES && !self->is_exact)
    self->walk->flags |= PROF_WALK_SWITCHED;
  if (pc == 0) /* a thread's start before glibc 2.26 had rows that say so; elsewhere a break */
    return end(self, prof_rows_in_libc(self->unwind->rows, place_before) ? PROF_WALK_COMPLETE
                                                                         : PROF_WALK_NO_MODULE);
  if (sp == self->seen_sp && pc == self->seen_pc)
    return end(self, PROF_WALK_LOOP);
  if (self->walk->count >= self->seen_next) {
    self->seen_next *= 2;
    self->seen_sp = sp;
    self->seen_pc = pc;
  }
  return GO_ON;
}

static enum verdict run(struct walker *self) {
  uint64_t sp = self->regs.r[PROF_REG_SP], callee_sp;
  enum verdict verdict;
  do {
    bool is_met = self->recall && !self->is_exact && !self->is_above_leaf;
    if (is_met)
      prof_recall_meet(self->recall, self->unwind->rows, self->memory, &self->regs, self->walk,
                       &sp);
    uint64_t pc = place(self);
    callee_sp = sp;
    sp = self->regs.r[PROF_REG_SP];
    self->stepped.flags = 0;
    if (!emit(self, self->is_exact ? PROF_WORD_PC : PROF_WORD_RETURN, pc))
      return end(self, PROF_WALK_TRUNCATED);
    if (self->v8 && prof_v8_in_blob(self->v8, pc))
      verdict = step_v8(self, 0);
    else
      verdict = step_row(self, self->is_exact ? prof_rows_find_leaf(self->unwind->rows, pc)
                                              : prof_rows_find(self->unwind->rows, pc));
    if (verdict == GO_ON)
      verdict = check_progress(self, sp, pc);
    if (verdict == GO_ON && is_met && self->stepped.flags)
      prof_recall_step(self->recall, self->stepped.flags, self->stepped.bp_at);
    if (verdict == ENDED && scan_again(self, callee_sp))
      verdict = GO_ON;
  } while (verdict == GO_ON);
  return verdict;
}

/* Each step needs the row of the frame that the step before found, and a build has pushed the rows
 * out of the caches. So those of all that look like return addresses are asked for at once, up to
 * where the walk is likely to meet the last one. */
static void fetch_rows(const struct walker *self) {
  uint64_t sp = (self->regs.r[PROF_REG_SP] + 7) & ~7ull,
           known = prof_memory_words(self->memory, sp);
  uint64_t wanted = (prof_recall_above(self->recall, sp) - sp) / 8;
  uint64_t count = known < wanted ? known : wanted;
  prof_rows_fetch(self->unwind->rows, self->memory, sp, count < FETCH_WORDS ? count : FETCH_WORDS);
}

static enum verdict start(struct walker *self, const struct prof_regs *regs, bool is_full) {
  self->regs = *regs;
  self->is_exact = true;
  self->is_above_leaf = false;
  self->is_full = is_full;
  self->seen_sp = self->seen_pc = 0;
  self->seen_next = 8;
  self->scan.count = 0;
  self->scan.budget = SCANS_AGAIN;
  self->walk->count = 0;
  self->walk->flags = is_full ? PROF_WALK_FULL : 0;
  self->recall = is_full ? NULL : self->walk->recall;
  if (self->recall)
    prof_recall_begin(self->recall, prof_rows_epoch(self->unwind->rows), self->v8);
  if (self->recall && self->memory->is_live)
    fetch_rows(self);
  return run(self);
}

void prof_unwind_walk(struct prof_unwind *unwind, struct prof_memory *memory,
                      const struct prof_regs *regs, struct prof_walk *walk) {
  struct walker self;
  self.unwind = unwind;
  self.v8 = atomic_load_explicit(&unwind->v8, memory_order_acquire);
  self.memory = memory;
  self.walk = walk;
  prof_memory_begin(memory, regs->r[PROF_REG_SP]);
  if (start(&self, regs, false) == NEEDS_FULL)
    start(&self, regs, true);
  else if (walk->recall && walk->end == PROF_WALK_COMPLETE)
    prof_recall_keep(walk->recall);
}
