/*
 * recall: the outer part of a thread's last walk, so that the next one need not look it up again.
 *
 * A frame's caller is a function of its registers, its row and the words that the row says to read:
 * the return address and the saved frame pointer. Kept is each frame's state. Where a walk meets a
 * kept state again (pc, sp, frame pointer, and whether that is known), it reads those words again,
 * and as long as they are the next kept state's, that state is the next frame. Nothing is taken for
 * granted but the rows, which are as old as their epoch allows (stack/rows.h). A walk leaves the
 * words that it would have left without.
 *
 * Kept are return addresses whose step was by a plain row or V8's frame pointer. Not: where it was
 * interrupted, signal frames, guesses, popped registers; walks that need all registers.
 * The caller provides the struct, zeroed, for one thread at a time in one recording. For the walk
 * alone; async-signal-safe. Refuses more than the outermost PROF_RECALL_FRAMES frames.
 */
#ifndef RSPACK_PROF_STACK_RECALL_H
#define RSPACK_PROF_STACK_RECALL_H

#include "stack/step.h"

enum { PROF_RECALL_FRAMES = 512 };

enum prof_recall_flag {
  PROF_RECALL_STEP = 1,        /* the next kept state is its caller's */
  PROF_RECALL_NO_IMAGE = 2,    /* if its pc is in no image: JIT code */
  PROF_RECALL_INTERPRETER = 4, /* leaves its bytecode slot too */
  PROF_RECALL_HAS_BP = 8,      /* bp is known */
  PROF_RECALL_HAS_SP = 16,     /* sp is exact; else no lower (arm64, behind a frame record) */
  PROF_RECALL_KNOWN = PROF_RECALL_HAS_BP | PROF_RECALL_HAS_SP,
};

struct prof_recall_frame {
  uint64_t pc, sp, bp;
  int32_t bp_at; /* the caller's was read that far from its sp; 0: it is this frame's */
  uint32_t flags;
};

struct prof_recall {
  uint64_t epoch; /* of the rows */
  const struct prof_v8_map *v8;
  uint32_t count;     /* frames kept: the last ones of `frames`, innermost first */
  uint32_t at;        /* the next one that may be met */
  uint32_t confirmed; /* of those kept, so many from the first on are this walk's too */
  uint32_t fresh_count;
  uint64_t last_sp;                /* 0: no state was met yet */
  uint64_t passed;                 /* counter: frames that were not looked up */
  struct prof_recall_frame *frame; /* of the state that was met last; NULL: not kept */
  struct prof_recall_frame frames[PROF_RECALL_FRAMES];
  struct prof_recall_frame fresh[PROF_RECALL_FRAMES]; /* this walk's since the confirmed ones */
};

/* Begins a walk. */
void prof_recall_begin(struct prof_recall *self, uint64_t epoch, const struct prof_v8_map *v8);

/* The stack pointer of the innermost kept state above sp; UINT64_MAX: none. */
uint64_t prof_recall_above(const struct prof_recall *self, uint64_t sp);

/* At a return address' state: goes on to the last frame that is known to follow, with the words of
 * those before it, or notes the state. *callee_sp becomes the stack pointer of the frame before. */
void prof_recall_meet(struct prof_recall *self, struct prof_rows *rows, struct prof_memory *memory,
                      struct prof_regs *regs, struct prof_walk *walk, uint64_t *callee_sp);

/* The state met last has been left by a step of this kind (enum prof_recall_flag), so that the next
 * one met is its caller's. bp_at as above. */
static inline void prof_recall_step(struct prof_recall *self, uint32_t flags, int32_t bp_at) {
  if (self->frame) {
    self->frame->flags = (self->frame->flags & PROF_RECALL_KNOWN) | PROF_RECALL_STEP | flags;
    self->frame->bp_at = bp_at;
  }
}

/* The walk has reached the thread's start: its states are kept for the next one. */
void prof_recall_keep(struct prof_recall *self);

#endif
