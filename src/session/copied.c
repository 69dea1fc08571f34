#include "session/copied.h"

#include <string.h>

#include "session/settle.h"
#include "stack/memory.h"

void prof_copied_dump(struct prof_recording *self, struct prof_join_thread *thread,
                      const struct prof_wait *wait, const struct prof_record_sample *sample) {
  struct prof_regs regs = {.valid = sample->user_regs_valid};
  memcpy(regs.r, sample->user_regs, sizeof regs.r);
  if (!sample->has_user_regs) {
    prof_settle_leaf(self, thread, wait, PROF_JOIN_NO_STACK);
    return;
  }
  struct prof_memory memory;
  prof_memory_bytes(&memory, sample->user_sp, sample->stack, sample->stack_bytes);
  struct prof_walk walk = {.words = self->words, .capacity = self->options.max_words};
  prof_unwind_walk(&self->unwind, &memory, &regs, &walk);
  uint32_t node = prof_splice_user(&self->splice, &thread->memo, self->words, walk.count,
                                   prof_settle_base(walk.end));
  prof_settle_row(self, thread, wait, node, prof_settle_end(walk.end), walk.end, walk.end_pc, 0);
}

/* How a callchain that says so itself ends: our export's, by its outermost frame. *count is then
 * one less. */
static enum prof_walk_end marked_end(struct prof_recording *self, uint64_t outer, uint32_t *count) {
  struct prof_place place;
  const char *name = prof_space_find(self->space, outer, &place)
                         ? prof_space_code(self->space, place.code)->name
                         : NULL;
  enum prof_walk_end end = !name                                    ? PROF_WALK_COMPLETE
                           : strcmp(name, "[broken stack]") == 0    ? PROF_WALK_BAD_READ
                           : strcmp(name, "[truncated stack]") == 0 ? PROF_WALK_TRUNCATED
                                                                    : PROF_WALK_COMPLETE;
  *count -= end != PROF_WALK_COMPLETE;
  return end;
}

/* A callchain of the kernel's, by frame pointers: nothing in it says where it broke off, so only
 * one that ends in a thread's first function is complete. */
static enum prof_walk_end chain_end(struct prof_recording *self, uint64_t outer, uint32_t frames) {
  if (PROF_ROW_KIND(prof_rows_find(self->rows, outer)) == PROF_ROW_START)
    return PROF_WALK_COMPLETE;
  return frames >= self->options.max_chain ? PROF_WALK_TRUNCATED : PROF_WALK_BAD_READ;
}

void prof_copied_chain(struct prof_recording *self, struct prof_join_thread *thread,
                       const struct prof_wait *wait, const struct prof_record_sample *sample) {
  uint32_t count = sample->user_chain_count;
  uint64_t *words = self->words;
  bool is_marked = self->options.whole_chains; /* and has no return addresses */
  for (uint32_t i = 0; i < count; i++) {
    bool is_return = i != 0 && !is_marked;
    words[i] =
        PROF_WORD(is_return ? PROF_WORD_RETURN : PROF_WORD_PC, sample->user_chain[i] - is_return);
  }
  uint64_t outer = PROF_WORD_VALUE(words[count - 1]);
  enum prof_walk_end end = is_marked ? marked_end(self, outer, &count)
                                     : chain_end(self, outer, count + sample->chain_count);
  uint32_t node =
      prof_splice_user(&self->splice, &thread->memo, words, count, prof_settle_base(end));
  prof_settle_row(self, thread, wait, node, prof_settle_end(end), end, outer, 0);
}
