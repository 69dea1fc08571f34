#include "session/settle.h"

#include <stdlib.h>

#include "base/clock.h"
#include "session/copied.h"
#include "session/frozen.h"
#include "session/offcpu.h"

/* Reading stacks of sleeping threads waits for the process's memory map, and somebody waits for us:
 * what is not read by then stays without a stack. */
enum { FROZEN_NS_MAX = 100000000 };

void prof_settle_row(struct prof_recording *self, const struct prof_join_thread *thread,
                     const struct prof_wait *wait, uint32_t node, enum prof_sample_end end,
                     int reason, uint64_t end_pc, uint8_t flags) {
  struct prof_sample sample = {
      .time_ns = wait->time_ns,
      .weight = wait->weight,
      .end_pc = end == PROF_END_BROKEN ? end_pc : 0,
      .thread = thread->row,
      .node = prof_splice_graft(&self->splice, node, &self->kernel_tree, wait->kernel_node),
      .cpu = wait->cpu,
      .end = (uint8_t)end,
      .reason = (uint8_t)reason,
      .flags = wait->flags | flags,
      .state = wait->state,
      .event = wait->event,
  };
  if (wait->is_open)
    prof_offcpu_hold(self, thread, &sample);
  else if (prof_samples_add(&self->samples, &sample))
    self->counters.no_memory++;
}

enum prof_sample_end prof_settle_end(enum prof_walk_end end) {
  return end == PROF_WALK_COMPLETE    ? PROF_END_COMPLETE
         : end == PROF_WALK_TRUNCATED ? PROF_END_TRUNCATED
                                      : PROF_END_BROKEN;
}

uint64_t prof_settle_base(enum prof_walk_end end) {
  return end == PROF_WALK_COMPLETE    ? 0
         : end == PROF_WALK_TRUNCATED ? PROF_FRAME_TRUNCATED
                                      : PROF_FRAME_BROKEN;
}

void prof_settle_leaf(struct prof_recording *self, const struct prof_join_thread *thread,
                      const struct prof_wait *wait, enum prof_join_fate fate) {
  /* The kernel part of a thread's exit: start_thread has called exit, clone3 is above it. */
  bool is_start = fate == PROF_JOIN_ENDED && wait->ip >= self->thread_start &&
                  wait->ip < self->thread_start_end;
  uint32_t node = PROF_TREE_ROOT;
  if (!is_start)
    node = prof_splice_frame(&self->tree, node, PROF_FRAME_BROKEN);
  if (wait->ip) {
    node = prof_splice_frame(&self->tree, node, prof_splice_key(&self->splice, wait->ip));
  }
  prof_settle_row(self, thread, wait, node, is_start ? PROF_END_COMPLETE : PROF_END_BROKEN,
                  PROF_REASON_JOIN + fate, wait->ip, is_start ? PROF_SAMPLE_JOINED : 0);
}

/* Samples of one system call share one walk here too. thread->walk is free: no walk follows. */
static bool walk_frozen(struct prof_recording *self, struct prof_join_last *known,
                        const struct prof_wait *wait) {
  struct prof_walk walk;
  if (known->time_ns == UINT64_MAX && known->ip == wait->ip && known->sp == wait->sp)
    return true;
  uint64_t start_ns = prof_now_ns();
  if (!wait->ip || self->frozen_ns > FROZEN_NS_MAX)
    return false;
  int status =
      prof_frozen_walk(&self->unwind, self->options.max_words, wait->ip, wait->sp, wait->bp, &walk);
  self->frozen_ns += prof_now_ns() - start_ns;
  if (status)
    return false;
  *known = (struct prof_join_last){
      .time_ns = UINT64_MAX,
      .ip = wait->ip,
      .sp = wait->sp,
      .end_pc = walk.end_pc,
      .end = (uint8_t)walk.end,
      .node =
          prof_splice_user(&self->splice, NULL, walk.words, walk.count, prof_settle_base(walk.end)),
  };
  free(walk.words);
  return true;
}

static void add_frozen(struct prof_recording *self, struct prof_join_thread *thread,
                       const struct prof_wait *wait) {
  struct prof_join_last *walk = &thread->walk;
  if (walk_frozen(self, walk, wait)) {
    prof_settle_row(self, thread, wait, walk->node, prof_settle_end(walk->end), walk->end,
                    walk->end_pc, PROF_SAMPLE_JOINED);
  } else {
    prof_settle_leaf(self, thread, wait, PROF_JOIN_FROZEN);
  }
}

uint8_t prof_settle_flags(uint32_t walk_flags) {
  return (uint8_t)((walk_flags & PROF_STACK_GUESSED ? PROF_SAMPLE_GUESSED : 0) |
                   (walk_flags & PROF_STACK_SCANNED ? PROF_SAMPLE_JOINED : 0));
}

void prof_settle_decided(void *user, struct prof_join_thread *thread, const struct prof_wait *wait,
                         enum prof_join_fate fate) {
  struct prof_recording *self = user;
  const struct prof_join_last *walk = &thread->walk;
  enum prof_walk_end end = walk->end;
  if (fate == PROF_JOIN_MATCHED) {
    bool is_user = !(wait->flags & PROF_SAMPLE_KERNEL);
    prof_meter_walk(&self->meter, is_user ? walk->time_ns - wait->time_ns : 0, walk->duration_ns);
    prof_settle_row(self, thread, wait, walk->node, prof_settle_end(end), end, walk->end_pc,
                    prof_settle_flags(walk->flags));
  } else if (fate == PROF_JOIN_HANDLER) {
    uint32_t node = prof_splice_frame(&self->tree, walk->node, PROF_FRAME_HANDLER);
    prof_settle_row(self, thread, wait, node, prof_settle_end(end), end, walk->end_pc,
                    PROF_SAMPLE_HANDLER | prof_settle_flags(walk->flags));
  } else if (fate == PROF_JOIN_OUTER) {
    /* What was called in between is not known, and said so. */
    uint32_t node = prof_splice_frame(&self->tree, walk->node, PROF_FRAME_GAP);
    node = prof_splice_frame(&self->tree, node, prof_splice_key(&self->splice, wait->ip));
    prof_settle_row(self, thread, wait, node, prof_settle_end(end), end, walk->end_pc,
                    PROF_SAMPLE_JOINED | prof_settle_flags(walk->flags));
  } else if (fate == PROF_JOIN_FROZEN) {
    add_frozen(self, thread, wait);
  } else {
    prof_settle_leaf(self, thread, wait, fate);
  }
}

void prof_settle_flat(struct prof_recording *self, const struct prof_join_thread *thread,
                      const struct prof_wait *wait) {
  uint32_t node = PROF_TREE_ROOT;
  if (!wait->kernel_node && wait->ip) {
    node = prof_splice_frame(&self->tree, node, prof_splice_key(&self->splice, wait->ip));
  }
  prof_settle_row(self, thread, wait, node, PROF_END_TRUNCATED, PROF_WALK_TRUNCATED, 0, 0);
}

void prof_settle_at_once(struct prof_recording *self, struct prof_join_thread *thread,
                         const struct prof_wait *wait, const struct prof_record_sample *sample) {
  if (sample->stack_bytes && sample->has_user_regs)
    prof_copied_dump(self, thread, wait, sample);
  else if (sample->user_chain_count)
    prof_copied_chain(self, thread, wait, sample);
  else if (self->options.plan.stack_dump || sample->chain_count)
    prof_settle_leaf(self, thread, wait, PROF_JOIN_NO_STACK);
  else
    prof_settle_flat(self, thread, wait);
}
