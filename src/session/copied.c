#include "session/copied.h"

#include <string.h>

#include "session/settle.h"

enum { GUESSES = PROF_WALK_GUESS_FP | PROF_WALK_GUESS_SCAN };

/* What stands in the dump's place once it is walked; the words follow. */
struct walked {
  uint64_t end_pc;
  uint32_t flags; /* enum prof_walk_flag */
  uint16_t end;   /* enum prof_walk_end */
  uint16_t is_joined;
};

/* The layout of linux/perf_event.h: u64 size, the bytes, u64 dyn_size, and nothing of what follows
 * is asked for (perf/attr.c). */
static const struct perf_event_header *replace_dump(struct prof_recording *self,
                                                    const struct perf_event_header *header,
                                                    const struct prof_record_sample *sample,
                                                    const struct walked *walked, uint32_t count) {
  unsigned char *record = self->record;
  size_t before = (size_t)(sample->stack - (const unsigned char *)header);
  uint64_t size = sizeof *walked + count * sizeof *self->words;
  memcpy(record, header, before);
  memcpy(record + before - 8, &size, 8);
  memcpy(record + before, walked, sizeof *walked);
  memcpy(record + before + sizeof *walked, self->words, count * sizeof *self->words);
  memcpy(record + before + size, &size, 8);
  struct perf_event_header *out = (void *)record;
  out->size = (uint16_t)(before + size + 8);
  return out;
}

const struct perf_event_header *prof_copied_walk(struct prof_recording *self,
                                                 const struct perf_event_header *header,
                                                 const struct prof_record *record) {
  const struct prof_record_sample *sample = &record->sample;
  if (record->type != PERF_RECORD_SAMPLE || !sample->stack_bytes || !sample->has_user_regs)
    return header;
  size_t before = (size_t)(sample->stack - (const unsigned char *)header);
  size_t room = (UINT16_MAX - 7 - before - 8 - sizeof(struct walked)) / sizeof *self->words;
  size_t most = self->options.max_words;
  struct prof_walk walk = {.words = self->words, .capacity = (uint32_t)(room < most ? room : most)};
  struct prof_regs regs = sample->user_regs;
  bool is_joined = prof_tail_walk(&self->tail, &regs, sample->stack, sample->stack_bytes, &walk);
  struct walked walked = {.end_pc = walk.end_pc,
                          .flags = walk.flags,
                          .end = (uint16_t)walk.end,
                          .is_joined = is_joined};
  return replace_dump(self, header, sample, &walked, walk.count);
}

static void add_walk(struct prof_recording *self, struct prof_join_thread *thread,
                     const struct prof_wait *wait, const struct walked *walked,
                     const uint64_t *words, uint32_t count) {
  enum prof_walk_end end = walked->end;
  bool is_scanned = walked->flags & PROF_WALK_GUESS_SCAN;
  bool is_guessed = walked->flags & GUESSES;
  uint32_t node =
      prof_splice_user(&self->splice, &thread->memo, words, count, prof_settle_base(end));
  prof_settle_row(self, thread, wait, node, prof_settle_end(end), end, walked->end_pc,
                  (is_scanned || walked->is_joined ? PROF_SAMPLE_JOINED : 0) |
                      (is_guessed ? PROF_SAMPLE_GUESSED : 0));
}

void prof_copied_dump(struct prof_recording *self, struct prof_join_thread *thread,
                      const struct prof_wait *wait, const struct prof_record_sample *sample) {
  struct walked walked;
  if (!sample->has_user_regs) {
    prof_settle_leaf(self, thread, wait, PROF_JOIN_NO_STACK);
  } else if (self->options.replay_pid) {
    struct prof_regs regs = sample->user_regs;
    struct prof_walk walk = {.words = self->words, .capacity = self->options.max_words};
    prof_tail_walk(&self->tail, &regs, sample->stack, sample->stack_bytes, &walk);
    walked = (struct walked){.end_pc = walk.end_pc, .flags = walk.flags, .end = (uint16_t)walk.end};
    add_walk(self, thread, wait, &walked, walk.words, walk.count);
  } else {
    uint32_t count = (uint32_t)((sample->stack_bytes - sizeof walked) / sizeof *self->words);
    memcpy(&walked, sample->stack, sizeof walked);
    memcpy(self->words, sample->stack + sizeof walked, count * sizeof *self->words);
    add_walk(self, thread, wait, &walked, self->words, count);
  }
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
