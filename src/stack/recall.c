#include "stack/recall.h"

#include <string.h>

enum { FRAMES = PROF_RECALL_FRAMES };

/* Further up, or down, is another stack. */
#define SWITCH_BYTES (1u << 20)

static uint32_t first_of(const struct prof_recall *self) {
  return FRAMES - self->count;
}

void prof_recall_begin(struct prof_recall *self, uint64_t epoch, const struct prof_v8_map *v8) {
  if (self->epoch != epoch || self->v8 != v8) {
    self->epoch = epoch;
    self->v8 = v8;
    self->count = 0;
  }
  self->at = first_of(self);
  self->confirmed = self->fresh_count = 0;
  self->last_sp = 0;
  self->frame = NULL;
}

uint64_t prof_recall_above(const struct prof_recall *self, uint64_t sp) {
  for (uint32_t i = first_of(self); i < FRAMES; i++)
    if (self->frames[i].sp > sp)
      return self->frames[i].sp;
  return UINT64_MAX;
}

/* Makes the list this walk's up to the fresh states, which are followed by the kept ones from `to`
 * on. Where there is no room the innermost go. */
static void splice(struct prof_recall *self, uint32_t to) {
  uint32_t first = first_of(self), fresh = self->fresh_count, confirmed = self->confirmed, begin;
  if (fresh == 0 && first + confirmed == to)
    return;
  fresh = fresh < to ? fresh : to;
  begin = to - fresh;
  confirmed = confirmed < begin ? confirmed : begin;
  memmove(&self->frames[begin - confirmed], &self->frames[first + self->confirmed - confirmed],
          confirmed * sizeof *self->frames);
  memcpy(&self->frames[begin], &self->fresh[self->fresh_count - fresh],
         fresh * sizeof *self->frames);
  self->count = FRAMES - (begin - confirmed);
  self->fresh_count = 0;
}

/* Kept states stand in the order of the walk: within one stack by rising rsp. */
static void seek(struct prof_recall *self, uint64_t sp) {
  uint64_t last = self->last_sp;
  bool is_first = last == 0;
  bool is_other = is_first ? self->at < FRAMES && self->frames[self->at].sp - sp > SWITCH_BYTES
                           : sp - last > SWITCH_BYTES;
  if (is_other)
    for (uint32_t i = first_of(self) + self->confirmed; i < FRAMES; i++)
      if (self->frames[i].sp == sp) {
        self->at = i;
        return;
      }
  while (self->at < FRAMES && self->frames[self->at].sp < sp)
    self->at++;
}

static uint32_t what_is_known(const struct prof_regs *regs) {
  return (prof_regs_has(regs, PROF_REG_FP) ? PROF_RECALL_HAS_BP : 0) |
         (prof_regs_has(regs, PROF_REG_SP) ? PROF_RECALL_HAS_SP : 0);
}

static bool is_state(const struct prof_recall_frame *frame, const struct prof_regs *regs) {
  return frame->sp == regs->r[PROF_REG_SP] && frame->pc == regs->r[PROF_REG_PC] &&
         frame->bp == regs->r[PROF_REG_FP] &&
         (frame->flags & PROF_RECALL_KNOWN) == what_is_known(regs);
}

/* Whether next is still what frame's step leads to. */
static bool leads_to(const struct prof_recall_frame *frame, const struct prof_recall_frame *next,
                     struct prof_rows *rows, struct prof_memory *memory) {
  struct prof_cfi_image image;
  uint64_t word;
  if (!prof_memory_read(memory, next->sp + (uint64_t)prof_arch_return_at(frame->bp_at), &word) ||
      prof_arch_code(word) != next->pc)
    return false;
  if (frame->bp_at &&
      (!prof_memory_read(memory, next->sp + (uint64_t)(int64_t)frame->bp_at, &word) ||
       word != next->bp))
    return false;
  return !(frame->flags & PROF_RECALL_NO_IMAGE) || !prof_rows_image(rows, frame->pc - 1, &image);
}

/* The words of a frame that is passed over. */
static void leave(const struct prof_recall *self, const struct prof_recall_frame *frame,
                  struct prof_memory *memory, struct prof_walk *walk) {
  uint64_t word;
  walk->words[walk->count++] = PROF_WORD(PROF_WORD_RETURN, frame->pc - 1);
  if (frame->flags & PROF_RECALL_INTERPRETER &&
      prof_memory_read(memory, frame->bp + (uint64_t)(int64_t)self->v8->bytecode_slot * 8, &word))
    walk->words[walk->count++] = PROF_WORD(PROF_WORD_BYTECODE, word);
}

/* From the kept state that was met on. Index of the last one that is known to follow. */
static uint32_t pass_over(struct prof_recall *self, struct prof_rows *rows,
                          struct prof_memory *memory, struct prof_walk *walk) {
  uint32_t at = self->at;
  for (; at + 1 < FRAMES && self->frames[at].flags & PROF_RECALL_STEP; at++) {
    const struct prof_recall_frame *frame = &self->frames[at], *next = frame + 1;
    if (walk->count + 2 > walk->capacity || !leads_to(frame, next, rows, memory))
      break;
    leave(self, frame, memory, walk);
    if (next->sp - frame->sp > SWITCH_BYTES)
      walk->flags |= PROF_WALK_SWITCHED;
  }
  return at;
}

static void note(struct prof_recall *self, const struct prof_regs *regs) {
  if (self->fresh_count == FRAMES) /* the outermost are kept */
    self->fresh_count = self->confirmed = 0;
  self->frame = &self->fresh[self->fresh_count++];
  *self->frame = (struct prof_recall_frame){
      .pc = regs->r[PROF_REG_PC],
      .sp = regs->r[PROF_REG_SP],
      .bp = regs->r[PROF_REG_FP],
      .flags = what_is_known(regs),
  };
}

void prof_recall_meet(struct prof_recall *self, struct prof_rows *rows, struct prof_memory *memory,
                      struct prof_regs *regs, struct prof_walk *walk, uint64_t *callee_sp) {
  uint32_t first, last;
  seek(self, regs->r[PROF_REG_SP]);
  if (self->at == FRAMES || !is_state(&self->frames[self->at], regs)) {
    note(self, regs);
    self->last_sp = regs->r[PROF_REG_SP];
    return;
  }
  first = self->at;
  splice(self, first);
  last = pass_over(self, rows, memory, walk);
  self->frame = &self->frames[last];
  self->at = last + 1;
  self->confirmed = self->at - first_of(self);
  self->last_sp = self->frame->sp;
  self->frame->flags &= ~(uint32_t)PROF_RECALL_STEP; /* until it is stepped from again */
  if (last == first)
    return;
  self->passed += last - first;
  *callee_sp = self->frames[last - 1].sp;
  prof_regs_arrive(regs, self->frame->pc, self->frame->sp, self->frame->bp,
                   self->frame->flags & PROF_RECALL_HAS_BP);
  if (!(self->frame->flags & PROF_RECALL_HAS_SP))
    regs->valid &= ~PROF_REG(PROF_REG_SP);
}

void prof_recall_keep(struct prof_recall *self) {
  splice(self, FRAMES);
}
