#include "stack/stack.h"

#include "stack/unwind.h"

void prof_stack_take(struct prof_stack *self, const struct prof_walk *walk) {
  self->count = walk->count;
  self->end = (uint8_t)walk->end;
  self->end_pc = walk->end_pc;
  if (walk->flags & (PROF_WALK_GUESS_FP | PROF_WALK_GUESS_SCAN))
    self->flags |= PROF_STACK_GUESSED;
  if (walk->flags & PROF_WALK_GUESS_SCAN)
    self->flags |= PROF_STACK_SCANNED;
}
